import Foundation
import Harness
import Messages
import Testing

/// How much memory peers that mean harm can take from an engine, each and together, and whether it
/// comes back.
@Suite(.serialized) struct HostileMemoryTests {
  enum Harm: CaseIterable {
    /// All of the largest frame but its last byte.
    case halfFrame
    /// Asks, and never reads.
    case histories, results, lists, describes
    /// Queries with large arguments that nobody answers.
    case queries
    /// Waits for one result on as many streams as there may be.
    case waiters
    /// Opens and cancels as fast as it can, and never reads.
    case cancels
    /// As much credit as a number can say, on many streams.
    case credits
  }

  private static let frameBytesMax = 4 << 20
  private static let bytesEachMax = 4 * frameBytesMax + 256 << 10
  private static let bytesTogetherMax = 300 << 20
  private static let count =
    Int(ProcessInfo.processInfo.environment["HOLDFAST_HOSTILE"] ?? "") ?? 120

  @Test(arguments: Harm.allCases) func oneHostilePeerHoldsLittle(_ harm: Harm) async throws {
    let stage = try await HostileStage()
    let before = try stage.residentBytes
    var peers: [RawPeer] = []
    for _ in 0..<4 { peers.append(try await stage.harm(harm)) }
    let grown = try await stage.settled() - before
    print("\(harm): \(grown >> 12) KiB for each of 4 connections")
    #expect(grown <= 4 * HostileMemoryTests.bytesEachMax)
    peers = []
    try await stage.comesBack(to: before)
  }

  @Test func manyHostilePeersTogetherHoldLittleAndItComesBack() async throws {
    let stage = try await HostileStage()
    let before = try stage.residentBytes
    var peers: [RawPeer] = []
    var peak = 0
    var slowestMs: Int64 = 0
    for number in 0..<HostileMemoryTests.count {
      peers.append(try await stage.harm(Harm.allCases[number % Harm.allCases.count]))
      if number % 10 == 0 {
        let began = nowMs()
        #expect(try await RawPeer.probe(stage.engine.socket))
        slowestMs = max(slowestMs, nowMs() - began)
      }
      peak = max(peak, try stage.residentBytes)
    }
    peak = max(peak, try await stage.settled())
    print(
      "\(peers.count) hostile connections: \(before >> 20) MiB before, \(peak >> 20) at most;"
        + " the slowest probe took \(slowestMs) ms")
    #expect(peak <= HostileMemoryTests.bytesTogetherMax)
    peers = []
    try await stage.comesBack(to: before)
  }

  /// Nothing but half frames: more together than may be held, so the oldest ones have to go.
  @Test func manyHalfFramesTogetherHoldLittle() async throws {
    let stage = try await HostileStage()
    let before = try stage.residentBytes
    var peers: [RawPeer] = []
    var peak = 0
    for number in 0..<HostileMemoryTests.count {
      peers.append(try await stage.harm(.halfFrame))
      if number % 10 == 0 { #expect(try await RawPeer.probe(stage.engine.socket)) }
      peak = max(peak, try stage.residentBytes)
    }
    print("\(peers.count) half frames of 4 MiB: \(before >> 20) MiB, at most \(peak >> 20)")
    #expect(peak <= HostileMemoryTests.bytesTogetherMax)
    #expect(try peers[0].goAway().code == .resourceExhausted)
    peers = []
    try await stage.comesBack(to: before)
  }
}

/// An engine with a large history, a large result, a long list, and a workflow that nobody serves.
final class HostileStage {
  let engine: EngineProcess
  private let worker: RawPeer

  init() async throws {
    engine = try EngineProcess(["--in-memory"], hasStore: false)
    let client = try await RawPeer(engine.socket)
    try client.hello()
    for id in ["big", "held"] {
      let end = try client.call(Method.workflowStartWorkflow.rawValue, HostileStage.start(id))
      try #require(end.status == nil)
    }
    for number in 0..<500 {
      _ = try client.call(
        Method.workflowStartWorkflow.rawValue, HostileStage.start("l-\(number)", isSmall: true))
    }
    worker = try await RawPeer(engine.socket)
    try worker.hello()
    try completeBig()
    _ = try await settled()
  }

  private static func start(_ id: String, isSmall: Bool = false) -> [UInt8] {
    var request = StartWorkflowRequest()
    request.workflowID = id
    request.workflowType = id
    request.taskQueue = isSmall ? "nobodys" : "q"
    request.input = [.large(isSmall ? 10 : 2_000_000)]
    return request.serialized()
  }

