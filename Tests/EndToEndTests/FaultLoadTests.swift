import Foundation
import Testing

/// A load, and a disk that fails again and again under it.
@Suite(.serialized) struct FaultLoadTests {
  @Test func nothingAcknowledgedIsLostOverManyFaults() async throws {
    let kills = Int(ProcessInfo.processInfo.environment["HOLDFAST_KILLS"] ?? "") ?? 10
    // A new engine each time: the supervisor's pauses grow from fault to fault.
    for _ in 0..<max(1, kills / 100) { try await oneRound() }
  }

  private func oneRound() async throws {
    let faulty = try await FaultyEngine(["--supervise"])
    let engine = faulty.engine
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let load = try KillLoad(engine.socket)
    defer { load.end() }
    async let ids = load.run()
    let faults = [
      ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("fdatasync", "ENOSPC"), ("pwrite64", "ENOSPC"),
      ("pwrite64", "EINTR"), ("pwrite64", "short"),
    ]
    for (call, what) in faults {
      let before = faulty.struck.count
      let n = Int.random(in: 1...(call == "pwrite64" ? 20 : 8))
      try faulty.arm(call, n, what)
      try await until("\(call) \(n) \(what) strikes") { faulty.struck.count > before }
      try faulty.disarm()
      try await until("it serves again") { try await engine.run("health").code == 0 }
    }
    load.stop.set()
    let done = try await ids
    print("\(done.marks.count) + \(done.relays.count) workflows over \(faulty.struck.count) faults")
    #expect(!done.marks.isEmpty && !done.relays.isEmpty)
    try done.check(engine)
    #expect(try await faulty.integrity() == ["ok"])
  }
}
