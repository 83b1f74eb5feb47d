import Harness
import Holdfast
import HoldfastTesting
import Messages
import Testing

private struct SoldOut: Error {}
private struct OutOfStock: Error {}

/// Throws errors that are not the SDK's.
private final class Shop: Workflow, @unchecked Sendable {
  private var isClosing = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Shop>) {
    handlers.update("buy") { (_: Shop, _: WorkflowContext, _: String) -> Int in
      throw SoldOut()
    }
    handlers.signal("close") { $0.isClosing = true }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Nothing {
    try await context.wait { self.isClosing }
    throw OutOfStock()
  }
}

/// Tells the time that its code sees, before and after more than that has passed outside.
private final class Clock: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> [Int64] {
    let first = context.nowMs
    let start = nowMs()
    while nowMs() < start + 20 {}
    let second = context.nowMs
    try await context.sleep(for: .milliseconds(1))
    return [first, second, context.nowMs]
  }
}

/// Takes no updates once its code has gone on.
private final class Booking: Workflow, @unchecked Sendable {
  private var hasGoneOn = false
  private var isDone = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Booking>) {
    handlers.update("change") { (booking: Booking, _: String) in
      if booking.hasGoneOn { throw ApplicationError("it is too late") }
    } _: { (booking: Booking, _: WorkflowContext, to: String) -> String in
      booking.isDone = true
      return to
    }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Nothing {
    try await context.sleep(for: .seconds(3_600))
    hasGoneOn = true
    try await context.wait { self.isDone }
    return Nothing()
  }
}

/// What workflow code sees of time and errors, and when its parts run.
@Suite struct WorkflowCodeTests {
  private func worker(
    _ socket: String, _ options: Worker.Options = .init()
  ) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: socket, options: options)
    worker.register(Shop.self)
    worker.register(Clock.self)
    return RunningWorker(worker)
  }

  @Test func aWorkerChoosesWhichFurtherErrorsFailAWorkflow() async throws {
    let engine = try EngineProcess()
    let worker = worker(
      engine.socket, Worker.Options(failsWorkflow: { $0 is SoldOut || $0 is OutOfStock }))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Shop.self, Nothing(), id: "s", taskQueue: "q")
    let refused = try await #require(throws: UpdateFailedError.self) {
      try await handle.update("buy", "a lamp", returning: Int.self)
    }
    #expect(!refused.isRejected && refused.message == "SoldOut()")
    try await handle.signal("close")
    let failed = try await #require(throws: WorkflowFailedError.self) {
      try await handle.result()
    }
    #expect(failed.status == "FAILED" && failed.message == "OutOfStock()")
  }

  @Test func anyOtherErrorFailsTheTaskAndTheWorkflowStays() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    let figures = try #require(EngineFigures(engine.socket))
    let handle = try await client.start(Shop.self, Nothing(), id: "s", taskQueue: "q")
    try await handle.signal("close")
    do {
      let strict = worker(engine.socket, Worker.Options(failsWorkflow: { $0 is SoldOut }))
      defer { strict.stop() }
      try await until("the task has failed") {
        figures.history("s")?.contains {
          if case .workflowTaskFailed = $0.attributes { true } else { false }
        } ?? false
      }
    }
    // With a worker that takes it for an end, it comes to one.
    let worker = worker(engine.socket, Worker.Options(failsWorkflow: { _ in true }))
    defer { worker.stop() }
    let failed = try await #require(throws: WorkflowFailedError.self) {
      try await handle.result()
    }
    #expect(failed.message == "OutOfStock()")
  }

  @Test func timeStandsStillWithinAnActivation() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Clock.self, Nothing(), id: "c", taskQueue: "q")
    let times = try await handle.result()
    #expect(times[0] == times[1])
    #expect(times[2] >= times[0] + 20)
  }

  /// An update and what wakes the code, in one activation.
  @Test func validatorsRunBeforeTheCode() async throws {
    let env = try await TestEnvironment.startTimeSkipping(
      TestEnvironment.Options(executable: EngineProcess.bin + "/holdfast"))
    let figures = try #require(EngineFigures(env.socket))
    let handle = try await env.client.start(Booking.self, Nothing(), id: "b", taskQueue: "q")
    var worker = env.worker(taskQueue: "q")
    worker.register(Booking.self)
    try await env.run(worker) {
      try await until("the code sleeps") { (figures.history("b")?.count ?? 0) >= 3 }
    }
    let change = Task { try await handle.update("change", "Rome", returning: String.self) }
    var describe = DescribeWorkflowRequest()
    describe.execution = WorkflowExecution()
    describe.execution?.workflowID = "b"
    try await until("the update is there") {
      let told = figures.call(
        .workflowDescribeWorkflow, describe, DescribeWorkflowResponse.self)
      return told?.pendingUpdates.count == 1
    }
    try await env.advanceTime(by: .seconds(3_600))
    var second = env.worker(taskQueue: "q")
    second.register(Booking.self)
    try await env.run(second) {
      let changed = try await change.value
      #expect(changed == "Rome")
      _ = try await handle.result()
    }
  }
}
