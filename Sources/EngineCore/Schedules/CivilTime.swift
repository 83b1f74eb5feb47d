import Basics

/// A day of the Gregorian calendar, before its beginning too.
struct CivilDay: Hashable, Comparable {
  let year: Int64
  /// 1...12.
  let month: Int64
  /// 1...31.
  let day: Int64

  init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day that begins so many days after 1970-01-01.
  init(daysSinceEpoch days: Int64) {
    // Years that begin in March: the leap day is their last one. 400 of them are an era.
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var daysSinceEpoch: Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let era = marchYear.flooredQuotient(400)
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// 0 is Sunday.
  static func weekday(ofDay daysSinceEpoch: Int64) -> Int64 {
    (daysSinceEpoch + 4).flooredRemainder(7)
  }

  static func isLeap(_ year: Int64) -> Bool {
    year.flooredRemainder(4) == 0
      && (year.flooredRemainder(100) != 0 || year.flooredRemainder(400) == 0)
  }

  static func < (a: CivilDay, b: CivilDay) -> Bool {
    (a.year, a.month, a.day) < (b.year, b.month, b.day)
  }
}

extension Int64 {
  /// Rounds down, below zero too.
  func flooredQuotient(_ divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }

  /// Never negative.
  func flooredRemainder(_ divisor: Int64) -> Int64 {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

/// What a wall clock shows: seconds since 1970-01-01T00:00:00 as if there were no zones.
struct WallTime: Hashable, Comparable {
  static let secondsPerDay: Int64 = 86_400

  let seconds: Int64

  init(seconds: Int64) { self.seconds = seconds }

  init(day: Int64, second: Int64) { seconds = day * WallTime.secondsPerDay + second }

  var daysSinceEpoch: Int64 { seconds.flooredQuotient(WallTime.secondsPerDay) }
  var secondOfDay: Int64 { seconds.flooredRemainder(WallTime.secondsPerDay) }

  static func < (a: WallTime, b: WallTime) -> Bool { a.seconds < b.seconds }
}

extension Instant {
  /// `2026-01-31T12:00:00Z`, or with milliseconds where there are any.
  var iso8601: String {
    let wall = WallTime(seconds: ms.flooredQuotient(1_000))
    let day = CivilDay(daysSinceEpoch: wall.daysSinceEpoch)
    let second = wall.secondOfDay
    func padded(_ number: Int64, _ width: Int = 2) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let fraction = ms.flooredRemainder(1_000)
    return "\(padded(day.year, 4))-\(padded(day.month))-\(padded(day.day))"
      + "T\(padded(second / 3_600)):\(padded(second / 60 % 60)):\(padded(second % 60))"
      + (fraction == 0 ? "Z" : ".\(padded(fraction, 3))Z")
  }
}
