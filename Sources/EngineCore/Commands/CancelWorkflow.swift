import Basics
import Messages

extension Engine {
  /// CancelWorkflow: asks the code to end; delivered once, a repetition has no effect.
  mutating func cancelWorkflow(_ id: RequestID, _ request: CancelWorkflowRequest) {
    let done = Reply.cancelWorkflow(CancelWorkflowResponse())
    let found = target(
      of: request, id, method: "CancelWorkflow", as: .cancelWorkflow(request), done: done)
    if let (run, record) = found { cancel(run, id, request, record) }
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
