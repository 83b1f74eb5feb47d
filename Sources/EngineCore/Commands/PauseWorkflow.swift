import Basics
import Messages

extension Engine {
  /// PauseWorkflow: no task of the run goes out from now on. What is out may end and counts; events
  /// come in and wait. A repetition has no effect.
  mutating func pauseWorkflow(_ id: RequestID, _ request: PauseWorkflowRequest) {
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
      let input = Input.request(id, .pauseWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      let earlier = earlier(
        id, method: "PauseWorkflow", key: key, requestID: request.requestID,
        hash: request.requestHash, run: found.run, input: input)
      switch earlier {
      case .handled: return
      case .done: reply(id, .pauseWorkflow(PauseWorkflowResponse()), .engine)
      case .new(let record):
        guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
        guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
        if run.fold.pause == nil { pause(run, request, record) }
        reply(id, .pauseWorkflow(PauseWorkflowResponse()), .run(run))
      }
    }
  }

  private mutating func pause(
    _ run: Run, _ request: PauseWorkflowRequest, _ record: RequestRecord?
  ) {
    var event = WorkflowExecutionPaused()
    event.reason = request.reason
    event.identity = request.identity
    event.requestID = request.requestID
    remember(record, event: self.record(run, .workflowExecutionPaused(event)), in: run)
    failQueries(run, .workflowPaused(run))
    updatesCameBack(to: run)
    if run.task.lease == nil { endTask(run) }
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
