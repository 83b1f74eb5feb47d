import Foundation
import Harness
import Holdfast
import HoldfastTesting
import Testing

/// A trip is booked step by step; what was booked is given back when a step fails.
private protocol Trip: Workflow where Input == String, Output == String {
  /// What the code of its version does before the flight is booked.
  func prepare(_ context: WorkflowContext) async throws
}

extension Trip {
  static var type: String { "Trip" }
  static func handlers(_ handlers: inout Handlers<Self>) {}

  func run(_ context: WorkflowContext, _ input: String) async throws -> String {
    var booked: [String] = []
    do {
      for step in ["hotel", input] {
        if step == input { try await prepare(context) }
        booked.append(step)
        let _: String = try await context.activity("book", step, options: .once)
      }
      try await context.sleep(for: .seconds(86_400))
      return "gone"
    } catch {
      for step in booked.reversed() {
        let _: String = try await context.activity("cancel", step, options: .once)
      }
      return "stayed"
    }
  }
}

extension ActivityOptions {
  fileprivate static let once = ActivityOptions(
    startToClose: .seconds(10), retry: Retry(attempts: 1))
}

private final class FirstTrip: Trip, @unchecked Sendable {
  init() {}
  func prepare(_ context: WorkflowContext) async throws {}
}

private final class ChangedTrip: Trip, @unchecked Sendable {
  static let line = #line + 3
  init() {}
  func prepare(_ context: WorkflowContext) async throws {
    let _: String = try await context.activity("insure", "all", options: .once)
  }
}

private final class PatchedTrip: Trip, @unchecked Sendable {
  init() {}
  func prepare(_ context: WorkflowContext) async throws {
    guard context.patched("insured") else { return }
    let _: String = try await context.activity("insure", "all", options: .once)
  }
}

private final class BrokenTrip: Trip, @unchecked Sendable {
  struct Bug: Error {}
  init() {}
  func run(_ context: WorkflowContext, _ input: String) async throws -> String { throw Bug() }
  func prepare(_ context: WorkflowContext) async throws {}
}

/// Recorded histories on changed code: `Replayer`, and `holdfast workflow replay`.
@Suite struct ReplayerTests {
  private static let options = TestEnvironment.Options(
    executable: EngineProcess.bin + "/holdfast")

  /// An engine where two trips have come to their ends, one of them for good.
  private static func recorded<W: Workflow>(_ type: W.Type) async throws -> TestEnvironment
  where W.Input == String, W.Output == String {
    let env = try await TestEnvironment.startTimeSkipping(options)
    var worker = env.worker(taskQueue: "trips")
    worker.register(type)
    worker.activity("book") { (_, step: String) -> String in
      if step == "moon" { throw ApplicationError("there is no flight") }
      return step
    }
    worker.activity("cancel") { (_, step: String) -> String in step }
    worker.activity("insure") { (_, what: String) -> String in what }
    try await env.run(worker) {
      let oslo = try await env.client.start(type, "oslo", id: "oslo", taskQueue: "trips")
      #expect(try await oslo.result() == "gone")
      let moon = try await env.client.start(type, "moon", id: "moon", taskQueue: "trips")
      #expect(try await moon.result() == "stayed")
    }
    return env
  }

  private static func exported(_ id: String, from env: TestEnvironment) async throws -> Ran {
    try await holdfast(
      ["workflow", "show", "--id", id, "-o", "json"], environment: ["HOLDFAST_SOCKET": env.socket])
  }

  @Test func whatHasBeenRecordedReplays() async throws {
    let env = try await Self.recorded(FirstTrip.self)
    // Another engine compares: a replay needs nothing of the one that has the run.
    let replayer = try await Replayer.startLocal(
      workflows: [FirstTrip.self], options: Self.options)
    for id in ["oslo", "moon"] {
      let read = try await env.client.history(of: id)
      let text = try await Self.exported(id, from: env).output
      let history = try WorkflowHistory(json: text)
      #expect(history.workflowID == id && history.workflowType == "Trip")
      #expect(history.runID == read.runID && history.length == read.length)
      for history in [history, read] {
        let result = try await replayer.replay(history)
        #expect(result.isDeterministic, "\(String(describing: result.divergence))")
        #expect(result.events == Int64(history.length))
        #expect(result.workflowTasks > 2)
        #expect(result.workflowID == id && result.runID == history.runID)
        try result.check()
      }
    }
  }

  @Test func aChangeIsToldWithItsPlaceInTheCode() async throws {
    let env = try await Self.recorded(FirstTrip.self)
    let replayer = Replayer(workflows: [ChangedTrip.self], client: env.client)
    let results = try await replayer.replay(matching: "WorkflowType = 'Trip'")
    #expect(results.map(\.workflowID) == ["moon", "oslo"])
    for result in results {
      let divergence = try #require(result.divergence)
      #expect(divergence.expected == "SCHEDULE_ACTIVITY 'book' seq 2")
      #expect(divergence.actual == "SCHEDULE_ACTIVITY 'insure' seq 2")
      #expect(divergence.actualLocation == "EndToEndTests/ReplayerTests.swift:\(ChangedTrip.line)")
      #expect(divergence.expectedLocation?.hasPrefix("EndToEndTests/ReplayerTests.swift:") ?? false)
      #expect(divergence.eventID == 7)
      #expect(divergence.message.contains("history holds event 7"))
      let error = #expect(throws: ReplayDivergedError.self) { try result.check() }
      #expect(error?.description.hasPrefix("Trip '\(result.workflowID)', run ") ?? false)
    }
  }

