import Basics
import Messages
import Testing

@testable import EngineCore

@Suite struct CronTests {
  /// The next three times after 2026-01-31T12:00:30Z, a Saturday.
  static let table: [(String, [String])] = [
    ("* * * * *", ["2026-01-31T12:01:00Z", "2026-01-31T12:02:00Z", "2026-01-31T12:03:00Z"]),
    ("*/15 * * * *", ["2026-01-31T12:15:00Z", "2026-01-31T12:30:00Z", "2026-01-31T12:45:00Z"]),
    ("5/20 8-9 * * *", ["2026-02-01T08:05:00Z", "2026-02-01T08:25:00Z", "2026-02-01T08:45:00Z"]),
    ("0 0 * * *", ["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z"]),
    ("30 9 * * MON-FRI", ["2026-02-02T09:30:00Z", "2026-02-03T09:30:00Z", "2026-02-04T09:30:00Z"]),
    (
      "30 9 ? * mon,Wednesday",
      [
        "2026-02-02T09:30:00Z", "2026-02-04T09:30:00Z", "2026-02-09T09:30:00Z",
      ]
    ),
    ("0 6 31 * *", ["2026-03-31T06:00:00Z", "2026-05-31T06:00:00Z", "2026-07-31T06:00:00Z"]),
    ("0 6 13 * FRI", ["2026-02-13T06:00:00Z", "2026-03-13T06:00:00Z", "2026-11-13T06:00:00Z"]),
    ("0 0 29 2 *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
    ("0 0 29 2 MON", ["2044-02-29T00:00:00Z", "2072-02-29T00:00:00Z", "2112-02-29T00:00:00Z"]),
    ("0 12 * * 7", ["2026-02-01T12:00:00Z", "2026-02-08T12:00:00Z", "2026-02-15T12:00:00Z"]),
    ("0 12 * * 5-7", ["2026-02-01T12:00:00Z", "2026-02-06T12:00:00Z", "2026-02-07T12:00:00Z"]),
    (
      "0 0 1 jan-dec/6 *", ["2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z"]
    ),
    (
      "0 0 1 1 * 2028-2032/2",
      [
        "2028-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2032-01-01T00:00:00Z",
      ]
    ),
    (
      "*/20 0 12 * * * *",
      [
        "2026-01-31T12:00:40Z", "2026-02-01T12:00:00Z", "2026-02-01T12:00:20Z",
      ]
    ),
    (
      "\t0  0 *\t* *  # each midnight",
      [
        "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z",
      ]
    ),
    ("@hourly", ["2026-01-31T13:00:00Z", "2026-01-31T14:00:00Z", "2026-01-31T15:00:00Z"]),
    ("@daily", ["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z"]),
    ("@midnight # late", ["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z"]),
    ("@weekly", ["2026-02-01T00:00:00Z", "2026-02-08T00:00:00Z", "2026-02-15T00:00:00Z"]),
    ("@monthly", ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"]),
    ("@yearly", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"]),
    ("@ANNUALLY", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"]),
    ("@every 6h", ["2026-01-31T18:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01T06:00:00Z"]),
    ("@every 1h30m/20m", ["2026-01-31T12:20:00Z", "2026-01-31T13:50:00Z", "2026-01-31T15:20:00Z"]),
  ]

  @Test(arguments: table) func namesTheTimes(_ text: String, _ expected: [String]) throws {
    let times = try ScheduleTimes(cron: text, in: .utc)
    var time = try #require(Instant(iso8601: "2026-01-31T12:00:30Z"))
    for next in expected {
      let following = try #require(Instant(iso8601: next))
      #expect(times.next(after: time) == .found(following))
      time = following
    }
  }

  static let faults: [(String, String)] = [
    ("", "0 fields; expected 5 "),
    ("* * * *", "4 fields; expected 5 "),
    ("* * * * * * * *", "8 fields; expected 5 "),
    ("60 * * * *", "character 1: expected a minute from 0 to 59, found '60'"),
    ("* 24 * * *", "character 3: expected an hour from 0 to 23, found '24'"),
    ("* * 0 * *", "character 5: expected a day of month from 1 to 31, found '0'"),
    ("* * * 13 *", "character 7: expected a month from 1 to 12 or a name such as JAN, found '13'"),
    (
      "* * * foo *", "character 7: expected a month from 1 to 12 or a name such as JAN, found 'foo'"
    ),
    (
      "* * * * 8",
      "character 9: expected a day of week from 0 to 7 or a name such as SUN, found '8'"
    ),
    ("* * * * * 1969", "character 11: expected a year from 1970 to 2999, found '1969'"),
    ("? * * * *", "character 1: expected a minute from 0 to 59, found '?'"),
    ("5-1 * * * *", "character 1: expected a range that does not go backwards, found '5-1'"),
    ("*/0 * * * *", "character 3: expected a step of 1 or more, found '0'"),
    ("*/x * * * *", "character 3: expected a step of 1 or more, found 'x'"),
    ("1,,2 * * * *", "character 3: expected a minute from 0 to 59, found ',2'"),
    ("1. * * * *", "character 2: expected a comma or a blank, found '.'"),
    ("* * L * *", "character 5: expected a day of month from 1 to 31, found 'L'"),
    ("CRON_TZ=UTC * * * * *", "character 1: expected a time; the time zone has a field of its own"),
    ("@often", "character 1: expected @yearly, @monthly, "),
    ("@daily 5", "character 8: expected nothing more, found '5'"),
    ("@every", "character 7: expected a duration, such as 1h30m, found the end"),
    ("@every 5", "character 8: expected a duration in d, h, m and s, such as 1h30m, found '5'"),
    ("@every 1h/1x", "character 11: expected a duration in d, h, m and s, "),
    ("@every 0s", "expected an interval of 1 s or more, found 0 ms"),
    ("@every 1m/1m", "expected a phase from 0 to less than the interval"),
    ("@every 9999999999h", "character 8: expected a duration, such as 1h30m"),
  ]

  @Test(arguments: faults) func saysWhatIsWrongAndWhere(_ text: String, _ message: String) {
    do {
      _ = try ScheduleTimes(cron: text, in: .utc)
      Issue.record("'\(text)' was taken")
    } catch {
      #expect(error.message.hasPrefix(message), "\(error.message)")
      #expect(error.field.isEmpty)
    }
  }

  @Test func keepsTheComment() throws {
    guard case .calendar(let calendar) = try CronReader.read("0 0 * * *  # at # night ") else {
      Issue.record("no calendar")
      return
    }
    #expect(calendar.comment == "at # night")
  }

  /// What may not be a cron string is refused or means something; nothing ends the process.
  @Test func anyTextIsTakenOrRefused() {
    let seed: UInt64 = 74
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    let pieces = [
      "*", "/", "-", ",", " ", "1", "59", "9999999999", "MON", "@", "every ", "1h", "#", "é", "?",
    ]
    var taken = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...12, using: &random))
        .map { _ in pieces.randomElement(using: &random)! }.joined()
      guard let times = try? ScheduleTimes(cron: text, in: .utc) else { continue }
      taken += 1
      let next = times.next(after: Instant(ms: 1_769_860_800_000))
      #expect(next != .found(Instant(ms: 1_769_860_800_000)), "'\(text)'")
    }
    #expect(taken > 0)
  }
}
