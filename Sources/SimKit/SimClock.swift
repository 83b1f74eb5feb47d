import Shell

/// The time of a simulation in microseconds, and the machine's clocks made from it.
struct SimClock {
  private(set) var us: Int64 = 0
  /// How far the wall clock has been set back.
  private var backMs: Int64 = 0
  /// What the wall clock says at the beginning.
  static let originMs: Int64 = 1_700_000_000_000

  mutating func advance(to us: Int64) {
    precondition(us >= self.us, "the simulation's time goes back from \(self.us) to \(us)")
    self.us = us
  }

  /// At most so far in all: an engine that is started waits until its clock is where it was.
  private static let backMsMax: Int64 = 120_000

  mutating func setBack(ms: Int64) { backMs = min(backMs + ms, SimClock.backMsMax) }

  var ms: Int64 { us / 1_000 }

  /// What the machine's clocks say; `isFast`: they run a tenth too fast.
  func reading(isFast: Bool = false) -> ClockReading {
    let told = isFast ? ms + ms / 10 : ms
    return ClockReading(
      wallMs: SimClock.originMs + told - backMs, bootMs: 5_000 + told,
      monotonicUs: 5_000_000 + us)
  }
}
