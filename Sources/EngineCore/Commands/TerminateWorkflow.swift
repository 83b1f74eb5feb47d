import Basics
import Messages

extension Engine {
  /// TerminateWorkflow: ends the run at once, without its code.
  mutating func terminateWorkflow(_ id: RequestID, _ request: TerminateWorkflowRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      if let status = first(
        idFault(request.requestID, "request_id"), payloadFault(request.details, "details"),
        textFault(request.reason, "reason"), idFault(request.identity, "identity"))
      {
        return refuse(id, status)
      }
      terminate(id, request, key)
    }
  }

  private mutating func terminate(
    _ id: RequestID, _ request: TerminateWorkflowRequest, _ key: WorkflowKey
  ) {
    let runID = request.execution?.runID ?? .none
    let input = Input.request(id, .terminateWorkflow(request))
    guard let found = find(key, runID, for: input).settled else { return }
    let earlier = earlier(
      id, method: "TerminateWorkflow", key: key, requestID: request.requestID,
      hash: request.requestHash, run: found.run, input: input)
    switch earlier {
    case .handled: return
    case .done:
      reply(id, .terminateWorkflow(TerminateWorkflowResponse()), .engine)
    case .new(let record):
      guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
      remember(record, event: run.fold.lastEventID + 1, in: run)
      terminate(
        run, reason: request.reason, details: request.details, identity: request.identity)
      reply(id, .terminateWorkflow(TerminateWorkflowResponse()), .run(run))
    }
  }
}
