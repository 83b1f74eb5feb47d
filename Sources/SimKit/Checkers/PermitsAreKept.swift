import Basics
import EngineCore
import Messages

/// No more runs of a type, or of one of its concurrency keys, run at once than its limits allow:
/// those that ran before the limits were as they are may end. Nobody waits while there is room, and
/// what runs of a type with limits counts, as long as it is open.
final class PermitsAreKept: Checker {
  static let name = "Permits are kept"

  /// What runs of a type, or of a key of it.
  private struct Place: Hashable {
    let type: String
    /// nil: all keys.
    let key: String?
  }

  /// After the batch before.
  private var counts: [Place: Int] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      let before = counts
      count(scene)
      for run in scene.ledger.runs(extendedBy: writes) { check(run, scene) }
      if writes.contains(where: \.setsLimits) {
        for run in scene.ledger.openRuns { check(run, scene) }
      } else {
        for (place, count) in counts where count > before[place] ?? 0 { check(place, scene) }
      }
      checkWaiting(scene)
    case .reopened, .finished:
      count(scene)
      for run in scene.ledger.runs { check(run, scene) }
      checkWaiting(scene)
    default: break
    }
  }

  private func count(_ scene: Scene) {
    counts = [:]
    for permit in scene.ledger.permits.values where permit.held {
      counts[Place(type: permit.workflowType, key: nil), default: 0] += 1
      if permit.concurrencyKey.isEmpty { continue }
      counts[Place(type: permit.workflowType, key: permit.concurrencyKey), default: 0] += 1
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    let permit = scene.ledger.permits[run.row.number]
    if !run.isOpen {
      if permit != nil { scene.found("\(run.row.number) has closed, and still has its permit") }
    } else if scene.ledger.typeLimits[run.row.workflowType] != nil, run.hasBegun {
      if permit?.held != true { scene.found("\(run.row.number) runs without a permit") }
    }
  }

  /// A run more has begun.
  private func check(_ place: Place, _ scene: Scene) {
    guard let max = max(of: place, scene), let count = counts[place], count > max else { return }
    let key = place.key.map { " with key '\($0)'" } ?? ""
    scene.found("\(count) runs of type '\(place.type)'\(key) run at once; \(max) may")
  }

  private func checkWaiting(_ scene: Scene) {
    for (number, permit) in scene.ledger.permits.sorted(by: { $0.key < $1.key })
    where !permit.held && !permit.paused {
      let type = Place(type: permit.workflowType, key: nil)
      let key = Place(type: permit.workflowType, key: permit.concurrencyKey)
      let hasRoom = hasRoom(type, scene) && (permit.concurrencyKey.isEmpty || hasRoom(key, scene))
      if hasRoom { scene.found("\(number) waits although there is room") }
    }
  }

  private func hasRoom(_ place: Place, _ scene: Scene) -> Bool {
    max(of: place, scene).map { counts[place] ?? 0 < $0 } ?? true
  }

  private func max(of place: Place, _ scene: Scene) -> Int? {
    let limits = scene.ledger.typeLimits[place.type]
    let max = place.key == nil ? limits?.running : limits?.runningOfKey
    return max.flatMap { $0 > 0 ? Int($0) : nil }
  }
}

extension Write {
  fileprivate var setsLimits: Bool {
    if case .putWorkflowTypeLimits = self { true } else { false }
  }
}

extension Ledger.Run {
  /// Its code has done something; what a copy has from its base is not its own.
  fileprivate var hasBegun: Bool {
    for event in events.reversed() {
      switch event.attributes {
      case .workflowTaskCompleted: return true
      case .workflowTaskFailed(let failed) where failed.copy != nil: return false
      default: continue
      }
    }
    return false
  }
}
