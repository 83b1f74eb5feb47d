import Basics
import Messages

extension Engine {
  /// PollUpdate: waits for an update by its id alone.
  mutating func pollUpdate(_ id: RequestID, _ request: PollUpdateRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      if request.updateID.isEmpty { return refuse(id, .missing("update_id")) }
      if let status = first(
        idFault(request.updateID, "update_id"), stageFault(request.waitFor))
      {
        return refuse(id, status)
      }
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .pollUpdate(request))
      guard let found = find(key, runID, for: input).settled else { return }
      let fingerprint = requestKey(
        method: Engine.updateMethod, key, request.updateID)
      if let run = found.run, join(id, fingerprint, run, waitsFor: request.waitFor) { return }
      switch recall(fingerprint, key, found.run, input) {
      case .parked: return
      case .known(let known) where known.record.event != 0:
        answer(id, request.updateID, known, waitsFor: request.waitFor, started: false)
      case .known, .unknown:
        guard found.run != nil else { return refuse(id, .workflowNotFound(key, runID)) }
        refuse(id, .updateNotFound(key, request.updateID))
      }
    }
  }
}

extension Status {
  static func updateNotFound(_ key: WorkflowKey, _ updateID: String) -> Status {
    refusal(
      .notFound, .updateNotFound,
      "workflow '\(key.workflowID)' has taken on no update '\(updateID)'; one that was not accepted"
        + " before its client or the engine went away can be sent again")
  }
}
