import Basics
import Foundation
import Testing

@testable import EngineCore

@Suite struct TimeZoneTests {
  /// From 1700 to 2500.
  private static let times: ClosedRange<Int64> = -8_520_336_000...16_725_225_600

  @Test func offsetsAreThoseOfAnotherReader() throws {
    let seed: UInt64 = 71
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    var questions: [(zone: String, time: Int64)] = []
    var ours: [Int64] = []
    for name in SystemZones.names {
      let zone = try SystemZones.zone(name)
      var times = (0..<60).map { _ in Int64.random(in: TimeZoneTests.times, using: &random) }
      // Where clocks change, in the table and beyond it.
      for change in zone.transitions where TimeZoneTests.times.contains(change.time) {
        times += [change.time - 1, change.time]
      }
      for change in zone.rule?.transitions(after: 2_500_000_000, through: 2_600_000_000) ?? [] {
        times += [change.time - 1, change.time]
      }
      for time in times {
        questions.append((name, time))
        ours.append(zone.offset(at: time))
      }
    }
    let theirs = try PythonZones.offsets(questions)
    try #require(theirs.count == ours.count && ours.count > 4_000)
    for (index, question) in questions.enumerated() where ours[index] != theirs[index] {
      Issue.record("\(question): \(ours[index]), but \(theirs[index]) there")
    }
  }

  @Test func everyZoneOfTheSystemIsRead() throws {
    let list = try String(contentsOfFile: "\(SystemZones.folder)/tzdata.zi", encoding: .utf8)
    let names = list.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      if words.first == "Z" { return String(words[1]) }
      return words.first == "L" ? String(words[2]) : nil
    }
    var count = 0
    for name in names where FileManager.default.fileExists(atPath: "\(SystemZones.folder)/\(name)")
    {
      _ = try SystemZones.zone(name)
      count += 1
    }
    #expect(count > 300)
  }

  /// The first time that shows a wall time or a later one, and the latest wall time shown by a
  /// time, found by looking at each minute.
  @Test func changesOfClocksAreThoseThatTheMinutesShow() throws {
    let seed: UInt64 = 72
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    for name in SystemZones.names where name != "Etc/GMT+5" && name != "UTC" {
      let zone = try SystemZones.zone(name)
      var changes = zone.transitions.filter { $0.time > 500_000_000 }.map(\.time)
      changes += (zone.rule?.transitions(after: 2_500_000_000, through: 2_600_000_000) ?? [])
        .map(\.time)
      for _ in 0..<6 {
        guard let change = changes.randomElement(using: &random) else { break }
        // A day is skipped by Apia; elsewhere few hours are enough.
        let minutes = (-30 * 60...30 * 60).map { change + $0 * 60 }
        let shown = minutes.map { zone.wallTime(at: $0) }
        for _ in 0..<20 {
          let wall = WallTime(
            seconds: zone.wallTime(at: change).seconds
              + 60 * Int64.random(in: -300...300, using: &random))
          let first = minutes[try #require(shown.firstIndex { $0 >= wall })]
          #expect(zone.firstTime(showing: wall) == first, "\(name) at \(change)")
          let place = Int.random(in: 1_500...2_100, using: &random)
          // The minutes that end there: their last seconds count.
          let latest = shown[..<place].map { $0.seconds + 59 }.max()
          #expect(
            zone.latestWallTime(by: minutes[place] - 1).seconds == latest, "\(name) at \(change)")
        }
      }
    }
  }

  @Test func rulesOfEveryKindAreRead() {
    func offsets(_ text: String, _ times: [Int64]) -> [Int64]? {
      ZoneRuleReader.read(ArraySlice(text.utf8)).map { rule in times.map { rule.offset(at: $0) } }
    }
    // 2026-01-15 and 2026-07-15.
    let (winter, summer) = (Int64(1_768_435_200), Int64(1_784_073_600))
    #expect(offsets("CET-1CEST,M3.5.0,M10.5.0/3", [winter, summer]) == [3_600, 7_200])
    #expect(offsets("<-03>3", [winter, summer]) == [-10_800, -10_800])
    #expect(offsets("IST-1GMT0,M10.5.0,M3.5.0/1", [winter, summer]) == [0, 3_600])
    #expect(offsets("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", [winter, summer]) == [39_600, 37_800])
    #expect(offsets("EST5EDT,0/0,J365/25", [winter, summer]) == [-14_400, -14_400])
    #expect(offsets("AAA1BBB,J60/0,J61/0", [1_772_323_200 + 3_600]) == [0], "March 1, 2026")
    #expect(offsets("AAA1BBB,59/0,60/0", [1_772_323_200 + 3_600]) == [0], "day 59 from 0")
    #expect(offsets("AAA0BBB,J60/0,J61/0", [1_709_251_200]) == [3_600], "March 1, 2024, leaps")
    #expect(offsets("AAA0BBB,59/0,60/0", [1_709_251_200]) == [0], "day 60 then")
    for text in [
      "", "CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-25", "CET-1CEST,M13.1.0,M10.5.0",
      "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J5",
      "CET-1CEST,366,5", "CET-1CEST,M3.5.0/168,M10.5.0", "<CET-1", "<>1", "CET-1:60", "CET-1 ",
      "CET-1CEST,M3.5.0,M10.5.0,",
    ] {
      #expect(ZoneRuleReader.read(ArraySlice(text.utf8)) == nil, "'\(text)'")
    }
  }
}

