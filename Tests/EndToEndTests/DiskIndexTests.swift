import Foundation
import Harness
import Testing

/// A fault at every write and every sync of a script in turn, the checkpoint's after it included.
/// `HOLDFAST_FAULTS`: at each of them; without it at some of those that end the engine.
@Suite(.serialized) struct DiskIndexTests {
  private static let isWhole = ProcessInfo.processInfo.environment["HOLDFAST_FAULTS"] != nil

  /// Runs `body` with 1, 2, 3, … (or in larger steps) until it says that there was no such call;
  /// the last one that there was.
  private func eachIndex(step: Int = 1, _ body: (Int) async throws -> Bool) async throws -> Int {
    var n = 1
    while try await body(n) { n += step }
    return n - step
  }

  /// When the engine has had nothing to do for a while, it brings its log into the file.
  private func untilCheckpoint(_ faulty: FaultyEngine, after strikes: Int) async throws {
    let log = faulty.engine.database + "-wal"
    try await until("a checkpoint, or the fault") {
      var status = stat()
      return faulty.struck.count > strikes || (stat(log, &status) == 0 && status.st_size == 0)
    }
  }

  /// Nothing is answered whose outcome is unknown, the process is gone at once, and a repetition
  /// takes effect once. `sticks`: the disk fails the next start too, which serves nothing.
  @Test(arguments: [("pwrite64", false), ("pwrite64", true), ("fdatasync", false)])
  func anIOErrorAtEveryIndex(_ call: String, sticks: Bool) async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    var slowestMs: Int64 = 0
    var scripts = 0
    let step = DiskIndexTests.isWhole ? 1 : call == "pwrite64" ? 9 : 2
    let last = try await eachIndex(step: step) { n in
      let script = DiskScript(name: "n\(n)")
      scripts += 1
      let strikes = faulty.struck.count
      #expect(try await RawPeer.probe(engine.socket))
      try faulty.arm(call, n, "EIO", sticks: sticks)
      let done = try await script.run(engine)
      if faulty.struck.count == strikes { try await untilCheckpoint(faulty, after: strikes) }
      guard faulty.struck.count > strikes else { return false }
      #expect(faulty.struck[strikes...] == ["\(call) \(n) EIO"])
      #expect(try await engine.process?.end() == 74)
      let ended = try #require(engine.logTimes(of: "msg=\"the store failed\"").last)
      slowestMs = max(slowestMs, ended - (try #require(faulty.lastStruckMs)))
      if sticks { try await refusesToStart(faulty) }
      try faulty.disarm()
      try engine.start()
      #expect(try await RawPeer.probe(engine.socket))
      #expect(
        try script.length(engine) >= DiskScript.lengths[done], "what was acknowledged is there")
      #expect(try await script.run(engine) == DiskScript.Step.allCases.count)
      #expect(try script.length(engine) == DiskScript.lengths.last)
      return true
    }
    print(
      "EIO at \(scripts - 1) places of \(last) calls of \(call), \(sticks ? "and on" : "once"):"
        + " gone in \(slowestMs) ms at most")
    // Of five commits, the first in several writes, and of the pages of a checkpoint.
    #expect(last >= (call == "pwrite64" ? 40 : 5))
    #expect(slowestMs <= 100)
    #expect(try await engine.run("workflow count").output == "\(2 * scripts)\n")
    try faulty.disarm()
    #expect(try await faulty.integrity() == ["ok"])
  }

  private func refusesToStart(_ faulty: FaultyEngine) async throws {
    try faulty.arm("pwrite64", 0, "EIO")
    try faulty.engine.start()
    #expect(try await faulty.engine.process?.end() == 74)
  }

  /// The ballast makes room for what has been taken; what meets the full disk is answered when
  /// there is space, and the engine goes on.
  @Test(arguments: [false, true])
  func aFullDiskAtEveryIndex(sticks: Bool) async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    #expect(try await RawPeer.probe(engine.socket))
    var slowestMs: Int64 = 0
    let last = try await eachIndex { n in
      let script = DiskScript(name: "n\(n)")
      let strikes = faulty.struck.count
      try await until("it serves as before") { try await engine.run("health").code == 0 }
      try faulty.arm("pwrite64", n, "ENOSPC", sticks: sticks)
      let isOver = Flag()
      async let done = Task {
        defer { isOver.set() }
        return try await script.run(engine)
      }.value
      var freedMs: Int64?
      if sticks {
        try await until("the fault strikes, or there is no such write") {
          faulty.struck.count > strikes || isOver.isSet
        }
        if faulty.struck.count > strikes {
          try await until("health says so") {
            try await engine.run("health").errors == "holdfast: the engine is DISK_FULL\n"
          }
        }
        freedMs = nowMs()
        try faulty.disarm()
      }
      #expect(try await done == DiskScript.Step.allCases.count, "every answer has come")
      #expect(try script.length(engine) == DiskScript.lengths.last)
      guard faulty.struck.count > strikes else { return false }
      try await until("it serves as before") { try await engine.run("health").code == 0 }
      if let freedMs, let again = engine.logTimes(of: "the disk has space again").last {
        slowestMs = max(slowestMs, again - freedMs)
      }
      return true
    }
    print("ENOSPC at \(last) writes; starts were taken again after \(slowestMs) ms at most")
    #expect(last >= 7)
    #expect(slowestMs < 1_000)
    #expect(engine.process?.isRunning == true)
    #expect(try await faulty.integrity() == ["ok"])
  }

  @Test(arguments: ["EINTR", "short"])
  func interruptedAndShortWritesAtEveryIndex(_ what: String) async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    #expect(try await RawPeer.probe(engine.socket))
    var scripts = 0
    let last = try await eachIndex { n in
      let script = DiskScript(name: "n\(n)")
      scripts += 1
      let strikes = faulty.struck.count
      try faulty.arm("pwrite64", n, what)
      #expect(try await script.run(engine) == DiskScript.Step.allCases.count)
      return faulty.struck.count > strikes
    }
    print("\(what) at \(last) writes: nothing was seen of it")
    #expect(last >= 7)
    #expect(!engine.log.contains("level=error") && !engine.log.contains("level=warning"))
    #expect(engine.process?.isRunning == true)
    try faulty.disarm()
    try engine.restart()
    #expect(try await RawPeer.probe(engine.socket))
    #expect(try await engine.run("workflow count").output == "\(2 * scripts)\n")
    #expect(try await faulty.integrity() == ["ok"])
  }
}
