import Foundation
import Harness
import Holdfast
import Messages
import Testing

final class Greeting: Workflow, @unchecked Sendable {
  private var names: [String] = []
  private var isDone = false

  init() {}

  static func handlers(_ handlers: inout Handlers<Greeting>) {
    handlers.signal("name") { workflow, name in workflow.names.append(name) }
    handlers.signal("done") { workflow in workflow.isDone = true }
    handlers.query("names") { workflow in workflow.names }
  }

  func run(_ context: WorkflowContext, _ greeting: String) async throws -> [String] {
    try await context.wait { self.isDone }
    return try await withThrowingTaskGroup(of: String.self) { group in
      for name in names {
        group.addTask {
          try await context.activity(
            "greet", "\(greeting) \(name)",
            options: ActivityOptions(startToClose: .seconds(10)))
        }
      }
      var all: [String] = []
      for try await text in group { all.append(text) }
      return all.sorted()
    }
  }
}

final class Sleeper: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ ms: Int) async throws -> String {
    async let first: Void = context.sleep(for: .milliseconds(ms))
    async let second: Int = context.activity(
      "double", ms, options: ActivityOptions(startToClose: .seconds(10)))
    let doubled = try await second
    try await first
    return "\(doubled)"
  }
}

final class Canceled: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> String {
    do {
      try await context.sleep(for: .seconds(3_600))
      return "slept"
    } catch {
      let undone: Int = try await context.shielded {
        try await context.activity(
          "double", 21, options: ActivityOptions(startToClose: .seconds(10)))
      }
      return "undone \(undone)"
    }
  }
}

func makeWorker(_ socket: String) -> Worker {
  var worker = Worker(taskQueue: "q", socket: socket)
  worker.register(Greeting.self)
  worker.register(Sleeper.self)
  worker.register(Canceled.self)
  worker.activity("greet") { (_, text: String) in text + "!" }
  worker.activity("double") { (_, number: Int) in number * 2 }
  return worker
}

@Suite(.serialized) struct SwiftWorkflowTests {
  @Test func signalsQueriesAndParallelActivities() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Greeting.self, "hello", id: "g-1", taskQueue: "q")
    let figures = try #require(EngineFigures(engine.socket))
    // A query without a worker is refused at once.
    try await until("its worker has begun") {
      (figures.history("g-1") ?? []).contains { event in
        if case .workflowTaskCompleted = event.attributes { true } else { false }
      }
    }
    for name in ["ann", "bob", "cid"] { try await handle.signal("name", name) }
    #expect(try await handle.query("names", returning: [String].self) == ["ann", "bob", "cid"])
    try await handle.signal("done")
    #expect(try await handle.result() == ["hello ann!", "hello bob!", "hello cid!"])
    #expect(
      try await handle.query("names", returning: [String].self) == ["ann", "bob", "cid"],
      "a closed run answers queries")
  }

  @Test func timersAndActivitiesTogether() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Sleeper.self, 120, id: "s-1", taskQueue: "q")
    #expect(try await handle.result() == "240")
  }

  @Test func aCancelReachesTheCodeAndShieldedWorkGoesOn() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Canceled.self, Nothing(), id: "c-1", taskQueue: "q")
    try await handle.cancel(reason: "enough")
    #expect(try await handle.result() == "undone 42")
  }

  @Test func everythingGoesOnAfterTheEngineWasKilled() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Greeting.self, "hi", id: "k-1", taskQueue: "q")
    try await handle.signal("name", "ann")
    try engine.restart()
    try await handle.signal("name", "bob")
    try engine.restart()
    try await handle.signal("done")
    #expect(try await handle.result() == ["hi ann!", "hi bob!"])
  }

  @Test func workflowsAreListedPageByPageAndCounted() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    for number in 1...5 {
      let handle = try await client.start(
        Sleeper.self, 1, id: "w-\(number)", taskQueue: "none",
        options: StartOptions(summary: "number \(number)"))
      if number == 3 { try await handle.terminate() }
    }
    func ids(_ list: WorkflowList) async throws -> [String] {
      var ids: [String] = []
      for try await run in list { ids.append(run.workflowID) }
      return ids
    }
    #expect(
      try await ids(client.listWorkflows(pageSize: 2)) == ["w-5", "w-4", "w-3", "w-2", "w-1"])
    #expect(
      try await ids(
        client.listWorkflows("CloseTime IS NULL ORDER BY WorkflowId", limit: 3, pageSize: 2))
        == ["w-1", "w-2", "w-4"])
    #expect(try await ids(client.listWorkflows("WorkflowId = 'x'")) == [])
    var closed = client.listWorkflows("ExecutionStatus = 'Terminated'").makeAsyncIterator()
    let third = try #require(try await closed.next())
    #expect(third.workflowType == "Sleeper" && third.taskQueue == "none")
    #expect(third.status == "TERMINATED" && third.summary == "number 3")
    #expect((third.closeTimeMs ?? 0) >= third.startTimeMs && third.historyLength == 2)
    let count = try await client.countWorkflows("GROUP BY ExecutionStatus")
    #expect(count.count == 5)
    #expect(count.groups.map(\.values) == [["RUNNING"], ["TERMINATED"]])
    #expect(count.groups.map(\.count) == [4, 1])
    await #expect(throws: HoldfastError.self) {
      try await ids(client.listWorkflows("WorkflowId"))
    }
  }
}
