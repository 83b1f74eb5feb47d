import Basics
import Messages

extension Engine {
  /// UnpauseWorkflow: what has waited goes out. A repetition has no effect.
  mutating func unpauseWorkflow(_ id: RequestID, _ request: UnpauseWorkflowRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      if let status = first(
        idFault(request.requestID, "request_id"), textFault(request.reason, "reason"),
        idFault(request.identity, "identity"))
      {
        return refuse(id, status)
      }
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .unpauseWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      let earlier = earlier(
        id, method: "UnpauseWorkflow", key: key, requestID: request.requestID,
        hash: request.requestHash, run: found.run, input: input)
      switch earlier {
      case .handled: return
      case .done: reply(id, .unpauseWorkflow(UnpauseWorkflowResponse()), .engine)
      case .new(let record):
        guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
        guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
        if run.fold.pause != nil { unpause(run, request, record) }
        reply(id, .unpauseWorkflow(UnpauseWorkflowResponse()), .run(run))
      }
    }
  }

  private mutating func unpause(
    _ run: Run, _ request: UnpauseWorkflowRequest, _ record: RequestRecord?
  ) {
    var event = WorkflowExecutionUnpaused()
    event.reason = request.reason
    event.identity = request.identity
    event.requestID = request.requestID
    remember(record, event: self.record(run, .workflowExecutionUnpaused(event)), in: run)
    for activity in run.fold.activities where activity.phase == .queued {
      offerActivity(activity.scheduledEvent, of: run)
    }
    afterInbound(run)
  }
}