  /// Serves both types once: one ends with its large result, the other is never answered for again.
  private func completeBig() throws {
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["big", "held"]
    attach.cachedRunsMax = 10
    var grant = Grant()
    grant.workflowSlots = 2
    let work = WorkRequest(messages: [WorkerMessage(.attach(attach)), WorkerMessage(.grant(grant))])
    let stream = worker.open(Method.workerWork.rawValue, work.serialized(), end: false)
    var completedCount = 0
    while completedCount < 2 {
      guard case .message(let message) = try worker.next().kind else { continue }
      for message in try WorkResponse(bytes: message.body).messages {
        guard case .activation(let activation) = message.kind else { continue }
        var completed = WorkflowTaskCompleted()
        completed.token = activation.token
        if activation.workflowType == "big" {
          var command = Command()
          var complete = CompleteWorkflow()
          complete.result = [.large(2_000_000)]
          command.kind = .completeWorkflow(complete)
          completed.commands = [command]
        }
        var answer = StreamMessage()
        answer.body = WorkRequest(messages: [WorkerMessage(.workflowTaskCompleted(completed))])
          .serialized()
        worker.send(.message(answer), stream: stream)
        completedCount += 1
      }
    }
  }

  // MARK: - Harm

  func harm(_ harm: HostileMemoryTests.Harm) async throws -> RawPeer {
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    switch harm {
    case .halfFrame:
      peer.write([0, 0x40, 0, 0] + [UInt8](repeating: 0, count: 4 << 20 - 1))
    case .histories: ask(peer, .workflowGetHistory, named(GetHistoryRequest()), count: 300)
    case .results:
      ask(peer, .workflowGetWorkflowResult, named(GetWorkflowResultRequest()), count: 200)
    case .lists: ask(peer, .workflowListWorkflows, ListWorkflowsRequest().serialized(), count: 100)
    case .describes:
      ask(peer, .workflowDescribeWorkflow, named(DescribeWorkflowRequest()), count: 2_000)
    case .queries:
      var request = QueryWorkflowRequest()
      request.execution = WorkflowExecution()
      request.execution?.workflowID = "held"
      request.queryType = "q"
      request.args = [.large(1_000_000)]
      ask(peer, .workflowQueryWorkflow, request.serialized(), count: 30)
    case .waiters:
      ask(
        peer, .workflowGetWorkflowResult, named(GetWorkflowResultRequest(), "held"), count: 10_000)
    case .cancels:
      for _ in 0..<5_000 {
        let stream = peer.open(
          Method.workflowGetWorkflowResult.rawValue, named(GetWorkflowResultRequest(), "held"),
          end: true)
        peer.send(.cancel(Cancel()), stream: stream)
      }
    case .credits:
      var credit = Credit()
      credit.messages = .max
      for _ in 0..<200 {
        let stream = peer.open(
          Method.workflowGetHistory.rawValue, named(GetHistoryRequest()), end: true)
        peer.send(.credit(credit), stream: stream)
        peer.send(.credit(credit), stream: stream)
      }
    }
    return peer
  }

  private func ask(_ peer: RawPeer, _ method: Messages.Method, _ message: [UInt8], count: Int) {
    for _ in 0..<count { _ = peer.open(method.rawValue, message, end: true) }
  }
}

/// Requests that name a workflow in the same field.
private protocol NamesExecution: Message {
  var execution: WorkflowExecution? { get set }
}
extension GetHistoryRequest: NamesExecution {}
extension GetWorkflowResultRequest: NamesExecution {}
extension DescribeWorkflowRequest: NamesExecution {}

private func named(_ request: some NamesExecution, _ id: String = "big") -> [UInt8] {
  var request = request
  request.execution = WorkflowExecution()
  request.execution?.workflowID = id
  return request.serialized()
}

extension HostileStage {
  var residentBytes: Int { get throws { try engine.residentBytes } }

  /// The memory in use when it does not grow any more.
  func settled() async throws -> Int {
    var last = try residentBytes
    var looks = 0
    while looks < 20 {
      #expect(try await RawPeer.probe(engine.socket))
      let now = try residentBytes
      looks = now > last + 128 << 10 ? 0 : looks + 1
      last = max(last, now)
    }
    return last
  }

  /// The peers have gone: what they held is free again.
  func comesBack(to bytes: Int) async throws {
    let figures = try #require(EngineFigures(engine.socket))
    try await until("the worker's connection and this one are left") {
      figures.counter("connections") <= 3
    }
    try await until("the memory comes back") { try residentBytes <= bytes + 16 << 20 }
  }
}

extension EngineProcess {
  /// Memory in use now.
  var residentBytes: Int {
    get throws {
      let text = try String(
        contentsOfFile: "/proc/\(process?.pid ?? 0)/statm", encoding: .utf8)
      let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
  }
}
