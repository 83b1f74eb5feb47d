import Basics
import Messages

/// The times that a spec names, found by a look at every one.
struct ModelTimes {
  /// Every so many seconds since 1970, so many later; or what the clocks of the zone show.
  private enum Item {
    case every(ms: Int64, phase: Int64)
    case shown(ModelCron)
    case instant(Int64)
  }

  /// Within eight days every time of the walk's specs has come.
  private static let horizon: Int64 = 8 * 86_400_000

  private var items: [Item] = []
  private var exclusions: [ModelCron] = []
  private var first: Int64 = 0
  private var last: Int64 = .max
  private var zone = ModelZone.utc

  /// Nil: the spec means nothing.
  init?(_ spec: ScheduleSpec) {
    guard let zone = ModelZone(spec.timeZone) else { return nil }
    self.zone = zone
    for text in spec.crons {
      guard let cron = ModelCron.named(text) else { return nil }
      items.append(cron.period.map { .every(ms: $0.every, phase: $0.phase) } ?? .shown(cron))
    }
    for interval in spec.intervals {
      guard interval.everyMs.ms >= 1_000 else { return nil }
      items.append(.every(ms: interval.everyMs.ms, phase: interval.phaseMs.ms))
    }
    for calendar in spec.calendars { items.append(.shown(ModelCron(calendar))) }
    for instant in spec.instantsAtMs { items.append(.instant(instant.ms)) }
    exclusions = spec.exclusions.map { ModelCron($0) }
    first = spec.startAtMs.ms
    if spec.endAtMs != .epoch { last = spec.endAtMs.ms }
  }

  init?(cron: String, zone: String) {
    var spec = ScheduleSpec()
    spec.crons = [cron]
    spec.timeZone = zone
    self.init(spec)
  }

  func next(after time: Instant) -> Instant? {
    var time = max(time.ms, first - 1)
    let end = min(last, time + ModelTimes.horizon)
    while let next = items.compactMap({ next($0, after: time) }).min(), next <= end {
      if !isExcluded(next) { return Instant(ms: next) }
      time = next
    }
    return nil
  }

  private func isExcluded(_ ms: Int64) -> Bool {
    let shown = zone.shown(at: ms / 1_000)
    return exclusions.contains { $0.matches(shown) }
  }

  private func next(_ item: Item, after ms: Int64) -> Int64? {
    switch item {
    case .instant(let instant): return instant > ms ? instant : nil
    case .every(let every, let phase):
      var next = ms / every * every + phase - every
      while next <= ms { next += every }
      return next
    case .shown(let cron): return next(cron, after: ms / 1_000).map { $0 * 1_000 }
    }
  }

  /// A time comes when the clocks show it for the first time, or when they have skipped it.
  private func next(_ cron: ModelCron, after second: Int64) -> Int64? {
    // Clocks change on whole minutes.
    let step: Int64 = cron.hasSeconds ? 1 : 60
    let begin = second - second % step
    // What they have shown in a day: before they were set back too.
    var latest = zone.shown(at: begin)
    for minute in stride(from: begin - begin % 60 - 86_400, to: begin, by: 60) {
      latest = max(latest, zone.shown(at: minute) + (step == 1 ? min(59, begin - minute) : 0))
    }
    var now = begin
    while now < begin + ModelTimes.horizon / 1_000 {
      now += step
      let shown = zone.shown(at: now)
      while latest < shown {
        latest += step
        if cron.matches(latest) { return now }
      }
    }
    return nil
  }
}

/// The clocks of a place, from the end of 2023 to 2025.
struct ModelZone {
  private let before: Int64
  /// Offsets from UTC, and since when they hold.
  private let changes: [(time: Int64, offset: Int64)]

  static let utc = ModelZone(before: 0, changes: [])

  private init(before: Int64, changes: [(time: Int64, offset: Int64)]) {
    self.before = before
    self.changes = changes
  }

  /// Nil: the walk knows no other.
  init?(_ name: String) {
    switch name {
    case "", "UTC": self = .utc
    case "Europe/Berlin":
      self.init(
        before: 3_600,
        changes: [
          (1_711_846_800, 7_200), (1_729_990_800, 3_600), (1_743_296_400, 7_200),
        ])
    case "America/New_York":
      self.init(
        before: -18_000,
        changes: [
          (1_710_054_000, -14_400), (1_730_613_600, -18_000), (1_741_503_600, -14_400),
        ])
    case "Australia/Lord_Howe":
      self.init(
        before: 39_600,
        changes: [
          (1_712_415_600, 37_800), (1_728_142_200, 39_600), (1_743_865_200, 37_800),
        ])
    default: return nil
    }
  }

  /// What the clocks show, as seconds of a clock that shows UTC.
  func shown(at time: Int64) -> Int64 {
    time + (changes.last { $0.time <= time }?.offset ?? before)
  }
}

