/// A point in time: milliseconds since the Unix epoch, UTC.
public struct Instant: Hashable, Comparable, Sendable {
  public let ms: Int64

  public init(ms: Int64) { self.ms = ms }

  /// Later than anything that is due.
  public static let distantFuture = Instant(ms: .max)

  public static func < (a: Instant, b: Instant) -> Bool { a.ms < b.ms }

  /// Saturates: an instant beyond the range is the last one.
  public static func + (a: Instant, b: Span) -> Instant {
    let (sum, overflow) = a.ms.addingReportingOverflow(b.ms)
    return Instant(ms: overflow ? (b.ms > 0 ? .max : .min) : sum)
  }

  public static func - (a: Instant, b: Instant) -> Span {
    let (difference, overflow) = a.ms.subtractingReportingOverflow(b.ms)
    return Span(ms: overflow ? (a.ms > b.ms ? .max : .min) : difference)
  }
}

/// A length of time in milliseconds.
public struct Span: Hashable, Comparable, Sendable {
  public let ms: Int64

  public init(ms: Int64) { self.ms = ms }

  public static let zero = Span(ms: 0)

  public static func < (a: Span, b: Span) -> Bool { a.ms < b.ms }
}
