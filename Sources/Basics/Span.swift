/// A length of time in milliseconds; every operation saturates at the ends of the range.
public struct Span: Hashable, Comparable, Sendable {
  public let ms: Int64

  public init(ms: Int64) { self.ms = ms }

  public static let zero = Span(ms: 0)
  /// Longer than anything that is waited for.
  public static let longest = Span(ms: .max)

  public static func milliseconds(_ count: Int64) -> Span { Span(ms: count) }
  public static func seconds(_ count: Int64) -> Span { Span(ms: 1_000) * count }

  public static func < (a: Span, b: Span) -> Bool { a.ms < b.ms }

  public static func + (a: Span, b: Span) -> Span {
    let (sum, overflow) = a.ms.addingReportingOverflow(b.ms)
    return overflow ? saturated(negative: b.ms < 0) : Span(ms: sum)
  }

  public static func - (a: Span, b: Span) -> Span {
    let (difference, overflow) = a.ms.subtractingReportingOverflow(b.ms)
    return overflow ? saturated(negative: b.ms > 0) : Span(ms: difference)
  }

  public static func * (a: Span, factor: Int64) -> Span {
    let (product, overflow) = a.ms.multipliedReportingOverflow(by: factor)
    return overflow ? saturated(negative: (a.ms < 0) != (factor < 0)) : Span(ms: product)
  }

  private static func saturated(negative: Bool) -> Span { Span(ms: negative ? .min : .max) }
}