  @Test func patchedCodeReplaysWhatIsOlderAndWhatIsNewer() async throws {
    let older = try await Self.recorded(FirstTrip.self)
    let newer = try await Self.recorded(PatchedTrip.self)
    let replayer = Replayer(workflows: [PatchedTrip.self], client: older.client)
    for result in try await replayer.replay(matching: "") { try result.check() }
    for result in try await replayer.replay(matching: "", of: newer.client) { try result.check() }
    // Code from before the patch does not know what the patched code has done.
    let before = Replayer(workflows: [FirstTrip.self], client: newer.client)
    let history = try await newer.client.history(of: "oslo")
    #expect(try await before.replay(history).divergence?.expected == "RECORD_MARKER 'patch'")
  }

  @Test func codeThatCannotGoOnIsToldWithItsFault() async throws {
    let env = try await Self.recorded(FirstTrip.self)
    let replayer = Replayer(workflows: [BrokenTrip.self], client: env.client)
    let divergence = try await replayer.replay(try await env.client.history(of: "oslo")).divergence
    #expect(divergence?.failure?.contains("Bug") ?? false)
    #expect(divergence?.actual == nil && divergence?.eventID == 3)
  }

  @Test func whatIsNoHistoryIsRefusedWithThePlace() async throws {
    let env = try await Self.recorded(FirstTrip.self)
    let replayer = Replayer(workflows: [FirstTrip.self], client: env.client)
    let lines = try await Self.exported("oslo", from: env).lines
    let gap = (lines[..<4] + lines[5...]).joined(separator: "\n")
    let error = try await #require(throws: HoldfastError.self) {
      try await replayer.replay(try WorkflowHistory(json: gap))
    }
    #expect(error.reason == "REASON_HISTORY_CORRUPT" || error.reason == "HISTORY_CORRUPT")
    #expect(error.message.contains("event 6 stands in the place of event 5"))
    let cut = lines[..<3].joined(separator: "\n") + "\n{\"eventId\": "
    let format = try #require(throws: HistoryFormatError.self) { try WorkflowHistory(json: cut) }
    #expect(format.line == 4)
    let unknown = Replayer(workflows: [], client: env.client)
    await #expect(throws: ApplicationError.self) {
      try await unknown.replay(try await env.client.history(of: "oslo"))
    }
  }

  @Test func theCommandAsksAWorker() async throws {
    let env = try await Self.recorded(FirstTrip.self)
    let lines = try await Self.exported("oslo", from: env).output
    func replay(_ arguments: String...) async throws -> Ran {
      try await holdfast(
        ["workflow", "replay"] + arguments, environment: ["HOLDFAST_SOCKET": env.socket])
    }
    #expect(try await replay("--id", "oslo").code == 7, "nobody is there to be asked")
    var same = env.worker(taskQueue: "trips")
    same.register(FirstTrip.self)
    var changed = env.worker(taskQueue: "next")
    changed.register(ChangedTrip.self)
    try await env.run(same) {
      try await until("the worker is there") { try await replay("--id", "oslo").code != 7 }
      let agreed = try await replay("--query", "WorkflowType = 'Trip'")
      #expect(agreed.code == 0 && agreed.lines.count == 2)
      #expect(agreed.lines.allSatisfy { $0.hasPrefix("Trip '") && $0.contains(": agrees (") })
      try await Scratch.directory { directory in
        let file = directory + "/oslo.json"
        try lines.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await replay(file).lines == [agreed.lines[1]])
        try String(lines.dropFirst(40)).write(toFile: file, atomically: true, encoding: .utf8)
        let broken = try await replay(file, "--task-queue", "trips")
        #expect(broken.code == 64 && broken.errors.contains("line 1, column "))
        #expect(try await replay(file).code == 64)
      }
    }
    try await env.run(changed) {
      try await until("the worker is there") {
        try await replay("--id", "oslo", "--task-queue", "next").code != 7
      }
      let differs = try await replay("--id", "oslo", "--task-queue", "next", "-o", "json")
      #expect(differs.code == 1)
      let diff = try differs.documents()[0]["diff"] as? [String: Any]
      let actual = diff?["actual"] as? [String: Any]
      let place = "EndToEndTests/ReplayerTests.swift:\(ChangedTrip.line)"
      #expect(actual?["location"] as? String == place)
      let shown = try await replay("--id", "moon", "--task-queue", "next")
      #expect(shown.code == 1 && shown.output.contains(": differs: the workflow's code"))
    }
    #expect(try await replay().code == 64)
    #expect(try await replay("--id", "nobody").code == 3)
  }
}