/// What a cron string or a calendar means: which times of a clock match.
struct ModelCron {
  let hasSeconds: Bool
  /// Of `@every`, in milliseconds.
  let period: (every: Int64, phase: Int64)?
  private let isMatch: (ModelClock) -> Bool

  func matches(_ shown: Int64) -> Bool { isMatch(ModelClock(shown)) }

  private init(seconds: Bool = false, _ isMatch: @escaping (ModelClock) -> Bool) {
    hasSeconds = seconds
    period = nil
    self.isMatch = isMatch
  }

  private init(every: Int64, phase: Int64) {
    hasSeconds = false
    period = (every * 1_000, phase * 1_000)
    isMatch = { _ in false }
  }

  /// Each part has a value among its ranges; the time of day is 0 without any.
  init(_ calendar: CalendarSpec) {
    func holds(_ ranges: [CalendarRange], _ value: Int64) -> Bool {
      ranges.contains { range in
        stride(
          from: range.start, through: max(range.start, range.end), by: Int(max(1, range.step))
        ).contains { $0 == value }
      }
    }
    hasSeconds = true
    period = nil
    isMatch = { clock in
      (calendar.seconds.isEmpty ? clock.second == 0 : holds(calendar.seconds, clock.second))
        && (calendar.minutes.isEmpty ? clock.minute == 0 : holds(calendar.minutes, clock.minute))
        && (calendar.hours.isEmpty ? clock.hour == 0 : holds(calendar.hours, clock.hour))
        && (calendar.daysOfWeek.isEmpty || holds(calendar.daysOfWeek, clock.weekday))
    }
  }

  static let texts = [
    "* * * * *", "*/5 * * * *", "30 2 * * *", "*/20 1-3 * * *", "*/10 * * * * * *",
    "15,45 * * * * * *", "@hourly", "@daily", "*/10 * * * SUN,TUE", "7/20 */2 * * 0-6",
    "@every 45s", "@every 90s/10s",
  ]

  static func named(_ text: String) -> ModelCron? {
    switch text {
    case "* * * * *": ModelCron { _ in true }.onMinutes
    case "*/5 * * * *": ModelCron { $0.minute % 5 == 0 }.onMinutes
    case "30 2 * * *": ModelCron { $0.hour == 2 && $0.minute == 30 }.onMinutes
    case "*/20 1-3 * * *":
      ModelCron { $0.minute % 20 == 0 && $0.hour >= 1 && $0.hour <= 3 }.onMinutes
    case "*/10 * * * * * *": ModelCron(seconds: true) { $0.second % 10 == 0 }
    case "15,45 * * * * * *": ModelCron(seconds: true) { $0.second == 15 || $0.second == 45 }
    case "@hourly": ModelCron { $0.minute == 0 }.onMinutes
    case "@daily": ModelCron { $0.hour == 0 && $0.minute == 0 }.onMinutes
    case "*/10 * * * SUN,TUE":
      ModelCron { $0.minute % 10 == 0 && ($0.weekday == 0 || $0.weekday == 2) }.onMinutes
    case "7/20 */2 * * 0-6":
      ModelCron { $0.minute >= 7 && ($0.minute - 7) % 20 == 0 && $0.hour % 2 == 0 }.onMinutes
    case "@every 45s": ModelCron(every: 45, phase: 0)
    case "@every 90s/10s": ModelCron(every: 90, phase: 10)
    default: nil
    }
  }

  private var onMinutes: ModelCron {
    let isMatch = isMatch
    return ModelCron { $0.second == 0 && isMatch($0) }
  }
}

/// A clock without a date.
struct ModelClock {
  let second: Int64
  let minute: Int64
  let hour: Int64
  /// 0 is Sunday; 1970 began on a Thursday.
  let weekday: Int64

  init(_ shown: Int64) {
    second = shown % 60
    minute = shown / 60 % 60
    hour = shown / 3_600 % 24
    weekday = (shown / 86_400 + 4) % 7
  }
}

extension Instant {
  /// As the ids of scheduled workflows tell it.
  var inWords: String {
    var days = ms / 86_400_000
    var year: Int64 = 1970
    func length(_ year: Int64) -> Int64 {
      year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365
    }
    while days >= length(year) {
      days -= length(year)
      year += 1
    }
    var month: Int64 = 1
    for monthLength in [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
      if days < monthLength { break }
      days -= monthLength
      month += 1
    }
    func padded(_ number: Int64, _ width: Int = 2) -> String {
      String(String(1_000 + number).suffix(width))
    }
    let clock = ModelClock(ms / 1_000)
    let fraction = ms % 1_000 == 0 ? "" : ".\(padded(ms % 1_000, 3))"
    return "\(year)-\(padded(month))-\(padded(days + 1))"
      + "T\(padded(clock.hour)):\(padded(clock.minute)):\(padded(clock.second))\(fraction)Z"
  }
}
