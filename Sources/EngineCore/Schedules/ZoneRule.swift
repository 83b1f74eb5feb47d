/// Which clocks a zone will have from the last known change on, year by year.
struct ZoneRule: Equatable {
  /// Seconds east of UTC.
  let standardOffset: Int64
  /// Summer time; nil: the zone has none.
  let summer: Summer?

  struct Summer: Equatable {
    let offset: Int64
    let start: YearlyTime
    let end: YearlyTime
  }

  /// A wall time that comes once a year.
  struct YearlyTime: Equatable {
    enum Day: Equatable {
      /// 1...365; there is no February 29.
      case ofCommonYear(Int64)
      /// 0...365; February 29 counts.
      case ofYear(Int64)
      /// The nth such weekday (0 is Sunday) of the month; the last one for 5.
      case weekday(Int64, nth: Int64, ofMonth: Int64)
    }

    let day: Day
    /// After that day's midnight, up to a week before or after it.
    let second: Int64

    /// As seconds since the epoch, of a clock that shows UTC.
    func seconds(in year: Int64) -> Int64 {
      let newYear = CivilDay(year: year, month: 1, day: 1).daysSinceEpoch
      let days: Int64
      switch day {
      case .ofCommonYear(let number):
        days = newYear + number - (CivilDay.isLeap(year) && number >= 60 ? 0 : 1)
      case .ofYear(let number): days = newYear + number
      case .weekday(let weekday, let nth, let month):
        let first = CivilDay(year: year, month: month, day: 1).daysSinceEpoch
        let ahead = (weekday - CivilDay.weekday(ofDay: first)).flooredRemainder(7)
        var found = first + ahead + (nth - 1) * 7
        if CivilDay(daysSinceEpoch: found).month != month { found -= 7 }
        days = found
      }
      return days * WallTime.secondsPerDay + second
    }
  }

  func offset(at time: Int64) -> Int64 {
    guard summer != nil else { return standardOffset }
    // Every offset returns within two years.
    let span = 2 * 366 * WallTime.secondsPerDay
    return transitions(after: time - span, through: time).last?.offset ?? standardOffset
  }

  /// In order; where two come at the same second the later one counts.
  func transitions(after: Int64, through: Int64) -> [TimeZone.Transition] {
    guard let summer, after < through else { return [] }
    var found: [TimeZone.Transition] = []
    let day = WallTime.secondsPerDay
    let first = CivilDay(daysSinceEpoch: after.flooredQuotient(day)).year - 1
    let last = CivilDay(daysSinceEpoch: through.flooredQuotient(day)).year + 1
    for year in first...last {
      // Summer that lasts all year begins at the second at which that of the year before ends.
      found.append(
        .init(
          time: summer.end.seconds(in: year) - summer.offset, offset: standardOffset))
      found.append(
        .init(
          time: summer.start.seconds(in: year) - standardOffset, offset: summer.offset))
    }
    let inOrder = found.enumerated().sorted {
      ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
    }
    return inOrder.map(\.element).filter { $0.time > after && $0.time <= through }
  }
}

/// Reads the text at the end of a zone's file, as POSIX and RFC 8536 write it:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRuleReader {
  private var left: ArraySlice<UInt8>

  /// nil: the text is no rule. An empty text says nothing and is not for this.
  static func read(_ text: ArraySlice<UInt8>) -> ZoneRule? {
    var reader = ZoneRuleReader(left: text)
    guard let rule = reader.rule(), reader.left.isEmpty else { return nil }
    return rule
  }

  private mutating func rule() -> ZoneRule? {
    guard name(), let west = clock(hoursMax: 24) else { return nil }
    if left.isEmpty { return ZoneRule(standardOffset: -west, summer: nil) }
    guard name() else { return nil }
    var offset = 3_600 - west
    if let next = left.first, next != UInt8(ascii: ",") {
      guard let west = clock(hoursMax: 24) else { return nil }
      offset = -west
    }
    guard take(","), let start = yearlyTime(), take(","), let end = yearlyTime() else {
      return nil
    }
    return ZoneRule(
      standardOffset: -west, summer: .init(offset: offset, start: start, end: end))
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard left.first == UInt8(ascii: character) else { return false }
    left = left.dropFirst()
    return true
  }

  /// Three letters or more, or anything printable in angle brackets.
  private mutating func name() -> Bool {
    if take("<") {
      guard let end = left.firstIndex(of: UInt8(ascii: ">")), end > left.startIndex else {
        return false
      }
      left = left[(end + 1)...]
      return true
    }
    let letters = left.prefix { (65...90).contains($0) || (97...122).contains($0) }
    left = left[letters.endIndex...]
    return letters.count >= 3
  }

  private mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
    let digits = left.prefix { (48...57).contains($0) }
    guard (1...3).contains(digits.count) else { return nil }
    left = left[digits.endIndex...]
    let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 48) }
    return range.contains(value) ? value : nil
  }

  /// `[+-]hh[:mm[:ss]]` in seconds.
  private mutating func clock(hoursMax: Int64) -> Int64? {
    let isNegative = take("-")
    if !isNegative { _ = take("+") }
    guard let hours = number(0...hoursMax) else { return nil }
    var seconds = hours * 3_600
    if take(":") {
      guard let minutes = number(0...59) else { return nil }
      seconds += minutes * 60
      if take(":") {
        guard let rest = number(0...59) else { return nil }
        seconds += rest
      }
    }
    return isNegative ? -seconds : seconds
  }

  private mutating func yearlyTime() -> ZoneRule.YearlyTime? {
    guard let day = yearlyDay() else { return nil }
    guard take("/") else { return .init(day: day, second: 2 * 3_600) }
    guard let second = clock(hoursMax: 167) else { return nil }
    return .init(day: day, second: second)
  }

  private mutating func yearlyDay() -> ZoneRule.YearlyTime.Day? {
    if take("M") {
      guard let month = number(1...12), take("."), let nth = number(1...5), take("."),
        let weekday = number(0...6)
      else { return nil }
      return .weekday(weekday, nth: nth, ofMonth: month)
    }
    if take("J") { return number(1...365).map { .ofCommonYear($0) } }
    return number(0...365).map { .ofYear($0) }
  }
}
