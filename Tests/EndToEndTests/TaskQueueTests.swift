import Foundation
import Holdfast
import Testing

/// Tells in which order it begins.
private final class Turn: Workflow, @unchecked Sendable {
  static let order = Order()

  init() {}

  func run(_ context: WorkflowContext, _ name: String) async throws -> String {
    Turn.order.add(name)
    return try await context.activity(
      "note", name,
      options: ActivityOptions(startToClose: .seconds(60), priority: Priority(fairnessKey: "k")))
  }
}

/// Task queues, as people and programs use them.
@Suite(.serialized) struct TaskQueueTests {
  @Test func swiftClientsSayWhoGoesFirst() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    for (name, level) in [("late", 5), ("usual", nil), ("first", 1)] {
      _ = try await client.start(
        Turn.self, name, id: name, taskQueue: "q",
        options: StartOptions(priority: Priority(level)))
    }
    try await client.setLimits(of: "q", QueueLimits(perSecond: 1_000, keyRates: ["k": 500]))
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Turn.self)
    worker.activity("note") { (_, name: String) -> String in name }
    let running = RunningWorker(worker)
    defer { running.stop() }
    for name in ["late", "usual", "first"] {
      #expect(try await client.handle(name, returning: String.self).result() == name)
    }
    #expect(Turn.order.names == ["first", "usual", "late"])
  }

  @Test func limitsAreSetShownAndTakenAway() async throws {
    let engine = try EngineProcess()
    let limits = "task-queue limits --task-queue orders"
    #expect(try await engine.run(limits).output == "task queue 'orders' has no limits\n")
    let set = try await engine.run(limits, ["--per-second", "10", "--key", "ann=0.5"])
    #expect(
      set.lines == ["activities           10 per second", "activities of 'ann'  0.5 per second"])
    let changed = try await engine.run(limits, ["--key", "ann=0", "--per-second-of-key", "2"])
    #expect(
      changed.lines == [
        "activities           10 per second", "activities of a key  2 per second",
        "activities of 'ann'  no limit",
      ])
    let described = try await engine.run("task-queue describe --task-queue orders")
    #expect(described.lines.contains("activities of a key  2 per second"))
    let wrong = try await engine.run(limits, ["--per-second=-1"])
    #expect(wrong.code == 64)
    #expect(wrong.errors.contains("0.001 to 1,000,000 are allowed, or 0 for no limit"))
    let none = try await engine.run(limits, ["--key", "ann"])
    #expect(none.code == 64 && none.errors.contains("--key 'ann' is not KEY=RATE"))
    #expect(
      try await engine.run(limits, ["--clear"]).output == "task queue 'orders' has no limits\n")
  }

  @Test func aQueueShowsItsPriorities() async throws {
    let engine = try EngineProcess()
    try await engine.run(
      "workflow start --id w-1 --type T --task-queue q --priority 1 --fairness-key ann")
    try await engine.run("workflow start --id w-2 --type T --task-queue q --priority 5")
    let described = try await engine.run("workflow describe --id w-1")
    let priority = described.lines.first { $0.hasPrefix("priority") }
    #expect(priority?.hasSuffix("1, fairness key 'ann'") ?? false)
    let queue = try await engine.run("task-queue describe --task-queue q")
    let row = try #require(queue.lines.first { $0.hasPrefix("5 ") })
    let words = row.split(separator: " ").map(String.init)
    #expect(
      words.prefix(4) == ["5", "workflow", "tasks", "1"] && words.suffix(2) == ["0.03", "0"])
    let wrong = try await engine.run("workflow start --id w-3 --type T --task-queue q --priority 6")
    #expect(wrong.code == 64)
    #expect(wrong.errors.contains("priority.priority_key: is 6; 1 to 5 are allowed"))
  }
}

/// Names in the order in which they have come.
private final class Order: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [String] = []

  func add(_ name: String) { lock.withLock { all.append(name) } }
  var names: [String] { lock.withLock { all } }
}
