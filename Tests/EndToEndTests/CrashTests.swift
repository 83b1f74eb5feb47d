import Foundation
import Harness
import Holdfast
import Messages
import Testing

/// Workers and engines that are killed without warning.
@Suite(.serialized) struct CrashTests {
  @Test func aLostWorkersActivityGoesToAnotherAtOnce() async throws {
    let engine = try EngineProcess()
    let first = try engine.startWorker()
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "slow", 600_000, id: "s-1", taskQueue: "q", returning: Int.self)
    try await until("the activity runs") { engine.effects.count == 1 }
    let second = try engine.startWorker()
    defer { second.killNow() }
    let figures = try #require(EngineFigures(engine.socket))
    try await until("both are attached") { figures.counter("sessions") == 2 }
    let killed = Date().timeIntervalSince1970 * 1_000
    first.killNow()
    #expect(try await handle.result() == 600_000)
    let lines = engine.effects
    #expect(lines.map { $0[1] } == ["1", "2"], "attempts")
    #expect(lines[0][0] == lines[1][0], "the idempotency key is that of the activity")
    let late = try #require(Double(lines[1][3])) - killed
    print("the next attempt began \(Int(late)) ms after the kill")
    #expect(late < 1_000, "no heartbeat and no timeout was waited for")
  }

  @Test func changedCodeIsDiagnosedAndGoesOnWhenPutBack() async throws {
    let engine = try EngineProcess()
    var worker = try engine.startWorker()
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "changing", Nothing(), id: "c-1", taskQueue: "q", returning: String.self)
    try await until("the activity ran") { engine.effects.count == 1 }
    let figures = try #require(EngineFigures(engine.socket))
    try await until("its end is shown") {
      (figures.history("c-1") ?? []).filter {
        if case .workflowTaskCompleted = $0.attributes { return true }
        return false
      }.count == 2
    }
    worker.killNow()
    worker = try engine.startWorker("changed")
    try await handle.signal("done")
    var request = DescribeWorkflowRequest()
    request.execution = WorkflowExecution()
    request.execution?.workflowID = "c-1"
    var task: PendingWorkflowTask?
    try await until("the task fails") {
      task =
        figures.call(
          .workflowDescribeWorkflow, request, DescribeWorkflowResponse.self)?.pendingWorkflowTask
      return task?.lastCause == .nondeterminism
    }
    let diff = try #require(task?.lastDiff)
    #expect(diff.eventID == 3)
    #expect(diff.expected?.type == .scheduleActivity)
    #expect(diff.expected?.name == "mark")
    #expect(diff.actual?.type == .startTimer)
    #expect(diff.actual?.location.contains("main.swift:") == true)
    worker.killNow()
    worker = try engine.startWorker()
    defer { worker.killNow() }
    #expect(try await handle.result() == "done")
  }

  @Test func threeActivitiesCommitFourTimes() async throws {
    let engine = try EngineProcess(["--hold-us", "1000000"])
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let figures = try #require(EngineFigures(engine.socket))
    try await until("the worker is attached") { figures.counter("sessions") == 1 }
    for round in 1...3 {
      let before = figures.counter("store_commits_total")
      let handle = try await client.start(
        type: "marks", 3, id: "m-\(round)", taskQueue: "q", returning: Int.self)
      #expect(try await handle.result() == 3)
      #expect(figures.counter("store_commits_total") - before == 4)
    }
  }
}
