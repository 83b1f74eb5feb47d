import Basics
import Messages

extension Engine {
  /// PauseWorkflow: no task of the run goes out from now on. What is out may end and counts; events
  /// come in and wait. A repetition has no effect.
  mutating func pauseWorkflow(_ id: RequestID, _ request: PauseWorkflowRequest) {
    let done = Reply.pauseWorkflow(PauseWorkflowResponse())
    guard
      let (run, record) = target(
        of: request, id, method: "PauseWorkflow", as: .pauseWorkflow(request), done: done)
    else { return }
    guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
    if run.fold.pause == nil { pause(run, request, record) }
    reply(id, done, .run(run))
  }

  private mutating func pause(
    _ run: Run, _ request: PauseWorkflowRequest, _ record: RequestRecord?
  ) {
    var event = WorkflowExecutionPaused()
    event.reason = request.reason
    event.identity = request.identity
    event.requestID = request.requestID
    remember(record, event: self.record(run, .workflowExecutionPaused(event)), in: run)
    run.hasNewStatus = true
    pauseInLine(run, true)
    failQueries(run, .workflowPaused(run))
    updatesCameBack(to: run)
    if run.task.lease == nil {
      endTask(run)
      run.task.isRedo = false
    }
  }
}

extension Status {
  static func workflowPaused(_ run: Run) -> Status {
    refusal(
      .failedPrecondition, .workflowPaused,
      "workflow '\(run.key.workflowID)' is paused; UnpauseWorkflow lets it go on",
      runID: run.runID)
  }
}
