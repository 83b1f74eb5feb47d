import Basics
import Messages
import Testing

@testable import EngineCore

/// What the engine says before time is skipped. That its account of busy runs is true is looked at
/// after each step of every test of the core, and of the oracle.
@Suite struct TimeSkippingTests {
  private func nextMs(_ world: World) -> Int64? {
    world.engine.nextEvent.map { ($0 - world.now).ms }
  }

  /// Apart, since an expectation that fails tells all of what it names.
  private func isBusy(_ world: World) -> Bool { world.engine.isBusy }

  @Test func timeIsSkippedToTimersAndNotToHousekeeping() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("closed")
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    _ = world.start("waits")
    world.complete(worker, try #require(world.activation(worker)), [])
    #expect(!isBusy(world))
    #expect(world.engine.nextDeadline != nil, "a run rests, a closed one is to be removed")
    #expect(world.engine.nextEvent == nil)
    _ = world.start("sleeps")
    #expect(isBusy(world) && world.engine.busyRuns == 1)
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 3_600_000)])
    #expect(!isBusy(world))
    #expect(nextMs(world) == 3_600_000)
    world.advance(60_000)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(nextMs(world) == 3_540_000, "the dormant run's deadline counts too")
  }

  @Test func whatWaitsForAWorkerIsBusyUntilItEnds() throws {
    let world = World()
    _ = world.start("w")
    #expect(isBusy(world), "its task waits")
    let worker = world.attach(activities: [])
    let activation = try #require(world.activation(worker))
    world.complete(
      worker, activation,
      [.activity(1) { $0.startToCloseTimeoutMs = Span(ms: 5_000) }, .timer(2, 60_000)])
    #expect(isBusy(world), "its activity waits")
    var end = TerminateWorkflowRequest()
    end.execution = world.execution("w")
    _ = world.ask(.terminateWorkflow(end))
    #expect(!isBusy(world))
  }

  @Test func anActivityThatEndsElsewhereIsBusyAndOneThatBacksOffIsNot() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("w")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    let task = try #require(world.activity(worker))
    var elsewhere = WillCompleteElsewhere()
    elsewhere.token = task.token
    world.tell(worker, .willCompleteElsewhere(elsewhere))
    #expect(isBusy(world))
    var request = FailActivityRequest()
    var reference = ActivityReference()
    reference.token = task.token
    request.activity = reference
    var failure = Failure()
    var info = FailureInfo()
    info.kind = .application(ApplicationFailure())
    failure.info = info
    request.failure = failure
    _ = world.ask(.failActivity(request))
    #expect(!isBusy(world))
    #expect(nextMs(world) == 1_000)
    world.advance(1_000)
    #expect(world.activity(worker)?.attempt == 2)
    #expect(isBusy(world))
  }

  @Test func aPausedRunIsBusyOnlyWithWhatIsOut() throws {
    let world = World()
    let worker = world.attach(activities: ["charge"])
    _ = world.start("w")
    world.complete(
      worker, try #require(world.activation(worker)),
      [.activity(1), .activity(2, type: "ship")])
    let task = try #require(world.activity(worker))
    var pause = PauseWorkflowRequest()
    pause.execution = world.execution("w")
    _ = world.ask(.pauseWorkflow(pause))
    #expect(isBusy(world), "the first one has started")
    world.finish(worker, task)
    #expect(!isBusy(world), "nobody is given the second one")
    var unpause = UnpauseWorkflowRequest()
    unpause.execution = world.execution("w")
    _ = world.ask(.unpauseWorkflow(unpause))
    #expect(isBusy(world))
  }

  @Test func aLeaseIsBusyOverAStartOfTheEngine() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("w")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    _ = try #require(world.activity(worker))
    world.crash()
    #expect(isBusy(world), "its worker may come back")
  }

  @Test func aReadOfTheStoreHoldsTime() {
    let world = World()
    world.holdsLoads = true
    var list = ListWorkflowsRequest()
    list.pageSize = 10
    world.request(.listWorkflows(list))
    #expect(isBusy(world))
    world.serveLoads()
    #expect(!isBusy(world))
  }

  @Test func theAccountIsNotKeptWhereTimeIsNotSkipped() {
    let world = World { $0.skipsTime = false }
    _ = world.start("w")
    #expect(world.engine.busyRuns == 0)
  }

  @Test func theStoreIsToldOfWhatWasSkipped() {
    let world = World()
    var written: [Write] = []
    world.observer = { _, effects in written += effects.writes }
    world.now = world.now + Span(ms: 86_400_000)
    world.step(.timeSkipped(Span(ms: 86_400_000)))
    #expect(written == [.putSkipped(Span(ms: 86_400_000))])
  }
}
