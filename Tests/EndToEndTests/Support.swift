import Foundation
import Harness
import Messages
import Testing

struct NeverHappened: Error, CustomStringConvertible {
  let description: String
}

/// Waits for a condition, for twenty seconds at most; for longer where the test process itself got
/// so few turns that it hardly looked.
func until(_ what: String, _ holds: () async throws -> Bool) async throws {
  let end = Date().addingTimeInterval(20)
  var looks = 0
  while Date() < end || looks < 500 {
    if try await holds() { return }
    looks += 1
    try await Task.sleep(for: .milliseconds(5))
  }
  throw NeverHappened(description: "it did not come to pass: \(what)")
}

enum Scratch {
  /// A path in the temporary directory that nobody uses.
  static func path() -> String {
    NSTemporaryDirectory() + "holdfast-\(UUID().uuidString.prefix(8))"
  }

  /// An empty directory for the length of `body`.
  static func directory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = path()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }
}

extension ChildProcess {
  /// Waits for the end without holding a thread that others run on.
  func end() async throws -> Int32 {
    try await until("process \(pid) ends") { !isRunning }
    return wait()
  }
}

/// What a command has printed, and how it ended.
struct Ran {
  let code: Int32
  let output: String
  let errors: String

  var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// The documents, one a line, or the one that fills the whole output.
  func documents() throws -> [[String: Any]] {
    if let whole = try? Ran.document(output) { return [whole] }
    return try lines.map(Ran.document)
  }

  private static func document(_ text: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    guard let document = value as? [String: Any] else {
      throw NeverHappened(description: "not a JSON object: \(text)")
    }
    return document
  }
}

/// Runs the `holdfast` binary to its end, without what the environment says of sockets and stores.
@discardableResult
func holdfast(
  _ arguments: [String], program: String? = nil, input: String? = nil,
  environment: [String: String] = [:]
) async throws -> Ran {
  try await Scratch.directory { directory in
    if let input {
      try input.write(toFile: directory + "/input", atomically: false, encoding: .utf8)
    }
    let unset = ["HOLDFAST_SOCKET": "", "XDG_RUNTIME_DIR": "", "XDG_STATE_HOME": ""]
    let process = try ChildProcess(
      program ?? EngineProcess.bin + "/holdfast", arguments,
      environment: unset.merging(environment) { $1 }, output: directory + "/output",
      errors: directory + "/errors", input: input == nil ? "/dev/null" : directory + "/input")
    let code = try await process.end()
    return Ran(
      code: code,
      output: try String(contentsOfFile: directory + "/output", encoding: .utf8),
      errors: try String(contentsOfFile: directory + "/errors", encoding: .utf8))
  }
}

extension EngineProcess {
  /// Runs a command against this engine.
  @discardableResult
  func run(_ words: String, _ arguments: [String] = [], input: String? = nil) async throws -> Ran {
    try await holdfast(
      words.split(separator: " ").map(String.init) + arguments, input: input,
      environment: ["HOLDFAST_SOCKET": socket])
  }
}

/// Now, in milliseconds since 1970: what log lines, events and effects are compared with. A test
/// process that is short of processors notices late; they do not.
extension Payload {
  static func large(_ bytes: Int) -> Payload {
    var payload = Payload()
    payload.encoding = "binary/plain"
    payload.data = [UInt8](repeating: 7, count: bytes)
    return payload
  }
}

func nowMs() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

extension EngineProcess {
  /// When it logged a line that holds the text, oldest first.
  func logTimes(of text: String) -> [Int64] {
    let format = ISO8601DateFormatter()
    format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    return log.split(separator: "\n").filter { $0.contains(text) }.compactMap { line in
      let date = format.date(from: String(line.prefix { $0 != " " }))
      return date.map { Int64(($0.timeIntervalSince1970 * 1_000).rounded()) }
    }
  }

  /// When its activities and held workflow tasks left their marks.
  var effectTimes: [Int64] { effects.compactMap { Int64($0[3]) } }
}
