import Basics
import Messages

extension Engine {
  /// UpdateWorkflow: asks the open run's code to take a request on, and waits for its word. Nothing
  /// is recorded before the code has accepted it.
  mutating func updateWorkflow(_ id: RequestID, _ request: UpdateWorkflowRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      if let status = fault(in: request) { return refuse(id, status) }
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .updateWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      let earlier = earlier(
        id, method: Engine.updateMethod, key: key, requestID: request.updateID,
        hash: request.requestHash, run: found.run, input: input)
      switch earlier {
      case .handled: return
      case .done(let known) where known.record.event == 0:
        // It started its run, and its code has not accepted it.
        guard let run = found.run, run.number == known.run else {
          return refuse(id, .workflowClosed(key, known.runID))
        }
        admit(request, to: run, known.record, id, started: true)
      case .done(let known):
        answer(id, request.updateID, known, waitsFor: request.waitFor, started: false)
      case .new(let record):
        guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
        guard let record else { preconditionFailure("an update without an id passed the check") }
        admit(request, to: run, record, id, started: false)
      }
    }
  }

  /// The method of an update's id, however the update came.
  static var updateMethod: String { "UpdateWorkflow" }

  func fault(in request: UpdateWorkflowRequest) -> Status? {
    if request.updateID.isEmpty { return .missing("update_id") }
    if request.updateName.isEmpty { return .missing("update_name") }
    return first(
      idFault(request.updateID, "update_id"), idFault(request.updateName, "update_name"),
      idFault(request.identity, "identity"), stageFault(request.waitFor),
      payloadFault(request.args, "args", with: request.header))
  }

  /// A client can wait for ACCEPTED and for COMPLETED.
  func stageFault(_ stage: UpdateStage) -> Status? {
    switch stage {
    case .unspecified, .accepted, .completed: nil
    case .rejected, .unrecognized: .invalid("wait_for", "is ACCEPTED or COMPLETED")
    }
  }
}

extension UpdateWorkflowRequest {
  /// Tells two updates with the same id apart: by what they ask for, not by who asks or how long
  /// they wait.
  var requestHash: UInt64 {
    var request = UpdateWorkflowRequest()
    request.updateName = updateName
    request.args = args
    request.header = header
    return Fingerprint(of: request.serialized()).low
  }
}
