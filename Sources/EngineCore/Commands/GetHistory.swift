import Basics
import Messages

extension Engine {
  /// GetHistory: the stored events from one on, in parts; with `follow`, until the run closes.
  mutating func getHistory(_ id: RequestID, _ request: GetHistoryRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuseStream(id, refusal.status)
    case .success(let key):
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .getHistory(request))
      guard let found = find(key, runID, for: input).settled else { return }
      guard let run = found.run else { return refuseStream(id, .workflowNotFound(key, runID)) }
      guard request.firstEventID >= 0 else {
        return refuseStream(id, .invalid("first_event_id", "must not be negative"))
      }
      open(
        id,
        .history(run.number, next: max(1, request.firstEventID), follow: request.follow),
        in: key.namespace)
    }
  }

  mutating func refuseStream(_ id: RequestID, _ status: Status) {
    send(.end(id, status), .engine)
  }
}
