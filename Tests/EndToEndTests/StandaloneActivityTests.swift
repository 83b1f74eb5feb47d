import Foundation
import Holdfast
import Testing

/// A till that counts what its worker does.
private final class Till: @unchecked Sendable {
  // Touched only while `lock` is held.
  private let lock = NSLock()
  private var begun: [String] = []
  private var isOpen = false

  var attempts: [String] { lock.withLock { begun } }

  func open() { lock.withLock { isOpen = true } }

  /// Says how far it is and waits until the till is open.
  func charge(_ context: ActivityContext, _ card: String) async throws -> String {
    lock.withLock { begun.append("\(context.activityID)#\(context.attemptNumber)") }
    let before = try context.lastHeartbeat(as: String.self)
    while !(lock.withLock { isOpen }) {
      try context.heartbeat(card)
      try await Task.sleep(for: .milliseconds(5))
    }
    return "\(card) paid, workflow '\(context.workflowID)', before: \(before ?? "nothing")"
  }
}

/// Activities without a workflow, from the SDK and from the command line.
@Suite(.serialized) struct StandaloneActivityTests {
  private func worker(_ engine: EngineProcess, _ till: Till) -> RunningWorker {
    var worker = Worker(taskQueue: "till", socket: engine.socket)
    worker.activity("charge") { (context, card: String) -> String in
      try await till.charge(context, card)
    }
    worker.activity("decline") { (_, _: Nothing) -> String in
      throw ApplicationError("no money", type: "Declined", nonRetryable: true)
    }
    return RunningWorker(worker)
  }

  private let options = ActivityStartOptions(
    startToClose: .seconds(600), heartbeat: .seconds(60), retry: Retry(initial: .milliseconds(1)))

  @Test func anActivityGoesOnOverAKillOfTheEngineAndItsResultIsTold() async throws {
    let engine = try EngineProcess()
    let till = Till()
    let worker = worker(engine, till)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.startActivity(
      "charge", "card-1", id: "c-1", taskQueue: "till", returning: String.self, options: options)
    try await until("its heartbeat is told") {
      try await handle.describe().lastHeartbeat(as: String.self) == "card-1"
    }
    let result = Task { try await handle.result() }
    engine.kill()
    try engine.restart()
    till.open()
    #expect(try await result.value == "card-1 paid, workflow '', before: nothing")
    #expect(till.attempts == ["c-1#1"])
    let ended = try await handle.describe()
    #expect(ended.activity.status == "COMPLETED")
    #expect(ended.attempt == 1 && ended.state.isEmpty)

    // Its id is no workflow's, and none has it.
    #expect(try await engine.run("workflow describe --id c-1").code == 3)
    #expect(try await engine.run("workflow count").output == "0\n")
    #expect(try await client.countActivities("ActivityType = 'charge'").count == 1)
    #expect(try await client.listActivities().map(\.activityID) == ["c-1"])
  }

  @Test func howItEndsIsThrownToItsClient() async throws {
    let engine = try EngineProcess()
    let till = Till()
    let client = try Client(socket: engine.socket)
    let waiting = try await client.startActivity(
      "charge", "card-1", id: "c-1", taskQueue: "till", returning: String.self, options: options)
    try await waiting.cancel(reason: "sold out")
    let canceled = await #expect(throws: ActivityFailedError.self) { try await waiting.result() }
    #expect(canceled?.status == "CANCELED")

    let worker = worker(engine, till)
    defer { worker.stop() }
    let failed = await #expect(throws: ActivityFailedError.self) {
      try await client.executeActivity(
        "decline", Nothing(), id: "d-1", taskQueue: "till", returning: String.self,
        options: options)
    }
    #expect(failed?.status == "FAILED")
    #expect(failed?.failure?.applicationType == "Declined")
    #expect(failed?.failure?.retryState == "NON_RETRYABLE_FAILURE")

    // The code of an attempt is cancelled; so is that of one that is terminated.
    let running = try await client.startActivity(
      "charge", "card-2", id: "c-2", taskQueue: "till", returning: String.self, options: options)
    try await until("its attempt is under way") { till.attempts == ["c-2#1"] }
    try await running.cancel()
    await #expect(throws: ActivityFailedError.self) { try await running.result() }
    #expect(try await running.describe().activity.status == "CANCELED")
    let again = try await client.startActivity(
      "charge", "card-3", id: "c-2", taskQueue: "till", returning: String.self, options: options)
    try await until("its attempt is under way") { till.attempts == ["c-2#1", "c-2#1"] }
    try await again.terminate(reason: "fraud")
    let terminated = await #expect(throws: ActivityFailedError.self) {
      try await again.result()
    }
    #expect(terminated?.status == "TERMINATED")
    #expect(terminated?.message == "the activity was terminated: fraud")
    try await again.delete()
    #expect(try await client.listActivities("ActivityId = 'c-2'").map(\.runID) == [running.runID])
  }

  @Test func theCommandLineStartsAndEndsThem() async throws {
    let engine = try EngineProcess()
    let start = "activity start --type charge --task-queue till --start-to-close-timeout 1m"
    let started = try await engine.run("\(start) --activity-id c-1 --input \"card\" --summary s")
    #expect(started.output.hasPrefix("started activity 'c-1', run "))
    let twice = try await engine.run("\(start) --activity-id c-1")
    #expect(twice.code == 4 && twice.errors.contains("activity 'c-1' is running"))
    let existing = try await engine.run(
      "\(start) --activity-id c-1 --id-conflict-policy use-existing")
    #expect(existing.output.hasPrefix("activity 'c-1' was there already, run "))
    let described = try await engine.run("activity describe --activity-id c-1")
    #expect(described.lines.contains("activity c-1 (charge): SCHEDULED"))
    #expect(described.output.contains("warning: no worker for activity type 'charge'"))

    // Paused, and completed by hand.
    #expect(
      try await engine.run("activity pause --activity-id c-1").output == "paused activity 'c-1'\n")
    let completed = try await engine.run(
      "activity complete --activity-id c-1", ["--input", "\"in cash\""])
    #expect(completed.output == "completed 'c-1'\n")
    #expect(try await engine.run("activity result --activity-id c-1").output == "\"in cash\"\n")

    try await engine.run("\(start) --activity-id c-2 --start-delay 1h")
    #expect(
      try await engine.run("activity cancel --activity-id c-2").output == "asked 'c-2' to end\n")
    let result = try await engine.run("activity result --activity-id c-2")
    #expect(result.code == 1 && result.errors.contains("the activity ended as CANCELED"))
    try await engine.run("\(start) --activity-id c-3")
    #expect(
      try await engine.run("activity terminate --activity-id c-3").output == "terminated 'c-3'\n")
    let list = try await engine.run("activity list --order-by ActivityId")
    #expect(list.lines.map { $0.split(separator: " ").first } == ["ACTIVITY", "c-1", "c-2", "c-3"])
    #expect(
      try await engine.run("activity count", ["--query", "ExecutionStatus = 'Completed'"]).output
        == "1\n")
    let deleted = try await engine.run("activity delete --activity-id c-3")
    #expect(deleted.output.hasPrefix("deleted 'c-3', run "))
    #expect(try await engine.run("activity describe --activity-id c-3").code == 3)
    let nothing = try await engine.run("activity pause --all")
    #expect(nothing.code == 64 && nothing.errors.contains("say which workflow with --id"))
  }
}
