import Foundation
import Holdfast
import HoldfastTesting
import Testing

/// Runs one local activity, as its input says.
private final class Asks: Workflow, @unchecked Sendable {
  struct Plan: Codable, Sendable {
    var attempts = 0
    var initialMs = 1
    var startToCloseMs = 600_000
    var workerWaitMs = 60_000
    var cancel: String?
  }

  private var isEnough = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Asks>) {
    handlers.signal("enough") { workflow in workflow.isEnough = true }
  }

  func run(_ context: WorkflowContext, _ plan: Plan) async throws -> String {
    let options = LocalActivityOptions(
      startToClose: .milliseconds(plan.startToCloseMs),
      retry: Retry(initial: .milliseconds(plan.initialMs), attempts: plan.attempts),
      workerWaitMax: .milliseconds(plan.workerWaitMs), cancellation: kind(plan.cancel))
    guard plan.cancel != nil else {
      return try await context.localActivity("ask", "why", options: options)
    }
    return try await withThrowingTaskGroup(of: String.self) { group in
      group.addTask {
        do {
          return try await context.localActivity("ask", "why", options: options)
        } catch is CancellationError { return "cancelled" }
      }
      try await context.wait { self.isEnough }
      group.cancelAll()
      return try await group.next() ?? "nothing"
    }
  }

  private func kind(_ name: String?) -> ActivityOptions.Cancellation {
    switch name {
    case "wait": .waitCompleted
    case "abandon": .abandon
    default: .tryCancel
    }
  }
}

/// Whom the activities ask: says what each attempt comes to.
private final class Oracle: @unchecked Sendable {
  enum Answer {
    case says(String)
    case fails
    /// Until it is cancelled.
    case hangs
    /// Whatever is done to it.
    case ignores
  }

  // Touched only while `lock` is held.
  private let lock = NSLock()
  private var asked: [Int] = []
  private var ended: [Int] = []
  private let answers: [Answer]

  init(_ answers: Answer...) { self.answers = answers }

  var attempts: [Int] { lock.withLock { asked } }
  var cancelled: [Int] { lock.withLock { ended } }

  func ask(_ context: ActivityContext, _ why: String) async throws -> String {
    let place = lock.withLock {
      asked.append(context.attemptNumber)
      return asked.count - 1
    }
    #expect(context.isLocal && context.token.isEmpty)
    switch answers[min(place, answers.count - 1)] {
    case .says(let text): return text
    case .fails: throw ApplicationError("not today", type: "Closed")
    case .hangs:
      do { try await Task.sleep(for: .seconds(600)) } catch {
        lock.withLock { ended.append(context.attemptNumber) }
        throw error
      }
      return "late"
    case .ignores:
      return await withUnsafeContinuation { continuation in
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.4) {
          continuation.resume(returning: "in spite of it")
        }
      }
    }
  }
}

@Suite(.serialized) struct LocalActivityTests {
  private func worker(_ engine: EngineProcess, _ oracle: Oracle) -> RunningWorker {
    RunningWorker(serving(Worker(taskQueue: "q", socket: engine.socket), oracle))
  }

  private func serving(_ worker: Worker, _ oracle: Oracle) -> Worker {
    var worker = worker
    worker.register(Asks.self)
    worker.activity("ask") { (context, why: String) in try await oracle.ask(context, why) }
    return worker
  }

  private func start(_ engine: EngineProcess, _ plan: Asks.Plan = Asks.Plan()) async throws
    -> WorkflowHandle<String>
  {
    try await Client(socket: engine.socket).start(Asks.self, plan, id: "l-1", taskQueue: "q")
  }

