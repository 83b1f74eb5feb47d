import Holdfast
import Testing

/// Adds up what it is sent, and goes on in another run after every third signal.
final class Adder: Workflow, @unchecked Sendable {
  struct State: Codable, Sendable {
    var seen: [Int] = []
    var runs = 1
  }

  private var arrived: [Int] = []
  private var isDone = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Adder>) {
    handlers.signal("add") { workflow, number in workflow.arrived.append(number) }
    handlers.signal("done") { workflow in workflow.isDone = true }
  }

  func run(_ context: WorkflowContext, _ state: State) async throws -> State {
    var state = state
    var left = 3
    while true {
      try await context.wait { !self.arrived.isEmpty || self.isDone }
      if arrived.isEmpty { return state }
      state.seen.append(arrived.removeFirst())
      left -= 1
      guard left == 0 else { continue }
      // What this run was shown goes along by hand; what it was not shown, by itself.
      state.seen += arrived
      if isDone { return state }
      state.runs += 1
      try context.continueAsNew(state)
    }
  }
}

/// Looks whether the numbers that it is sent come in order, each once; goes on in another run after
/// so many.
final class Tally: Workflow, @unchecked Sendable {
  struct State: Codable, Sendable {
    var last = 0
    var wrong: [Int] = []
    var runs = 1
  }

  static let signalsPerRun = 2_000
  private var arrived: [Int] = []
  private var isDone = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Tally>) {
    handlers.signal("number") { workflow, number in workflow.arrived.append(number) }
    handlers.signal("done") { workflow in workflow.isDone = true }
  }

  func run(_ context: WorkflowContext, _ state: State) async throws -> State {
    var state = state
    var taken = 0
    while true {
      try await context.wait { !self.arrived.isEmpty || self.isDone }
      for number in arrived {
        if number != state.last + 1 { state.wrong.append(number) }
        state.last = number
      }
      taken += arrived.count
      arrived = []
      if isDone { return state }
      guard taken >= Tally.signalsPerRun else { continue }
      state.runs += 1
      try context.continueAsNew(state)
    }
  }
}

/// Fails until its third attempt.
final class ThirdTime: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> [String] {
    guard context.attempt == 3 else {
      throw ApplicationError("attempt \(context.attempt)", type: "NotYet")
    }
    return context.lastFailure.map(\.message) + [context.continuedRunID == nil ? "first" : "third"]
  }
}

@Suite struct ChainTests {
  private func worker(_ socket: String) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: socket)
    worker.register(Adder.self)
    worker.register(ThirdTime.self)
    worker.register(Tally.self)
    return RunningWorker(worker)
  }

  @Test func signalsGoThroughContinueAsNewInOrderWhileTheEngineIsKilled() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Adder.self, Adder.State(), id: "a-1", taskQueue: "q")
    for number in 1...20 {
      try await handle.signal("add", number)
      if number % 8 == 0 { try engine.restart() }
    }
    try await handle.signal("done")
    let state = try await handle.result()
    #expect(state.seen == Array(1...20))
    #expect(state.runs > 1)
  }

  @Test func tenThousandSignalsGoThroughContinueAsNewOnceEachAndInOrder() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Tally.self, Tally.State(), id: "t-1", taskQueue: "q")
    for number in 1...10_000 { try await handle.signal("number", number) }
    try await handle.signal("done")
    let state = try await handle.result()
    #expect(state.last == 10_000)
    #expect(state.wrong == [])
    #expect(state.runs > 2)
  }

  @Test func aFailedWorkflowIsTriedAgain() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      ThirdTime.self, Nothing(), id: "t-1", taskQueue: "q",
      options: StartOptions(retry: Retry(initial: .milliseconds(1), attempts: 3)))
    #expect(try await handle.result() == ["attempt 2", "third"])
    let other = try await client.start(
      ThirdTime.self, Nothing(), id: "t-2", taskQueue: "q",
      options: StartOptions(retry: Retry(initial: .milliseconds(1), attempts: 2)))
    await #expect { _ = try await other.result() } throws: { error in
      (error as? WorkflowFailedError)?.message == "attempt 2"
    }
  }

  @Test func aDelayedStartBeginsWithASignal() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      Adder.self, Adder.State(), id: "d-1", taskQueue: "q",
      options: StartOptions(startDelay: .seconds(3_600)))
    try await handle.signal("done")
    #expect(try await handle.result().seen == [])
  }
}
