import Foundation
import SimKit
import Testing

/// I19: a file that an earlier engine left is opened, and all that was under way in it comes to its
/// end as if nothing had happened.
///
/// Each file was made by the engine that wrote its format first, and is never made again:
/// `holdfast-sim --seed 6 --operations 40 --keep Tests/SimTests/Files/format-1.db` made the first
/// one, with twelve runs, nine of them open, four pending activities and three state rows;
/// `holdfast-sim --seed 557 --operations 60 --keep Tests/SimTests/Files/format-2.db` the second,
/// with thirty-six runs, fourteen of them open and one a copy of another, fifteen rows of
/// activities, four schedules, a time zone and three names of search attributes;
/// `holdfast-sim --seed 37 --operations 60 --keep Tests/SimTests/Files/format-3.db` the third, with
/// twenty-five runs, fourteen of them open, seven rows of activities, eight state rows, a schedule
/// and a run outside memory that somebody should look at.
@Suite("Old files") struct OldFileTests {
  private static let formats = [1, 2, 3]

  private func file(_ format: Int) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return Array(try Data(contentsOf: folder.appending(path: "Files/format-\(format).db")))
  }

  private func outcome(_ options: Options, _ format: Int) throws -> Outcome {
    var options = options
    options.limit(operations: 60)
    options.file = try file(format)
    return SimRunner.run(options)
  }

  /// It stands in the header of SQLite's files.
  private func format(of bytes: [UInt8]) -> Int {
    bytes[60..<64].reduce(0) { $0 << 8 | Int($1) }
  }

  @Test(arguments: formats) func aFileIsOfTheFormatInItsName(_ format: Int) throws {
    #expect(self.format(of: try file(format)) == format)
  }

  @Test(arguments: formats) func anOldFileBecomesOneOfTheNewestFormat(_ old: Int) throws {
    var options = Options.quiet(seed: 1)
    options.limit(operations: 10)
    options.file = try file(old)
    #expect(format(of: SimRunner.file(options)) == OldFileTests.formats.last)
  }

  @Test(arguments: formats) func whatIsUnderWayInAnOldFileComesToItsEnd(_ format: Int) throws {
    let outcome = try outcome(.quiet(seed: 1), format)
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
    #expect(outcome.runs >= 12)
  }

  @Test(arguments: formats, 1...8 as ClosedRange<UInt64>)
  func soItDoesWithFaults(_ format: Int, _ seed: UInt64) throws {
    let outcome = try outcome(.drawn(seed: seed), format)
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
  }

  @Test(arguments: formats) func aDamagedFileIsSeen(_ format: Int) throws {
    var options = Options.quiet(seed: 1)
    options.limit(operations: 10)
    var bytes = try file(format)
    let place = try #require(bytes.lastIndex(of: UInt8(ascii: "|")))
    bytes[place] ^= 1
    options.file = bytes
    #expect(SimRunner.run(options).violation != nil)
  }
}
