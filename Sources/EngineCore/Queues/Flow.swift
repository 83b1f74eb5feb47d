import Basics

/// How many tasks came and were given out in each of the last seconds.
///
/// It moves on when something comes or is asked for: a queue without work costs nothing.
struct Flow: Sendable {
  static let seconds: Int64 = 30

  private struct Second {
    var added: UInt32 = 0
    var given: UInt32 = 0
  }

  /// By the second modulo their number; empty until something has come.
  private var ring: [Second] = []
  private var newest: Int64 = 0

  mutating func add(at now: Instant) {
    let place = move(to: now)
    ring[place].added &+= 1
  }

  mutating func give(at now: Instant) {
    let place = move(to: now)
    ring[place].given &+= 1
  }

  /// The place of this second; those since the newest one were empty.
  private mutating func move(to now: Instant) -> Int {
    let second = now.ms / 1_000
    if second != newest {
      if ring.isEmpty || second - newest >= Flow.seconds {
        ring = [Second](repeating: Second(), count: Int(Flow.seconds))
      } else {
        for passed in newest + 1...second { ring[Int(passed % Flow.seconds)] = Second() }
      }
      newest = second
    }
    return Int(second % Flow.seconds)
  }

  /// Tasks of the last seconds, the current one among them.
  func counts(at now: Instant) -> (added: Int64, given: Int64) {
    guard !ring.isEmpty else { return (0, 0) }
    var sum: (added: Int64, given: Int64) = (0, 0)
    let oldest = max(now.ms / 1_000 - Flow.seconds + 1, newest - Flow.seconds + 1)
    guard oldest <= newest else { return sum }
    for second in oldest...newest {
      let counted = ring[Int(second % Flow.seconds)]
      sum.added += Int64(counted.added)
      sum.given += Int64(counted.given)
    }
    return sum
  }
}
