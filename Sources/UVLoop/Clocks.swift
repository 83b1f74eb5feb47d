import CUV

/// The machine's clocks.
public enum Clocks {
  /// Milliseconds since the Unix epoch.
  public static var wallMs: Int64 { read(CLOCK_REALTIME) / 1_000_000 }
  /// Milliseconds since boot, suspends included.
  public static var bootMs: Int64 { read(CLOCK_BOOTTIME) / 1_000_000 }
  /// Microseconds of a clock that never goes back.
  public static var monotonicUs: Int64 { read(CLOCK_MONOTONIC) / 1_000 }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
