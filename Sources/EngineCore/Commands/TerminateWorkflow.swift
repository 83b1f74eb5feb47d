import Basics
import Messages

extension Engine {
  /// TerminateWorkflow: ends the run at once, without its code.
  mutating func terminateWorkflow(_ id: RequestID, _ request: TerminateWorkflowRequest) {
    let done = Reply.terminateWorkflow(TerminateWorkflowResponse())
    if let status = payloadFault(request.details, "details") { return refuse(id, status) }
    guard
      let (run, record) = target(
        of: request, id, method: "TerminateWorkflow", as: .terminateWorkflow(request), done: done)
    else { return }
    guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
    remember(record, event: run.fold.lastEventID + 1, in: run)
    terminate(run, reason: request.reason, details: request.details, identity: request.identity)
    reply(id, done, .run(run))
  }
}
