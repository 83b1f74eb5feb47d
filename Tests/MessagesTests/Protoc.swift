import Foundation
import Harness

/// Runs protoc on the schema and on small files of the tests.
enum Protoc {
  struct Outcome {
    let status: Int32
    let errors: String
  }

  /// The repository's root.
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Built beside the tests.
  static let plugin = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "protoc-gen-holdfast")

  /// The schema's files, as protoc names them.
  static func schema(
    _ folders: [String] = ["holdfast/v1", "holdfast/store/v1"]
  ) throws -> [String] {
    try folders.flatMap { folder in
      try FileManager.default
        .contentsOfDirectory(atPath: root.appending(path: "proto/\(folder)").path)
        .filter { $0.hasSuffix(".proto") }.sorted().map { "\(folder)/\($0)" }
    }
  }

  static func withTemporaryDirectory<R>(_ body: (URL) throws -> R) throws -> R {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "holdfast-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
  }

  @discardableResult
  static func run(_ arguments: [String], tool: String = "protoc") throws -> Outcome {
    // Not Foundation's Process: its `waitUntilExit` waits for a socket that a child started by
    // another test at the same moment may hold.
    try withTemporaryDirectory { directory in
      let errors = directory.appending(path: "errors").path
      let process = try ChildProcess("/usr/bin/env", [tool] + arguments, errors: errors)
      return Outcome(
        status: process.wait(), errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
  }

  /// Runs our plugin on one file with this text.
  static func generate(_ text: String) throws -> Outcome {
    try withTemporaryDirectory { directory in
      try Data(text.utf8).write(to: directory.appending(path: "test.proto"))
      return try run([
        "-I", directory.path, "--plugin=protoc-gen-holdfast=\(plugin.path)",
        "--holdfast_out=\(directory.path)", "test.proto",
      ])
    }
  }
}
