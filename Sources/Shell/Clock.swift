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

/// The engine's time: the wall clock, but never back and never still.
struct EngineClock {
  private var last: (now: Int64, bootMs: Int64)?
  private(set) var now = Instant(ms: 0)
  private(set) var aheadMs: Int64 = 0
  private(set) var us: Int64 = 0

  mutating func read(_ reading: ClockReading) {
    var ms = reading.wallMs
    if let last { ms = max(ms, last.now + max(0, reading.bootMs - last.bootMs)) }
    last = (ms, reading.bootMs)
    now = Instant(ms: ms)
    aheadMs = ms - reading.wallMs
    us = max(us, reading.monotonicUs)
  }
}
