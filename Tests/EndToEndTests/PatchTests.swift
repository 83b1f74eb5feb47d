import Harness
import Holdfast
import Messages
import Testing

/// A workflow whose code changes under its open runs: parcels came to be insured.
private protocol Parcel: Workflow where Input == Nothing, Output == [String] {
  var isAddressed: Bool { get set }
  /// What the code of its version does between packing and shipping.
  func insure(_ context: WorkflowContext) async throws -> [String]
}

extension Parcel {
  static var type: String { "Parcel" }

  static func handlers(_ handlers: inout Handlers<Self>) {
    handlers.signal("address") { $0.isAddressed = true }
    handlers.query("address") { $0.isAddressed }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> [String] {
    var done = [try await step("pack", context)]
    done += try await insure(context)
    try await context.wait { self.isAddressed }
    done.append(try await step("ship", context))
    return done
  }

  func step(_ name: String, _ context: WorkflowContext) async throws -> String {
    try await context.activity(
      "step", name, options: ActivityOptions(startToClose: .seconds(10)))
  }
}

private final class PlainParcel: Parcel, @unchecked Sendable {
  var isAddressed = false
  init() {}
  func insure(_ context: WorkflowContext) async throws -> [String] { [] }
}

private final class PatchedParcel: Parcel, @unchecked Sendable {
  var isAddressed = false
  init() {}
  func insure(_ context: WorkflowContext) async throws -> [String] {
    context.patched("insure") ? [try await step("insure", context)] : []
  }
}

private final class DeprecatedParcel: Parcel, @unchecked Sendable {
  var isAddressed = false
  init() {}
  func insure(_ context: WorkflowContext) async throws -> [String] {
    context.deprecatePatch("insure")
    return [try await step("insure", context)]
  }
}

private final class InsuredParcel: Parcel, @unchecked Sendable {
  var isAddressed = false
  init() {}
  func insure(_ context: WorkflowContext) async throws -> [String] {
    [try await step("insure", context)]
  }
}

/// Draws a number, and tells it only after it was asked to.
private final class Draw: Workflow, @unchecked Sendable {
  private var drawn = 0
  private var isAsked = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Draw>) {
    handlers.signal("tell") { $0.isAsked = true }
    handlers.query("drawn") { $0.drawn }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Int {
    drawn = try context.sideEffect { Int.random(in: 1...1_000_000) }
    try await context.wait { self.isAsked }
    return drawn
  }
}

@Suite struct PatchTests {
  private func worker<P: Parcel>(_ type: P.Type, _ socket: String) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: socket)
    worker.register(type)
    worker.register(Draw.self)
    worker.activity("step") { (_, name: String) in name }
    return RunningWorker(worker)
  }

  /// Starts a parcel and waits until its code has gone as far as it can.
  private func parcel(_ id: String, _ client: Client, _ figures: EngineFigures) async throws
    -> WorkflowHandle<[String]>
  {
    let handle = try await client.start(
      type: "Parcel", Nothing(), id: id, taskQueue: "q", returning: [String].self)
    try await until("\(id) waits for its address") { isWaiting(id, figures) }
    return handle
  }

  /// Its code has nothing more to ask for, but perhaps a marker.
  private func isWaiting(_ id: String, _ figures: EngineFigures) -> Bool {
    switch figures.history(id)?.last?.attributes {
    case .workflowTaskCompleted(let last): last.commands == 0
    case .markerRecorded: true
    default: false
    }
  }

  @Test func aPatchIsAddedDeprecatedAndRemovedUnderOpenRuns() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    let figures = try #require(EngineFigures(engine.socket))
    var worker = worker(PlainParcel.self, engine.socket)
    let plain = try await parcel("p-1", client, figures)
    worker.stop()

    worker = self.worker(PatchedParcel.self, engine.socket)
    try await plain.signal("address")
    #expect(try await plain.result() == ["pack", "ship"], "a run from before stays as it was")
    let patched = try await parcel("p-2", client, figures)
    let stubborn = try await parcel("p-3", client, figures)
    worker.stop()

    worker = self.worker(DeprecatedParcel.self, engine.socket)
    try await patched.signal("address")
    #expect(try await patched.result() == ["pack", "insure", "ship"])
    let deprecated = try await parcel("p-4", client, figures)
    worker.stop()

    worker = self.worker(InsuredParcel.self, engine.socket)
    defer { worker.stop() }
    try await deprecated.signal("address")
    #expect(try await deprecated.result() == ["pack", "insure", "ship"])
    try await stubborn.signal("address")
    var request = DescribeWorkflowRequest()
    request.execution = WorkflowExecution()
    request.execution?.workflowID = "p-3"
    var diff: NondeterminismDiff?
    try await until("the run that still needs the patch is told so") {
      let description = figures.call(
        .workflowDescribeWorkflow, request, DescribeWorkflowResponse.self)
      diff = description?.pendingWorkflowTask?.lastDiff
      return diff != nil
    }
    #expect(diff?.expected?.type == .recordMarker)
    #expect(diff?.expected?.id == "insure")
  }

  @Test func aSideEffectHasItsValueForEver() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    let figures = try #require(EngineFigures(engine.socket))
    var worker = worker(PlainParcel.self, engine.socket)
    let handle = try await client.start(Draw.self, Nothing(), id: "d-1", taskQueue: "q")
    try await until("it is drawn") { isWaiting("d-1", figures) }
    let drawn = try await handle.query("drawn", returning: Int.self)
    #expect((1...1_000_000).contains(drawn))
    worker.stop()
    worker = self.worker(PlainParcel.self, engine.socket)
    defer { worker.stop() }
    try await handle.signal("tell")
    #expect(try await handle.result() == drawn)
  }
}
