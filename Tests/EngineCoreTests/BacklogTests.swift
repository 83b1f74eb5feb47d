import Basics
import EngineCore
import Messages
import Testing

/// Runs that wait for a worker take little memory, however many there are, and lose nothing by it.
@Suite struct BacklogTests {
  private static let budget = 60_000

  /// `o-1` … `o-count`, with inputs of a kilobyte, and nobody who runs them.
  private func backlog(_ count: Int) -> World {
    let world = World { $0.limits.residentBytesMax = BacklogTests.budget }
    for number in 1...count { start(world, "o-\(number)") }
    return world
  }

  private func start(_ world: World, _ id: String) {
    _ = world.start(id) { request in
      var payload = Payload()
      payload.data = [UInt8](repeating: 49, count: 1_000)
      request.input = [payload]
    }
  }

  /// The workflow ids of the activations in their order, each completed when it comes.
  @discardableResult
  private func workOff(_ world: World, _ worker: SessionID, countMax: Int = .max) -> [String] {
    var ids: [String] = []
    while ids.count < countMax, let activation = world.activation(worker) {
      ids.append(activation.workflowID)
      world.complete(worker, activation, [.done()])
      var grant = Grant()
      grant.workflowSlots = 1
      world.tell(worker, .grant(grant))
    }
    return ids
  }

  /// The workflow ids of the replays that the worker is asked for.
  private func replays(_ world: World, _ worker: SessionID) -> [String] {
    var ids: [String] = []
    while let part = world.take(
      worker, { if case .replayHistory(let m) = $0 { m } else { nil } })
    {
      ids.append(part.workflowID)
    }
    return ids
  }

  @Test(arguments: [1, 10, 500] as [UInt32]) func allAreServedInTheirOrder(_ slots: UInt32) throws {
    let world = backlog(300)
    #expect(world.engine.statistics.residentBytes <= BacklogTests.budget)
    #expect(world.engine.statistics.residentRuns < 25)
    #expect(world.engine.statistics.tasksQueued == 300)
    let worker = world.attach(slots: slots)
    let ids = workOff(world, worker)
    #expect(ids == (1...300).map { "o-\($0)" })
    #expect(world.engine.statistics.tasksQueued == 0)
  }

  @Test func whoIsAskedForKeepsItsPlace() throws {
    let world = backlog(60)
    #expect(world.describe("o-50")?.pendingWorkflowTask?.state == .scheduled)
    _ = world.signal("o-40", "go")
    let worker = world.attach(slots: 1)
    #expect(workOff(world, worker) == (1...60).map { "o-\($0)" })
  }

