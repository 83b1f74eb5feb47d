import Basics
import EngineCore
import Messages

/// I12: however cancel, terminate, timeout and completion race, a run has one closing event; its
/// row and every answer tell of that one.
final class OneEndPerRun: Checker {
  static let name = "I12 one end per run"

  private var told: [RunID: WorkflowStatus] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for case .closeRun(let number, _, _, _, _) in writes {
        if let run = scene.ledger.run(number) { check(run, scene) }
      }
    case .reopened, .finished: for run in scene.ledger.runs { check(run, scene) }
    case .answered(let request, let answer, _):
      if let (run, status) = request.end(in: answer) { check(run, status, scene) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    let ends = run.events.compactMap { run.status(after: $0) }
    if ends.count > 1 { scene.found("\(run.row.number) ends as \(ends.map(\.name))") }
    guard !run.isOpen else { return }
    if ends.first != run.row.status {
      scene.found(
        "\(run.row.number) ends as \(ends.map(\.name)), its row says \(run.row.status.name)")
    }
    if let status = told[run.row.runID], status != run.row.status {
      scene.found("\(run.row.number) was told to be \(status.name), it is \(run.row.status.name)")
    }
  }

  private func check(_ run: RunID, _ end: WorkflowStatus, _ scene: Scene) {
    let status = told[run, default: end]
    told[run] = status
    if status != end { scene.found("run \(run) ends as \(status.name) and as \(end.name)") }
  }
}

extension ClientRequest {
  /// The end of a run that the answer tells of.
  func end(in answer: Answer) -> (RunID, WorkflowStatus)? {
    guard answer.isOK else { return nil }
    switch kind {
    case .result:
      let result = try? GetWorkflowResultResponse(bytes: answer.message)
      return result.map { ($0.runID, $0.status) }
    case .activityRun(.result):
      let result = try? GetActivityResultResponse(bytes: answer.message)
      return result.map { ($0.runID, $0.status) }
    default: return nil
    }
  }
}

extension HistoryEvent {
  /// How the event ends its run; nil when it does not.
  var closingStatus: WorkflowStatus? {
    switch attributes {
    case .workflowExecutionCompleted: .completed
    case .workflowExecutionFailed: .failed
    case .workflowExecutionTimedOut: .timedOut
    case .workflowExecutionCanceled: .canceled
    case .workflowExecutionTerminated: .terminated
    case .workflowExecutionContinuedAsNew: .continuedAsNew
    default: nil
    }
  }

  var isClosing: Bool { closingStatus != nil }

  /// How it ends its activity, and with it the run that is the activity's own.
  var activityStatus: WorkflowStatus? {
    switch attributes {
    case .activityTaskCompleted: .completed
    case .activityTaskFailed: .failed
    case .activityTaskTimedOut: .timedOut
    case .activityTaskCanceled: .canceled
    default: nil
    }
  }
}
