import Foundation
import Harness
import Messages
import Testing

extension KillLoad.Done {
  /// Looks for everything that was acknowledged: it is there, whole, and once.
  func check(_ engine: EngineProcess) throws {
    let figures = try #require(EngineFigures(engine.socket))
    var keys: Set<String> = []
    for id in marks {
      let events = try history(id, figures)
      #expect(events.count { $0.isActivityCompleted } == 2, "\(id): each activity has one end")
      keys.formUnion(idempotencyKeys(events))
    }
    #expect(keys.count == 2 * marks.count)
    #expect(keys.isSubset(of: Set(engine.effects.map { $0[0] })), "each key took effect")
    for id in relays {
      let events = try history(id, figures)
      #expect(events.count { $0.isActivityCompleted } == 1, "\(id): completed once")
      #expect(events.count { $0.isSignaled } == KillLoad.signals, "\(id): each signal once")
    }
  }

  private func history(_ id: String, _ figures: EngineFigures) throws -> [HistoryEvent] {
    let events = try #require(figures.history(id), "\(id) is acknowledged and must be there")
    #expect(events.map(\.eventID) == Array(1...Int64(events.count)), "\(id): gap-free")
    return events
  }

  private func idempotencyKeys(_ events: [HistoryEvent]) -> [String] {
    guard case .workflowExecutionStarted(let started) = events.first?.attributes else { return [] }
    return events.compactMap {
      guard case .activityTaskScheduled = $0.attributes else { return nil }
      return "\(started.runID)/\($0.eventID)"
    }
  }
}

extension HistoryEvent {
  var isActivityCompleted: Bool {
    if case .activityTaskCompleted = attributes { return true }
    return false
  }

  var isSignaled: Bool {
    if case .workflowExecutionSignaled = attributes { return true }
    return false
  }
}

final class Flag: @unchecked Sendable {
  private let lock = NSLock()
  private var value = false
  var isSet: Bool { lock.withLock { value } }
  func set() { lock.withLock { value = true } }
}

final class Count: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  var value: Int { lock.withLock { count } }
  func add() { lock.withLock { count += 1 } }
}
