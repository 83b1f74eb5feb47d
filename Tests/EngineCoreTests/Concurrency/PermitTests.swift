import Basics
import EngineCore
import Messages
import Testing

/// Limits of what runs at once of a workflow type.
@Suite struct PermitTests {
  private func limit(
    _ world: World, _ running: Int32, ofKey: Int32 = 0, type: String = "order"
  ) {
    var request = SetWorkflowTypeLimitsRequest()
    request.workflowType = type
    request.limits = WorkflowTypeLimits()
    request.limits?.running = running
    request.limits?.runningOfKey = ofKey
    guard case .workflowType(.setLimits) = world.ask(.workflowType(.setLimits(request))) else {
      Issue.record("the limits are refused")
      return
    }
  }

  private func describe(_ world: World) -> DescribeWorkflowTypeResponse? {
    var request = DescribeWorkflowTypeRequest()
    request.workflowType = "order"
    guard case .workflowType(.describe(let response)) = world.ask(.workflowType(.describe(request)))
    else { return nil }
    return response
  }

  private static var failing: Command.Kind {
    var fail = FailWorkflow()
    fail.failure = Failure()
    fail.failure?.info = FailureInfo()
    fail.failure?.info?.kind = .application(ApplicationFailure())
    return .failWorkflow(fail)
  }

  /// How many run and wait.
  private func counts(_ world: World) -> [Int64] {
    let info = describe(world)?.info
    return [info?.running ?? -1, info?.waiting ?? -1]
  }

  private func start(_ world: World, _ id: String, _ key: String = "", _ priority: Int32 = 0) {
    _ = world.start(id) {
      $0.concurrencyKey = key
      if priority != 0 { $0.priority = .of(priority) }
    }
  }

  /// The workflow ids of the activations that have come.
  private func begun(_ world: World, _ worker: SessionID) -> [String] {
    var ids: [String] = []
    while let activation = world.activation(worker) { ids.append(activation.workflowID) }
    return ids
  }

  private func end(_ world: World, _ worker: SessionID, _ activation: Activation?) throws {
    world.complete(worker, try #require(activation), [.done()])
  }

  @Test func runsOverTheLimitWaitByPriorityThenOldestFirst() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    start(world, "first")
    for (id, priority) in [("low", 5), ("older", 3), ("younger", 0), ("high", 1)] {
      start(world, id, "", Int32(priority))
      world.now = world.now + Span(ms: 1)
    }
    var order: [String] = []
    while let activation = world.activation(worker) {
      #expect(world.activation(worker) == nil)
      order.append(activation.workflowID)
      try end(world, worker, activation)
    }
    #expect(order == ["first", "high", "older", "younger", "low"])
    #expect(world.store.permits.isEmpty)
  }

