import Foundation
import Harness
import Messages
import Testing

/// Connections in their thousands, and more of them than there are descriptors.
@Suite(.serialized) struct ManyConnectionsTests {
  private func peers(_ count: Int, _ socket: String) async throws -> [RawPeer] {
    var peers: [RawPeer] = []
    for _ in 0..<count {
      let peer = try await RawPeer(socket)
      try peer.hello()
      peers.append(peer)
    }
    return peers
  }

  /// The median and the slowest of so many calls on one connection, in microseconds.
  private func latency(_ peer: RawPeer, calls: Int = 500) throws -> (median: Int64, max: Int64) {
    var times: [Int64] = []
    for _ in 0..<calls {
      let began = DispatchTime.now().uptimeNanoseconds
      #expect(try peer.call(Method.operatorHealth.rawValue, []).status == nil)
      times.append(Int64(DispatchTime.now().uptimeNanoseconds - began) / 1_000)
    }
    times.sort()
    return (times[calls / 2], times[calls - 1])
  }

  @Test(.enabled(if: Descriptors.limit > 5_000, "4,096 connections need as many descriptors"))
  func fourThousandIdleConnectionsCostLittle() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let active = try await peers(1, engine.socket)[0]
    _ = try latency(active)
    let before = (bytes: try engine.residentBytes, latency: try latency(active))
    let idle = try await peers(4_096, engine.socket)
    let grown = try engine.residentBytes - before.bytes
    let cpu = try engine.cpuMs
    let after = try latency(active)
    print(
      "\(idle.count) idle connections: \(grown / idle.count) bytes each; a call took"
        + " \(before.latency.median) us before and \(after.median) us then, at most \(after.max);"
        + " 500 calls cost \(try engine.cpuMs - cpu) ms of the engine")
    #expect(grown / idle.count <= 8 << 10)
    #expect(after.median <= 3 * before.latency.median + 1_000, "nothing is done for those")
    let figures = try #require(EngineFigures(engine.socket))
    #expect(figures.counter("connections") == 4_098)
  }

  @Test func hundredsThatNeverSayHelloAreClosedAndHoldNobody() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    var silent: [RawPeer] = []
    let began = nowMs()
    for _ in 0..<300 { silent.append(try await RawPeer(engine.socket)) }
    #expect(try await RawPeer.probe(engine.socket))
    for peer in silent {
      #expect(try peer.goAway().message == "HANDSHAKE_TIMEOUT: no Hello within 5000 ms")
    }
    #expect(nowMs() - began >= 5_000)
    let figures = try #require(EngineFigures(engine.socket))
    #expect(figures.counter("connections") == 1)
  }

  /// The engine may have as many descriptors as the system allows, whatever its parent had.
  @Test func theEngineRaisesItsLimitOfDescriptors() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false, descriptors: "128:4096")
    let many = try await peers(300, engine.socket)
    #expect(try many[299].call(Method.operatorHealth.rawValue, []).status == nil)
  }

  /// No descriptor is left: who is served goes on, the engine does not spin, and accepts again when
  /// there are some.
  @Test func withoutDescriptorsTheEngineServesOnAndWaits() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false, descriptors: "64:64")
    let served = try await peers(1, engine.socket)[0]
    #expect(
      try served.call(Method.workflowStartWorkflow.rawValue, ManyConnectionsTests.start).status
        == nil)
    var others: [RawPeer] = []
    var turnedAway: [RawPeer] = []
    while turnedAway.count < 50 {
      let peer = try await RawPeer(engine.socket)
      if (try? peer.hello()) != nil { others.append(peer) } else { turnedAway.append(peer) }
      try #require(others.count < 64, "the limit was not met")
    }
    let cpu = try engine.cpuMs
    // A second in which nothing happens but that this call's time runs out.
    var wait = GetWorkflowResultRequest()
    wait.execution = WorkflowExecution()
    wait.execution?.workflowID = "w"
    let end = try served.call(
      Method.workflowGetWorkflowResult.rawValue, wait.serialized(), timeoutMs: 1_000)
    #expect(end.status?.code == .deadlineExceeded)
    let used = try engine.cpuMs - cpu
    print("\(others.count) were served, 50 were not; in a second without descriptors \(used) ms")
    #expect(used <= 100)
    for peer in others {
      #expect(try peer.call(Method.operatorHealth.rawValue, []).status == nil)
    }
    others.removeAll()
    try await until("connections are accepted again") { try await RawPeer.probe(engine.socket) }
  }

  private static let start: [UInt8] = {
    var start = StartWorkflowRequest()
    start.workflowID = "w"
    start.workflowType = "T"
    start.taskQueue = "nobodys"
    return start.serialized()
  }()
}

enum Descriptors {
  /// How many this process may have.
  static var limit: Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }
}

extension EngineProcess {
  /// Processor time that it has used.
  var cpuMs: Int {
    get throws {
      let text = try String(contentsOfFile: "/proc/\(process?.pid ?? 0)/stat", encoding: .utf8)
      let fields = try #require(text.split(separator: ")").last).split(separator: " ")
      let ticks = try #require(Int(fields[11])) + #require(Int(fields[12]))
      return ticks * 1_000 / sysconf(Int32(_SC_CLK_TCK))
    }
  }
}
