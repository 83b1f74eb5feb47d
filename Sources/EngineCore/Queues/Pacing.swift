import Basics
import Messages

/// Keeps the activities that a queue gives out to a rate, and those of each fairness key.
struct Pacing: Sendable {
  typealias Place = Backlog<TaskQueue.Attempt>.Place

  let limits: TaskQueueLimits
  private var queue: Bucket?
  private let keyRates: [String: Double]
  /// Of keys that were given something a while ago at most.
  private var keys: [String: Bucket] = [:]
  private var sweepAt = 1_024
  /// Keys that wait for their rate alone, and until when.
  private var asleep = DeadlineHeap<Place>()

  /// Buckets of keys that are kept; beyond them, those that are nearest to being full again go.
  static let keysMax = 10_000

  init(_ limits: TaskQueueLimits) {
    self.limits = limits
    queue = Bucket(perSecond: limits.activitiesPerSecond)
    keyRates = Dictionary(
      limits.keyRates.map { ($0.fairnessKey, $0.activitiesPerSecond) },
      uniquingKeysWith: { first, _ in first })
  }

  /// When the queue may give out the next one.
  func queueTime(_ now: Instant) -> Instant { queue?.readyTime(now) ?? now }

  var firstWaking: Instant? { asleep.first?.time }

  /// One that may not go now sleeps.
  mutating func mayGo(_ place: Place, at now: Instant) -> Bool {
    guard let time = bucket(of: place.key)?.readyTime(now), time > now else { return true }
    #if MUTANTS
      if Mutant.isOn(.keyRateIsIgnored) { return true }
    #endif
    asleep.set(place, at: time, order: .init(Int64(place.priority)))
    return false
  }

  private func bucket(of key: String) -> Bucket? {
    if key.isEmpty { return nil }
    return keys[key]
      ?? Bucket(perSecond: keyRates[key] ?? limits.activitiesPerSecondOfKey)
  }

  mutating func wakeDue(_ now: Instant) -> [Place] {
    var awake: [Place] = []
    while let place = asleep.popDue(now)?.key { awake.append(place) }
    return awake
  }

  mutating func wakeAll() -> [Place] { wakeDue(.distantFuture) }

  mutating func take(_ key: String, at now: Instant) {
    #if MUTANTS
      if Mutant.isOn(.queueRateIsIgnored) { queue = nil }
    #endif
    queue?.take(now)
    guard var bucket = bucket(of: key) else { return }
    bucket.take(now)
    keys[key] = bucket
    if keys.count >= sweepAt { forget(now) }
  }

  private mutating func forget(_ now: Instant) {
    keys = keys.filter { !$0.value.isFull(now) }
    if keys.count > Pacing.keysMax {
      let longest = keys.sorted {
        let (a, b) = ($0.value.readyTime(now), $1.value.readyTime(now))
        return a != b ? a > b : $0.key < $1.key
      }
      keys = Dictionary(uniqueKeysWithValues: longest.prefix(Pacing.keysMax / 2).map { ($0, $1) })
    }
    sweepAt = max(1_024, 2 * keys.count)
  }
}

/// A token bucket on the engine's clock: it holds a tenth of a second's worth, but one at least.
///
/// It counts what is missing, in nanoseconds of its rate, since the last time that something was
/// taken.
struct Bucket: Sendable {
  private let interval: Int64
  private let size: Int64
  private var missing: Int64 = 0
  private var since = Instant.epoch

  /// nil: no limit.
  init?(perSecond rate: Double) {
    guard rate > 0 else { return nil }
    interval = Int64((1_000_000_000 / rate).rounded(.up))
    size = interval * Int64(max(1, (rate / 10).rounded(.down)))
  }

  private func missing(at now: Instant) -> Int64 {
    let passed = (now - since).ms
    return passed > missing / 1_000_000 ? 0 : missing - passed * 1_000_000
  }

  func isFull(_ now: Instant) -> Bool { missing(at: now) == 0 }

  /// When the next one may be taken.
  func readyTime(_ now: Instant) -> Instant {
    let lacking = missing(at: now) + interval - size
    return lacking <= 0 ? now : now + Span(ms: (lacking + 999_999) / 1_000_000)
  }

  mutating func take(_ now: Instant) {
    missing = missing(at: now) + interval
    since = now
  }
}
