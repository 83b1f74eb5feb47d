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
  /// RFC 3339: `2026-01-31T12:00:00Z`, with a fraction, `2026-01-31T12:00:00.250Z`, or with an
  /// offset, `2026-01-31T14:00:00+02:00`. Of a fraction, what is below a millisecond is dropped.
  public init?(iso8601 text: String) {
    var digits = CivilDigits(Array(text.utf8))
    guard let year = digits.number(4), digits.skip("-"), let month = digits.number(2),
      digits.skip("-"), let day = digits.number(2), digits.skip("T"),
      let hour = digits.number(2), digits.skip(":"), let minute = digits.number(2),
      digits.skip(":"), let second = digits.number(2), let fraction = digits.fraction(),
      let offset = digits.offset(), digits.isAtEnd,
      (1...12).contains(month), (1...CivilDigits.days(in: month, of: year)).contains(day),
      hour < 24, minute < 60, second < 61
    else { return nil }
    // Days since the epoch by the civil calendar (years that begin in March).
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted < 0 ? shifted - 399 : shifted) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    let minutes = (days * 24 + hour) * 60 + minute - offset
    self.init(ms: minutes * 60_000 + second * 1_000 + fraction)
  }
}

/// Reads a date and a time from the left.
private struct CivilDigits {
  private var bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  var isAtEnd: Bool { bytes.isEmpty }

  /// So many digits.
  mutating func number(_ count: Int) -> Int64? {
    guard bytes.count >= count else { return nil }
    var value: Int64 = 0
    for byte in bytes.prefix(count) {
      guard byte >= 48, byte <= 57 else { return nil }
      value = value * 10 + Int64(byte - 48)
    }
    bytes = bytes.dropFirst(count)
    return value
  }

  /// A letter may be in lower case.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    let wanted = UInt8(ascii: character)
    guard let first = bytes.first, first == wanted || (wanted > 64 && first == wanted | 32) else {
      return false
    }
    bytes = bytes.dropFirst()
    return true
  }

  /// Milliseconds; 0 when there is none, nil when no digit follows the point.
  mutating func fraction() -> Int64? {
    guard skip(".") else { return 0 }
    let digits = bytes.prefix { $0 >= 48 && $0 <= 57 }
    guard !digits.isEmpty else { return nil }
    bytes = bytes.dropFirst(digits.count)
    var ms: Int64 = 0
    for place in 0..<3 {
      ms = ms * 10 + (place < digits.count ? Int64(digits[digits.startIndex + place] - 48) : 0)
    }
    return ms
  }

  /// How many minutes the clock that is meant is ahead of UTC.
  mutating func offset() -> Int64? {
    if skip("Z") { return 0 }
    let isBehind = skip("-")
    guard isBehind || skip("+"), let hours = number(2), skip(":"), let minutes = number(2),
      hours < 24, minutes < 60
    else { return nil }
    return (isBehind ? -1 : 1) * (hours * 60 + minutes)
  }

  static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
