import Basics
import Messages

extension Engine {
  /// UnpauseWorkflow: what has waited goes out. A repetition has no effect.
  mutating func unpauseWorkflow(_ id: RequestID, _ request: UnpauseWorkflowRequest) {
    let done = Reply.unpauseWorkflow(UnpauseWorkflowResponse())
    guard
      let (run, record) = target(
        of: request, id, method: "UnpauseWorkflow", as: .unpauseWorkflow(request), done: done)
    else { return }
    guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
    if run.fold.pause != nil { unpause(run, request, record) }
    reply(id, done, .run(run))
  }

  private mutating func unpause(
    _ run: Run, _ request: UnpauseWorkflowRequest, _ record: RequestRecord?
  ) {
    var event = WorkflowExecutionUnpaused()
    event.reason = request.reason
    event.identity = request.identity
    event.requestID = request.requestID
    remember(record, event: self.record(run, .workflowExecutionUnpaused(event)), in: run)
    run.hasNewStatus = true
    pauseInLine(run, false)
    for activity in run.fold.activities where activity.phase == .queued {
      offerActivity(activity.scheduledEvent, of: run)
    }
    afterInbound(run)
  }
}
