import Basics
import EngineCore
import Messages

/// I14: retention removes closed runs only, not before the time that their namespace keeps them,
/// clients remove any; nothing of them stays.
final class RemovalIsWhole: Checker {
  static let name = "I14 whole closed runs are removed"

  /// How long closed runs are kept; nil: no seed lasts so long.
  private let retention: Span?

  /// Workflow ids of which a client wanted a run to go.
  private var deleted: Set<String> = []

  init(retention: Span?) { self.retention = retention }

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .sent(let request): if case .delete = request.kind { deleted.insert(request.workflowID) }
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
    let isOther = run.row.namespace != "default"
    if !isOther && deleted.contains(run.row.workflowID) { return }
    let own = scene.ledger.keptFor[number]
    if isOther && own == nil { return }
    guard let retention = own == nil || own == .zero ? retention : own else {
      return scene.found("\(number) is removed; all are kept")
    }
    // The engine's clock may be behind, never ahead.
    let now = Instant(ms: SimClock.originMs + scene.us / 1_000)
    if now < end + retention {
      scene.found("\(number) is removed \((end + retention - now).ms) ms early")
    }
  }
}
