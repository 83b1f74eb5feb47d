import EngineCore
import Messages

/// I6: a lease that is over changes nothing: a result that was refused is in no history, and a
/// history holds a result only for the attempt whose worker brought it.
final class StaleLeaseIsVoid: Checker {
  static let name = "I6 a stale lease changes nothing"

  private var refused: Set<String> = []
  /// The attempts that went out, and those of the results that came.
  private var attempts: [[UInt8]: Int32] = [:]
  private var results: [String: Int32] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .activityRefused(let mark): refused.insert(mark)
    case .answered(let request, let answer, _):
      guard case .complete(let completion) = request.kind, answer.status?.reason == .staleLease
      else { return }
      refused.insert(completion.result.first?.text ?? "")
    case .toWorker(_, .activityTask(let task)): attempts[task.token] = task.attempt
    case .fromWorker(_, .activityCompleted(let completed)):
      guard let attempt = attempts[completed.token] else { return }
      results[completed.result.first?.text ?? ""] = attempt
    case .finished, .reopened: for run in scene.ledger.runs { check(run, scene) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    var started: [Int64: Int32] = [:]
    for event in run.events {
      if case .activityTaskStarted(let start) = event.attributes {
        started[start.scheduledEventID] = start.attempt
      }
      guard case .activityTaskCompleted(let completed) = event.attributes,
        let mark = completed.result.first?.text
      else { continue }
      if refused.contains(mark) {
        scene.found("result \(mark) was refused and is in \(run.row.number)")
      }
      let attempt = started[completed.scheduledEventID] ?? 0
      if let brought = results[mark], brought != attempt {
        scene.found(
          "\(run.row.number): result \(mark) of attempt \(brought) ends attempt \(attempt)")
      }
    }
  }
}
