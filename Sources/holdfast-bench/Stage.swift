import Harness
import Glibc

/// A fresh engine and its workers, and what they use.
struct Stage {
  let socket: String
  private let bin: String
  private let directory: String
  private let engine: ChildProcess
  private var workers: [ChildProcess] = []

  /// How long the engine took from its start to its first answer.
  let readyMs: Int64

  /// `retention`: as in the configuration file. `fill`: what the store holds when the engine
  /// starts, put there by its path.
  init(
    bin: String, directory: String, hasWorker: Bool = true, retention: String? = nil,
    fill: (String) throws -> Void = { _ in }
  ) throws {
    self.bin = bin
    self.directory = directory
    socket = directory + "/s.sock"
    Stage.remove(directory)
    mkdir(directory, 0o700)
    try fill(directory + "/bench.db")
    var arguments = ["serve", "--db", directory + "/bench.db", "--socket", socket]
    if let retention {
      try Stage.write("retention = \"\(retention)\"\n", to: directory + "/bench.toml")
      arguments += ["--config", directory + "/bench.toml"]
    }
    let began = Device.nowUs
    engine = try ChildProcess(
      bin + "/holdfast", arguments, output: directory + "/engine.log")
    guard EngineFigures(socket) != nil else { throw StageError.noAnswer(directory + "/engine.log") }
    readyMs = (Device.nowUs - began) / 1_000
    if hasWorker { try addWorker() }
  }

  /// `kind`: `worker`, or `workflow-worker`, which runs no activities.
  mutating func addWorker(_ kind: String = "worker") throws {
    workers.append(
      try ChildProcess(
        bin + "/holdfast-bench", [kind, socket], output: directory + "/worker.log"))
  }

  enum StageError: Error {
    /// The log's path.
    case noAnswer(String)
    case notWritten(String)
  }

  private static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw StageError.notWritten(path) }
    fputs(text, file)
    fclose(file)
  }

  var engineBytes: Int { Device.residentBytes(of: engine.pid) }

  func syscalls(_ body: () async throws -> Void) async throws -> Syscalls? {
    try await Syscalls.during(of: engine.pid, in: directory, body)
  }

  func end() {
    for worker in workers { worker.killNow() }
    engine.terminate()
    Stage.remove(directory)
  }

  private static func remove(_ directory: String) {
    for name in [
      "bench.db", "bench.db-wal", "bench.db-shm", "bench.db.lock", "bench.db.ballast",
      "bench.toml", "s.sock", "s.sock.lock", "engine.log", "worker.log",
    ] { unlink(directory + "/" + name) }
    rmdir(directory)
  }

  /// What has been used so far.
  struct Counters {
    var commits = 0
    var bytesWritten = 0
    var engineMs = 0
    var workerMs = 0
    var driverMs = 0

    static func - (a: Counters, b: Counters) -> Counters {
      Counters(
        commits: a.commits - b.commits, bytesWritten: a.bytesWritten - b.bytesWritten,
        engineMs: a.engineMs - b.engineMs, workerMs: a.workerMs - b.workerMs,
        driverMs: a.driverMs - b.driverMs)
    }
  }

  func counters() -> Counters {
    Counters(
      commits: EngineFigures(socket)?.counter("store_commits_total") ?? 0,
      bytesWritten: Device.bytesWritten(by: engine.pid), engineMs: Device.cpuMs(of: engine.pid),
      workerMs: workers.reduce(0) { $0 + Device.cpuMs(of: $1.pid) },
      driverMs: Device.cpuMs(of: getpid()))
  }
}
