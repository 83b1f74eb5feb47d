import Basics
import EngineCore
import Messages
import Testing

/// Which runs are in memory, and what brings them there.
@Suite struct ResidencyTests {
  /// Starts `o-1` … `o-count`, each of which waits for a timer.
  private func sleepers(
    _ count: Int, ms: Int64, _ change: (inout EngineConfiguration) -> Void = { _ in }
  ) throws -> (World, SessionID) {
    let world = World(change)
    let worker = world.attach(slots: UInt32(count) * 4)
    for number in 1...count {
      _ = world.start("o-\(number)")
      world.complete(worker, try #require(world.activation(worker)), [.timer(1, ms)])
    }
    return (world, worker)
  }

  @Test func aRestingRunLeavesMemoryAndItsTimerBringsItBack() throws {
    let (world, worker) = try sleepers(1, ms: 60_000)
    world.advance(9_999)
    #expect(world.engine.statistics.residentRuns == 1)
    world.advance(1)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.engine.statistics.residentBytes == 0)
    world.advance(49_999)
    #expect(world.activation(worker) == nil)
    world.advance(1)
    #expect(world.replayed(worker)?.jobNames == ["fire 1"])
  }

  /// A look-up by run id brings the run into memory while one by workflow id is on its way.
  @Test func aClosedRunThatIsInMemoryAlreadyIsTheNewestAllTheSame() throws {
    let world = World()
    guard case .startWorkflow(let first) = world.reply(world.start("o-1")) else {
      Issue.record("no run")
      return
    }
    var end = TerminateWorkflowRequest()
    end.execution = world.execution("o-1")
    _ = world.ask(.terminateWorkflow(end))
    #expect(world.engine.statistics.residentRuns == 0)
    world.holdsLoads = true
    var describe = DescribeWorkflowRequest()
    describe.execution = world.execution("o-1", first.runID)
    world.request(.describeWorkflow(describe))
    let start = world.start("o-1") { $0.idReusePolicy = .rejectDuplicate }
    world.serveLoads()
    let refusal = world.failure(start)
    #expect(refusal?.reason == .workflowAlreadyStarted)
    #expect(refusal?.runID == first.runID)
    world.advance(0)
    #expect(world.engine.statistics.residentRuns == 0)
  }

  /// Seed 51 of the oracle: the engine stopped.
  @Test func aRunMayTimeOutInTheStepInWhichItsRestIsOver() throws {
    let world = World()
    let worker = world.attach()
    let rest = EngineTimes().residency
    _ = world.start("o-1") { $0.runTimeoutMs = rest - Span(ms: 1) }
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    // The loop was held up: both are due.
    world.now = world.now + rest
    world.step(.deadlineReached)
    #expect(world.history().last == "workflowExecutionTimedOut")
    #expect(world.engine.statistics.residentRuns == 0)
  }

  /// A query that comes during a replay sees what was acknowledged before it, though the replay
  /// began for an older one.
  @Test func aSignalThatComesDuringAReplayIsShownBeforeTheQueries() throws {
    let (world, worker) = try sleepers(1, ms: 60_000)
    try drop("o-1", world, worker)
    world.advance(10_000)
    var query = QueryWorkflowRequest()
    query.execution = world.execution("o-1")
    query.queryType = "summary"
    world.request(.queryWorkflow(query))
    _ = world.signal("o-1", "go")
    world.request(.queryWorkflow(query))
    let shown = try #require(world.replayed(worker))
    #expect(shown.jobNames == ["signal go"])
    world.complete(worker, shown, [])
    #expect(world.activation(worker)?.jobNames == ["query summary", "query summary"])
  }

