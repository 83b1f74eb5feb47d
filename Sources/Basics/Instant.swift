/// A point in time: milliseconds since the Unix epoch, UTC.
public struct Instant: Hashable, Comparable, Sendable {
  public let ms: Int64

  public init(ms: Int64) { self.ms = ms }

  /// Later than anything that is due.
  public static let distantFuture = Instant(ms: .max)
  /// Earlier than anything that has happened.
  public static let distantPast = Instant(ms: .min)
  /// 1970-01-01; on the wire: unset.
  public static let epoch = Instant(ms: 0)

  public static func < (a: Instant, b: Instant) -> Bool { a.ms < b.ms }

  /// Saturates: an instant beyond the range is the last one.
  public static func + (a: Instant, b: Span) -> Instant {
    let (sum, overflow) = a.ms.addingReportingOverflow(b.ms)
    return Instant(ms: overflow ? (b.ms > 0 ? .max : .min) : sum)
  }

  /// Saturates: an instant before the range is the first one.
  public static func - (a: Instant, b: Span) -> Instant {
    let (difference, overflow) = a.ms.subtractingReportingOverflow(b.ms)
    return Instant(ms: overflow ? (b.ms < 0 ? .max : .min) : difference)
  }

  /// Saturates: a distance beyond the range is the longest one.
  public static func - (a: Instant, b: Instant) -> Span {
    let (difference, overflow) = a.ms.subtractingReportingOverflow(b.ms)
    return Span(ms: overflow ? (a.ms > b.ms ? .max : .min) : difference)
  }
}
