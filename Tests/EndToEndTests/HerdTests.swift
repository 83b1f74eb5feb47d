import Foundation
import Harness
import Holdfast
import Messages
import Testing

/// Timers and an activity that is held until the test lets go of it.
private final class Flock: Workflow, @unchecked Sendable {
  static let timers = 10
  init() {}

  func run(_ context: WorkflowContext, _ ms: Int) async throws -> Int {
    async let held: Int = context.activity(
      "hold", 1, options: ActivityOptions(startToClose: .seconds(3_600)))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<Flock.timers {
        group.addTask { try await context.sleep(for: .milliseconds(ms)) }
      }
      try await group.waitForAll()
    }
    return try await held
  }
}

/// An engine that is killed with much under way: all of it is due, or comes back, when it starts.
/// `HOLDFAST_HERD`: how many timers; a tenth of that are workflows and leases, a hundredth clients.
@Suite(.serialized) struct HerdTests {
  private static let timers =
    Int(ProcessInfo.processInfo.environment["HOLDFAST_HERD"] ?? "") ?? 2_000
  private static let runs = timers / Flock.timers
  /// Workflows whose activity's worker is killed with the engine.
  private static let orphans = 20
  /// Longer than it takes to start all of them.
  private static let timerMs = 5_000 + timers / 2

  private func worker(_ engine: EngineProcess, _ release: Flag) -> RunningWorker {
    var worker = Worker(
      taskQueue: "flock", socket: engine.socket,
      options: Worker.Options(
        activitiesMax: HerdTests.runs, workflowTasksMax: 512,
        cachedRunsMax: HerdTests.runs))
    worker.register(Flock.self)
    worker.activity("hold") { (_, input: Int) -> Int in
      while !release.isSet { try await Task.sleep(for: .milliseconds(50)) }
      return input
    }
    return RunningWorker(worker)
  }

  /// Clients that wait for a result each; all come at once.
  private func clients(_ engine: EngineProcess) async throws -> [RawPeer] {
    var clients: [RawPeer] = []
    for number in 0..<max(20, HerdTests.timers / 100) {
      let peer = try await RawPeer(engine.socket)
      try peer.hello()
      var request = GetWorkflowResultRequest()
      request.execution = WorkflowExecution()
      request.execution?.workflowID = "f-\(number % HerdTests.runs)"
      peer.open(Method.workflowGetWorkflowResult.rawValue, request.serialized(), end: true)
      clients.append(peer)
    }
    return clients
  }

  private func start(_ client: Client, _ timerMs: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<32 {
        group.addTask {
          for number in stride(from: lane, to: HerdTests.runs, by: 32) {
            _ = try await client.start(
              Flock.self, timerMs, id: "f-\(number)", taskQueue: "flock")
          }
        }
      }
      try await group.waitForAll()
    }
    for number in 0..<HerdTests.orphans {
      _ = try await client.start(
        type: "slow", 600_000, id: "o-\(number)", taskQueue: "q", returning: Int.self)
    }
  }

  @Test func everythingComesBackOnceAfterAKill() async throws {
    // A machine that is so busy that the first timers fire before the last ones run has more time.
    for timerMs in [HerdTests.timerMs, 4 * HerdTests.timerMs, 16 * HerdTests.timerMs] {
      if try await round(timerMs) { return }
    }
    Issue.record("the timers fired before all of them had been started")
  }

  /// False when a timer fired before the kill.
  private func round(_ timerMs: Int) async throws -> Bool {
    let engine = try EngineProcess()
    let release = Flag()
    let worker = worker(engine, release)
    defer {
      release.set()
      worker.stop()
    }
    let orphansWorker = try engine.startWorker()
    defer { orphansWorker.killNow() }
    let client = try Client(socket: engine.socket)
    try await start(client, timerMs)
    let leases = HerdTests.runs + HerdTests.orphans
    try await reaches(engine, "activity_attempts_total", leases)
    var clients = try await clients(engine)
    if try #require(EngineFigures(engine.socket)).counter("timers_fired_total") > 0 { return false }
    let due = nowMs() + Int64(timerMs)
    engine.kill()
    orphansWorker.killNow()
    clients = []
    // Every timer's time comes while there is no engine.
    try await Task.sleep(for: .milliseconds(due - nowMs()))

    let began = nowMs()
    try engine.start()
    #expect(try await RawPeer.probe(engine.socket))
    let readyMs = nowMs() - began
    clients = try await self.clients(engine)
    let connectedMs = nowMs() - began
    try await reaches(engine, "timers_fired_total", HerdTests.timers)
    let firedMs = nowMs() - began
    release.set()
    try await reaches(engine, "closed_total", HerdTests.runs)
    let closedMs = nowMs() - began
    for peer in clients {
      guard case .end(let end) = try peer.next().kind else { throw RawPeer.Gone() }
      #expect(end.status == nil)
    }
    let another = try engine.startWorker()
    defer { another.killNow() }
    for number in 0..<HerdTests.orphans {
      #expect(try await client.handle("o-\(number)", returning: Int.self).result() == 600_000)
    }
    print(
      "\(HerdTests.timers) timers due, \(leases) leases, \(clients.count) clients: ready after"
        + " \(readyMs) ms, all connected after \(connectedMs), all timers fired after \(firedMs),"
        + " all workflows closed after \(closedMs)")
    try check(engine)
    return true
  }

  /// Waits for as long as the counter moves.
  private func reaches(_ engine: EngineProcess, _ name: String, _ wanted: Int) async throws {
    let figures = try #require(EngineFigures(engine.socket))
    var last = -1
    repeat {
      let before = last
      try await until("\(name) grows: \(before) of \(wanted)") {
        last = figures.counter(name)
        return last != before
      }
    } while last < wanted
    #expect(last == wanted, "\(name)")
  }

  /// Each timer has fired once, each lease that was held was kept, each lost one given anew.
  private func check(_ engine: EngineProcess) throws {
    let figures = try #require(EngineFigures(engine.socket))
    for number in 0..<HerdTests.runs {
      let events = try #require(figures.history("f-\(number)"))
      #expect(events.map(\.eventID) == Array(1...Int64(events.count)))
      #expect(Set(events.compactMap(\.firedTimer)).count == Flock.timers)
      #expect(events.compactMap(\.firedTimer).count == Flock.timers)
      #expect(events.compactMap(\.startedAttempt) == [1], "f-\(number)")
    }
    for number in 0..<HerdTests.orphans {
      let events = try #require(figures.history("o-\(number)"))
      #expect(events.compactMap(\.startedAttempt) == [2], "o-\(number)")
    }
    let completed = figures.call(
      .workflowCountWorkflows, CountWorkflowsRequest(query: "ExecutionStatus = 'Completed'"),
      CountWorkflowsResponse.self)
    #expect(completed?.count == Int64(HerdTests.runs + HerdTests.orphans))
  }
}

extension CountWorkflowsRequest {
  fileprivate init(query: String) {
    self.init()
    self.query = query
  }
}

extension HistoryEvent {
  fileprivate var firedTimer: Int64? {
    guard case .timerFired(let fired) = attributes else { return nil }
    return fired.startedEventID
  }

  fileprivate var startedAttempt: Int32? {
    guard case .activityTaskStarted(let started) = attributes else { return nil }
    return Int32(started.attempt)
  }
}
