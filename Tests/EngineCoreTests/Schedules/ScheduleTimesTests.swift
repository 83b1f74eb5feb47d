import Basics
import Messages
import Testing

@testable import EngineCore

@Suite struct ScheduleTimesTests {
  // MARK: - Against a slow model

  /// Each minute is looked at: it has an action when a wall time that is shown for the first time,
  /// or skipped there, is one of the spec's, and the minute's own is not excluded.
  private struct Model {
    let spec: ScheduleSpec
    let zone: EngineCore.TimeZone

    func times(from start: Int64, through end: Int64) -> [Int64] {
      var found: [Int64] = []
      var shown = zone.latestWallTime(by: start).seconds / 60
      for time in stride(from: (start / 60 + 1) * 60, through: end, by: 60) {
        let wall = zone.wallTime(at: time).seconds / 60
        var isNamed = spec.intervals.contains { interval in
          (time * 1_000 - interval.phaseMs.ms) % interval.everyMs.ms == 0
        }
        if wall > shown {
          isNamed =
            isNamed
            || (shown + 1...wall).contains { minute in
              spec.calendars.contains { names($0, minute * 60) }
            }
          shown = wall
        }
        let isExcluded = spec.exclusions.contains { names($0, wall * 60) }
        if isNamed && !isExcluded { found.append(time) }
      }
      return found
    }

    private func names(_ calendar: CalendarSpec, _ wall: Int64) -> Bool {
      let day = CivilDay(daysSinceEpoch: wall / 86_400)
      func has(_ ranges: [CalendarRange], _ value: Int64, unset: Bool) -> Bool {
        if ranges.isEmpty { return unset }
        return ranges.contains { range in
          let end = Int64(range.end == 0 ? range.start : range.end)
          let step = Int64(range.step == 0 ? 1 : range.step)
          return value >= range.start && value <= end && (value - Int64(range.start)) % step == 0
        }
      }
      let weekday = CivilDay.weekday(ofDay: wall / 86_400)
      return has(calendar.seconds, wall % 60, unset: wall % 60 == 0)
        && has(calendar.minutes, wall / 60 % 60, unset: wall / 60 % 60 == 0)
        && has(calendar.hours, wall / 3_600 % 24, unset: wall / 3_600 % 24 == 0)
        && has(calendar.daysOfMonth, day.day, unset: true)
        && has(calendar.months, day.month, unset: true)
        && has(calendar.years, day.year, unset: true)
        && (has(calendar.daysOfWeek, weekday, unset: true)
          || (weekday == 0 && has(calendar.daysOfWeek, 7, unset: true)))
    }
  }

  private static func draw(
    _ values: ClosedRange<Int32>, unset: Int, _ random: inout SeededRandom
  ) -> [CalendarRange] {
    if Int.random(in: 0..<100, using: &random) < unset { return [] }
    return (0...Int.random(in: 0...1, using: &random)).map { _ in
      var range = CalendarRange()
      range.start = Int32.random(in: values, using: &random)
      if Bool.random(using: &random) {
        range.end = Int32.random(in: range.start...values.upperBound, using: &random)
      }
      range.step = [0, 1, 2, 7, 15].randomElement(using: &random)!
      return range
    }
  }

  private static func drawCalendar(_ random: inout SeededRandom) -> CalendarSpec {
    var calendar = CalendarSpec()
    calendar.minutes = draw(0...59, unset: 20, &random)
    calendar.hours = draw(0...4, unset: 10, &random)
    if Int.random(in: 0..<4, using: &random) == 0 {
      calendar.hours = [CalendarRange()]
      calendar.hours[0].end = 23
    }
    calendar.daysOfMonth = draw(1...31, unset: 70, &random)
    calendar.months = draw(1...12, unset: 70, &random)
    calendar.daysOfWeek = draw(0...7, unset: 60, &random)
    calendar.years = draw(2020...2060, unset: 80, &random)
    return calendar
  }

