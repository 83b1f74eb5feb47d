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

extension Instant {
  /// `2026-01-31T12:00:00Z` or with milliseconds, `2026-01-31T12:00:00.250Z`; UTC only.
  public init?(iso8601 text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 20 || bytes.count == 24, bytes.last == UInt8(ascii: "Z") else {
      return nil
    }
    func number(_ range: Range<Int>) -> Int64? {
      var value: Int64 = 0
      for byte in bytes[range] {
        guard byte >= 48, byte <= 57 else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      return value
    }
    let separators: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
    for (place, character) in separators
    where bytes[place] != character.asciiValue {
      return nil
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var ms: Int64 = 0
    if bytes.count == 24 {
      guard bytes[19] == UInt8(ascii: "."), let fraction = number(20..<23) else { return nil }
      ms = fraction
    }
    // Days since the epoch by the civil calendar (years that begin in March).
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    self.init(ms: ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + ms)
  }
}
