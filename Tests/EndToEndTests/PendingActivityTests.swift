import Foundation
import Holdfast
import Testing

private final class Pays: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> String {
    try await context.activity(
      "charge", Nothing(),
      options: ActivityOptions(
        startToClose: .seconds(600), retry: Retry(initial: .milliseconds(1), attempts: 2),
        exhaustion: .hold))
  }
}

/// A bank that may be down or slow, and how often it was asked.
private final class Bank: @unchecked Sendable {
  // Touched only while `lock` is held.
  private let lock = NSLock()
  private var isDown = true
  private var isSlow = false
  private var attempts: [Int] = []

  var asked: [Int] { lock.withLock { attempts } }

  func become(isDown: Bool = false, isSlow: Bool = false) {
    lock.withLock { (self.isDown, self.isSlow) = (isDown, isSlow) }
  }

  func charge(_ context: ActivityContext) async throws -> String {
    let (isDown, isSlow) = lock.withLock {
      attempts.append(context.attemptNumber)
      return (self.isDown, self.isSlow)
    }
    if isDown { throw ApplicationError("the bank is down", type: "Down") }
    if isSlow { try await Task.sleep(for: .seconds(600)) }
    return "paid"
  }
}

/// What operators do to activities that have not ended, from the SDK and from the command line.
@Suite(.serialized) struct PendingActivityTests {
  private func worker(_ engine: EngineProcess, _ bank: Bank) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Pays.self)
    worker.activity("charge") { (context, _: Nothing) -> String in try await bank.charge(context) }
    return RunningWorker(worker)
  }

  private func untilDescribed(_ engine: EngineProcess, as line: String) async throws {
    try await until("describe says '\(line)'") {
      try await engine.run("workflow describe --id p-1").lines.contains(line)
    }
  }

  @Test func anActivityThatIsUsedUpIsHeldOverAStartOfTheEngineAndGoesOn() async throws {
    let engine = try EngineProcess()
    let bank = Bank()
    let worker = worker(engine, bank)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Pays.self, Nothing(), id: "p-1", taskQueue: "q")
    try await untilDescribed(engine, as: "activity 1 (charge): PAUSED")
    let described = try await engine.run("workflow describe --id p-1")
    #expect(
      described.lines.contains {
        $0.hasPrefix("  paused") && $0.hasSuffix("; its attempts are used up")
      })
    #expect(described.output.contains("activity '1' is held, its attempts are used up"))
    #expect(bank.asked == [1, 2])
    try engine.restart()

    try await handle.activities(.type("charge")).unpause()
    try await until("it is held again") {
      try await engine.run("workflow describe --id p-1").output.contains("4 of 2, 3 failed")
    }
    bank.become()
    let again = try await engine.run("activity reset --id p-1 --all")
    #expect(again.output == "reset all activities of 'p-1'\n")
    #expect(try await handle.result() == "paid")
    #expect(bank.asked == [1, 2, 3, 1])
  }

  @Test func whatIsHeldIsEndedByHand() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine, Bank())
    defer { worker.stop() }
    try await engine.run("workflow start --type Pays --task-queue q --id p-1")
    try await untilDescribed(engine, as: "activity 1 (charge): PAUSED")
    let completed = try await engine.run(
      "activity complete --id p-1 --activity-id 1", ["--input", "\"in cash\""])
    #expect(completed.output == "completed '1'\n")
    #expect(try await engine.run("workflow result --id p-1").output == "\"in cash\"\n")
  }

  @Test func theCodeOfAPausedActivityIsCancelledAndItGoesOnWithOtherOptions() async throws {
    let engine = try EngineProcess()
    let bank = Bank()
    bank.become(isSlow: true)
    let worker = worker(engine, bank)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Pays.self, Nothing(), id: "p-1", taskQueue: "q")
    try await until("the attempt is under way") { bank.asked == [1] }
    let paused = try await engine.run(
      "activity pause --id p-1 --activity-id 1", ["--reason", "the bank is slow"])
    #expect(paused.output == "paused activity '1' of 'p-1'\n")
    try await untilDescribed(engine, as: "activity 1 (charge): PAUSED")
    let described = try await engine.run("workflow describe --id p-1")
    #expect(
      described.lines.contains { $0.hasPrefix("  paused") && $0.hasSuffix(": the bank is slow") })
    #expect(
      described.output.contains("the worker ended the attempt because the activity is paused"))

    let options = handle.activities(.id("1"))
    try await options.update(startToClose: .seconds(30), retry: Retry(attempts: 5))
    bank.become()
    #expect(
      try await engine.run("activity unpause --id p-1 --all --reset-attempts").output
        == "unpaused all activities of 'p-1'\n")
    #expect(try await handle.result() == "paid")
    #expect(bank.asked == [1, 1])
    let shown = try await engine.run("workflow show --id p-1 -o json")
    #expect(shown.output.contains("activityTaskCompleted"))
  }

  @Test func whatCannotBeDoneIsSaid() async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --type Pays --task-queue q --id p-1")
    let none = try await engine.run("activity pause --id p-1 --type charge")
    #expect(none.code == 3 && none.errors.contains("no pending activity of type 'charge'"))
    let both = try await engine.run("activity reset --id p-1 --type charge --all")
    #expect(both.code == 64 && both.errors.contains("one of --activity-id, --type, --all"))
    let nothing = try await engine.run("activity update-options --id p-1 --all")
    #expect(nothing.code == 64 && nothing.errors.contains("say what is to be changed"))
  }
}
