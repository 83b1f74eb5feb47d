import Basics
import EngineCore
import Messages

/// I8: what a start does beside a run of its workflow id is what its two policies say.
final class PoliciesAreFollowed: Checker {
  static let name = "I8 id policies are followed"

  /// The run of the workflow id before a new one.
  struct Predecessor {
    let number: RunNumber
    let status: WorkflowStatus
    /// It was terminated to make room for the new one.
    let wasReplaced: Bool
  }

  /// The runs whose creation was seen, and what was there before.
  private var made: [RunID: Predecessor?] = [:]
  private var closedUs: [RunID: Int64] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for write in writes {
        if case .createRun(let row) = write {
          made[row.runID] = .some(predecessor(of: row, scene.ledger))
        }
        if case .closeRun(let number, _, _, _, _) = write, let run = scene.ledger.run(number) {
          closedUs[run.row.runID] = scene.us
        }
      }
    case .answered(let request, let answer, _):
      guard let policies = request.policies else { return }
      if let fault = fault(policies, request, answer, scene.ledger) {
        scene.found("\(request.name) with \(policies): \(fault)")
      }
    default: break
    }
  }

  private func predecessor(of row: RunRow, _ ledger: Ledger) -> Predecessor? {
    let earlier = ledger.runs(of: row.workflowID, row.kind).filter { $0.row.number < row.number }
    guard let last = earlier.max(by: { $0.row.number < $1.row.number }) else { return nil }
    // A newer one that is gone by now may have been there still.
    let isLast = ledger.everyRun(of: row.workflowID, row.kind).allSatisfy {
      ledger.removed[$0.row.runID] == nil || $0.row.number < last.row.number
    }
    guard isLast else { return nil }
    var wasReplaced = false
    if case .workflowExecutionTerminated(let end) = last.events.last?.attributes {
      wasReplaced = end.reason == "a new start with TERMINATE_EXISTING"
    }
    return Predecessor(
      number: last.row.number, status: last.row.status, wasReplaced: wasReplaced)
  }

  private func fault(
    _ policies: Policies, _ request: ClientRequest, _ answer: Answer, _ ledger: Ledger
  ) -> String? {
    if answer.isOK {
      guard let response = request.startResponse(in: answer) else { return nil }
      // A repetition, after what it did went over to another run: no policy was asked.
      if ledger.run(response.runID)?.hasFromOthers(request.requestID) ?? false { return nil }
      if !response.started { return policies.uses ? nil : "it uses run \(response.runID)" }
      guard let before = made[response.runID], let before else { return nil }
      return policies.allowsStart(after: before)
        ? nil
        : "it starts run \(response.runID) after \(before.number), \(before.status.name)"
    }
    let reason: Reason =
      request.runKind == .workflow ? .workflowAlreadyStarted : .activityAlreadyStarted
    guard answer.status?.reason == reason, let runID = answer.status?.runID,
      let run = ledger.run(runID)
    else { return nil }
    // While it was open, as far as anybody can know.
    let mayBeOpen = closedUs[runID].map { $0 >= request.firstSentUs } ?? true
    if policies.refusesOpen && mayBeOpen { return nil }
    return !run.isOpen && !policies.allowsReuse(after: run.row.status)
      ? nil : "refused because of run \(runID), \(run.row.status.name)"
  }
}

/// What a start says of other runs of its workflow id.
struct Policies: CustomStringConvertible {
  let conflict: WorkflowIdConflictPolicy
  let reuse: WorkflowIdReusePolicy

  var description: String { "\(conflict.name), \(reuse.name)" }

  var uses: Bool { conflict == .useExisting }
  var refusesOpen: Bool { conflict == .fail }

  func allowsReuse(after status: WorkflowStatus) -> Bool {
    switch reuse {
    case .rejectDuplicate: false
    case .allowDuplicateFailedOnly: status != .completed
    default: true
    }
  }

  func allowsStart(after before: PoliciesAreFollowed.Predecessor) -> Bool {
    before.wasReplaced ? conflict == .terminateExisting : allowsReuse(after: before.status)
  }
}

extension ClientRequest {
  /// nil for requests that start nothing.
  fileprivate var policies: Policies? {
    switch kind {
    case .start(let start):
      let conflict = start.idConflictPolicy
      return Policies(
        conflict: conflict == .unspecified ? .fail : conflict, reuse: start.idReusePolicy)
    case .signalWithStart(let both):
      guard let start = both.start else { return nil }
      let conflict = start.idConflictPolicy
      return Policies(
        conflict: conflict == .unspecified ? .useExisting : conflict, reuse: start.idReusePolicy)
    case .activityRun(.start(let start)):
      let conflict = start.idConflictPolicy
      return Policies(
        conflict: conflict == .unspecified ? .fail : conflict, reuse: start.idReusePolicy)
    default: return nil
    }
  }

  /// What the answer to a start says, of a run of any kind.
  fileprivate func startResponse(in answer: Answer) -> StartWorkflowResponse? {
    guard runKind == .activity else { return try? StartWorkflowResponse(bytes: answer.message) }
    let response = try? StartActivityResponse(bytes: answer.message)
    return response.map { .of($0.runID, started: $0.started) }
  }
}
