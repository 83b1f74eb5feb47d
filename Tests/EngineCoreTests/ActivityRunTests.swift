import Basics
@testable import EngineCore
import Messages
import Testing

/// Runs of activities without a workflow, beside runs of workflows.
@Suite struct ActivityRunTests {
  private func start(
    _ world: World, _ id: String, _ change: (inout StartActivityRequest) -> Void = { _ in }
  ) -> RunID? {
    var start = StartActivityRequest()
    start.activityID = id
    start.activityType = "charge"
    start.options = ActivityTaskOptions()
    start.options?.taskQueue = "q"
    start.options?.startToCloseTimeoutMs = Span(ms: 60_000)
    change(&start)
    guard case .activityRun(.start(let response)) = world.ask(.activityRun(.start(start))) else {
      return nil
    }
    return response.runID
  }

  private func describe(_ world: World, _ id: String) -> DescribeActivityResponse? {
    var request = DescribeActivityRequest()
    request.activityID = id
    guard case .activityRun(.describe(let response)) = world.ask(.activityRun(.describe(request)))
    else { return nil }
    return response
  }

  /// By its ids, with a request id; whether it was done.
  private func complete(
    _ world: World, _ reference: ActivityReference, _ result: String
  ) -> Reply? {
    var complete = CompleteActivityRequest()
    complete.activity = reference
    complete.result = [.text(result)]
    complete.requestID = "r1"
    return world.ask(.completeActivity(complete))
  }

  @Test func oneThatWaitsForItsTimeLeavesMemoryWithoutAStateRowAndComesBack() throws {
    let world = World { $0.times.residency = Span(ms: 1_000) }
    let worker = world.attach()
    let run = try #require(start(world, "a") { $0.startDelayMs = Span(ms: 3_600_000) })
    world.advance(1_000)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.store.runs[RunNumber(1)]?.state == nil)
    #expect(world.store.runs[RunNumber(1)]?.row.deadline == world.now + Span(ms: 3_599_000))
    #expect(world.activity(worker) == nil)
    world.advance(3_599_000)
    let task = try #require(world.activity(worker))
    #expect(task.runID == run && task.workflowID.isEmpty && task.workflowType.isEmpty)
    world.finish(worker, task)
    #expect(describe(world, "a")?.activity?.status == .completed)
    #expect(describe(world, "a")?.lastAttempt?.attempt == 1)
  }

  /// A report by ids has one request id for each of them.
  @Test func aReportOnAnActivityIsNotThatOnTheWorkflowOfItsName() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("x")
    world.complete(
      worker, try #require(world.activation(worker)), [.activity(1) { $0.activityID = "x" }])
    _ = try #require(world.activity(worker))
    _ = try #require(start(world, "x"))
    _ = try #require(world.activity(worker))
    var ofWorkflow = ActivityReference()
    ofWorkflow.execution = world.execution("x")
    ofWorkflow.activityID = "x"
    var alone = ActivityReference()
    alone.activityID = "x"
    for reference in [ofWorkflow, alone] {
      guard case .completeActivity = complete(world, reference, "done") else {
        Issue.record("\(reference) is not completed")
        return
      }
    }
    #expect(world.history(1).suffix(2) == ["activityTaskStarted", "activityTaskCompleted"])
    #expect(describe(world, "x")?.activity?.status == .completed)
    // Each is known again, and only as what it was.
    guard case .completeActivity = complete(world, alone, "done") else {
      Issue.record("the repetition is refused")
      return
    }
    guard case .failure(let status) = complete(world, alone, "otherwise") else {
      Issue.record("another report has the request id")
      return
    }
    #expect(status.reason == .requestIDReused)
  }

  @Test func oneThatHasEndedGoesAfterItsRetentionAndAnOpenOneStays() throws {
    let world = World { $0.times.retention = Span(ms: 60_000) }
    let worker = world.attach()
    _ = try #require(start(world, "a"))
    world.finish(worker, try #require(world.activity(worker)))
    world.tell(worker, .detach(Detach()))
    _ = try #require(start(world, "b"))
    world.advance(60_000)
    #expect(world.store.runs.keys.sorted() == [RunNumber(2)])
    #expect(describe(world, "a") == nil)
    #expect(describe(world, "b")?.activity?.status == .running)
  }

  @Test func whoWaitsForItsResultDoesNotKeepItInMemory() throws {
    let world = World { $0.times.residency = Span(ms: 1_000) }
    _ = try #require(start(world, "a") { $0.startDelayMs = Span(ms: 5_000) })
    var result = GetActivityResultRequest()
    result.activityID = "a"
    let waiting = world.request(.activityRun(.result(result)))
    world.advance(1_000)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.reply(waiting) == nil)
    let worker = world.attach()
    world.advance(4_000)
    world.finish(worker, try #require(world.activity(worker)), "paid")
    guard case .activityRun(.result(let response)) = world.reply(waiting) else {
      Issue.record("the one who waits is not answered")
      return
    }
    #expect(response.status == .completed && response.result == [.text("paid")])
  }

  @Test func startsAreRefusedWhileTheDiskIsFull() throws {
    let world = World()
    world.step(.diskFull(true))
    #expect(start(world, "a") == nil)
    world.step(.diskFull(false))
    #expect(start(world, "a") != nil)
  }
}
