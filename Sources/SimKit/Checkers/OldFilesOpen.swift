import EngineCore
import Messages

/// I19: what an earlier engine has left in its file is opened: nothing of it is damaged or missing,
/// and what was under way comes to its end. (The host tells of a file that is refused.)
final class OldFilesOpen: Checker {
  static let name = "I19 old files open"

  /// The file is there before the first engine is.
  private let hasFile: Bool
  /// Runs that were open in it.
  private var open: [RunNumber]?

  init(hasFile: Bool) { self.hasFile = hasFile }

  func see(_ observation: Observation, _ scene: Scene) {
    guard hasFile else { return }
    switch observation {
    case .reopened:
      guard open == nil else { return }
      open = scene.ledger.openRuns.map(\.row.number)
      for fault in scene.ledger.faults { scene.found(fault) }
      for run in scene.ledger.openRuns {
        for event in run.pendingActivities where run.activities[event] == nil {
          scene.found("\(run.row.number): the row of activity \(event) is not there")
        }
      }
    case .waiting(let sinceUs, _):
      guard scene.us - sinceUs > AllWorkEnds.healUs else { return }
      let left = (open ?? []).filter { scene.ledger.run($0)?.isOpen ?? false }
      if !left.isEmpty { scene.found("\(left) were open in the old file, and still are") }
    default: break
    }
  }
}
