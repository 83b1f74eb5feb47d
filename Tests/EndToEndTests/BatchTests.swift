import Foundation
import Harness
import Holdfast
import Testing

/// Batches, on the command line and in Swift, over a kill of the engine.
@Suite(.serialized) struct BatchTests {
  /// Workflows without a worker: what is done to them stays to be seen.
  private func engine(withWorkflows count: Int) async throws -> EngineProcess {
    let engine = try EngineProcess()
    for number in 1...count {
      let started = try await engine.run("workflow start --type T --task-queue q --id w-\(number)")
      #expect(started.code == 0, "\(started.errors)")
    }
    return engine
  }

  /// The names of its events.
  private func history(_ engine: EngineProcess, _ id: String) async throws -> [String] {
    try await engine.run("workflow show -o json --id \(id)").documents().map { event in
      event.keys.first { $0.hasPrefix("workflow") } ?? "another"
    }
  }

  private let signaled = ["workflowExecutionStarted", "workflowExecutionSignaled"]

  @Test func theCommandsDoWhatTheySay() async throws {
    let engine = try await engine(withWorkflows: 3)
    let some = ["--query", "WorkflowId != 'w-2'"]
    let words = "batch terminate --batch-id b-1 --reason wrong --yes"
    let ended = try await engine.run(words + " -o json", some)
    #expect(ended.code == 0, "\(ended.errors)")
    let info = try #require(try ended.documents()[0]["info"] as? [String: Any])
    #expect(info["status"] as? String == "COMPLETED", "\(ended.output)")
    #expect(try await history(engine, "w-2") == ["workflowExecutionStarted"])
    for id in ["w-1", "w-3"] {
      let described = try await engine.run("workflow describe --id \(id)")
      #expect(described.lines.contains { $0.hasSuffix("  TERMINATED") }, "\(described.output)")
    }
    let again = try await engine.run(words + " --no-wait", some)
    #expect(again.output.hasPrefix("batch 'b-1' has been started before"), "\(again.errors)")
    let other = try await engine.run(words + " --no-wait", ["--query", ""])
    #expect(other.code == 4 && other.errors.contains("BATCH_ALREADY_EXISTS"))

    let started = try await engine.run(
      "batch signal --batch-id b-2 --name s --rate 0.001 --no-wait --yes", ["--query", ""])
    #expect(started.output.hasPrefix("batch 'b-2' started"), "\(started.errors)")
    let reset = try await engine.run(
      "batch reset --batch-id b-3 --to last --yes", ["--query", "WorkflowId = 'w-2'"])
    #expect(reset.code == 7 && reset.lines[0] == "batch 'b-3' COMPLETED: 0 done, 1 failed")
    #expect(reset.output.contains("there is nothing to undo"), "\(reset.output)")

    let described = try await engine.run("batch describe --batch-id b-1")
    for line in ["operation", "query", "status", "done", "reason"] {
      #expect(described.lines.contains { $0.hasPrefix(line + " ") }, "\(described.output)")
    }
    #expect(described.lines.contains { $0.hasPrefix("done ") && $0.hasSuffix(" 2") })
    let list = try await engine.run("batch list").lines
    #expect(list.map { String($0.prefix(3)) } == ["BAT", "b-3", "b-2", "b-1"], "\(list)")
    #expect(list[3].hasSuffix("  WorkflowId != 'w-2'"), "\(list)")
    #expect(try await engine.run("batch stop --batch-id none").code == 3)
    let wrong = try await engine.run("batch cancel --yes", ["--query", "WorkflowId ="])
    #expect(wrong.code == 64 && wrong.errors.contains("FILTER_INVALID"), "\(wrong.errors)")
  }

  @Test func aKillInTheMiddleLeavesOneSignalForEachRun() async throws {
    let engine = try await engine(withWorkflows: 6)
    let client = try Client(socket: engine.socket)
    let batch = try await client.startBatch("b-1", .signal("s", 1), where: "", ratePerSecond: 4)
    for count in [1, 3] {
      try await until("\(count) have their signal") {
        // A call that meets the kill fails.
        (try? await batch.describe().succeeded) ?? 0 >= count
      }
      try engine.restart()
    }
    try await until("all have had their turn") {
      let described = try await engine.run("batch describe --batch-id b-1")
      return described.lines.contains { $0.hasSuffix("  100 %") }
    }
    let end = try await Client(socket: engine.socket).batch("b-1").end()
    #expect(end.status == .completed && end.succeeded == 6 && end.failed == 0)
    for number in 1...6 { #expect(try await history(engine, "w-\(number)") == signaled) }
  }

  @Test func swiftClientsHaveBatchesToo() async throws {
    let engine = try await engine(withWorkflows: 2)
    let client = try Client(socket: engine.socket)
    let slow = try await client.startBatch(
      "b-1", .signal("s"), where: "TaskQueue = 'q'", ratePerSecond: 0.001, reason: "why")
    try await until("one has its signal") { try await slow.describe().succeeded == 1 }
    let running = try await slow.describe()
    #expect(running.status == .running && running.progress == 0.5 && running.ended == nil)
    try await slow.stop(reason: "enough")
    let stopped = try await slow.end()
    #expect(stopped.status == .stopped && stopped.stopReason == "enough" && stopped.ended != nil)
    #expect(try await history(engine, "w-1") == ["workflowExecutionStarted"])
    #expect(try await history(engine, "w-2") == signaled)

    let reset = try await client.startBatch("b-2", .reset(to: .lastWorkflowTask), where: "").end()
    #expect(reset.status == .completed && reset.failed == 2)
    #expect(reset.failures.map(\.workflowID) == ["w-2", "w-1"])
    #expect(reset.failures.allSatisfy { $0.error.reason == "FIELD_INVALID" && !$0.runID.isEmpty })
    let options = BatchAction.updateActivities(.all, startToClose: .seconds(9))
    let none = try await client.startBatch("b-3", options, where: "").end()
    #expect(none.failures.map(\.error.reason) == ["ACTIVITY_NOT_FOUND", "ACTIVITY_NOT_FOUND"])
    let wrong = try await client.startBatch("b-4", .signal(""), where: "").end()
    #expect(wrong.status == .failed && wrong.failures.map(\.error.field) == ["signal_name"])
    let deleted = try await client.startBatch("b-5", .delete, where: "").end()
    #expect(deleted.succeeded == 2)
    #expect(try await client.countWorkflows("").count == 0)
    #expect(try await client.listBatches().map(\.id) == ["b-5", "b-4", "b-3", "b-2", "b-1"])
    await #expect(throws: HoldfastError.self) { try await client.batch("none").describe() }
    await #expect(throws: HoldfastError.self) {
      try await client.startBatch("b-1", .terminate, where: "")
    }
  }
}
