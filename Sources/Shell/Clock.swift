import Basics

/// The machine's clocks, read together by the caller.
public struct ClockReading: Sendable {
  /// Milliseconds since the Unix epoch; may be set back.
  public var wallMs: Int64
  /// Milliseconds since boot, suspends included; never goes back.
  public var bootMs: Int64
  /// Microseconds of a clock that never goes back, for the hold.
  public var monotonicUs: Int64

  public init(wallMs: Int64, bootMs: Int64, monotonicUs: Int64) {
    self.wallMs = wallMs
    self.bootMs = bootMs
    self.monotonicUs = monotonicUs
  }
}

/// The engine's time: the wall clock, but never back and never still, and what was skipped.
struct EngineClock {
  private var last: ClockReading?
  /// Without what was skipped: what peers are owed is counted in it.
  private(set) var real = Instant(ms: 0)
  private(set) var skipped = Span.zero
  private(set) var us: Int64 = 0

  var now: Instant { real + skipped }
  var aheadMs: Int64 { now.ms - (last?.wallMs ?? 0) }

  mutating func read(_ reading: ClockReading) {
    var ms = reading.wallMs
    if let last { ms = max(ms, real.ms + max(0, reading.bootMs - last.bootMs)) }
    last = reading
    real = Instant(ms: ms)
    us = max(us, reading.monotonicUs)
  }

  /// What was skipped before the engine started.
  mutating func skip(by span: Span) { skipped = skipped + span }

  /// Time has come at least so far.
  mutating func skip(to time: Instant) { skipped = max(skipped, time - real) }
}
