import Foundation

@testable import EngineCore

/// The system's zones.
enum SystemZones {
  static let folder = "/usr/share/zoneinfo"

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
  }

  static func zone(_ name: String) throws -> EngineCore.TimeZone {
    try ZoneFile.read(try bytes(name))
  }

  /// Every continent, both hemispheres, half and quarter hours, one that turns by half an hour, one
  /// whose summer time is negative, and some without any.
  static let names = [
    "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo",
    "America/St_Johns", "America/Santiago", "America/Nuuk", "Asia/Tehran", "Asia/Kathmandu",
    "Asia/Gaza", "Asia/Tokyo", "Africa/Casablanca", "Africa/Cairo", "Australia/Lord_Howe",
    "Australia/Adelaide", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati",
    "Antarctica/Troll", "Etc/GMT+5", "UTC", "EST5EDT",
  ]
}

/// The answers of another reader of the same files.
enum PythonZones {
  /// The offsets at (zone, time).
  static func offsets(_ questions: [(zone: String, time: Int64)]) throws -> [Int64] {
    let script = """
      import sys, datetime, zoneinfo
      zoneinfo.reset_tzpath(to=["\(SystemZones.folder)"])
      start = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
      for line in sys.stdin:
          zone, time = line.split()
          at = (start + datetime.timedelta(seconds=int(time))).astimezone(zoneinfo.ZoneInfo(zone))
          print(int(at.utcoffset().total_seconds()))
      """
    let file = FileManager.default.temporaryDirectory
      .appending(path: "zones-\(ProcessInfo.processInfo.globallyUniqueString)")
    defer { try? FileManager.default.removeItem(at: file) }
    let lines = questions.map { "\($0.zone) \($0.time)\n" }.joined()
    try lines.write(to: file, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let answer = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: answer, as: UTF8.self).split(separator: "\n").compactMap { Int64($0) }
  }
}
