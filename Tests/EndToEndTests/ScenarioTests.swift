import Foundation
import Harness
import Holdfast
import Testing

private let minute = ActivityOptions(startToClose: .seconds(60))

/// A thousand activities at once.
private final class Crowd: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ count: Int) async throws -> [Int] {
    try await withThrowingTaskGroup(of: (Int, Int).self) { group in
      for place in 0..<count {
        group.addTask {
          (place, try await context.activity("double", place, options: minute))
        }
      }
      var results = Array(repeating: 0, count: count)
      for try await (place, result) in group { results[place] = result }
      return results
    }
  }
}

/// Its first task is held up until the test lets it go on; then it waits for a signal.
private final class HeldUp: Workflow, @unchecked Sendable {
  static let gate = Gate()
  private var isTold = false
  init() {}

  static func handlers(_ handlers: inout Handlers<HeldUp>) {
    handlers.signal("go") { workflow in workflow.isTold = true }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Int {
    HeldUp.gate.pass()
    async let doubled: Int = context.activity("double", 21, options: minute)
    try await context.wait { self.isTold }
    return try await doubled
  }
}

/// Whoever comes first waits until it is opened.
private final class Gate: Sendable {
  let isReached = Flag()
  private let isOpen = Flag()
  private let opening = DispatchSemaphore(value: 0)

  func pass() {
    isReached.set()
    if isOpen.isSet { return }
    opening.wait()
    opening.signal()
  }

  func open() {
    isOpen.set()
    opening.signal()
  }
}

/// Waits until it is ended.
private final class Stays: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Nothing {
    try await context.wait { false }
    return Nothing()
  }
}

/// What people build: the whole way through real processes.
@Suite(.serialized) struct ScenarioTests {
  /// A worker whose activity doubles numbers; `begun` counts its attempts.
  private func doubling(_ engine: EngineProcess, _ begun: Count) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Crowd.self)
    worker.register(HeldUp.self)
    worker.activity("double") { (_, number: Int) in
      begun.add()
      return number * 2
    }
    return RunningWorker(worker)
  }

  @Test func aThousandActivities() async throws {
    let engine = try EngineProcess()
    let begun = Count()
    let running = doubling(engine, begun)
    defer { running.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Crowd.self, 1_000, id: "crowd", taskQueue: "q")
    #expect(try await handle.result() == (0..<1_000).map { $0 * 2 })
    #expect(begun.value == 1_000, "each is run once")
  }

  @Test func aPauseDuringATaskKeepsBackWhatTheTaskOrders() async throws {
    let engine = try EngineProcess()
    let begun = Count()
    let running = doubling(engine, begun)
    defer { running.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(HeldUp.self, Nothing(), id: "p-1", taskQueue: "q")
    try await until("its task is out") { HeldUp.gate.isReached.isSet }
    try await handle.pause(reason: "a doubt")
    HeldUp.gate.open()
    try await until("the task has ended") {
      try await names(engine).contains("activityTaskScheduled")
    }
    try await handle.signal("go")
    let described = try await engine.run("workflow describe --id p-1")
    #expect(described.output.contains("PAUSED"), "\(described.output)")
    // Another workflow's work goes out all the while, so that this one's could.
    let other = try await client.start(HeldUp.self, Nothing(), id: "p-2", taskQueue: "q")
    try await other.signal("go")
    #expect(try await other.result() == 42)
    #expect(begun.value == 1)
    #expect(
      try await names(engine) == [
        "workflowExecutionStarted", "workflowExecutionPaused", "workflowTaskCompleted",
        "activityTaskScheduled", "workflowExecutionSignaled",
      ])
    try await handle.unpause(reason: "none left")
    #expect(try await handle.result() == 42)
    #expect(begun.value == 2)
  }

  private func names(_ engine: EngineProcess) async throws -> [String] {
    let shown = try await engine.run("workflow show -o json --id p-1")
    return try shown.documents().map { event in
      event.keys.first { $0.hasPrefix("workflow") || $0.hasPrefix("activity") } ?? "another"
    }
  }

  struct CatchUp: Sendable {
    let overlap: WorkflowSchedule.Overlap
    let actions: Int
    let open: Int
    let waiting: Int
    let skipped: Int
  }

  /// An hourly schedule whose workflow is open when the engine goes, and five of whose times have
  /// come when it is back.
  @Test func fiveHoursWithoutAnEngineAreMadeUpForByEachOverlapPolicy() async throws {
    let expected: [CatchUp] = [
      CatchUp(overlap: .skip, actions: 1, open: 1, waiting: 0, skipped: 5),
      CatchUp(overlap: .bufferOne, actions: 1, open: 1, waiting: 1, skipped: 4),
      CatchUp(overlap: .bufferAll, actions: 1, open: 1, waiting: 5, skipped: 0),
      CatchUp(overlap: .cancelOther, actions: 1, open: 1, waiting: 1, skipped: 4),
      CatchUp(overlap: .terminateOther, actions: 6, open: 1, waiting: 0, skipped: 0),
      CatchUp(overlap: .allowAll, actions: 6, open: 6, waiting: 0, skipped: 0),
    ]
    let before = try EngineProcess()
    let client = try Client(socket: before.socket)
    // Half an hour from now, and each hour after that.
    let phase = Duration.seconds((Int(Date().timeIntervalSince1970) + 1_800) % 3_600)
    for place in expected {
      let schedule = WorkflowSchedule(
        intervals: [.init(every: .seconds(3_600), phase: phase)], overlap: place.overlap)
      _ = try await client.createSchedule(
        "\(place.overlap)", schedule, starting: "Stays", Nothing(), taskQueue: "q",
        triggersNow: true)
    }
    before.kill()
    let engine = try EngineProcess(
      directory: before.directory,
      environment: [
        "LD_PRELOAD": try await Preload.library("ClockAhead", in: before.directory),
        "CLOCK_AHEAD_S": "\(5 * 3_600)",
      ])
    for place in expected {
      let handle = client.schedule("\(place.overlap)")
      try await until("\(place.overlap) has looked at its times") {
        let now = try await handle.describe()
        return now.actionCount + now.waitingCount + now.skippedCount == 6
      }
      let now = try await handle.describe()
      #expect(now.actionCount == place.actions, "\(place.overlap)")
      #expect(now.running.count == place.open, "\(place.overlap)")
      #expect(now.waitingCount == place.waiting, "\(place.overlap)")
      #expect(now.skippedCount == place.skipped, "\(place.overlap)")
      #expect(now.missedCount == 0, "\(place.overlap)")
    }
    // The one that was cancelled makes room when its code has heard of it.
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Stays.self)
    let running = RunningWorker(worker)
    defer { running.stop() }
    let handle = client.schedule("\(WorkflowSchedule.Overlap.cancelOther)")
    try await until("the newest takes its place") {
      let now = try await handle.describe()
      return now.actionCount == 2 && now.waitingCount == 0 && now.running.count == 1
    }
  }
}
