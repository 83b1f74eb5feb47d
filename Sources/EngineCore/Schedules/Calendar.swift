import Messages

/// What is wrong with a spec, and where.
struct SpecFault: Error, Equatable {
  /// As a path from the spec on; empty for a cron string that stands alone.
  let field: String
  let message: String

  func within(_ outer: String) -> SpecFault {
    let path = field.isEmpty ? outer : "\(outer).\(field)"
    return SpecFault(field: path, message: message)
  }
}

/// The wall times that a `CalendarSpec` names: a time matches when each of its parts does.
struct Calendar: Equatable {
  /// Bit n stands for the value n.
  private let seconds: UInt64
  private let minutes: UInt64
  private let hours: UInt64
  private let daysOfMonth: UInt64
  private let months: UInt64
  private let daysOfWeek: UInt64
  /// Empty: every year.
  private let years: [ClosedStride]

  struct ClosedStride: Equatable {
    let first: Int64
    let last: Int64
    let step: Int64

    /// The first of them that is not below the value.
    func first(from value: Int64) -> Int64? {
      guard value > first else { return first }
      let found = first + (value - first + step - 1) / step * step
      return found <= last ? found : nil
    }
  }

  /// A part of a calendar: its name in the schema and in words, and its values.
  enum Part: String {
    case second = "seconds"
    case minute = "minutes"
    case hour = "hours"
    case dayOfMonth = "days_of_month"
    case month = "months"
    case year = "years"
    case dayOfWeek = "days_of_week"

    var values: ClosedRange<Int64> {
      switch self {
      case .second, .minute: 0...59
      case .hour: 0...23
      case .dayOfMonth: 1...31
      case .month: 1...12
      case .year: 1970...2999
      // Sunday is 0, and 7 too.
      case .dayOfWeek: 0...7
      }
    }

    var noun: String {
      switch self {
      case .hour: "an hour"
      case .second: "a second"
      case .minute: "a minute"
      case .dayOfMonth: "a day of month"
      case .month: "a month"
      case .year: "a year"
      case .dayOfWeek: "a day of week"
      }
    }
  }

  init(_ spec: CalendarSpec) throws(SpecFault) {
    seconds = try Calendar.mask(spec.seconds, .second, unset: 1)
    minutes = try Calendar.mask(spec.minutes, .minute, unset: 1)
    hours = try Calendar.mask(spec.hours, .hour, unset: 1)
    daysOfMonth = try Calendar.mask(spec.daysOfMonth, .dayOfMonth, unset: .max)
    months = try Calendar.mask(spec.months, .month, unset: .max)
    let weekdays = try Calendar.mask(spec.daysOfWeek, .dayOfWeek, unset: .max)
    daysOfWeek = weekdays | weekdays >> 7 & 1
    years = try Calendar.strides(spec.years, .year)
  }

  private static func mask(_ ranges: [CalendarRange], _ part: Part, unset: UInt64)
    throws(SpecFault) -> UInt64
  {
    guard !ranges.isEmpty else { return unset }
    var mask: UInt64 = 0
    for stride in try strides(ranges, part) {
      for value in Swift.stride(from: stride.first, through: stride.last, by: Int(stride.step)) {
        mask |= 1 << UInt64(value)
      }
    }
    return mask
  }

  private static func strides(_ ranges: [CalendarRange], _ part: Part) throws(SpecFault)
    -> [ClosedStride]
  {
    guard ranges.count <= 100 else {
      throw SpecFault(field: part.rawValue, message: "\(ranges.count) ranges; 100 are allowed")
    }
    var strides: [ClosedStride] = []
    for (index, range) in ranges.enumerated() {
      let last = range.end == 0 ? range.start : range.end
      let step = range.step == 0 ? 1 : range.step
      guard part.values.contains(Int64(range.start)), part.values.contains(Int64(last)),
        range.start <= last, step > 0
      else {
        throw SpecFault(
          field: "\(part.rawValue)[\(index)]",
          message: "expected \(part.noun) from \(part.values.lowerBound) to"
            + " \(part.values.upperBound), an end that is not below the start, a positive step")
      }
      strides.append(.init(first: Int64(range.start), last: Int64(last), step: Int64(step)))
    }
    return strides
  }

  // MARK: - Matching