  @Test func aKeyAtItsLimitHoldsNobodyUp() throws {
    let world = World()
    limit(world, 3, ofKey: 1)
    let worker = world.attach()
    for (id, key) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("n1", ""), ("n2", "")] {
      start(world, id, key)
    }
    let tasks = (0..<3).compactMap { _ in world.activation(worker) }
    #expect(tasks.map(\.workflowID) == ["a1", "b1", "n1"])
    #expect(world.activation(worker) == nil)
    let keys = try #require(describe(world)).keys
    #expect(keys.map(\.concurrencyKey) == ["a", "b"])
    #expect(keys.map(\.waiting) == [2, 0])
    // The oldest that may: n2 has no key, a2's key is at its limit.
    try end(world, worker, tasks[1])
    #expect(begun(world, worker) == ["n2"])
    try end(world, worker, tasks[0])
    #expect(begun(world, worker) == ["a2"])
    #expect(counts(world) == [3, 1])
  }

  /// However a run closes, its permit goes on.
  @Test(arguments: ["complete", "fail", "cancel", "terminate", "delete", "time out"])
  func thePermitIsFreedHoweverTheRunCloses(_ end: String) throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    _ = world.start("first") { $0.runTimeoutMs = Span(ms: 5_000) }
    start(world, "next")
    let task = try #require(world.activation(worker))
    switch end {
    case "complete": world.complete(worker, task, [.done()])
    case "fail":
      world.complete(worker, task, [PermitTests.failing])
    case "cancel":
      world.complete(worker, task, [.timer(1, 60_000)])
      var cancel = CancelWorkflowRequest()
      cancel.execution = world.execution("first")
      world.request(.cancelWorkflow(cancel))
      let again = try #require(world.activation(worker))
      world.complete(worker, again, [.cancelledWorkflow(CancelledWorkflow())])
    case "terminate":
      var terminate = TerminateWorkflowRequest()
      terminate.execution = world.execution("first")
      world.request(.terminateWorkflow(terminate))
    case "delete":
      var delete = DeleteWorkflowRequest()
      delete.execution = world.execution("first")
      world.request(.deleteWorkflow(delete))
    default: world.advance(5_000)
    }
    #expect(begun(world, worker) == ["next"])
    #expect(counts(world) == [1, 0])
  }

  @Test func aRaisedLimitLetsGoAtOnceAndALoweredOneLetsRunningOnesEnd() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    for id in ["a", "b", "c", "d"] { start(world, id) }
    let first = try #require(world.activation(worker))
    #expect(begun(world, worker).isEmpty)
    limit(world, 3)
    let more = (0..<2).compactMap { _ in world.activation(worker) }
    #expect(more.map(\.workflowID) == ["b", "c"])
    limit(world, 1)
    #expect(counts(world) == [3, 1])
    try end(world, worker, first)
    try end(world, worker, more[0])
    #expect(begun(world, worker).isEmpty)
    try end(world, worker, more[1])
    #expect(begun(world, worker) == ["d"])
  }

  /// Some are in memory, some have left it, one has not begun.
  @Test(arguments: [5_000, 1 << 30]) func openRunsAreCountedWhenLimitsAreSet(_ memory: Int) throws {
    let world = World {
      $0.limits.residentBytesMax = memory
      $0.limits.listSliceRows = 2
    }
    let worker = world.attach(slots: 3)
    for id in ["a", "b", "c"] { start(world, id, "k") }
    for _ in 0..<3 {
      world.complete(worker, try #require(world.activation(worker)), [.timer(1, 3_600_000)])
    }
    _ = world.start("later") { $0.startDelayMs = Span(ms: 50_000) }
    start(world, "queued")
    world.advance(11_000)
    limit(world, 5, ofKey: 3)
    #expect(counts(world) == [4, 0])
    #expect(describe(world)?.keys.map(\.running) == [3])
    start(world, "more", "k")
    start(world, "other")
    #expect(counts(world) == [5, 1])
    world.advance(60_000)
    #expect(counts(world) == [5, 2])
    #expect(world.describe("later")?.info?.waitingSinceTimeMs == World.start + Span(ms: 50_000))
  }

  /// It is on its way into memory for another reason when its row is read.
  @Test func aRunThatIsBeingLoadedIsCounted() throws {
    let world = World()
    let worker = world.attach()
    start(world, "a")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 20_000)])
    world.advance(11_000)
    #expect(world.engine.statistics.residentRuns == 0)
    world.holdsLoads = true
    var request = SetWorkflowTypeLimitsRequest()
    request.workflowType = "order"
    request.limits = WorkflowTypeLimits()
    request.limits?.running = 1
    let id = world.request(.workflowType(.setLimits(request)))
    world.advance(9_000)
    #expect(world.loadsWaiting == 2)
    #expect(world.reply(id) == nil)
    while world.loadsWaiting > 0 { world.serveLoads() }
    #expect(world.reply(id) != nil)
    #expect(counts(world) == [1, 0])
  }

  /// Waiting runs leave memory, and those that come to run are brought back.
  @Test func waitingRunsAreNotInMemory() throws {
    let world = World()
    limit(world, 1)
    for number in 0..<20 { start(world, "o-\(number)") }
    world.advance(11_000)
    #expect(world.engine.statistics.residentRuns == 1)
    var list = ListWorkflowsRequest()
    list.query = "WaitingSince IS NOT NULL"
    world.request(.listWorkflows(list))
    let rows = world.sent.compactMap { send -> [WorkflowInfo]? in
      guard case .part(_, let bytes) = send else { return nil }
      return try? ListWorkflowsResponse(bytes: bytes).workflows
    }
    #expect(rows.flatMap { $0 }.count == 19)
    world.crash()
    #expect(world.engine.statistics.residentRuns == 1)
    let worker = world.attach(slots: 1)
    for number in 0..<20 {
      let task = try #require(world.activation(worker))
      #expect(task.workflowID == "o-\(number)")
      world.complete(worker, task, [.done()])
      world.tell(worker, .grant(.of(workflows: 1)))
      world.advance(0)
    }
    #expect(world.store.permits.isEmpty)
  }

  /// The store is asked for the next deadlines before it has what wakes the runs (simulator, seed
  /// 1000).
  @Test func permitsWakeMoreRunsThanTheWindowHolds() {
    let world = World { $0.limits.deadlineWindow = 2 }
    limit(world, 1)
    for number in 0..<20 { start(world, "o-\(number)") }
    world.advance(11_000)
    #expect(world.engine.statistics.residentRuns == 1)
    let worker = world.attach(slots: 30)
    world.holdsCommits = true
    var request = SetWorkflowTypeLimitsRequest()
    request.workflowType = "order"
    world.request(.workflowType(.setLimits(request)))
    world.advance(0)
    world.commit()
    world.holdsCommits = false
    world.advance(0)
    #expect(begun(world, worker).count == 20)
  }

  /// A start of the engine gives no permit twice, and loses none.
  @Test func permitsAreTheSameAfterAStartOfTheEngine() throws {
    let world = World()
    limit(world, 2)
    for id in ["a", "b", "c"] { start(world, id) }
    world.crash()
    #expect(counts(world) == [2, 1])
    let worker = world.attach()
    let tasks = (0..<2).compactMap { _ in world.activation(worker) }
    #expect(tasks.map(\.workflowID) == ["a", "b"])
    #expect(begun(world, worker).isEmpty)
    world.complete(worker, tasks[0], [.done()])
    #expect(begun(world, worker) == ["c"])
  }

  /// What has been given is durable with what made room for it.
  @Test func theEndOfARunAndTheNextPermitAreOneBatch() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    start(world, "a")
    start(world, "b")
    let task = try #require(world.activation(worker))
    world.holdsCommits = true
    world.complete(worker, task, [.done()])
    world.crash()
    #expect(world.store.permits.count == 2)
    #expect(counts(world) == [1, 1])
  }

  @Test func aContinueAsNewKeepsThePermitAndARetryDoesNot() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    _ = world.start("chain") {
      $0.retryPolicy = RetryPolicy()
      $0.retryPolicy?.initialIntervalMs = Span(ms: 3_000)
    }
    start(world, "next")
    let first = try #require(world.activation(worker))
    world.complete(worker, first, [.continueAsNew(ContinueAsNew())])
    // In the pause between the runs of a chain, too.
    #expect(begun(world, worker).isEmpty)
    #expect(counts(world) == [1, 1])
    world.advance(1_000)
    let second = try #require(world.activation(worker))
    #expect(second.workflowID == "chain")
    world.complete(worker, second, [PermitTests.failing])
    let next = try #require(world.activation(worker))
    #expect(next.workflowID == "next")
    #expect(counts(world) == [1, 0])
    world.advance(3_000)
    #expect(counts(world) == [1, 1])
    world.complete(worker, next, [.done()])
    #expect(begun(world, worker) == ["chain"])
  }

  /// A run's own time begins with its permit, that of its chain with its start.
  @Test func timeoutsOfTheRunBeginWithThePermit() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    start(world, "first")
    _ = world.start("own") { $0.runTimeoutMs = Span(ms: 2_000) }
    _ = world.start("chain") { $0.executionTimeoutMs = Span(ms: 4_000) }
    let first = try #require(world.activation(worker))
    world.advance(4_000)
    #expect(world.describe("own")?.info?.status == .running)
    #expect(world.describe("chain")?.info?.status == .timedOut)
    world.complete(worker, first, [.done()])
    #expect(begun(world, worker) == ["own"])
    world.crash()
    world.advance(1_999)
    #expect(world.describe("own")?.info?.status == .running)
    world.advance(1)
    #expect(world.describe("own")?.info?.status == .timedOut)
  }

  /// Without limits it has had its time as if there had been none since its permit.
  @Test func limitsThatAreTakenAwayLeaveTheTimesOfRunsAlone() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    start(world, "first")
    _ = world.start("own") { $0.runTimeoutMs = Span(ms: 2_000) }
    world.advance(5_000)
    limit(world, 0)
    #expect(begun(world, worker) == ["first", "own"])
    world.advance(1_999)
    #expect(world.describe("own")?.info?.status == .running)
    world.advance(1)
    #expect(world.describe("own")?.info?.status == .timedOut)
    #expect(world.store.workflowTypeLimits.isEmpty)
    #expect(describe(world)?.info?.limits == nil)
  }

  @Test func aPausedRunIsPassedByAndKeepsItsPlace() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    for id in ["a", "b", "c", "d"] { start(world, id) }
    let task = try #require(world.activation(worker))
    var pause = PauseWorkflowRequest()
    pause.execution = world.execution("b")
    world.request(.pauseWorkflow(pause))
    world.complete(worker, task, [.done()])
    let next = try #require(world.activation(worker))
    #expect(next.workflowID == "c")
    world.crash()
    let other = world.attach()
    let again = try #require(world.activation(other))
    var unpause = UnpauseWorkflowRequest()
    unpause.execution = world.execution("b")
    world.request(.unpauseWorkflow(unpause))
    world.complete(other, again, [.done()])
    #expect(begun(world, other) == ["b"])
  }

  /// What comes meanwhile is kept; what needs code is refused.
  @Test func whatAWaitingRunIsTold() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    start(world, "first")
    start(world, "waits")
    let first = try #require(world.activation(worker))
    _ = world.signal("waits", "go")
    var cancel = CancelWorkflowRequest()
    cancel.execution = world.execution("waits")
    world.request(.cancelWorkflow(cancel))
    #expect(begun(world, worker).isEmpty)
    var query = QueryWorkflowRequest()
    query.execution = world.execution("waits")
    query.queryType = "state"
    let queried = world.failure(world.request(.queryWorkflow(query)))
    #expect(queried?.reason == .workflowNotBegun)
    var update = UpdateWorkflowRequest()
    update.execution = world.execution("waits")
    update.updateName = "change"
    update.updateID = "u1"
    let updated = world.failure(world.request(.updateWorkflow(update)))
    #expect(updated?.reason == .workflowNotBegun)
    world.complete(worker, first, [.done()])
    let jobs = try #require(world.activation(worker)).jobs
    #expect(jobs.count == 3)
  }

  /// It starts and is told to come again; the same request then updates.
  @Test func anUpdateWithStartWaitsForNoPermit() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    func ask(_ id: String) -> RequestID {
      var request = UpdateWithStartWorkflowRequest()
      request.start = StartWorkflowRequest()
      request.start?.workflowID = id
      request.start?.workflowType = "order"
      request.start?.taskQueue = "q"
      request.update = UpdateWorkflowRequest()
      request.update?.updateName = "change"
      request.update?.updateID = "u1"
      return world.request(.updateWithStartWorkflow(request))
    }
    let roomy = ask("roomy")
    #expect(world.reply(roomy) == nil)
    let task = try #require(world.activation(worker))
    #expect(world.failure(ask("waits"))?.reason == .workflowNotBegun)
    var terminate = TerminateWorkflowRequest()
    terminate.execution = world.execution("roomy")
    world.request(.terminateWorkflow(terminate))
    #expect(task.workflowID == "roomy")
    _ = try #require(world.activation(worker))
    #expect(world.failure(ask("waits")) == nil)
    #expect(world.describe("waits")?.pendingUpdates.count == 1)
  }

  /// The activities of a copy wait with it.
  @Test func aResetRunNeedsAPermitLikeAnother() throws {
    let world = World()
    limit(world, 1)
    let worker = world.attach()
    start(world, "a")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    let charge = try #require(world.activity(worker))
    world.finish(worker, charge)
    world.complete(worker, try #require(world.activation(worker)), [.timer(2, 60_000)])
    start(world, "b")
    var reset = ResetWorkflowRequest()
    reset.execution = world.execution("a")
    reset.point = WorkflowPoint()
    reset.point?.kind = .lastWorkflowTask
    world.request(.resetWorkflow(reset))
    let next = try #require(world.activation(worker))
    #expect(next.workflowID == "b")
    #expect(world.activity(worker) == nil)
    #expect(counts(world) == [1, 1])
    world.complete(worker, next, [.done()])
    #expect(counts(world) == [1, 0])
    #expect(world.describe("a")?.pendingWorkflowTask?.state == .started)
  }

  @Test func otherTypesAreFree() {
    let world = World()
    limit(world, 1)
    let worker = world.attach(workflows: ["order", "ship"])
    start(world, "a")
    _ = world.start("s") { $0.workflowType = "ship" }
    #expect(begun(world, worker) == ["a", "s"])
    #expect(world.store.permits.count == 1)
  }
}
