import Basics
import Messages

extension Engine {
  /// CancelWorkflow: asks the code to end; delivered once, a repetition has no effect.
  mutating func cancelWorkflow(_ id: RequestID, _ request: CancelWorkflowRequest) {
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
      let input = Input.request(id, .cancelWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      let earlier = earlier(
        id, method: "CancelWorkflow", key: key, requestID: request.requestID,
        hash: request.requestHash, run: found.run, input: input)
      switch earlier {
      case .handled: return
      case .done: reply(id, .cancelWorkflow(CancelWorkflowResponse()), .engine)
      case .new(let record):
        guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
        cancel(run, id, request, record)
      }
    }
  }

  /// Cancel is state: what has no effect is fine and not remembered.
  private mutating func cancel(
    _ run: Run, _ id: RequestID, _ request: CancelWorkflowRequest, _ record: RequestRecord?
  ) {
    if run.fold.isOpen && !run.fold.cancelRequested {
      if park(.request(id, .cancelWorkflow(request)), behindRedoOf: run, id) { return }
      var event = WorkflowExecutionCancelRequested()
      event.reason = request.reason
      event.identity = request.identity
      event.requestID = request.requestID
      remember(record, event: self.record(run, .workflowExecutionCancelRequested(event)), in: run)
      afterInbound(run)
    }
    // Of a closed run that was asked to cancel and ended otherwise, history alone still knows it.
    guard run.fold.isOpen || run.fold.status == .canceled else {
      return refuse(id, .workflowClosed(run), .run(run))
    }
    reply(id, .cancelWorkflow(CancelWorkflowResponse()), .run(run))
  }
}
