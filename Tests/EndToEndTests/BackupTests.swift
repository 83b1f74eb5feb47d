import Foundation
import Harness
import Holdfast
import Messages
import SimKit
import Testing

/// Backups of a real engine, under load and under kills, and engines that begin with one.
@Suite(.serialized) struct BackupTests {
  private func names(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
  }

  /// An engine whose file is so large that a backup takes a while.
  private func largeEngine(_ megabytes: Int = 60, _ arguments: [String] = []) async throws
    -> EngineProcess
  {
    let engine = try EngineProcess(arguments)
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    for number in 0..<megabytes {
      var request = StartWorkflowRequest()
      request.workflowID = "large-\(number)"
      request.workflowType = "Nobodys"
      request.taskQueue = "nobodys"
      request.input = [.large(1 << 20)]
      let end = try peer.call(Method.workflowStartWorkflow.rawValue, request.serialized())
      #expect(end.status == nil)
    }
    return engine
  }

  private func request(_ path: String, overwrite: Bool = false) -> [UInt8] {
    var request = BackupRequest()
    request.path = path
    request.overwrite = overwrite
    return request.serialized()
  }

  // MARK: - Under load

  private struct Taken {
    let path: String
    /// Workflows whose results had come when it began.
    let before: [String]
  }

  /// Backups one after the other, a fifth of a second apart, while the load goes on.
  private func takeBackups(
    _ count: Int, _ engine: EngineProcess, _ load: KillLoad, in directory: String
  ) async throws -> [Taken] {
    var taken: [Taken] = []
    for number in 0..<count {
      let before = load.names.all
      let path = "\(directory)/\(number).db"
      let ran = try await engine.run("backup create -o json", [path])
      #expect(ran.code == 0, "\(ran.errors)")
      let done = try ran.documents()[0]
      #expect(done["path"] as? String == path)
      #expect(done["bytes"] as? Int == (done["pages"] as? Int ?? 0) * 4_096)
      taken.append(Taken(path: path, before: before))
      // It is the time between two of them that is to pass.
      try await Task.sleep(for: .milliseconds(200))
    }
    return taken
  }

