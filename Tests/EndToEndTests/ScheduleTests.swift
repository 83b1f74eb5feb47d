import Foundation
import Holdfast
import Testing

/// Tells what the run before it told, and one more.
private final class Tick: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Int) async throws -> Int {
    (try context.lastResult(as: Int.self) ?? input) + 1
  }
}

/// Schedules and cron, on the command line and in Swift, over a kill of the engine.
@Suite(.serialized) struct ScheduleTests {
  private func ticker(_ engine: EngineProcess) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Tick.self)
    return RunningWorker(worker)
  }

  /// What the run's code returned, by its history.
  private func result(of runID: String, _ engine: EngineProcess) async throws -> Int {
    let shown = try await engine.run("workflow show -o json --id c-1 --run-id \(runID)")
    let ends = try shown.documents().compactMap {
      $0["workflowExecutionCompleted"] as? [String: Any]
    }
    let payloads = try #require(ends.first?["result"] as? [[String: Any]])
    let data = try #require(Data(base64Encoded: payloads[0]["data"] as? String ?? ""))
    return try #require(Int(String(decoding: data, as: UTF8.self)))
  }

  @Test func theCommandsDoWhatTheySay() async throws {
    let engine = try EngineProcess()
    let worker = ticker(engine)
    defer { worker.stop() }
    let definition = [
      "--cron", "30 9 * * MON-FRI", "--time-zone", "Europe/Berlin", "--exclude-day", "2026-12-25",
      "--type", "Tick", "--task-queue", "q", "--input", "1", "--overlap", "allow-all",
    ]
    let created = try await engine.run("schedule create --schedule-id s-1", definition)
    #expect(created.output == "created schedule 's-1'\n", "\(created.errors)")
    let again = try await engine.run("schedule create --schedule-id s-1", definition)
    #expect(again.code == 4 && again.errors.contains("SCHEDULE_ALREADY_EXISTS"))
    let times = try await engine.run(
      "schedule times --schedule-id s-1 --from 2026-12-24T00:00:00Z --to 2026-12-29T00:00:00Z")
    #expect(times.lines == ["2026-12-24T08:30:00.000Z", "2026-12-28T08:30:00.000Z"])

    let triggered = try await engine.run("schedule trigger --schedule-id s-1 -o json")
    let workflowID = try #require(try triggered.documents()[0]["workflowId"] as? String)
    #expect(try await engine.run("workflow result --id \(workflowID)").output == "2\n")
    let described = try await engine.run("workflow describe --id \(workflowID)")
    #expect(described.lines.contains { $0.hasPrefix("schedule ") && $0.hasSuffix(" s-1") })
    engine.kill()
    try engine.restart()

    let backfill = try await engine.run(
      "schedule backfill --schedule-id s-1 --from 2026-01-01T00:00:00Z --to 2026-01-07T00:00:00Z")
    #expect(backfill.code == 0, "\(backfill.errors)")
    for day in ["01", "02", "05", "06"] {
      let id = "s-1-2026-01-\(day)T08:30:00Z"
      try await until("\(id) has run") {
        try await engine.run("workflow result --id \(id)").output == "2\n"
      }
    }
    #expect(try await engine.run("schedule pause --schedule-id s-1 --note later").code == 0)
    let list = try await engine.run("schedule list")
    #expect(list.lines.count == 2 && list.lines[1].hasSuffix("  later"), "\(list.output)")
    #expect(try await engine.run("schedule unpause --schedule-id s-1").code == 0)
    let stale = try await engine.run(
      "schedule update --schedule-id s-1 --conflict-token 1", definition)
    #expect(stale.code == 7 && stale.errors.contains("SCHEDULE_CHANGED"))
    #expect(try await engine.run("schedule update --schedule-id s-1", definition).code == 0)
    let shown = try await engine.run("schedule describe --schedule-id s-1")
    #expect(shown.lines.contains("cron               30 9 * * MON-FRI"), "\(shown.output)")
    #expect(shown.lines.contains("workflows started  5"), "\(shown.output)")
    #expect(try await engine.run("schedule delete --schedule-id s-1").code == 0)
    #expect(try await engine.run("schedule describe --schedule-id s-1").code == 3)
    let wrong = try await engine.run(
      "schedule create --schedule-id s-2 --type Tick --task-queue q", ["--cron", "61 * * * *"])
    #expect(wrong.code == 64 && wrong.errors.contains("a minute from 0 to 59, found '61'"))
  }

  @Test func swiftClientsHaveSchedulesToo() async throws {
    let engine = try EngineProcess()
    let worker = ticker(engine)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    var hours = WorkflowSchedule(crons: ["@hourly"], timeZone: "Asia/Tokyo", note: "hours")
    let handle = try await client.createSchedule("s-1", hours, starting: "Tick", 4, taskQueue: "q")
    let id = try #require(try await handle.trigger(requestID: "r-1"))
    #expect(try await handle.trigger(requestID: "r-1") == id)
    let result: Int = try await client.handle(id).result()
    #expect(result == 5)
    try await handle.pause(note: "holidays")
    let paused = try await handle.describe()
    #expect(paused.isPaused && paused.note == "holidays" && paused.actionCount == 1)
    #expect(paused.nextTimes.count == 10 && paused.nextTimes[0].milliseconds % 3_600_000 == 0)
    try await handle.unpause()
    hours.overlap = .bufferAll
    await #expect(throws: HoldfastError.self) {
      try await handle.update(
        hours, starting: "Tick", 4, taskQueue: "q", conflictToken: paused.conflictToken)
    }
    try await handle.update(hours, starting: "Tick", 4, taskQueue: "q")
    try await handle.delete()
    await #expect(throws: HoldfastError.self) { try await client.schedule("s-1").describe() }
  }

  @Test func aCronWorkflowGoesOnWithItsLastResult() async throws {
    let engine = try EngineProcess()
    let worker = ticker(engine)
    defer { worker.stop() }
    try await engine.run(
      "workflow start --type Tick --task-queue q --id c-1",
      [
        "--input", "0", "--cron", "* * * * * * *",
      ])
    engine.kill()
    try engine.restart()
    try await until("three runs have told their number") {
      let list = try await engine.run(
        "workflow count",
        [
          "--query", "WorkflowId = 'c-1' AND ExecutionStatus = 'Completed'",
        ])
      return Int(list.lines[0]) ?? 0 >= 3
    }
    #expect(try await engine.run("workflow terminate --id c-1").code == 0)
    let runs = try await engine.run(
      "workflow list -o json", ["--query", "ExecutionStatus = 'Completed'"]
    ).documents()
    var results: [Int] = []
    for run in runs.reversed() {
      let execution = try #require(run["execution"] as? [String: Any])
      let runID = try #require(execution["runId"] as? String)
      results.append(try await result(of: runID, engine))
    }
    #expect(results.count >= 3 && results == Array(1...results.count))
  }
}