  func matches(_ wall: WallTime) -> Bool {
    let second = wall.secondOfDay
    return hours.hasBit(second / 3_600) && minutes.hasBit(second / 60 % 60)
      && seconds.hasBit(second % 60) && matches(day: wall.daysSinceEpoch)
  }

  private func matches(day: Int64) -> Bool {
    let civil = CivilDay(daysSinceEpoch: day)
    return months.hasBit(civil.month) && daysOfMonth.hasBit(civil.day)
      && daysOfWeek.hasBit(CivilDay.weekday(ofDay: day))
      && (years.isEmpty || years.contains { $0.first(from: civil.year) == civil.year })
  }

  /// A look into the future that ends, although some specs never match: February 30.
  enum Search: Equatable {
    case found(WallTime)
    /// There is none before.
    case noneBefore(WallTime)
    case never
  }

  /// Days, months and years that one search looks at: at least 40 years, after which dates fall on
  /// the same weekdays again.
  static let looksMax = 2_000

  /// The first match after the wall time.
  func next(after wall: WallTime) -> Search {
    let start = WallTime(seconds: wall.seconds + 1)
    var day = start.daysSinceEpoch
    var second = start.secondOfDay
    for _ in 0..<Calendar.looksMax {
      let civil = CivilDay(daysSinceEpoch: day)
      guard let year = firstYear(from: civil.year) else { return .never }
      if year > civil.year {
        day = CivilDay(year: year, month: 1, day: 1).daysSinceEpoch
      } else if !months.hasBit(civil.month) {
        day = firstOfNextMonth(civil)
      } else {
        if daysOfMonth.hasBit(civil.day), daysOfWeek.hasBit(CivilDay.weekday(ofDay: day)),
          let found = firstSecond(from: second)
        {
          return .found(WallTime(day: day, second: found))
        }
        day += 1
      }
      second = 0
    }
    return .noneBefore(WallTime(day: day, second: 0))
  }

  private func firstYear(from year: Int64) -> Int64? {
    if year > Part.year.values.upperBound { return nil }
    return years.isEmpty ? year : years.compactMap { $0.first(from: year) }.min()
  }

  private func firstOfNextMonth(_ civil: CivilDay) -> Int64 {
    let isLast = civil.month == 12
    return CivilDay(
      year: isLast ? civil.year + 1 : civil.year, month: isLast ? 1 : civil.month + 1, day: 1
    ).daysSinceEpoch
  }

  /// The first matching second of a day, not before the one given.
  private func firstSecond(from second: Int64) -> Int64? {
    var hour = second / 3_600
    var minute = second / 60 % 60
    var rest = second % 60
    while let nextHour = hours.firstBit(from: hour), nextHour < 24 {
      if nextHour > hour { (minute, rest) = (0, 0) }
      hour = nextHour
      while let nextMinute = minutes.firstBit(from: minute) {
        if nextMinute > minute { rest = 0 }
        minute = nextMinute
        if let found = seconds.firstBit(from: rest) { return hour * 3_600 + minute * 60 + found }
        (minute, rest) = (minute + 1, 0)
      }
      (hour, minute, rest) = (hour + 1, 0, 0)
    }
    return nil
  }

  /// The last second of the span around a matching wall time in which everything matches: what an
  /// exclusion drops in one go.
  func lastOfSpan(around wall: WallTime) -> WallTime {
    let everyMinute: UInt64 = 1 << 60 - 1
    if seconds != everyMinute { return wall }
    if minutes != everyMinute { return WallTime(seconds: wall.seconds.lastOf(60)) }
    if hours != 1 << 24 - 1 { return WallTime(seconds: wall.seconds.lastOf(3_600)) }
    return WallTime(seconds: wall.seconds.lastOf(WallTime.secondsPerDay))
  }
}

extension UInt64 {
  fileprivate func hasBit(_ place: Int64) -> Bool { self >> UInt64(place) & 1 == 1 }

  fileprivate func firstBit(from place: Int64) -> Int64? {
    guard place < 64 else { return nil }
    let left = self >> UInt64(place)
    return left == 0 ? nil : place + Int64(left.trailingZeroBitCount)
  }
}

extension Int64 {
  /// The last number that has the same quotient.
  fileprivate func lastOf(_ divisor: Int64) -> Int64 {
    flooredQuotient(divisor) * divisor + divisor - 1
  }
}
