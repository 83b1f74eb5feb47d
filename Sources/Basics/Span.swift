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

extension Span {
  /// As people write it: 250ms, 10s, 5m, 1h30m, 2d.
  public init?(written text: String) {
    let units: [String: Int64] = [
      "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]
    var total: Int64 = 0
    var rest = Substring(text)
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
      guard let number = Int64(digits), let factor = units[String(unit)] else { return nil }
      let (part, overflow) = number.multipliedReportingOverflow(by: factor)
      let (sum, tooLong) = total.addingReportingOverflow(part)
      guard !overflow && !tooLong else { return nil }
      total = sum
      rest = rest.dropFirst(digits.count + unit.count)
    }
    guard !text.isEmpty else { return nil }
    self.init(ms: total)
  }
}