  @Test func overTheBudgetTheColdestGoFirst() throws {
    let (world, worker) = try sleepers(4, ms: 60_000) { $0.limits.residentBytesMax = 7_800 }
    // Three fit; the first one is the coldest.
    world.advance(0)
    #expect(world.engine.statistics.residentRuns == 3)
    let loads = world.engine.statistics.loads
    for id in ["o-2", "o-3", "o-4"] { #expect(world.describe(id) != nil) }
    #expect(world.engine.statistics.loads == loads, "these are in memory")
    // o-2 is used, so o-3 is the coldest when o-1 comes back.
    world.advance(1)
    _ = world.signal("o-2", "go")
    world.complete(worker, try #require(world.activation(worker)), [])
    _ = world.signal("o-1", "go")
    world.complete(worker, try #require(world.replayed(worker)), [])
    world.advance(0)
    #expect(world.engine.statistics.loads == loads + 1)
    #expect(world.describe("o-2") != nil)
    #expect(world.engine.statistics.loads == loads + 1)
    #expect(world.describe("o-3") != nil)
    #expect(world.engine.statistics.loads == loads + 2)
  }

  /// Answers the replay of a sleeper, and takes the live activation that follows.
  private func drop(_ id: String, _ world: World, _ worker: SessionID) throws {
    var evicted = Evicted()
    evicted.runIDs = [try #require(world.describe(id)?.info?.execution?.runID)]
    world.tell(worker, .evicted(evicted))
  }

  /// A worker keeps its runs though they leave memory here: such a run is shown what is new, and
  /// one that the worker has dropped its past first.
  @Test func aDormantRunIsShownWhatIsNewUnlessItsWorkerHasDroppedIt() throws {
    let (world, worker) = try sleepers(2, ms: 60_000)
    let id = try #require(world.describe("o-2")?.info?.execution?.runID)
    world.advance(10_000)
    #expect(world.engine.statistics.residentRuns == 0)
    var evicted = Evicted()
    evicted.runIDs = [id]
    world.tell(worker, .evicted(evicted))
    _ = world.signal("o-1", "go")
    #expect(world.activation(worker)?.jobNames == ["signal go"])
    _ = world.signal("o-2", "go")
    #expect(world.activation(worker) == nil)
    #expect(try #require(world.replayed(worker)).jobNames == ["signal go"])
  }

  /// Who does not answer is not relied on for runs that are not in memory either.
  @Test func aSilentWorkerLosesItsDormantRuns() throws {
    let (world, worker) = try sleepers(1, ms: 60_000)
    world.advance(10_000)
    world.step(.sessionSilent(worker, true))
    let evict = world.take(worker) { if case .evict(let m) = $0 { m } else { nil } }
    #expect(evict?.reason == .moved)
    let other = world.attach()
    _ = world.signal("o-1", "go")
    #expect(try #require(world.replayed(other)).jobNames == ["signal go"])
    world.step(.sessionClosed(worker))
  }

  /// The machine was off, and its clock is set back.
  @Test func theTimeOfARunDoesNotGoBack() throws {
    let world = World { $0.skipsTime = false }
    let worker = world.attach()
    _ = world.start("o-1")
    world.now = world.now + Span(ms: 5_000)
    let first = try #require(world.activation(worker))
    world.complete(worker, first, [.timer(1, 3_600_000)])
    _ = world.signal("o-1", "late")
    world.now = world.now + Span(ms: 1_000)
    let second = try #require(world.activation(worker))
    world.complete(worker, second, [])
    #expect(second.activationTimeMs >= first.activationTimeMs)
    world.now = World.start - Span(ms: 86_400_000)
    world.crash()
    _ = world.signal("o-1", "early")
    let other = world.attach()
    let third = try #require(world.replayed(other))
    #expect(third.activationTimeMs == second.activationTimeMs)
  }

  @Test func beingReadWritesNothing() throws {
    let (world, _) = try sleepers(1, ms: 3_600_000)
    world.advance(10_000)
    let commits = world.commits
    for _ in 1...3 {
      #expect(world.describe("o-1")?.info?.status == .running)
      #expect(world.engine.statistics.residentRuns == 1)
      world.advance(10_000)
      #expect(world.engine.statistics.residentRuns == 0)
    }
    #expect(world.commits == commits)
  }

  @Test func aFollowedRunStaysInMemory() throws {
    let (world, worker) = try sleepers(1, ms: 60_000)
    var request = GetHistoryRequest()
    request.execution = world.execution("o-1")
    request.follow = true
    let id = world.request(.getHistory(request))
    world.advance(30_000)
    #expect(world.engine.statistics.residentRuns == 1)
    world.step(.readMore(id))
    world.advance(30_000)
    world.complete(worker, try #require(world.replayed(worker)), [.done()])
    var kinds: [String] = []
    while !world.sent.contains(where: { if case .end(id, _) = $0 { true } else { false } }) {
      world.step(.readMore(id))
    }
    for case .part(id, let bytes) in world.sent {
      kinds += try HistoryBatch(bytes: bytes).events.map(\.kindName)
    }
    #expect(kinds == world.history())
    world.advance(0)
    #expect(world.engine.statistics.residentRuns == 0)
  }

  @Test func aHerdOfDueRunsIsLoadedAFewAtATime() throws {
    let (world, _) = try sleepers(40, ms: 60_000) {
      $0.limits.deadlineLoadsMax = 4
      $0.limits.deadlineWindow = 10
    }
    world.advance(10_000)
    #expect(world.engine.statistics.residentRuns == 0)
    world.crash()
    world.holdsLoads = true
    world.advance(50_000)
    var rounds = 0
    while world.loadsWaiting > 0 {
      rounds += 1
      #expect(world.loadsWaiting <= 5, "four runs, and one reading of deadlines")
      world.serveLoads()
      world.advance(0)
    }
    #expect(rounds >= 10)
    #expect(world.engine.statistics.timersFired == 40)
  }

  @Test func listsTellNothingThatIsNotDurable() throws {
    let (world, worker) = try sleepers(1, ms: 60_000)
    _ = world.signal("o-1", "go")
    let activation = try #require(world.activation(worker))
    world.holdsCommits = true
    world.complete(worker, activation, [.done()])
    let list = world.request(.listWorkflows(ListWorkflowsRequest()))
    let count = world.request(.countWorkflows(CountWorkflowsRequest()))
    #expect(!world.sent.contains { if case .part(list, _) = $0 { true } else { false } })
    #expect(world.reply(count) == nil)
    world.commit()
    #expect(world.sent.contains { if case .part(list, _) = $0 { true } else { false } })
    #expect(world.reply(count) != nil)
  }

  // MARK: - Activities that rest

  /// Its activity has been taken by `worker`.
  private func atWork(_ change: (inout ScheduleActivity) -> Void) throws
    -> (World, SessionID, ActivityTask)
  {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(
      worker, try #require(world.activation(worker)), [.activity(1, change)])
    return (world, worker, try #require(world.activity(worker)))
  }

  @Test func aRunWhoseActivityBacksOffLeavesMemoryAndIsBackInTime() throws {
    let (world, worker, task) = try atWork {
      $0.retryPolicy = RetryPolicy()
      $0.retryPolicy?.initialIntervalMs = Span(ms: 3_600_000)
    }
    var failed = ActivityFailed()
    failed.token = task.token
    world.tell(worker, .activityFailed(failed))
    world.advance(10_000)
    #expect(world.engine.statistics.residentRuns == 0)
    let commits = world.commits
    #expect(world.describe("o-1")?.pendingActivities.first?.attempt == 2)
    world.advance(3_589_999)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.commits == commits)
    world.advance(1)
    #expect(world.activity(worker)?.attempt == 2)
  }

  @Test func aRunWhoseActivityIsElsewhereLeavesMemoryAndLosesNoHeartbeat() throws {
    let (world, worker, task) = try atWork {
      $0.startToCloseTimeoutMs = Span(ms: 86_400_000)
      $0.retryPolicy = RetryPolicy()
      $0.retryPolicy?.maximumAttempts = 1
    }
    var elsewhere = WillCompleteElsewhere()
    elsewhere.token = task.token
    world.tell(worker, .willCompleteElsewhere(elsewhere))
    world.advance(10_000)
    #expect(world.engine.statistics.residentRuns == 0)
    var beat = HeartbeatActivityRequest()
    beat.activity = ActivityReference()
    beat.activity?.token = task.token
    beat.details = [.text("half")]
    #expect(world.ask(.heartbeatActivity(beat)) != nil)
    world.advance(10_000)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.describe("o-1")?.pendingActivities.first?.heartbeatDetails == [.text("half")])
    world.advance(86_379_999)
    #expect(world.history().last == "activityTaskScheduled")
    world.advance(1)
    #expect(world.history().last == "activityTaskTimedOut")
  }

  // MARK: - Leases of processes from before

  private let process = ProcessIdentity(bootID: "boot", process: 7, start: 70)

  /// An activity is out with a worker of `process` when the engine dies.
  private func crashed() throws -> World {
    let world = World()
    let worker = world.attach(process: process)
    _ = world.start("o-1")
    world.complete(
      worker, try #require(world.activation(worker)),
      [.activity(1) { $0.startToCloseTimeoutMs = Span(ms: 60_000) }])
    _ = try #require(world.activity(worker))
    world.crash()
    return world
  }

  @Test func theProcessOfALeaseIsWatchedOverAStartOfTheEngine() throws {
    let world = try crashed()
    #expect(world.watches == [process])
    let other = world.attach()
    #expect(world.activity(other) == nil, "its worker may still come back")
    world.step(.processGone(process))
    #expect(world.activity(other)?.attempt == 2, "at once, without the resume window")
  }

  @Test func withoutWordOfItsProcessTheResumeWindowDecides() throws {
    let world = try crashed()
    let other = world.attach()
    world.advance(9_999)
    #expect(world.activity(other) == nil)
    world.advance(1)
    #expect(world.activity(other)?.attempt == 2)
  }

  /// Checksums say that bytes are those that were written, not that they make sense.
  @Test func anOpenRunWhoseEventsDoNotFollowIsTheOnlyOneThatCannotBeRead() throws {
    for damage in [Damage.noAttributes, .startsTwice, .endsNothing, .skips] {
      let world = World()
      for id in ["o-1", "o-2"] { _ = world.start(id) }
      world.store.append(damage.event, to: RunNumber(1))
      world.crash()
      #expect(world.failure(world.result("o-1"))?.reason == .historyCorrupt, "\(damage)")
      #expect(world.failure(world.result("o-2")) == nil, "\(damage)")
    }
  }

  private enum Damage {
    case noAttributes, startsTwice, endsNothing, skips

    var event: HistoryEvent {
      var event = HistoryEvent()
      event.eventID = self == .skips ? 3 : 2
      switch self {
      case .noAttributes: break
      case .startsTwice: event.attributes = .workflowExecutionStarted(WorkflowExecutionStarted())
      case .endsNothing: event.attributes = .activityTaskCompleted(ActivityTaskCompleted())
      case .skips:
        event.attributes = .workflowExecutionSignaled(WorkflowExecutionSignaled())
      }
      return event
    }
  }

  /// Checksums do not see a row that is gone.
  @Test func aClosedRunThatHasLostItsEndIsTheOnlyOneThatCannotBeRead() throws {
    let world = World()
    let worker = world.attach()
    for id in ["o-1", "o-2"] {
      _ = world.start(id)
      world.complete(worker, try #require(world.activation(worker)), [.done()])
    }
    world.store.loseLastBatch(of: RunNumber(1))
    world.crash()
    #expect(world.failure(world.result("o-1"))?.reason == .historyCorrupt)
    guard case .getWorkflowResult(let result) = world.reply(world.result("o-2")) else {
      Issue.record("the other run is answered")
      return
    }
    #expect(result.status == .completed)
  }

  @Test func aReasonOfTwoLinesIsOneProblemOfARunOutsideMemory() throws {
    let world = World()
    _ = world.start("o-1")
    var pause = PauseWorkflowRequest()
    pause.execution = world.execution("o-1")
    pause.reason = "stock is counted\nand then again"
    _ = world.ask(.pauseWorkflow(pause))
    world.advance(60_000)
    #expect(world.engine.statistics.residentRuns == 0)
    let list = world.request(.listWorkflows(ListWorkflowsRequest()))
    var shown: [[String]] = []
    for case .part(list, let bytes) in world.sent {
      shown += try ListWorkflowsResponse(bytes: bytes).workflows.map(\.problems)
    }
    #expect(shown == [["the workflow is paused: stock is counted and then again"]])
  }
}
