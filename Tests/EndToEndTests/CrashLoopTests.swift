import Foundation
import Harness
import Holdfast
import Testing

/// kill -9 in loops. `HOLDFAST_KILLS` says how many: 21 every day, 2,000 before a release.
@Suite(.serialized) struct CrashLoopTests {
  static let kills = Int(ProcessInfo.processInfo.environment["HOLDFAST_KILLS"] ?? "") ?? 21
  /// Then a new store: its whole file is looked at after each kill.
  private static let killsPerStore = 50

  /// Starts, signals and completions go on while the engine, its worker, or both are killed again
  /// and again: what was acknowledged is there afterwards, once, and the file is sound each time.
  /// On this disk, and on ones whose syncs take 1 ms and 5 ms longer.
  @Test(arguments: [0, 1_000, 5_000])
  func nothingAcknowledgedIsLostOverManyKills(_ syncDelayUs: Int) async throws {
    var left = CrashLoopTests.kills / 3
    var acknowledged = 0
    let began = nowMs()
    while left > 0 {
      let kills = min(left, CrashLoopTests.killsPerStore)
      acknowledged += try await oneStore(kills, syncDelayUs)
      left -= kills
    }
    let kills = CrashLoopTests.kills / 3
    print(
      "fdatasync \(try Disk.syncUs()) + \(syncDelayUs) us: \(kills) kills,"
        + " \(Int64(kills) * 60_000 / (nowMs() - began)) a minute; \(acknowledged) workflows"
        + " acknowledged, none lost")
  }

  /// How many workflows were acknowledged.
  private func oneStore(_ kills: Int, _ syncDelayUs: Int) async throws -> Int {
    let directory = Scratch.path()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    var environment: [String: String] = [:]
    if syncDelayUs > 0 {
      environment["LD_PRELOAD"] = try await FaultyEngine.library(in: directory)
      environment["SYNC_DELAY_US"] = String(syncDelayUs)
    }
    let engine = try EngineProcess(directory: directory, environment: environment)
    var worker = try engine.startWorker()
    defer { worker.killNow() }
    let load = try KillLoad(engine.socket)
    defer { load.end() }
    async let ids = load.run()
    for _ in 0..<kills {
      // Something is acknowledged between two kills; then the moment is anywhere.
      let target = load.acknowledged.value + Int.random(in: 1...12)
      try await until("the work goes on") { load.acknowledged.value >= target }
      let isWorkerKilled = Int.random(in: 0..<4) == 0
      if isWorkerKilled { worker.killNow() }
      if !isWorkerKilled || Bool.random() { try await killAndCheck(engine) }
      if isWorkerKilled { worker = try engine.startWorker() }
    }
    load.stop.set()
    let done = try await ids
    #expect(!done.marks.isEmpty && !done.relays.isEmpty)
    try done.check(engine)
    return done.marks.count + done.relays.count
  }

  /// SQLite looks at a copy, while the next engine finds the log as it was left.
  private func killAndCheck(_ engine: EngineProcess) async throws {
    engine.kill()
    try await Scratch.directory { directory in
      for name in ["holdfast.db", "holdfast.db-wal"] {
        let path = engine.directory + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { continue }
        try FileManager.default.copyItem(atPath: path, toPath: directory + "/" + name)
      }
      try engine.start()
      let faults = try await SQLite.run(directory + "/holdfast.db", "PRAGMA integrity_check")
      #expect(faults == ["ok"])
    }
  }
}

enum Disk {
  /// The median time of a 4 KiB write with fdatasync, in microseconds: what figures about
  /// durability rest on.
  static func syncUs() throws -> Int {
    let path = Scratch.path()
    let fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    try #require(fd >= 0)
    defer {
      close(fd)
      unlink(path)
    }
    let block = [UInt8](repeating: 7, count: 4_096)
    let times = try (0..<51).map { _ in
      let began = DispatchTime.now().uptimeNanoseconds
      try #require(write(fd, block, block.count) == block.count && fdatasync(fd) == 0)
      return Int(DispatchTime.now().uptimeNanoseconds - began) / 1_000
    }
    return times.sorted()[25]
  }
}
