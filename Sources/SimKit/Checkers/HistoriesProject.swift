import Basics
import EngineCore
import Messages
import TemporalShape

/// I24: every history has Temporal's shape, and its projection is the beginning of what it is
/// projected to when it has gone on.
final class HistoriesProject: Checker {
  static let name = "I24 histories project into Temporal's shape"

  /// What each run was projected to last.
  private var projections: [RunID: [ShapedEvent]] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for run in scene.ledger.runs(extendedBy: writes) { check(run, scene) }
      for run in scene.ledger.justRemoved { projections[run.row.runID] = nil }
    case .reopened: for run in scene.ledger.runs { check(run, scene) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    // An activity without a workflow has no history in Temporal either.
    if run.isOfActivity { return }
    let events = Projection(run.events).events
    let before = projections[run.row.runID] ?? base(of: run, scene)
    projections[run.row.runID] = events
    if !events.starts(with: before) {
      let place = zip(events, before).prefix { $0 == $1 }.count
      scene.found(
        "\(run.row.number): event \(place + 1) was projected to \(text(before, place)), and now to"
          + " \(text(events, place))")
    }
    if let fault = ShapeRules.faults(in: events).first {
      scene.found("\(run.row.number) has not Temporal's shape: \(fault)")
    }
  }

  /// A copy begins as its base, up to the task in whose place it goes on.
  private func base(of run: Ledger.Run, _ scene: Scene) -> [ShapedEvent] {
    guard let copy = run.copy, let base = scene.ledger.run(copy.baseExecution?.runID ?? .none)
    else { return [] }
    return Projection(base.events.prefix { $0.eventID < copy.baseEventID }).events
  }

  private func text(_ events: [ShapedEvent], _ place: Int) -> String {
    guard place < events.count else { return "none" }
    return "\(events[place].kind) of event \(events[place].source)"
  }
}
