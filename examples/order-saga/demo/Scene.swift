import Foundation

/// The processes of the demo: started, killed without warning, started again.
final class Scene: @unchecked Sendable {
  let directory: String
  let socket: String
  private let lock = NSLock()
  private var processes: [String: Process] = [:]

  init(directory: String) throws {
    self.directory = directory
    socket = directory + "/holdfast.sock"
    try? FileManager.default.removeItem(atPath: directory)
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
  }

  /// Starts a process under a name; its output goes to a log file beside the others.
  func start(_ name: String, _ executable: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    let log = directory + "/\(name).log"
    if !FileManager.default.fileExists(atPath: log) {
      _ = FileManager.default.createFile(atPath: log, contents: nil)
    }
    let output = FileHandle(forWritingAtPath: log)
    output?.seekToEndOfFile()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    lock.withLock { processes[name] = process }
  }

  /// kill -9.
  func kill(_ name: String) {
    guard let process = lock.withLock({ processes[name] }) else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Ends everything, the engine last.
  func end() {
    let all = lock.withLock { processes }
    for (name, process) in all.sorted(by: { $0.key > $1.key }) where name != "engine" {
      if process.isRunning { process.terminate() }
    }
    for (name, process) in all where name != "engine" { process.waitUntilExit() }
    if let engine = all["engine"], engine.isRunning {
      engine.terminate()
      engine.waitUntilExit()
    }
  }

  /// Runs a command to its end and returns its exit code; its output is the demo's own.
  static func run(_ executable: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
