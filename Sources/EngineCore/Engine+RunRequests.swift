import Basics
import Messages

/// A request about the life of a run: that it ends, pauses, or goes on.
protocol RunRequest: Identified {
  var namespace: String { get }
  var target: RunTarget { get }
  var reason: String { get }
  var requestID: String { get }
}

extension CancelWorkflowRequest: RunRequest { var target: RunTarget { .workflow(execution) } }
extension TerminateWorkflowRequest: RunRequest { var target: RunTarget { .workflow(execution) } }
extension PauseWorkflowRequest: RunRequest { var target: RunTarget { .workflow(execution) } }
extension UnpauseWorkflowRequest: RunRequest { var target: RunTarget { .workflow(execution) } }

/// The run that a request names.
enum RunTarget {
  case workflow(WorkflowExecution?)
  /// An activity without a workflow.
  case activity(String, RunID)

  /// `none`: the newest one.
  var runID: RunID {
    switch self {
    case .workflow(let execution): execution?.runID ?? .none
    case .activity(_, let runID): runID
    }
  }
}

extension Engine {
  /// The run that the request is for, open or closed, and what to remember of the request; nil when
  /// it has been answered, or waits for the store.
  mutating func target(
    of request: some RunRequest, _ id: RequestID, method: String, as whole: Request, done: Reply
  ) -> (run: Run, record: RequestRecord?)? {
    let key: WorkflowKey
    switch self.key(request.namespace, request.target) {
    case .failure(let refusal):
      refuse(id, refusal.status)
      return nil
    case .success(let named): key = named
    }
    if let status = first(
      idFault(request.requestID, "request_id"), textFault(request.reason, "reason"),
      idFault(request.identity, "identity"))
    {
      refuse(id, status)
      return nil
    }
    let runID = request.target.runID
    let input = Input.request(id, whole)
    guard let found = find(key, runID, for: input).settled else { return nil }
    let earlier = earlier(
      id, method: method, key: key, requestID: request.requestID, hash: request.requestHash,
      run: found.run, input: input)
    switch earlier {
    case .handled: return nil
    case .done:
      reply(id, done, .engine)
      return nil
    case .new(let record):
      if let run = found.run { return (run, record) }
      refuse(id, .runNotFound(key, runID))
      return nil
    }
  }
}