  @Test func eachBackupUnderLoadIsWholeAndHoldsWhatWasAcknowledged() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let load = try KillLoad(engine.socket)
    let running = Task { try await load.run() }
    try await until("there is a load") { load.acknowledged.value > 20 }
    try await Scratch.directory { directory in
      let taken = try await takeBackups(BackupTests.count, engine, load, in: directory)
      load.stop.set()
      _ = try await running.value
      load.end()
      let figures = try #require(EngineFigures(engine.socket))
      print(
        "\(taken.count) backups, \(taken.last?.before.count ?? 0) workflows before the last;"
          + " steps of \(figures.counter("store_backup_step_us_max")) us at most")
      #expect(figures.counter("store_backups_total") == taken.count)
      #expect((taken.last?.before.count ?? 0) > (taken.first?.before.count ?? 0))
      var epochs: Set<Int> = []
      for backup in taken { epochs.insert(try await checkRestored(backup, figures)) }
      #expect(epochs.count == taken.count, "no two restored stores are in one branch")
    }
  }

  /// Restores it, shows it to the simulator's checkers and starts an engine on it; the epoch that
  /// it was given. `live`: the engine that it was taken of.
  private func checkRestored(_ taken: Taken, _ live: EngineFigures) async throws -> Int {
    let directory = Scratch.path()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let database = directory + "/holdfast.db"
    let ran = try await holdfast(["restore", taken.path, "--db", database, "-o", "json"])
    #expect(ran.code == 0, "\(ran.errors)")
    let epoch = try #require(try ran.documents()[0]["epoch"] as? Int)
    #expect(try await SQLite.run(database, "PRAGMA integrity_check") == ["ok"])
    let seen = try examine(database)
    #expect(seen.violation == nil)
    #expect(seen.runs >= taken.before.count)
    let engine = try EngineProcess(directory: directory)
    let figures = try #require(EngineFigures(engine.socket))
    let description = figures.call(.operatorDescribe, DescribeRequest(), DescribeResponse.self)
    #expect(description?.epoch == UInt64(epoch) + 1)
    for id in taken.before {
      let events = try #require(figures.history(id), "\(id) was acknowledged before the backup")
      #expect(events.map(\.eventID) == Array(1...Int64(events.count)), "\(id): gap-free")
      guard case .workflowExecutionCompleted = events.last?.attributes else {
        Issue.record("\(id) had come to its end")
        continue
      }
    }
    // What was under way is how it went on where the backup was taken.
    let open = try await engine.run(
      "workflow list -o json", ["--query", "ExecutionStatus = 'Running'"])
    for case let execution as [String: Any] in try open.documents().map({ $0["execution"] as Any })
    {
      let id = "\(execution["workflowId"] ?? "")"
      let events = figures.history(id) ?? []
      #expect(!events.isEmpty && live.history(id)?.starts(with: events) ?? false, "\(id)")
    }
    // It goes on here too.
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    try await until("its open workflows end") {
      let open = try await engine.run(
        "workflow count",
        ["--query", "WorkflowType = 'marks' AND ExecutionStatus = 'Running'"])
      return open.output == "0\n"
    }
    return epoch
  }

  private func examine(_ path: String) throws -> Outcome {
    SimRunner.examine([UInt8](try Data(contentsOf: URL(filePath: path))))
  }

  /// What the checkers are shown above is not in vain.
  @Test(arguments: [
    "DELETE FROM history WHERE first > 1", "UPDATE run SET status = 1",
    "DELETE FROM run", "UPDATE history SET checksum = checksum + 1",
    "INSERT INTO activity VALUES (1, 99, 0, x'')",
  ])
  func theCheckersSeeWhatIsWrongInACopy(_ statement: String) async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --id x --type T --task-queue q")
    #expect(try await engine.run("workflow terminate --id x --reason over").code == 0)
    let path = engine.directory + "/b.db"
    #expect(try await engine.run("backup create", [path]).code == 0)
    #expect(try examine(path).violation == nil)
    try await SQLite.run(path, statement)
    #expect(try examine(path).violation != nil)
  }

  // MARK: - Ends

  /// Six, or, before a release, ten times as many.
  private static let count = ProcessInfo.processInfo.environment["HOLDFAST_KILLS"] == nil ? 6 : 60

  /// Kills at some moment of a backup: the name is there only with the whole of it.
  @Test func aKillLeavesNothingThatLooksWhole() async throws {
    let engine = try await largeEngine()
    var random = SystemRandomNumberGenerator()
    var cut = 0
    for _ in 0..<BackupTests.count {
      let ms = Int.random(in: 0...600, using: &random)
      try await Scratch.directory { directory in
        let path = directory + "/b.db"
        let peer = try await RawPeer(engine.socket)
        try peer.hello()
        _ = peer.open(Method.operatorBackup.rawValue, request(path), end: true)
        // The moment of the kill.
        try await Task.sleep(for: .milliseconds(ms))
        try engine.restart()
        let left = names(in: directory)
        if left.contains("b.db") {
          #expect(left == ["b.db"])
          let ran = try await holdfast(["backup", "verify", path])
          #expect(ran.code == 0, "killed after \(ms) ms: \(ran.errors)")
        } else if left == ["b.db.partial"] {
          cut += 1
        }
        let ran = try await engine.run("backup create", [path, "--overwrite"])
        #expect(ran.code == 0, "what is left does not matter: \(ran.errors)")
        #expect(names(in: directory) == ["b.db"])
      }
    }
    print("\(cut) of \(BackupTests.count) backups were cut in the middle")
    #expect(cut > 0)
  }

  @Test func aClientThatGoesAwayEndsItsBackupAndNoOtherBegins() async throws {
    let engine = try await largeEngine(120)
    try await Scratch.directory { directory in
      var peer: RawPeer? = try await RawPeer(engine.socket)
      try peer?.hello()
      _ = peer?.open(Method.operatorBackup.rawValue, request(directory + "/a.db"), end: true)
      let second = try peer?.call(Method.operatorBackup.rawValue, request(directory + "/b.db"))
      #expect(second?.status?.code == .resourceExhausted)
      #expect(second?.status?.reason == .backupRunning)
      peer = nil
      try await until("another one is taken") {
        try await engine.run("backup create", [directory + "/b.db"]).code == 0
      }
      #expect(names(in: directory) == ["b.db"])
    }
  }

  @Test func aDrainEndsABackup() async throws {
    let engine = try await largeEngine(120)
    try await Scratch.directory { directory in
      let peer = try await RawPeer(engine.socket)
      try peer.hello()
      _ = peer.open(Method.operatorBackup.rawValue, request(directory + "/a.db"), end: true)
      try await until("it is begun") { !names(in: directory).isEmpty }
      engine.process?.send(SIGTERM)
      #expect(try await engine.process?.end() == 0)
      // It may just have been done.
      #expect([[], ["a.db"]].contains(names(in: directory)))
      #expect(engine.log.contains("draining"))
    }
  }

  @Test(
    .enabled(if: SmallDisk.isPossible, "a small disk must be mounted, which is not allowed here"))
  func aFullDiskOfTheBackupIsNoneOfTheEngine() async throws {
    let engine = try await largeEngine()
    let disk = try SmallDisk()
    let ran = try await engine.run("backup create", [disk.path + "/b.db"])
    #expect(ran.code == 7)
    #expect(ran.errors.hasPrefix("holdfast: BACKUP_FAILED: no space left for '"), "\(ran.errors)")
    #expect(names(in: disk.path) == [])
    #expect(try await engine.run("health").code == 0)
    #expect(try await engine.run("workflow start --id x --type T --task-queue q").code == 0)
  }

  // MARK: - Refusals

  private func check(_ ran: Ran, _ code: Int32, _ errors: String) {
    #expect(ran.code == code)
    #expect(ran.errors == "holdfast: \(errors)\n")
    #expect(ran.output == "")
  }

  @Test func pathsThatWouldDoHarmAreRefused() async throws {
    let engine = try EngineProcess()
    try await until("it serves") { EngineFigures(engine.socket) != nil }
    let own = engine.database
    for path in [own, own + "-wal", own + "-shm", own + ".lock", own + ".ballast"] {
      check(
        try await engine.run("backup create --overwrite", [path]), 64,
        "FIELD_INVALID: path: '\(path)' is the engine's own file: choose another name")
    }
    let text = engine.directory + "/engine.log"
    check(
      try await engine.run("backup create", [text]), 4,
      "BACKUP_EXISTS: '\(text)' is there already: choose another name, or allow to overwrite it")
    check(
      try await engine.run("backup create --overwrite", [text]), 64,
      "FIELD_INVALID: path: '\(text)' is no backup of Holdfast: it is not replaced")
    let nowhere = engine.directory + "/no/b.db"
    check(
      try await engine.run("backup create", [nowhere]), 64,
      "FIELD_INVALID: path: the directory '\(engine.directory)/no': No such file or directory")
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    let relative = try peer.call(Method.operatorBackup.rawValue, request("b.db"))
    #expect(relative.status?.code == .invalidArgument)
    #expect(relative.status?.field == "path")
    #expect(try await engine.run("health").code == 0)
  }

  @Test func anEngineWithoutAFileHasNoBackup() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    check(
      try await engine.run("backup create", [engine.directory + "/b.db"]), 7,
      "BACKUP_FAILED: the engine keeps no file (--in-memory)")
  }

  @Test func whatRestoreRefuses() async throws {
    let engine = try EngineProcess()
    let path = engine.directory + "/b.db"
    try await engine.run("workflow start --id x --type T --task-queue q")
    #expect(try await engine.run("backup create", [path]).code == 0)
    let running = try await holdfast(["restore", path, "--db", engine.database, "--force"])
    check(
      running, 69,
      "another engine uses '\(engine.database)': stop it, or choose another --db")
    let live = try await holdfast(["backup", "verify", engine.database])
    #expect(live.code == 73)
    engine.kill()
    check(
      try await holdfast(["restore", path, "--db", engine.database]), 73,
      "'\(engine.database)': it is there already; only with --force it is replaced")
    let log = engine.directory + "/engine.log"
    #expect(try await holdfast(["restore", log, "--db", path + "2"]).code == 65)
    #expect(try await holdfast(["restore", path + "3", "--db", path + "2"]).code == 73)
    let forced = try await holdfast(["restore", path, "--db", engine.database, "--force"])
    #expect(forced.code == 0, "\(forced.errors)")
    #expect(forced.lines.contains { $0.split(separator: " ") == ["runs", "1"] })
    try engine.start()
    #expect(try await engine.run("workflow describe --id x").code == 0)
  }
}
