import Basics
import EngineCore
import Messages

/// Activities start no faster than the limits of their queue allow: by the times that the store
/// tells of them, since the limits were set. What was set before a start of the engine is left to
/// others.
final class RatesAreKept: Checker {
  static let name = "Rates are kept"

  private struct Start: Hashable {
    let run: RunNumber
    let event: Int64
    let attempt: Int32
    let time: Instant
  }

  private var limits: TaskQueueLimits?
  private var seen: Set<Start> = []
  /// Of the queue, and of each fairness key.
  private var starts: [String?: [Instant]] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes): for write in writes { take(write, scene) }
    case .reopened:
      // The store may hold a last batch of which nobody was told.
      limits = nil
      starts = [:]
    default: break
    }
  }

  private func take(_ write: Write, _ scene: Scene) {
    switch write {
    case .putQueueLimits(_, _, let bytes):
      limits = bytes.flatMap { try? TaskQueueLimits(bytes: $0) }
      starts = [:]
    case .putActivity(let number, let event, let bytes):
      guard let row = try? ActivityRow(bytes: bytes), row.startedTimeMs != .epoch,
        seen.insert(
          Start(run: number, event: event, attempt: row.attempt, time: row.startedTimeMs)
        ).inserted, let limits, !scene.ledger.isLocal(event, number)
      else { return }
      note(row.startedTimeMs, of: nil, limits.activitiesPerSecond, scene)
      let key = scene.ledger.fairnessKey(of: event, number)
      guard !key.isEmpty else { return }
      note(row.startedTimeMs, of: key, limits.activitiesPerSecondOfKey, scene)
    default: break
    }
  }

  /// From each start to this one: a bucket's worth, and what the rate has brought since.
  private func note(_ time: Instant, of key: String?, _ rate: Double, _ scene: Scene) {
    guard rate > 0 else { return }
    starts[key, default: []].append(time)
    let all = starts[key] ?? []
    let burst = max(1, (rate / 10).rounded(.down))
    for (place, first) in all.enumerated() {
      let count = Double(all.count - place)
      let allowed = burst + Double((time - first).ms) * rate / 1_000
      guard count > allowed + 0.01 else { continue }
      return scene.found(
        "\(Int(count)) activities of \(key.map { "key '\($0)'" } ?? "the queue") have started in"
          + " \((time - first).ms) ms; \(rate) a second are allowed")
    }
  }
}
