import Basics
import EngineCore

/// What one connection wants of time; it goes with the connection.
struct TimeWill {
  /// Its locks, less what it has unlocked beyond them.
  var locks = 0
  /// Time may skip while a request of it waits for a workflow.
  var skipsWhileWaiting = false
  /// Such requests, and sleeps that let time skip.
  var waiting = 0
  var sleeping = 0

  /// A sleep that unlocks goes over the connection's own locks.
  var holdsTime: Bool { locks > 0 && sleeping == 0 }

  var letsTimeSkip: Bool {
    locks < 0 || sleeping > 0 || (locks == 0 && skipsWhileWaiting && waiting > 0)
  }
}

/// Requests that are answered when their time has come.
struct Sleepers {
  enum Kind {
    case get, sleep, advance
  }

  private var times = DeadlineHeap<RequestID>()
  private var kinds: [RequestID: Kind] = [:]

  var next: Instant? { times.first?.time }

  func contains(_ request: RequestID) -> Bool { kinds[request] != nil }

  mutating func add(_ request: RequestID, _ kind: Kind, until time: Instant) {
    kinds[request] = kind
    let order = (Int64(bitPattern: request.connection), Int64(bitPattern: request.stream))
    times.set(request, at: time, order: .init(order.0, order.1))
  }

  mutating func remove(_ request: RequestID) {
    guard kinds.removeValue(forKey: request) != nil else { return }
    times.remove(request)
  }

  mutating func popDue(_ now: Instant) -> (RequestID, Kind)? {
    guard let due = times.popDue(now), let kind = kinds.removeValue(forKey: due.key) else {
      return nil
    }
    return (due.key, kind)
  }
}