  @Test func whoEndsMeanwhileIsLeftOut() throws {
    let world = backlog(60)
    var end = TerminateWorkflowRequest()
    end.execution = world.execution("o-45")
    _ = world.ask(.terminateWorkflow(end))
    let worker = world.attach(slots: 3)
    #expect(
      workOff(world, worker) == (1...60).filter { $0 != 45 }.map { "o-\($0)" })
  }

  @Test func aStartOfTheEngineFindsThemAll() throws {
    let world = backlog(120)
    world.crash()
    #expect(world.engine.statistics.residentBytes <= BacklogTests.budget)
    #expect(world.engine.statistics.residentRuns < 25)
    let worker = world.attach(slots: 7)
    let ids = workOff(world, worker)
    #expect(Set(ids) == Set((1...120).map { "o-\($0)" }))
    #expect(ids.count == 120)
  }

  /// Seed 9 of the oracle: it was loaded for its deadline, and left before that was handled.
  @Test func whoTimesOutMeanwhileDoesSo() {
    let world = World { $0.limits.residentBytesMax = 10_000 }
    for number in 1...20 {
      _ = world.start("o-\(number)") { $0.runTimeoutMs = Span(ms: 1_000) }
    }
    #expect(world.engine.statistics.residentRuns < 10)
    world.advance(1_000)
    for number in 1...20 {
      #expect(world.describe("o-\(number)")?.info?.status == .timedOut)
    }
  }

  /// The store has them as awake, so it tells no window when they time out.
  @Test(arguments: [false, true])
  func whoTimesOutMeanwhileDoesSoHoweverSmallTheWindow(_ crashes: Bool) {
    let world = World {
      $0.limits.residentBytesMax = 10_000
      $0.limits.deadlineWindow = 2
    }
    for number in 1...20 {
      _ = world.start("o-\(number)") { $0.runTimeoutMs = Span(ms: 1_000) }
    }
    if crashes { world.crash() }
    #expect(world.engine.statistics.residentRuns < 10)
    world.advance(1_000)
    for number in 1...20 {
      #expect(world.history(Int64(number)).last == "workflowExecutionTimedOut", "o-\(number)")
    }
  }

  /// Seed 49 of the oracle: one of another type came.
  @Test(arguments: ["order", "ship"])
  func whoComesWhileOthersAreLoadedDoesNotOvertakeThem(_ type: String) {
    let world = backlog(60)
    let worker = world.attach(workflows: ["order", "ship"], slots: 1)
    let first = workOff(world, worker, countMax: 30)
    world.holdsLoads = true
    workOff(world, worker, countMax: 1_000)
    #expect(world.loadsWaiting == 1, "the next one is loaded")
    _ = world.start("o-61") { $0.workflowType = type }
    #expect(world.activation(worker) == nil)
    world.holdsLoads = false
    world.serveLoads()
    let rest = workOff(world, worker)
    #expect((first + rest).last == "o-61")
  }

  /// Seed 1000088 of the oracle: not even the worker's own run does, if it is less urgent.
  @Test func aRunOfTheWorkersOwnDoesNotOvertakeWhatIsMoreUrgent() throws {
    let world = World { $0.limits.residentBytesMax = BacklogTests.budget }
    let worker = world.attach(slots: 1)
    _ = world.start("own") { request in
      request.priority = WorkPriority()
      request.priority?.priorityKey = 5
    }
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 3_600_000)])
    for number in 1...60 { start(world, "o-\(number)") }
    var grant = Grant()
    grant.workflowSlots = 1
    world.tell(worker, .grant(grant))
    workOff(world, worker, countMax: 30)
    world.holdsLoads = true
    workOff(world, worker, countMax: 1_000)
    #expect(world.loadsWaiting == 1, "the next one is loaded")
    _ = world.signal("own", "go")
    #expect(world.activation(worker) == nil)
    world.holdsLoads = false
    world.serveLoads()
    #expect(workOff(world, worker).last == "own")
  }

  /// Seed 78 of the oracle: a worker that is shown as many pasts as it may be takes what needs
  /// none, and the others keep their places.
  @Test func whoNeedsAReplayIsPassedWhileTheWorkerHasEnoughOfThem() throws {
    let world = World { $0.limits.residentBytesMax = 10_000 }
    let first = world.attach()
    for number in 1...6 {
      _ = world.start("o-\(number)")
      world.complete(first, try #require(world.activation(first)), [.timer(1, 3_600_000)])
    }
    world.step(.sessionClosed(first))
    for number in 1...6 { _ = world.signal("o-\(number)", "go") }
    for number in 7...12 { _ = world.start("o-\(number)") }
    #expect(world.engine.statistics.residentRuns < 5)
    let worker = world.attach(slots: 5)
    #expect(replays(world, worker) == ["o-1", "o-2"])
    #expect((7...9).map { _ in world.activation(worker)?.workflowID } == ["o-7", "o-8", "o-9"])
    #expect(world.activation(worker) == nil)
    world.step(.sessionClosed(worker))
    let last = world.attach(slots: 20)
    #expect(replays(world, last) == ["o-3", "o-4"])
  }

  @Test func aBacklogDoesNotDriveOutThoseThatRest() throws {
    let world = World { $0.limits.residentBytesMax = BacklogTests.budget }
    let worker = world.attach()
    _ = world.start("sleeper")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 5_000)])
    for number in 1...100 { _ = world.start("o-\(number)") { $0.taskQueue = "unserved" } }
    world.advance(5_000)
    #expect(world.engine.statistics.loads == 0)
    #expect(world.activation(worker)?.jobNames == ["fire 1"])
  }

  /// A backlog that is worked off must not hold up the timers of others.
  @Test func deadlinesAreLoadedBesideTheBacklog() throws {
    let world = World {
      $0.limits.residentBytesMax = 10_000
      $0.limits.deadlineLoadsMax = 4
      $0.limits.turnLoadsMax = 4
      $0.times.residency = .zero
    }
    let worker = world.attach(slots: 1)
    _ = world.start("sleeper")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 5_000)])
    world.advance(0)
    #expect(world.engine.statistics.residentRuns == 0)
    for number in 1...40 { _ = world.start("o-\(number)") }
    world.holdsLoads = true
    var grant = Grant()
    grant.workflowSlots = 40
    world.tell(worker, .grant(grant))
    #expect(world.loadsWaiting == 4)
    world.advance(5_000)
    #expect(world.loadsWaiting == 5)
    while world.loadsWaiting > 0 { world.serveLoads() }
    #expect(world.engine.statistics.timersFired == 1)
    #expect(world.engine.statistics.tasksOut == 40)
  }

  /// It was being loaded for its timeout when its turn came.
  @Test func aRunThatCannotBeReadHoldsNobodyUpThoughItIsOnItsWay() {
    let world = World { $0.limits.residentBytesMax = 10_000 }
    for number in 1...20 {
      _ = world.start("o-\(number)") { if number == 10 { $0.runTimeoutMs = Span(ms: 1_000) } }
    }
    world.store.corrupt.insert(RunNumber(10))
    let worker = world.attach(slots: 0)
    world.holdsLoads = true
    world.advance(1_000)
    #expect(world.loadsWaiting == 1)
    var grant = Grant()
    grant.workflowSlots = 30
    world.tell(worker, .grant(grant))
    while world.loadsWaiting > 0 { world.serveLoads() }
    var ids: [String] = []
    while let activation = world.activation(worker) { ids.append(activation.workflowID) }
    #expect(ids == (1...20).filter { $0 != 10 }.map { "o-\($0)" })
  }

  @Test func aRunThatCannotBeReadHoldsNobodyUp() throws {
    let world = backlog(40)
    world.store.corrupt.insert(RunNumber(35))
    let worker = world.attach(slots: 2)
    #expect(
      workOff(world, worker) == (1...40).filter { $0 != 35 }.map { "o-\($0)" })
    #expect(world.engine.statistics.corruptRuns == 1)
  }

  // MARK: - Activities

  /// `o-1` … `o-count`, each of which waits for an activity that nobody runs.
  private func backlogOfActivities(
    _ count: Int, _ change: (inout ScheduleActivity) -> Void = { _ in }
  ) throws -> World {
    let world = World { $0.limits.residentBytesMax = BacklogTests.budget }
    let worker = world.attach(activities: [], slots: UInt32(2 * count))
    for number in 1...count {
      _ = world.start("o-\(number)")
      world.complete(
        worker, try #require(world.activation(worker)),
        [
          .activity(1) {
            $0.input = [.text(String(repeating: "x", count: 1_000))]
            change(&$0)
          }
        ])
    }
    return world
  }

  /// The workflow ids of the activities in their order, each finished when it comes.
  private func finishAll(_ world: World, _ worker: SessionID) -> [String] {
    var ids: [String] = []
    while let task = world.activity(worker) {
      ids.append(task.workflowID)
      world.finish(worker, task)
      var grant = Grant()
      grant.activitySlots = 1
      world.tell(worker, .grant(grant))
    }
    return ids
  }

  @Test(arguments: [1, 10, 500] as [UInt32])
  func activitiesAreServedInTheirOrder(_ slots: UInt32) throws {
    let world = try backlogOfActivities(200)
    #expect(world.engine.statistics.residentBytes <= BacklogTests.budget)
    #expect(world.engine.statistics.residentRuns < 25)
    var describe = DescribeTaskQueueRequest()
    describe.taskQueue = "q"
    guard case .describeTaskQueue(let queue)? = world.ask(.describeTaskQueue(describe)) else {
      Issue.record("the queue is not described")
      return
    }
    #expect(queue.activityTasks?.count == 200)
    let other = world.attach(workflows: [], slots: slots)
    #expect(finishAll(world, other) == (1...200).map { "o-\($0)" })
    for number in 1...200 {
      #expect(world.history(Int64(number)).last == "activityTaskCompleted", "o-\(number)")
    }
  }

  @Test func attemptsThatWaitForTheirStartTimeOut() throws {
    let world = try backlogOfActivities(60) { $0.scheduleToStartTimeoutMs = Span(ms: 1_000) }
    world.advance(999)
    #expect(world.history(60).last == "activityTaskScheduled")
    world.advance(1)
    for number in 1...60 {
      #expect(world.history(Int64(number)).last == "activityTaskTimedOut", "o-\(number)")
    }
    let other = world.attach(workflows: [])
    #expect(world.activity(other) == nil)
  }

  @Test func retriesThatAreDueWaitOutsideToo() throws {
    let world = try backlogOfActivities(60) { $0.retryPolicy = RetryPolicy() }
    let other = world.attach(workflows: [], slots: 60)
    for _ in 1...60 {
      var failed = ActivityFailed()
      failed.token = try #require(world.activity(other)).token
      world.tell(other, .activityFailed(failed))
    }
    world.step(.sessionClosed(other))
    world.advance(60_000)
    #expect(world.engine.statistics.residentRuns < 25)
    #expect(world.engine.statistics.tasksQueued == 60)
    let last = world.attach(workflows: [], slots: 7)
    let tasks = finishAll(world, last)
    #expect(Set(tasks) == Set((1...60).map { "o-\($0)" }))
    #expect(tasks.count == 60)
  }

  @Test func theRunOfAnAttemptThatWaitsCanBeAskedFor() throws {
    let world = try backlogOfActivities(60)
    #expect(world.describe("o-50")?.pendingActivities.first?.state == .scheduled)
    _ = world.signal("o-40", "go")
    var end = TerminateWorkflowRequest()
    end.execution = world.execution("o-45")
    _ = world.ask(.terminateWorkflow(end))
    let other = world.attach(workflows: [], slots: 2)
    #expect(finishAll(world, other) == (1...60).filter { $0 != 45 }.map { "o-\($0)" })
  }

  @Test func aNewAttemptDoesNotOvertakeThoseThatAreLoaded() throws {
    let world = try backlogOfActivities(60)
    world.holdsLoads = true
    let other = world.attach(workflows: [], slots: 60)
    var ids: [String] = []
    while let task = world.activity(other) { ids.append(task.workflowID) }
    #expect(ids.count < 30)
    #expect(world.loadsWaiting > 0)
    _ = world.start("o-61")
    let worker = SessionID(1)
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    #expect(world.activity(other) == nil)
    var grant = Grant()
    grant.activitySlots = 1
    world.tell(other, .grant(grant))
    while world.loadsWaiting > 0 { world.serveLoads() }
    while let task = world.activity(other) { ids.append(task.workflowID) }
    #expect(ids == (1...61).map { "o-\($0)" })
  }

  // MARK: - Pauses and updates

  private func pause(_ world: World, _ number: Int) {
    var request = PauseWorkflowRequest()
    request.execution = world.execution("o-\(number)")
    guard case .pauseWorkflow? = world.ask(.pauseWorkflow(request)) else {
      Issue.record("o-\(number): pause is refused")
      return
    }
  }

  private func unpause(_ world: World, _ number: Int) {
    var request = UnpauseWorkflowRequest()
    request.execution = world.execution("o-\(number)")
    guard case .unpauseWorkflow? = world.ask(.unpauseWorkflow(request)) else {
      Issue.record("o-\(number): unpause is refused")
      return
    }
  }

  private func update(_ world: World, _ number: Int) -> RequestID {
    var request = UpdateWorkflowRequest()
    request.execution = world.execution("o-\(number)")
    request.updateID = "u-\(number)"
    request.updateName = "change"
    request.waitFor = .accepted
    return world.request(.updateWorkflow(request))
  }

  /// The first one has never left memory, the other one comes for its pause.
  @Test(arguments: [2, 50]) func aPauseGivesThePlaceUp(_ paused: Int) {
    let world = backlog(60)
    pause(world, paused)
    let worker = world.attach(slots: 1)
    #expect(workOff(world, worker) == (1...60).filter { $0 != paused }.map { "o-\($0)" })
    unpause(world, paused)
    #expect(workOff(world, worker) == ["o-\(paused)"])
  }

  @Test(arguments: [2, 50]) func whoIsUnpausedIsTheLast(_ paused: Int) {
    let world = backlog(60)
    pause(world, paused)
    unpause(world, paused)
    let worker = world.attach(slots: 1)
    let ids = workOff(world, worker)
    #expect(ids == ((1...60).filter { $0 != paused } + [paused]).map { "o-\($0)" })
  }

  @Test(arguments: [false, true])
  func pausedRunsWithActivitiesLeaveMemory(_ crashes: Bool) throws {
    let world = try backlogOfActivities(60)
    for number in 1...60 { pause(world, number) }
    if crashes { world.crash() }
    world.advance(0)
    #expect(world.engine.statistics.residentBytes <= BacklogTests.budget)
    let other = world.attach(workflows: [], slots: 1)
    #expect(world.activity(other) == nil)
    for number in (1...60).reversed() { unpause(world, number) }
    #expect(finishAll(world, other) == (1...60).reversed().map { "o-\($0)" })
  }

  /// A retry that is due goes on when the pause ends, and its run leaves memory meanwhile with the
  /// deadline that comes next.
  @Test(arguments: [2, 100_000]) func aRetryThatIsDueWaitsForTheEndOfThePause(_ window: Int) throws
  {
    let world = World {
      $0.limits.deadlineWindow = window
      $0.times.residency = .zero
    }
    let worker = world.attach(slots: 100)
    for number in 1...20 {
      _ = world.start("o-\(number)")
      world.complete(
        worker, try #require(world.activation(worker)),
        [
          .activity(1) {
            $0.retryPolicy = RetryPolicy()
            $0.scheduleToCloseTimeoutMs = Span(ms: 60_000)
          }
        ])
      var failed = ActivityFailed()
      failed.token = try #require(world.activity(worker)).token
      world.tell(worker, .activityFailed(failed))
      pause(world, number)
    }
    world.advance(30_000)
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.activity(worker) == nil)
    #expect(world.describe("o-7")?.pendingActivities.first?.state == .scheduled)
    unpause(world, 7)
    #expect(try #require(world.activity(worker)).attempt == 2)
    world.advance(30_000)
    for number in 1...20 {
      #expect(world.history(Int64(number)).last == "activityTaskTimedOut", "o-\(number)")
    }
  }

  @Test(arguments: [2, 50]) func anUpdateGoesWithTheTaskThatWaits(_ updated: Int) throws {
    let world = backlog(60)
    let request = update(world, updated)
    world.advance(60_000)
    let worker = world.attach(slots: 1)
    #expect(workOff(world, worker, countMax: updated - 1).count == updated - 1)
    let activation = try #require(world.activation(worker))
    #expect(activation.workflowID == "o-\(updated)")
    #expect(activation.jobNames.last == "update u-\(updated)")
    var rejection = UpdateRejection()
    rejection.updateID = "u-\(updated)"
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    completed.updateRejections = [rejection]
    world.tell(worker, .workflowTaskCompleted(completed))
    guard case .updateWorkflow(let response)? = world.reply(request) else {
      Issue.record("the update is not answered")
      return
    }
    #expect(response.stage == .rejected)
  }

  /// Nobody else knows of them, so their runs stay until they are answered or given up.
  @Test func updatesKeepTheirRunsInMemory() {
    let world = backlog(60)
    let before = world.engine.statistics.residentRuns
    let requests = (31...50).map { update(world, $0) }
    #expect(world.engine.statistics.residentRuns >= before + 20)
    for request in requests { world.step(.requestAbandoned(request)) }
    #expect(world.engine.statistics.residentBytes <= BacklogTests.budget)
    let worker = world.attach(slots: 1)
    #expect(workOff(world, worker) == (1...60).map { "o-\($0)" })
  }

  @Test func delayedRunsWhoseTimeHasComeLeaveMemoryAgain() {
    let world = World { $0.limits.residentBytesMax = BacklogTests.budget }
    for number in 1...100 {
      _ = world.start("o-\(number)") { $0.startDelayMs = Span(ms: 1_000) }
    }
    world.advance(1_000)
    #expect(world.engine.statistics.tasksQueued == 100)
    #expect(world.engine.statistics.residentBytes <= BacklogTests.budget / 2 + 4_096)
    let worker = world.attach(slots: 3)
    #expect(Set(workOff(world, worker)).count == 100)
  }

  /// Simulator seed 219289: it left memory while its history was read, and what came meanwhile was
  /// not given to the new run.
  @Test func whoIsResetMeanwhileStaysUntilThatIsDone() throws {
    let world = backlog(1)
    let worker = world.attach(slots: 1)
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 3_600_000)])
    world.step(.sessionClosed(worker))
    for number in 2...60 { start(world, "o-\(number)") }
    _ = world.signal("o-1", "a")
    world.holdsLoads = true
    let reset = world.request(.resetWorkflow(ResetTests.request(.firstWorkflowTask)))
    world.serveLoads()
    #expect(world.loadsWaiting == 1, "the run is here, its history is read")
    _ = world.signal("o-1", "b")
    world.holdsLoads = false
    while world.loadsWaiting > 0 { world.serveLoads() }
    guard case .resetWorkflow(let response) = world.reply(reset) else {
      Issue.record("the reset was refused")
      return
    }
    let run = try #require(world.store.runs.values.first { $0.row.runID == response.runID })
    let signals = world.store.history(run.row.number).compactMap { event in
      if case .workflowExecutionSignaled(let m) = event.attributes { m.signalName } else { nil }
    }
    #expect(signals == ["a", "b"])
  }
}
