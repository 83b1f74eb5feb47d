import Harness
import Foundation

/// The processes of the demo: started, killed without warning, started again.
final class Scene: @unchecked Sendable {
  let directory: String
  let socket: String
  private let lock = NSLock()
  private var processes: [String: ChildProcess] = [:]

  init(directory: String) throws {
    self.directory = directory
    socket = directory + "/holdfast.sock"
    try? FileManager.default.removeItem(atPath: directory)
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
  }

  /// Starts a process under a name; its output goes to a log file beside the others.
  func start(_ name: String, _ executable: String, _ arguments: [String]) throws {
    let process = try ChildProcess(
      executable, arguments, output: directory + "/\(name).log")
    lock.withLock { processes[name] = process }
  }

  /// kill -9.
  func kill(_ name: String) { lock.withLock { processes[name] }?.killNow() }

  /// Ends everything, the engine last.
  func end() {
    let all = lock.withLock { processes }
    for (name, process) in all.sorted(by: { $0.key > $1.key }) where name != "engine" {
      process.terminate()
    }
    all["engine"]?.terminate()
  }

  /// Runs a command to its end and returns its exit code; its output is the demo's own.
  static func run(_ executable: String, _ arguments: [String]) throws -> Int32 {
    try ChildProcess(executable, arguments).wait()
  }
}
