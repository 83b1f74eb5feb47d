import Basics
import Messages

extension Engine {
  /// CancelWorkflow: asks the code to end; delivered once, a repetition has no effect.
  mutating func cancelWorkflow(_ id: RequestID, _ request: CancelWorkflowRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      if let status = idFault(request.requestID, "request_id") { return refuse(id, status) }
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .cancelWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      // Cancel is state: without another effect there is nothing to remember by request id.
      if run.fold.isOpen && !run.fold.cancelRequested {
        if run.task.isRedo { return park(input, on: run) }
        var event = WorkflowExecutionCancelRequested()
        event.reason = request.reason
        event.identity = request.identity
        event.requestID = request.requestID
        record(run, .workflowExecutionCancelRequested(event))
        afterInbound(run)
      }
      guard run.fold.isOpen || run.fold.cancelRequested || run.fold.status == .canceled else {
        return refuse(id, .workflowClosed(run), .run(run))
      }
      reply(id, .cancelWorkflow(CancelWorkflowResponse()), .run(run))
    }
  }
}
