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
    let library = try await FaultyEngine.library(in: directory)
    engine = try EngineProcess(
      arguments, directory: directory, environment: ["LD_PRELOAD": library, "FAULT_FILE": fault])
  }

  static func library(in directory: String) async throws -> String {
    try await Preload.library("DiskFaults", in: directory)
  }

  /// The N-th call from now on (0: every one; `sticks`: each from then on too) does `what`.
  func arm(_ call: String, _ n: Int, _ what: String, sticks: Bool = false) throws {
    try "\(call) \(n)\(sticks ? "+" : "") \(what)".write(
      toFile: fault, atomically: true, encoding: .utf8)
  }

  func disarm() throws { try FileManager.default.removeItem(atPath: fault) }

  /// The faults that have struck: the call, its number, what it did.
  var struck: [String] { strikes.map { $0.dropLast().joined(separator: " ") } }

  /// When the last one struck, in milliseconds since 1970.
  var lastStruckMs: Int64? { strikes.last?.last.flatMap { Int64($0) } }

  private var strikes: [[Substring]] {
    let text = (try? String(contentsOfFile: fault + ".struck", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map { $0.split(separator: " ") }
  }

  /// Ends the engine and lets SQLite look at the whole file.
  func integrity() async throws -> [String] {
    engine.process?.send(SIGTERM)
    _ = try await engine.process?.end()
    return try await SQLite.run(engine.database, "PRAGMA integrity_check")
  }
}

enum Preload {
  /// Compiles `preload.c` of that folder of the tests; the path of the library.
  static func library(_ folder: String, in directory: String) async throws -> String {
    let library = directory + "/preload.so"
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("\(folder)/preload.c").path
    let compiler = try ChildProcess(
      "/usr/bin/env",
      ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"])
    try #require(try await compiler.end() == 0, "cc")
    return library
  }
}
