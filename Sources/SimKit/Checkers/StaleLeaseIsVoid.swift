import EngineCore
import Messages

/// I6: what was refused changes nothing: the result of a lease that its worker had lost is in no
/// history.
final class StaleLeaseIsVoid: Checker {
  static let name = "I6 a stale lease changes nothing"

  private var refused: Set<String> = []

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .activityRefused(let mark): refused.insert(mark)
    case .answered(let request, let answer, _):
      guard case .complete(let completion) = request.kind, answer.status?.reason == .staleLease
      else { return }
      refused.insert(completion.result.first?.text ?? "")
    case .finished, .reopened:
      for run in scene.ledger.runs {
        for event in run.events {
          guard case .activityTaskCompleted(let completed) = event.attributes,
            let mark = completed.result.first?.text, refused.contains(mark)
          else { continue }
          scene.found("result \(mark) was refused and is in \(run.row.number)")
        }
      }
    default: break
    }
  }
}
