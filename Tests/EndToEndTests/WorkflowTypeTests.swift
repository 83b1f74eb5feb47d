import Foundation
import Holdfast
import Testing

/// Says that it has begun, and ends when it is told to.
private final class Guest: Workflow, @unchecked Sendable {
  private var mayLeave = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Guest>) {
    handlers.signal("leave") { workflow in workflow.mayLeave = true }
  }

  func run(_ context: WorkflowContext, _ name: String) async throws -> String {
    let _: String = try await context.activity(
      "enter", name, options: ActivityOptions(startToClose: .seconds(60)))
    try await context.wait { self.mayLeave }
    return name
  }
}

/// Those whose code has begun.
private final class Visitors: @unchecked Sendable {
  private let lock = NSLock()
  private var all: Set<String> = []

  func add(_ name: String) { _ = lock.withLock { all.insert(name) } }
  var names: Set<String> { lock.withLock { all } }
}

/// Limits of workflow types, as people and programs use them.
@Suite(.serialized) struct WorkflowTypeTests {
  @Test func limitsHoldOverAnEngineThatIsKilled() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    try await client.setLimits(ofType: "Guest", ConcurrencyLimits(running: 3, runningOfKey: 2))
    let visitors = Visitors()
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Guest.self)
    worker.activity("enter") { (_, name: String) -> String in
      visitors.add(name)
      return name
    }
    let running = RunningWorker(worker)
    defer { running.stopAtOnce() }
    // Two families of four, of whom two each are there at once, three in all.
    let names = (0..<8).map { "\($0 % 2 == 0 ? "ann" : "bob")-\($0)" }
    for name in names {
      _ = try await client.start(
        Guest.self, name, id: name, taskQueue: "q",
        options: StartOptions(concurrencyKey: String(name.prefix(3))))
    }
    var left: Set<String> = []
    for round in 0..<names.count {
      let there = min(3, names.count - left.count)
      try await until("\(there) have begun") { visitors.names.count >= left.count + there }
      if round % 3 == 1 { try engine.restart() }
      let state = try await client.concurrency(ofType: "Guest")
      #expect(state.limits == ConcurrencyLimits(running: 3, runningOfKey: 2))
      #expect(state.running == there && state.waiting == names.count - left.count - there)
      #expect(state.keys.allSatisfy { $0.running <= 2 })
      #expect(visitors.names.count == left.count + there)
      // The oldest, so that the families take turns.
      let next = try #require(names.first { !left.contains($0) })
      let handle = client.handle(next, returning: String.self)
      try await handle.signal("leave")
      #expect(try await handle.result() == next)
      left.insert(next)
    }
    #expect(visitors.names == Set(names))
  }

  @Test func limitsAreSetShownAndTakenAway() async throws {
    let engine = try EngineProcess()
    let limits = "workflow-type limits --type Order"
    let none = "workflow type 'Order' has no limits\n"
    #expect(try await engine.run(limits).output == none)
    #expect(try await engine.run("workflow-type describe --type Order").output == none)
    #expect(
      try await engine.run("workflow-type list").output == "no workflow type has limits\n")
    let set = try await engine.run(limits, ["--running", "1", "--running-of-key", "5"])
    #expect(set.lines == ["at once           1", "at once of a key  5"])
    for id in ["o-1", "o-2"] {
      try await engine.run(
        "workflow start --id \(id) --type Order --task-queue q --concurrency-key ann")
    }
    let described = try await engine.run("workflow-type describe --type Order")
    #expect(described.lines.contains { $0.hasPrefix("waiting ") && $0.contains("1, oldest for") })
    #expect(described.lines.contains { $0.hasPrefix("ann ") })
    let listed = try await engine.run("workflow-type list")
    #expect(listed.lines.last?.hasPrefix("Order  1 ") ?? false)
    let waiting = try await engine.run(
      "workflow list", ["--query", "WaitingSince IS NOT NULL", "-o", "json"])
    #expect(waiting.lines.count == 1 && waiting.output.contains("o-2"))
    let waits = try await engine.run("workflow describe --id o-2")
    #expect(waits.lines.contains { $0.hasPrefix("concurrency key") && $0.hasSuffix("ann") })
    #expect(waits.lines.contains { $0.hasPrefix("waiting since") })
    #expect(waits.output.contains("of type 'Order' at most 1 may run at once"))
    let wrong = try await engine.run(limits, ["--running=-1"])
    #expect(wrong.code == 64)
    #expect(wrong.errors.contains("1 to 1,000,000 are allowed, or 0 for no limit"))
    #expect(try await engine.run(limits, ["--clear"]).output == none)
  }
}
