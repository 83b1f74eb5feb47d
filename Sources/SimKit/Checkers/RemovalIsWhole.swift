import Basics
import EngineCore
import Messages

/// I14: retention removes closed runs only, not before their time, and nothing of them stays.
final class RemovalIsWhole: Checker {
  static let name = "I14 whole closed runs are removed"

  /// How long closed runs are kept; nil: no seed lasts so long.
  private let retention: Span?

  init(retention: Span?) { self.retention = retention }

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed: for run in scene.ledger.justRemoved { check(run, scene) }
    case .reopened, .finished:
      if let what = scene.ledger.leftovers.first { scene.found(what) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    let number = run.row.number
    guard let end = run.row.closeTime else {
      return scene.found("\(number) is removed while it is open")
    }
    guard let retention else { return scene.found("\(number) is removed; all are kept") }
    // The engine's clock may be behind, never ahead.
    let now = Instant(ms: SimClock.originMs + scene.us / 1_000)
    if now < end + retention {
      scene.found("\(number) is removed \((end + retention - now).ms) ms early")
    }
  }
}