  @Test func itRunsInTheWorkersOwnHandsAndIsShown() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.ignores)
    let worker = worker(engine, oracle)
    defer { worker.stop() }
    let handle = try await start(engine)
    try await until("describe shows it") {
      try await engine.run("workflow describe --id l-1").lines
        .contains("activity 1 (ask, local): STARTED")
    }
    #expect(try await handle.result() == "in spite of it")
    let shown = try await engine.run("workflow show --id l-1")
    #expect(shown.lines.contains { $0.contains("ActivityTaskScheduled  ask locally \"why\"") })
  }

  @Test func theWorkerTriesAgainByItself() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.fails, .fails, .says("42"))
    let worker = worker(engine, oracle)
    defer { worker.stop() }
    #expect(try await start(engine).result() == "42")
    #expect(oracle.attempts == [1, 2, 3])
    let shown = try await engine.run("workflow show --id l-1")
    #expect(shown.lines.filter { $0.contains("ActivityTaskStarted") }.count == 1)
    #expect(shown.output.contains("attempt 3 by "))
  }

  @Test func whatItsPolicyDoesNotAllowFailsTheWorkflow() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.fails)
    let worker = worker(engine, oracle)
    defer { worker.stop() }
    let handle = try await start(engine, Asks.Plan(attempts: 2))
    let error = await #expect(throws: WorkflowFailedError.self) { try await handle.result() }
    #expect(error?.causes.map(\.message).contains("not today") ?? false)
    #expect(oracle.attempts == [1, 2])
  }

  @Test func aLongWaitIsATimerOfTheEngine() async throws {
    let env = try await TestEnvironment.startTimeSkipping(
      TestEnvironment.Options(executable: EngineProcess.bin + "/holdfast"))
    let oracle = Oracle(.fails, .fails, .says("at last"))
    let worker = serving(env.worker(taskQueue: "q"), oracle)
    try await env.run(worker) {
      let began = try await env.nowMs
      let plan = Asks.Plan(initialMs: 120_000)
      let handle = try await env.client.start(Asks.self, plan, id: "l-1", taskQueue: "q")
      #expect(try await handle.result() == "at last")
      #expect(try await env.nowMs - began >= 360_000)
    }
    #expect(oracle.attempts == [1, 2, 3])
  }

  @Test func anAttemptThatTakesTooLongIsLeft() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.ignores, .says("in time"))
    let worker = worker(engine, oracle)
    defer { worker.stop() }
    let handle = try await start(engine, Asks.Plan(startToCloseMs: 50))
    #expect(try await handle.result() == "in time")
    #expect(oracle.attempts == [1, 2])
  }

  @Test func theNextWorkerRunsItAgain() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.hangs, .says("42"))
    let first = worker(engine, oracle)
    let handle = try await start(engine)
    try await until("it is under way") { oracle.attempts == [1] }
    first.stopAtOnce()
    let second = worker(engine, oracle)
    defer { second.stop() }
    #expect(try await handle.result() == "42")
    #expect(oracle.attempts == [1, 2])
    #expect(oracle.cancelled == [1])
  }

  @Test func withOneAttemptItRunsAtMostOnce() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.hangs)
    let first = worker(engine, oracle)
    let handle = try await start(engine, Asks.Plan(attempts: 1))
    try await until("it is under way") { oracle.attempts == [1] }
    first.stopAtOnce()
    let second = worker(engine, oracle)
    defer { second.stop() }
    let error = await #expect(throws: WorkflowFailedError.self) { try await handle.result() }
    #expect(error?.causes.contains { $0.kind == .workerLost } ?? false)
    #expect(oracle.attempts == [1])
  }

  @Test func aWorkerThatStopsLetsItEnd() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.ignores)
    let options = Worker.Options(stopGrace: .seconds(600))
    let first = RunningWorker(
      serving(Worker(taskQueue: "q", socket: engine.socket, options: options), oracle))
    let handle = try await start(engine)
    try await until("it is under way") { oracle.attempts == [1] }
    await first.stopAside()
    let second = worker(engine, oracle)
    defer { second.stop() }
    #expect(try await handle.result() == "in spite of it")
    #expect(oracle.attempts == [1])
  }

  @Test func aFullCacheLosesNone() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.ignores)
    let options = Worker.Options(cachedRunsMax: 1, localActivitiesMax: 1)
    let worker = RunningWorker(
      serving(Worker(taskQueue: "q", socket: engine.socket, options: options), oracle))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    var handles: [WorkflowHandle<String>] = []
    for number in 1...3 {
      let plan = Asks.Plan(attempts: 1)
      handles.append(try await client.start(Asks.self, plan, id: "l-\(number)", taskQueue: "q"))
    }
    for handle in handles { #expect(try await handle.result() == "in spite of it") }
    #expect(oracle.attempts == [1, 1, 1])
  }

  @Test func itRunsAgainAfterTheEngineWasKilled() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.hangs, .says("42"))
    let worker = worker(engine, oracle)
    defer { worker.stop() }
    let handle = try await start(engine)
    try await until("it is under way") { oracle.attempts == [1] }
    try engine.restart()
    #expect(try await handle.result() == "42")
    #expect(oracle.attempts == [1, 2])
    #expect(oracle.cancelled == [1])
  }

  @Test(arguments: [
    ("try", "cancelled", [1]), ("wait", "cancelled", [1]), ("abandon", "cancelled", []),
  ]) func aCancelReachesItByItsKind(_ kind: String, _ result: String, _ ended: [Int])
    async throws
  {
    let engine = try EngineProcess()
    let oracle = Oracle(.hangs)
    let worker = worker(engine, oracle)
    let handle = try await start(engine, Asks.Plan(cancel: kind))
    try await until("it is under way") { oracle.attempts == [1] }
    try await handle.signal("enough")
    #expect(try await handle.result() == result)
    try await until("the attempt has heard of it") { oracle.cancelled == ended }
    worker.stop()
    #expect(oracle.attempts == [1])
  }

  @Test func aCancelThatWaitsTakesTheResultThatComes() async throws {
    let engine = try EngineProcess()
    let oracle = Oracle(.ignores)
    let worker = worker(engine, oracle)
    defer { worker.stop() }
    let handle = try await start(engine, Asks.Plan(cancel: "wait"))
    try await until("it is under way") { oracle.attempts == [1] }
    try await handle.signal("enough")
    #expect(try await handle.result() == "in spite of it")
  }

  /// The engine sends the signal as soon as the completion is stored, which the worker hears of
  /// behind it: the code cancels what has not begun, and what the engine takes for begun.
  @Test(.timeLimit(.minutes(1))) func aCancelMayOvertakeTheLeaveToBegin() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine, Oracle(.hangs))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    for number in 0..<200 {
      let handle = try await client.start(
        Asks.self, Asks.Plan(cancel: "wait"), id: "l-\(number)", taskQueue: "q")
      try await handle.signal("enough")
      #expect(try await handle.result() == "cancelled")
    }
  }
}