  @Test func timesAreThoseThatTheMinutesShow() throws {
    var found = 0
    for seed in 1...150 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      let name = SystemZones.names.randomElement(using: &random)!
      let zone = try SystemZones.zone(name)
      var spec = ScheduleSpec()
      spec.calendars = (0...Int.random(in: 0...2, using: &random)).map { _ in
        ScheduleTimesTests.drawCalendar(&random)
      }
      if Bool.random(using: &random) {
        var interval = IntervalSpec()
        interval.everyMs = Span(ms: 60_000 * Int64.random(in: 1...600, using: &random))
        interval.phaseMs = Span(ms: interval.everyMs.ms / 60_000 / 3 * 60_000)
        spec.intervals = [interval]
      }
      spec.exclusions = (0..<Int.random(in: 0...2, using: &random)).map { _ in
        ScheduleTimesTests.drawCalendar(&random)
      }
      // Around a change of the clocks, if there is one.
      let changes =
        zone.transitions.map(\.time).filter { $0 > 1_500_000_000 }
        + (zone.rule?.transitions(after: 2_147_483_647, through: 2_500_000_000) ?? []).map(\.time)
      let middle = changes.randomElement(using: &random) ?? 1_800_000_000
      let start = middle - Int64.random(in: 0...36, using: &random) * 3_600 + 30
      let end = start + 3 * 86_400
      let times = try ScheduleTimes(spec, in: zone)
      var ours: [Int64] = []
      var time = Instant(ms: start * 1_000)
      look: while true {
        switch times.next(after: time) {
        case .found(let next) where next.ms <= end * 1_000:
          ours.append(next.ms / 1_000)
          time = next
        case .noneBefore(let next) where next.ms <= end * 1_000: time = next - Span(ms: 1)
        case .found, .noneBefore, .never: break look
        }
      }
      let theirs = Model(spec: spec, zone: zone).times(from: start, through: end)
      #expect(ours == theirs, "seed \(seed), \(name)")
      found += ours.count
    }
    #expect(found > 5_000)
  }

  // MARK: - Clocks that are changed

  /// Each day once for a year and a bit, with the two days of the changes as they are known.
  @Test(arguments: [
    // 02:30 is skipped on March 29, 2026, and comes twice on October 25.
    ("Europe/Berlin", "30 2 * * *", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z"),
    ("America/New_York", "30 2 * * *", "2026-03-08T07:00:00Z", "2026-11-01T07:30:00Z"),
    ("America/New_York", "30 1 * * *", "2026-03-08T06:30:00Z", "2026-11-01T05:30:00Z"),
    // Half an hour only: 02:15 is skipped on October 4, 01:45 comes twice on April 5.
    ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T15:30:00Z", "2026-04-04T15:45:00Z"),
    ("Australia/Lord_Howe", "45 1 * * *", "2026-10-03T15:15:00Z", "2026-04-04T14:45:00Z"),
  ])
  func aDailyTimeComesOnceADay(
    _ name: String, _ cron: String, _ spring: String, _ autumn: String
  ) throws {
    let zone = try SystemZones.zone(name)
    let times = try ScheduleTimes(cron: cron, in: zone)
    var time = try #require(Instant(iso8601: "2025-12-31T23:59:59Z"))
    var found: [Instant] = []
    for _ in 0..<400 {
      guard case .found(let next) = times.next(after: time) else { break }
      found.append(next)
      time = next
    }
    let days = found.map { zone.wallTime(at: $0.ms / 1_000).daysSinceEpoch }
    #expect(days == Array(days[0]..<days[0] + 400))
    #expect(found.contains(try #require(Instant(iso8601: spring))))
    #expect(found.contains(try #require(Instant(iso8601: autumn))))
  }

  @Test func whatIsSkippedTogetherComesOnce() throws {
    let times = try ScheduleTimes(cron: "*/10 2 * * *", in: try SystemZones.zone("Europe/Berlin"))
    let change = try #require(Instant(iso8601: "2026-03-29T01:00:00Z"))
    #expect(times.next(after: change - Span(ms: 1)) == .found(change))
    let following = try #require(Instant(iso8601: "2026-03-30T00:00:00Z"))
    #expect(times.next(after: change) == .found(following))
  }

  // MARK: - The other parts of a spec

  private func spec(_ cron: String, _ change: (inout ScheduleSpec) -> Void) throws -> ScheduleTimes
  {
    var spec = ScheduleSpec()
    if !cron.isEmpty { spec.crons = [cron] }
    change(&spec)
    return try ScheduleTimes(spec, in: .utc)
  }

  @Test func specsThatNeverMatchEndTheSearch() throws {
    let start = try #require(Instant(iso8601: "2026-01-01T00:00:00Z"))
    let never = try ScheduleTimes(cron: "0 0 30 2 *", in: .utc)
    guard case .noneBefore(let first) = never.next(after: start) else {
      Issue.record("\(never.next(after: start))")
      return
    }
    #expect(first > start + Span(ms: 40 * 365 * 86_400_000))
    #expect(try ScheduleTimes(cron: "0 0 1 1 * 2025", in: .utc).next(after: start) == .never)
    #expect(try spec("") { _ in }.next(after: start) == .never)
    #expect(try ScheduleTimes(cron: "* * * * *", in: .utc).next(after: .distantFuture) == .never)
    #expect(try ScheduleTimes(cron: "@every 1h", in: .utc).next(after: .distantFuture) == .never)
    let excluded = try spec("* * * * * * *") { spec in
      var most = CalendarSpec()
      for part in [\CalendarSpec.seconds, \.minutes, \.hours] {
        most[keyPath: part] = [CalendarRange()]
      }
      most.seconds[0].end = 58
      most.minutes[0].end = 59
      most.hours[0].end = 23
      var rest = most
      rest.seconds[0].start = 59
      rest.seconds[0].end = 59
      spec.exclusions = [most, rest]
    }
    #expect(excluded.next(after: start) == .noneBefore(start + Span(ms: 1_001_000)))
  }

  @Test func anExclusionOfWholeDaysIsLeftAtOnce() throws {
    let start = try #require(Instant(iso8601: "2026-01-01T00:00:00Z"))
    let times = try spec("* * * * * * *") { spec in
      var days = CalendarSpec()
      for part in [\CalendarSpec.seconds, \.minutes, \.hours] {
        days[keyPath: part] = [CalendarRange()]
      }
      days.seconds[0].end = 59
      days.minutes[0].end = 59
      days.hours[0].end = 23
      days.years = [CalendarRange()]
      days.years[0].start = 2026
      days.years[0].end = 2027
      spec.exclusions = [days]
    }
    let end = try #require(Instant(iso8601: "2028-01-01T00:00:00Z"))
    #expect(times.next(after: start) == .found(end))
  }

  @Test func startAndEndAreIncluded() throws {
    let hour = Span(ms: 3_600_000)
    let start = try #require(Instant(iso8601: "2026-01-01T00:00:00Z"))
    let times = try spec("@hourly") { spec in
      spec.startAtMs = start + hour
      spec.endAtMs = start + hour + hour
    }
    #expect(times.next(after: start - hour) == .found(start + hour))
    #expect(times.next(after: start + hour) == .found(start + hour + hour))
    #expect(times.next(after: start + hour + hour) == .never)
  }

  @Test func instantsComeInTheirOrderAndOnce() throws {
    let times = try spec("@hourly") { spec in
      spec.instantsAtMs = [Instant(ms: 5_000_000), Instant(ms: 3_600_000), Instant(ms: 4_000_000)]
      spec.endAtMs = Instant(ms: 5_000_000)
    }
    var found: [Int64] = []
    var time = Instant(ms: 0)
    while case .found(let next) = times.next(after: time) {
      found.append(next.ms)
      time = next
    }
    #expect(found == [3_600_000, 4_000_000, 5_000_000])
  }

  @Test func jitterStaysBeforeTheNextTimeAndIsTheSameAgain() throws {
    let times = try spec("* * * * *") { $0.jitterMs = Span(ms: 3_600_000) }
    let short = try spec("@hourly") { $0.jitterMs = Span(ms: 10_000) }
    var dues: Set<Int64> = []
    for minute in 1...500 as ClosedRange<Int64> {
      let time = Instant(ms: minute * 60_000)
      let due = times.due(time, of: "s-1")
      #expect(due >= time && due < time + Span(ms: 60_000))
      #expect(times.due(time, of: "s-1") == due)
      dues.insert((due - time).ms)
      let hour = Instant(ms: minute * 3_600_000)
      #expect(short.due(hour, of: "s-1") < hour + Span(ms: 10_000))
    }
    #expect(dues.count > 450)
    #expect(times.due(Instant(ms: 60_000), of: "s-2") != times.due(Instant(ms: 60_000), of: "s-1"))
  }

  @Test func faultsNameTheirPlace() {
    func fault(_ change: (inout ScheduleSpec) -> Void) -> SpecFault? {
      do {
        _ = try spec("", change)
        return nil
      } catch { return error as? SpecFault }
    }
    #expect(fault { $0.crons = ["@daily", "x"] }?.field == "crons[1]")
    #expect(fault { $0.intervals = [IntervalSpec()] }?.field == "intervals[0]")
    #expect(fault { $0.jitterMs = Span(ms: -1) }?.field == "jitter_ms")
    #expect(fault { $0.startAtMs = Instant(ms: -1) }?.field == "start_at_ms")
    #expect(fault { $0.instantsAtMs = [Instant](repeating: .epoch, count: 101) }?.field == "")
    var calendar = CalendarSpec()
    calendar.hours = [CalendarRange(), CalendarRange()]
    calendar.hours[1].start = 24
    #expect(fault { $0.calendars = [calendar] }?.field == "calendars[0].hours[1]")
    #expect(fault { $0.exclusions = [calendar] }?.field == "exclusions[0].hours[1]")
    calendar.hours = []
    calendar.daysOfMonth = [CalendarRange()]
    #expect(fault { $0.calendars = [calendar] }?.field == "calendars[0].days_of_month[0]")
  }
}
