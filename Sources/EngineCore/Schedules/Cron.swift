import Basics
import Messages

/// What a cron string stands for.
enum Cron: Equatable {
  case calendar(CalendarSpec)
  case interval(IntervalSpec)
}

/// Reads a cron string: five fields (minute, hour, day of month, month, day of week), six with a
/// year behind, seven with a second in front too; `@daily` and its like; `@every 1h30m/15m`. What
/// follows a `#` is a comment. A time must match every field, the two kinds of days too.
struct CronReader {
  static let bytesMax = 1_000

  private let bytes: [UInt8]
  private var place = 0

  static func read(_ text: String) throws(SpecFault) -> Cron {
    guard text.utf8.count <= bytesMax else {
      throw SpecFault(field: "", message: "\(text.utf8.count) bytes; \(bytesMax) are allowed")
    }
    let code = text.utf8.prefix { $0 != UInt8(ascii: "#") }
    let comment = text.utf8.dropFirst(code.count + 1)
    var reader = CronReader(bytes: Array(code))
    var cron = try reader.cron()
    if case .calendar(var calendar) = cron {
      calendar.comment = String(decoding: comment.trimmed, as: UTF8.self)
      cron = .calendar(calendar)
    }
    return cron
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: - Characters

  private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func skipBlanks() {
    while let byte = current, byte.isBlank { place += 1 }
  }

  private mutating func word() -> String {
    let word = bytes[place...].prefix { $0.isLetter }
    place = word.endIndex
    return String(decoding: word, as: UTF8.self).uppercased()
  }

  private mutating func number() -> Int64? {
    let digits = bytes[place...].prefix { $0.isDigit }
    guard (1...9).contains(digits.count) else { return nil }
    place = digits.endIndex
    return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
  }

  private func fault(at place: Int, _ expected: String) -> SpecFault {
    let rest = bytes[place...].prefix { !$0.isBlank }
    let found = rest.isEmpty ? "the end" : "'\(String(decoding: rest, as: UTF8.self))'"
    return SpecFault(
      field: "", message: "character \(place + 1): expected \(expected), found \(found)")
  }

  // MARK: - The whole

  private mutating func cron() throws(SpecFault) -> Cron {
    skipBlanks()
    if current == UInt8(ascii: "@") { return try named() }
    if bytes[place...].starts(with: "CRON_TZ=".utf8) || bytes[place...].starts(with: "TZ=".utf8) {
      throw fault(at: place, "a time; the time zone has a field of its own")
    }
    let starts = bytes[place...].indices.filter { at in
      !bytes[at].isBlank && (at == place || bytes[at - 1].isBlank)
    }
    guard (5...7).contains(starts.count) else {
      throw SpecFault(
        field: "",
        message: "\(starts.count) fields; expected 5 (minute, hour, day of month, month, day of"
          + " week), 6 (and a year behind) or 7 (and a second in front)")
    }
    var calendar = CalendarSpec()
    if starts.count == 7 { calendar.seconds = try field(.second) }
    calendar.minutes = try field(.minute)
    calendar.hours = try field(.hour)
    calendar.daysOfMonth = try field(.dayOfMonth)
    calendar.months = try field(.month)
    calendar.daysOfWeek = try field(.dayOfWeek)
    if starts.count > 5 { calendar.years = try field(.year) }
    return .calendar(calendar)
  }

  private mutating func named() throws(SpecFault) -> Cron {
    let start = place
    place += 1
    let name = word()
    if name == "EVERY" { return .interval(try every()) }
    skipBlanks()
    let ends = place == bytes.count
    var calendar = CalendarSpec()
    switch name {
    case "YEARLY", "ANNUALLY":
      calendar.months = [CalendarRange(1...1)]
      calendar.daysOfMonth = [CalendarRange(1...1)]
    case "MONTHLY": calendar.daysOfMonth = [CalendarRange(1...1)]
    case "WEEKLY": calendar.daysOfWeek = [CalendarRange(0...0)]
    case "DAILY", "MIDNIGHT": break
    case "HOURLY": calendar.hours = [CalendarRange(0...23)]
    default:
      throw fault(at: start, "@yearly, @monthly, @weekly, @daily, @hourly or @every")
    }
    guard ends else { throw fault(at: place, "nothing more") }
    return .calendar(calendar)
  }

  /// `@every 1h30m`, or with a phase behind a slash.
  private mutating func every() throws(SpecFault) -> IntervalSpec {
    skipBlanks()
    var interval = IntervalSpec()
    interval.everyMs = try duration()
    if take("/") { interval.phaseMs = try duration() }
    skipBlanks()
    guard place == bytes.count else { throw fault(at: place, "nothing more") }
    return interval
  }

  private mutating func duration() throws(SpecFault) -> Span {
    let start = place
    var sum: Int64 = 0
    repeat {
      guard let number = number() else { throw fault(at: start, "a duration, such as 1h30m") }
      let unit: Int64
      switch word() {
      case "S": unit = 1_000
      case "M": unit = 60_000
      case "H": unit = 3_600_000
      case "D": unit = 86_400_000
      default: throw fault(at: start, "a duration in d, h, m and s, such as 1h30m")
      }
      // 100 parts of nine digits fit the longest text: less than 1e11 days.
      sum += number * unit
    } while current?.isDigit ?? false
    return Span(ms: sum)
  }

  // MARK: - A field

  private mutating func field(_ part: Calendar.Part) throws(SpecFault) -> [CalendarRange] {
    skipBlanks()
    var ranges: [CalendarRange] = []
    repeat { ranges.append(try range(part)) } while take(",")
    if let next = current, !next.isBlank { throw fault(at: place, "a comma or a blank") }
    return ranges
  }

  /// `*`, `a`, `a-b`, each with a step behind a slash; `a/step` goes on to the last value.
  private mutating func range(_ part: Calendar.Part) throws(SpecFault) -> CalendarRange {
    let start = place
    var last = part.values.upperBound
    // 7 is another name of Sunday, not a further day.
    if part == .dayOfWeek { last = 6 }
    var bounds = part.values.lowerBound...last
    var goesOn = true
    if !take("*"), !((part == .dayOfMonth || part == .dayOfWeek) && take("?")) {
      let first = try value(part)
      bounds = first...first
      goesOn = false
      if take("-") {
        let end = try value(part)
        guard end >= first else { throw fault(at: start, "a range that does not go backwards") }
        bounds = first...end
        goesOn = true
      }
    }
    guard take("/") else { return CalendarRange(bounds) }
    let stepPlace = place
    guard let step = number(), step > 0, step <= Int32.max else {
      throw fault(at: stepPlace, "a step of 1 or more")
    }
    if !goesOn { bounds = bounds.lowerBound...max(bounds.lowerBound, last) }
    return CalendarRange(bounds, step: step)
  }

  private mutating func value(_ part: Calendar.Part) throws(SpecFault) -> Int64 {
    let start = place
    let (low, high) = (part.values.lowerBound, part.values.upperBound)
    let named = "\(part.noun) from \(low) to \(high)\(part.example)"
    if let number = number() {
      guard part.values.contains(number) else { throw fault(at: start, named) }
      return number
    }
    let name = word()
    guard let index = part.names.firstIndex(where: { $0 == name || $0.prefix(3) == name }) else {
      throw fault(at: start, named)
    }
    return Int64(index) + (part == .month ? 1 : 0)
  }
}

extension CalendarRange {
  /// An end of 0 is no end, and then it is the start too.
  fileprivate init(_ bounds: ClosedRange<Int64>, step: Int64 = 0) {
    self.init()
    start = Int32(bounds.lowerBound)
    end = bounds.lowerBound == bounds.upperBound ? 0 : Int32(bounds.upperBound)
    self.step = Int32(step)
  }
}

extension Calendar.Part {
  fileprivate var names: [String] {
    switch self {
    case .month:
      [
        "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER",
        "OCTOBER", "NOVEMBER", "DECEMBER",
      ]
    case .dayOfWeek:
      ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"]
    default: []
    }
  }

  fileprivate var example: String { names.first.map { " or a name such as \($0.prefix(3))" } ?? "" }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == 32 || self == 9 }
  fileprivate var isDigit: Bool { (48...57).contains(self) }
  fileprivate var isLetter: Bool { (65...90).contains(self) || (97...122).contains(self) }
}

extension Substring.UTF8View {
  fileprivate var trimmed: Substring.UTF8View {
    var view = self
    while let first = view.first, first.isBlank { view = view.dropFirst() }
    while let last = view.last, last.isBlank { view = view.dropLast() }
    return view
  }
}
