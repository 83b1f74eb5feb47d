import Basics
import EngineCore
import Messages

/// I25: a local activity that may have one attempt begins once at most, whatever becomes of its
/// worker and of the engine, and each one that ends in its history was begun before.
final class LocalsBeginOnce: Checker {
  static let name = "I25 local activities begin once"

  private struct Place: Hashable {
    let run: RunID
    let seq: UInt32
  }

  private var begun: [Place: Int32] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .localBegins(let run, let seq, let attempt, let attemptsMax):
      let place = Place(run: run, seq: seq)
      if attemptsMax == 1, begun[place] != nil {
        scene.found("local activity \(seq) of \(run) begins again, as attempt \(attempt)")
      }
      begun[place] = max(begun[place] ?? 0, attempt)
    case .committed(let writes):
      for case .appendHistory(let number, let first, _, _) in writes {
        guard let run = scene.ledger.run(number) else { continue }
        for event in run.events where event.eventID >= first { check(event, run, scene) }
      }
    default: break
    }
  }

  private func check(_ event: HistoryEvent, _ run: Ledger.Run, _ scene: Scene) {
    guard case .activityTaskCompleted(let end) = event.attributes else { return }
    for case .activityTaskScheduled(let scheduled) in run.events.compactMap(\.attributes)
    where scheduled.local && scheduled.seq == end.seq {
      if begun[Place(run: run.row.runID, seq: end.seq)] == nil {
        scene.found("local activity \(end.seq) of \(run.row.number) ends, and nobody began it")
      }
    }
  }
}
