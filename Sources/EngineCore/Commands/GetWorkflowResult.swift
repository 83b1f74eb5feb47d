import Basics
import Messages

extension Engine {
  /// GetWorkflowResult: answers when the run has closed.
  mutating func getWorkflowResult(_ id: RequestID, _ request: GetWorkflowResultRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .getWorkflowResult(request))
      guard let found = find(key, runID, for: input).settled else { return }
      guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      guard run.fold.isOpen else {
        return reply(id, .getWorkflowResult(result(of: run)), .run(run))
      }
      // Waits by the run's number: the run itself may become dormant meanwhile.
      resultWaiters[run.number, default: Waiters()].append(id)
      waiting[id] = .result(run.number)
    }
  }
}
