import Foundation
import Holdfast
import Testing

/// One activity that is ended from elsewhere.
private final class Asks: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> String {
    try await context.activity(
      "ask", Nothing(), options: ActivityOptions(startToClose: .seconds(600)))
  }
}

/// An activity that is tried again after so many milliseconds.
private final class Tries: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ pauseMs: Int) async throws -> String {
    try await context.activity(
      "try", Nothing(),
      options: ActivityOptions(
        startToClose: .seconds(600), retry: Retry(initial: .milliseconds(pauseMs))))
  }
}

/// Activities that are ended by hand, and workers that do not do their part.
@Suite(.serialized) struct CommandLineActivityTests {
  private func asker(_ engine: EngineProcess, _ tokens: Tokens) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Asks.self)
    worker.activity("ask") { (context, _: Nothing) -> String in
      tokens.put(context.token, of: context.workflowID)
      throw CompletesElsewhere()
    }
    return RunningWorker(worker)
  }

  @Test func anActivityIsCompletedByItsIDsAndByItsToken() async throws {
    let engine = try EngineProcess()
    let tokens = Tokens()
    let worker = asker(engine, tokens)
    defer { worker.stop() }
    for id in ["by-ids", "by-token"] {
      try await engine.run("workflow start --type Asks --task-queue q --id \(id)")
    }
    let token = Data(await tokens.token(of: "by-token")).base64EncodedString()
    let byToken = try await engine.run(
      "activity complete --token \(token)", ["--input", "\"token\""])
    #expect(byToken.output == "completed the activity\n")
    #expect(try await engine.run("workflow result --id by-token").output == "\"token\"\n")

    _ = await tokens.token(of: "by-ids")
    let described = try await engine.run("workflow describe -o json --id by-ids").documents()[0]
    let pending = try #require(described["pendingActivities"] as? [[String: Any]])
    let activity = try #require(pending[0]["activityId"] as? String)
    let byIDs = try await engine.run(
      "activity complete --id by-ids --activity-id \(activity)", ["--input", "\"ids\""])
    #expect(byIDs.output == "completed '\(activity)'\n")
    #expect(try await engine.run("workflow result --id by-ids").output == "\"ids\"\n")
    let again = try await engine.run("activity complete --token \(token) --input 1")
    #expect(again.code == 7 || again.code == 3, "\(again.code) \(again.errors)")
  }

  @Test func failedAttemptsAreShownAmongTheEvents() async throws {
    let engine = try EngineProcess()
    var trying = Worker(taskQueue: "q", socket: engine.socket)
    trying.register(Tries.self)
    trying.activity("try") { (context, _: Nothing) -> String in
      let number = context.attemptNumber
      if number < 3 { throw ApplicationError("no \(number)", type: "Busy") }
      return "yes"
    }
    let worker = RunningWorker(trying)
    defer { worker.stop() }
    for (id, pause) in [("done", 1), ("waits", 3_600_000)] {
      try await engine.run(
        "workflow start --type Tries --task-queue q --id \(id) --input \(pause)")
    }
    #expect(try await engine.run("workflow result --id done").output == "\"yes\"\n")
    let shown = try await engine.run("workflow show --id done").lines
    let first = try #require(
      shown.firstIndex { $0.contains("attempt 1 of event 3 failed after ") })
    #expect(shown[first - 1].contains("3  ") && shown[first - 1].contains("ActivityTaskScheduled"))
    #expect(shown[first + 1] == "      Busy: no 1")
    #expect(shown[first + 2].contains("attempt 2 of event 3 failed after "))
    #expect(shown[first + 3] == "      Busy: no 2")
    #expect(shown[first + 4].contains("ActivityTaskStarted  attempt 3"))
    #expect(shown[first + 5].contains("ActivityTaskCompleted"))
    let events = try await engine.run("workflow show -o json --id done").documents()
    #expect(events.count == shown.count - 4)
    try await until("the attempt has failed") {
      try await engine.run("workflow show --id waits").lines.last == "      Busy: no 1"
    }
    let last = try await engine.run("workflow show --id waits").lines.dropLast().last
    #expect(last?.contains("attempt 1 of activity '1' failed after ") ?? false)
  }

  @Test func anActivityIsFailedWithAReason() async throws {
    let engine = try EngineProcess()
    let tokens = Tokens()
    let worker = asker(engine, tokens)
    defer { worker.stop() }
    try await engine.run("workflow start --type Asks --task-queue q --id f-1")
    let token = Data(await tokens.token(of: "f-1")).base64EncodedString()
    let failed = try await engine.run(
      "activity fail --non-retryable --error-type Nobody --token \(token)",
      ["--reason", "nobody is there"])
    #expect(failed.output == "failed the activity\n")
    let result = try await engine.run("workflow result --id f-1")
    #expect(result.code == 1)
    #expect(result.errors.contains("cause: Nobody: nobody is there\n"), "\(result.errors)")
  }

  @Test func aWorkflowWithoutAWorkerSaysWhatItWaitsFor() async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --id w-1 --type Order --task-queue orders")
    let warning = "no worker for workflow type 'Order' is attached to task queue 'orders'"
    let described = try await engine.run("workflow describe --id w-1")
    #expect(described.lines.contains("warning: \(warning)"))
    #expect(try await engine.run("workflow list").lines[1].hasSuffix("  " + warning))
    let queue = try await engine.run("task-queue describe --task-queue orders")
    #expect(queue.lines[0].hasPrefix("workflow tasks  1 waiting, oldest for "))
    #expect(
      queue.lines[1...] == [
        "activity tasks  0 waiting", "warning: no worker is attached to 'orders'",
        "warning: workflow type 'Order' waits and no attached worker serves it",
      ])
  }

  @Test func aWorkerThatRegistersNothingIsNamed() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(
      Worker(taskQueue: "orders", socket: engine.socket, identity: "empty-handed"))
    defer { worker.stop() }
    try await engine.run("workflow start --id w-1 --type Order --task-queue orders")
    var queue = try await engine.run("task-queue describe --task-queue orders")
    try await until("the worker is attached") {
      queue = try await engine.run("task-queue describe --task-queue orders")
      return !queue.output.contains("no worker is attached")
    }
    #expect(
      queue.lines[2...3] == [
        "warning: worker 'empty-handed' registers no workflow and no activity",
        "warning: workflow type 'Order' waits and no attached worker serves it",
      ])
    #expect(queue.lines.last?.hasPrefix("empty-handed") == true)
    let described = try await engine.run("workflow describe --id w-1")
    #expect(
      described.lines.contains(
        "warning: no worker for workflow type 'Order' is attached to task queue 'orders'"))
  }

  @Test func anActivityTypeThatNobodyServesIsNamed() async throws {
    let engine = try EngineProcess()
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Asks.self)
    let running = RunningWorker(worker)
    defer { running.stop() }
    try await engine.run("workflow start --type Asks --task-queue q --id a-1")
    let warning = "warning: no worker for activity type 'ask' is attached to task queue 'q'"
    try await until("describe says so") {
      try await engine.run("workflow describe --id a-1").lines.contains(warning)
    }
    let queue = try await engine.run("task-queue describe --task-queue q")
    #expect(queue.lines[1].hasPrefix("activity tasks  1 waiting, oldest for "))
    #expect(queue.lines[2] == "warning: activity type 'ask' waits and no attached worker serves it")
  }
}