@Suite struct ZoneFileTests {
  @Test func filesThatEndEarlyAreRefused() throws {
    let whole = try SystemZones.bytes("Europe/Berlin")
    for count in 0..<whole.count {
      #expect(throws: ZoneFile.Fault.self, "\(count) bytes") {
        try ZoneFile.read(Array(whole[..<count]))
      }
    }
  }

  /// Whatever is read of changed bytes answers every question.
  @Test func anyBytesAreAZoneOrAFault() throws {
    let seed: UInt64 = 73
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    var read = 0
    for name in ["Europe/Berlin", "Africa/Casablanca", "Etc/GMT+5", "America/New_York"] {
      let whole = try SystemZones.bytes(name)
      for _ in 0..<1_500 {
        var bytes = whole
        for _ in 0...Int.random(in: 0...3, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
        guard let zone = try? ZoneFile.read(bytes) else { continue }
        read += 1
        for time in [-1 << 50, -1, 0, 1_700_000_000, 1 << 50] as [Int64] {
          #expect(abs(zone.offset(at: time)) < EngineCore.TimeZone.offsetMax)
          let wall = zone.latestWallTime(by: time)
          #expect(zone.firstTime(showing: WallTime(seconds: wall.seconds + 1)) > time)
        }
      }
    }
    #expect(read > 500)
  }

  @Test func whatIsNoZoneIsToldSo() {
    #expect(throws: ZoneFile.Fault.isNoZoneFile) { try ZoneFile.read([]) }
    #expect(throws: ZoneFile.Fault.isNoZoneFile) {
      try ZoneFile.read(Array("# tzdb data for Africa and many others besides".utf8))
    }
    #expect(throws: ZoneFile.Fault.value("65537 bytes")) {
      try ZoneFile.read([UInt8](repeating: 0, count: 65_537))
    }
  }

  /// An old file: one block, times of 32 bits, no rule behind.
  @Test func filesOfTheFirstVersionAreRead() throws {
    var bytes = Array("TZif".utf8) + [0] + [UInt8](repeating: 0, count: 15)
    for count in [0, 0, 0, 1, 2, 8] as [UInt8] { bytes += [0, 0, 0, count] }
    bytes += [0x60, 0, 0, 0] + [1]
    bytes += [0, 0, 0x0E, 0x10, 0, 0] + [0xFF, 0xFF, 0xF1, 0xF0, 1, 4]
    bytes += Array("ABC\0DEF\0".utf8)
    let zone = try ZoneFile.read(bytes)
    #expect(zone.offset(at: 0x6000_0000 - 1) == 3_600)
    #expect(zone.offset(at: 0x6000_0000) == -3_600)
    #expect(zone.offset(at: 1 << 40) == -3_600)
  }
}

@Suite struct CivilTimeTests {
  @Test func daysAreCountedOneByOne() {
    var (year, month, day, weekday) = (Int64(1_600), Int64(1), Int64(1), Int64(6))
    let lengths: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    let start = CivilDay(year: 1_600, month: 1, day: 1).daysSinceEpoch
    #expect(CivilDay(year: 1_970, month: 1, day: 1).daysSinceEpoch == 0)
    for days in start..<start + 300_000 {
      let civil = CivilDay(year: year, month: month, day: day)
      guard CivilDay(daysSinceEpoch: days) == civil, civil.daysSinceEpoch == days,
        CivilDay.weekday(ofDay: days) == weekday
      else {
        Issue.record("\(civil) is not day \(days)")
        return
      }
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let length = lengths[Int(month) - 1] + (month == 2 && isLeap ? 1 : 0)
      (day, weekday) = (day + 1, (weekday + 1) % 7)
      if day > length { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(year == 2_421)
  }
}
