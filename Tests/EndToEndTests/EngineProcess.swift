import Foundation
import Harness
import Holdfast

/// A real engine in a directory of its own; killed and started again at will.
final class EngineProcess: @unchecked Sendable {
  let directory: String
  let socket: String
  /// The last one that was started.
  private(set) var process: ChildProcess?
  private let arguments: [String]
  private let environment: [String: String]
  private let descriptors: String?

  /// `directory` nil: a new one of its own. Without `hasStore` it is told of no file.
  /// `descriptors`: the soft and the hard limit of how many it may have, as `prlimit` takes them.
  init(
    _ arguments: [String] = [], hasStore: Bool = true, directory: String? = nil,
    environment: [String: String] = [:], descriptors: String? = nil
  ) throws {
    self.descriptors = descriptors
    self.directory = directory ?? Scratch.path()
    socket = self.directory + "/s.sock"
    let store = hasStore ? ["--db", self.directory + "/holdfast.db"] : []
    self.arguments = ["serve", "--socket", socket] + store + arguments
    self.environment = environment
    try FileManager.default.createDirectory(
      atPath: self.directory, withIntermediateDirectories: true)
    try start()
  }

  deinit {
    process?.terminate()
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// The products' directory: the tests' bundle lies in it.
  static var bin: String {
    if let bin = ProcessInfo.processInfo.environment["HOLDFAST_BIN_DIR"] { return bin }
    var path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while path.path != "/" {
      let candidate = path.appendingPathComponent("holdfast")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return path.path }
      path = path.deletingLastPathComponent()
    }
    return FileManager.default.currentDirectoryPath + "/.build/debug"
  }

  func start() throws {
    var command = [EngineProcess.bin + "/holdfast"] + arguments
    if let descriptors { command = ["/usr/bin/prlimit", "--nofile=" + descriptors] + command }
    process = try ChildProcess(
      command[0], Array(command.dropFirst()), environment: environment,
      output: directory + "/engine.log")
  }

  var database: String { directory + "/holdfast.db" }

  /// What it has logged.
  var log: String {
    (try? String(contentsOfFile: directory + "/engine.log", encoding: .utf8)) ?? ""
  }

  func kill() { process?.killNow() }

  func restart() throws {
    kill()
    try start()
  }
}

/// A worker process that can be killed: `test-worker`, on the task queue `q`.
extension EngineProcess {
  func startWorker(_ variant: String = "plain") throws -> ChildProcess {
    try ChildProcess(
      EngineProcess.bin + "/test-worker", [socket, directory + "/effects", variant],
      output: directory + "/worker.log")
  }

  /// The lines that its activities have left: key, attempt, pid, milliseconds.
  var effects: [[String]] {
    let text = (try? String(contentsOfFile: directory + "/effects", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }
}

/// A worker on a thread of its own, for the length of a test.
final class RunningWorker: @unchecked Sendable {
  private let worker: Worker
  private let thread: Thread
  private let done = DispatchSemaphore(value: 0)

  init(_ worker: Worker) {
    self.worker = worker
    let done = done
    thread = Thread {
      do {
        try worker.run()
      } catch { print("worker: \(error)") }
      done.signal()
    }
    thread.start()
  }

  func stop() {
    worker.stop()
    done.wait()
  }

  /// As `stop`, for a worker whose activities need the threads that run the tests.
  func stopAside() async {
    await withUnsafeContinuation { continuation in
      Thread {
        self.stop()
        continuation.resume()
      }.start()
    }
  }

  /// Without a grace for what is under way.
  func stopAtOnce() {
    worker.stop()
    stop()
  }
}
