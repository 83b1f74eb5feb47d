import Harness
import Foundation
import Holdfast

/// A real engine in a directory of its own; killed and started again at will.
final class EngineProcess: @unchecked Sendable {
  let directory: String
  let socket: String
  private var process: ChildProcess?
  private let arguments: [String]

  init(_ arguments: [String] = []) throws {
    directory = NSTemporaryDirectory() + "holdfast-\(UUID().uuidString.prefix(8))"
    socket = directory + "/s.sock"
    self.arguments = arguments
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
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
    process = try ChildProcess(
      EngineProcess.bin + "/holdfast",
      ["serve", "--db", directory + "/holdfast.db", "--socket", socket] + arguments,
      output: directory + "/engine.log")
  }

  func kill() { process?.killNow() }

  func restart() throws {
    kill()
    try start()
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
}
