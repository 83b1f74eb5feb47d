import EngineCore
import Messages

/// I4: a run in memory is what its history and its rows make: with the state row, as a load would
/// make it, and without, from the first event on.
final class StateIsFold: Checker {
  static let name = "I4 memory is what the store makes"

  func see(_ observation: Observation, _ scene: Scene) {
    guard case .atRest(let resident) = observation else { return }
    for run in resident {
      if let what = run.difference(run.stored) {
        scene.found("\(run.stored.row.number), loaded: \(what)")
      }
      if let what = run.difference(run.stored.withoutState(run.batches)) {
        scene.found("\(run.stored.row.number), from its history alone: \(what)")
      }
    }
  }
}

/// An open run that the engine has in memory, beside what the store has of it.
struct ResidentRun {
  let stored: StoredRun
  /// Its whole history.
  let batches: [StoredBatch]
  /// In what memory differs from what would be made of that; nil: in nothing.
  let difference: (StoredRun) -> String?
}

extension StoredRun {
  fileprivate func withoutState(_ batches: [StoredBatch]) -> StoredRun {
    var stored = self
    stored.state = nil
    stored.stateEvent = 0
    stored.tail = batches
    return stored
  }
}
