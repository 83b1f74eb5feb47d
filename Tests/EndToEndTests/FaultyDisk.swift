import Foundation
import Harness
import Testing

/// An engine whose writes and syncs fail when a test says so (`Tests/DiskFaults/preload.c`).
final class FaultyEngine {
  let engine: EngineProcess
  private let fault: String

  /// `armed`: a fault that meets it at its start already.
  init(_ arguments: [String] = [], armed: String? = nil) async throws {
    let directory = Scratch.path()
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    fault = directory + "/fault"
    if let armed { try armed.write(toFile: fault, atomically: true, encoding: .utf8) }
    let library = directory + "/preload.so"
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("DiskFaults/preload.c").path
    let compiler = try ChildProcess(
      "/usr/bin/env",
      ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"])
    try #require(try await compiler.end() == 0, "cc")
    engine = try EngineProcess(
      arguments, directory: directory, environment: ["LD_PRELOAD": library, "FAULT_FILE": fault])
  }

  /// The N-th call from now on (0: every one) does `what`.
  func arm(_ call: String, _ n: Int, _ what: String) throws {
    try "\(call) \(n) \(what)".write(toFile: fault, atomically: true, encoding: .utf8)
  }

  func disarm() throws { try FileManager.default.removeItem(atPath: fault) }

  /// The faults that have struck.
  var struck: [String] {
    let text = (try? String(contentsOfFile: fault + ".struck", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Ends the engine and lets SQLite look at the whole file.
  func integrity() async throws -> [String] {
    engine.process?.send(SIGTERM)
    _ = try await engine.process?.end()
    return try await SQLite.run(engine.database, "PRAGMA integrity_check")
  }
}
