import Basics
import EngineCore
import Messages
import Testing

/// Closed runs are kept for their retention, then go whole.
@Suite struct RetentionTests {
  private static let day: Int64 = 24 * 3_600_000

  private func world(_ change: (inout EngineConfiguration) -> Void = { _ in }) -> World {
    World { configuration in
      configuration.times.retention = Span(ms: 3 * RetentionTests.day)
      change(&configuration)
    }
  }

  private func run(_ world: World, _ worker: SessionID, _ id: String) throws {
    _ = world.start(id) { $0.requestID = "start \(id)" }
    world.complete(worker, try #require(world.activation(worker)), [.done()])
  }

  @Test func aClosedRunGoesWhenItsRetentionHasPassedAndNotBefore() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(3 * RetentionTests.day - 1)
    #expect(world.describe("o-1")?.info?.status == .completed)
    world.advance(1)
    #expect(world.store.runs.isEmpty)
    #expect(world.describe("o-1") == nil)
    #expect(world.engine.statistics.removed == 1)
    #expect(world.engine.nextDeadline == nil, "an engine with nothing to keep is idle")
  }

  /// Seed 40007 of the oracle: a run that started long ago and has closed late kept the younger
  /// ones until it went itself.
  @Test func whatClosedLateKeepsNothingElse() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    _ = world.start("old")
    world.complete(
      worker, try #require(world.activation(worker)), [.timer(1, 3 * RetentionTests.day - 1_000)])
    try run(world, worker, "gone")
    world.advance(2 * RetentionTests.day)
    try run(world, worker, "young")
    world.advance(RetentionTests.day - 1_000)
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    world.advance(1_000)
    #expect(world.describe("gone") == nil, "a look has seen when the old one has closed")
    world.advance(2 * RetentionTests.day)
    #expect(world.describe("young") == nil)
    #expect(world.describe("old")?.info?.status == .completed)
  }

  @Test func aRemovedRunDoesNotAnswerForANewOne() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    let first = try #require(world.store.runs.values.first?.row.runID)
    world.advance(3 * RetentionTests.day)
    let again = world.start("o-1") { request in
      request.requestID = "start o-1"
      request.idReusePolicy = .rejectDuplicate
    }
    guard case .startWorkflow(let response) = world.reply(again) else {
      Issue.record("the start is refused because of a run that is gone")
      return
    }
    #expect(response.started && response.runID != first)
  }

  /// Seed 479 of the simulator: while somebody reads of the first run, only the second one goes.
  @Test func aChainWhoseEndIsGoneForbidsNothing() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    _ = world.start("o-1")
    world.advance(1_000)
    world.complete(
      worker, try #require(world.activation(worker)), [.continueAsNew(ContinueAsNew())])
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    world.advance(1_000)
    world.store.apply([.deleteRun(run: RunNumber(2))])
    #expect(world.store.runs.keys.map(\.value) == [1])
    // Seed 973: its result was looked for for ever.
    var result = GetWorkflowResultRequest()
    result.execution = world.execution("o-1")
    let asked = world.request(.getWorkflowResult(result))
    #expect(world.failure(asked)?.reason == .workflowNotFound)
    let again = world.start("o-1") { $0.idReusePolicy = .allowDuplicateFailedOnly }
    guard case .startWorkflow(let response) = world.reply(again) else {
      Issue.record("refused because of a run that is gone")
      return
    }
    #expect(response.started)
  }

  /// Seed 640 of the simulator: the run that took the signal first is gone, the one that it went
  /// over to is not.
  @Test func aSignalThatWentOverIsKnownAfterItsFirstRunHasGone() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    _ = world.start("o-1")
    let activation = try #require(world.activation(worker))
    world.advance(1_000)
    func signal() -> RequestID {
      world.signal("o-1", "go", requestID: "s1")
    }
    _ = signal()
    world.complete(worker, activation, [.continueAsNew(ContinueAsNew())])
    world.complete(worker, try #require(world.activation(worker)), [])
    world.advance(3 * RetentionTests.day)
    #expect(world.store.runs.keys.map(\.value) == [2])
    guard case .signalWorkflow(let response) = world.reply(signal()) else {
      Issue.record("the repetition is refused")
      return
    }
    #expect(response.runID == world.store.runs[RunNumber(2)]?.row.runID)
    #expect(world.history(2).count { $0 == "workflowExecutionSignaled" } == 1)
  }

  /// A start of the engine gives the number of a removed run again, but not its leases.
  @Test func aLeaseOfARemovedRunIsNotOneOfTheRunWithItsNumber() throws {
    let world = world()
    let worker = world.attach(activities: ["charge"], slots: 100)
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    let task = try #require(world.activity(worker))
    world.finish(worker, task)
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    world.advance(3 * RetentionTests.day)
    #expect(world.store.runs.isEmpty)
    world.crash()
    _ = world.start("o-2")
    var request = CompleteActivityRequest()
    request.activity = ActivityReference()
    request.activity?.token = task.token
    let complete = world.request(.completeActivity(request))
    #expect(world.failure(complete)?.reason == .activityNotFound)
  }

  /// What was remembered of the request went with its run; the filter still takes it for known. So
  /// it is looked up, and its repetition waits for the same look-up.
  @Test func aRepetitionMeetsWhatItsRequestHasJustDone() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(4 * RetentionTests.day)
    #expect(world.store.runs.isEmpty)
    world.holdsLoads = true
    let starts = ["start o-1", "another", "start o-1"].map { requestID in
      world.start("o-1") {
        $0.requestID = requestID
        $0.idConflictPolicy = .terminateExisting
      }
    }
    while world.loadsWaiting > 0 { world.serveLoads() }
    let runs = starts.map { start -> RunID? in
      if case .startWorkflow(let response) = world.reply(start) { response.runID } else { nil }
    }
    #expect(runs[0] != nil && runs[0] == runs[2])
    #expect(runs[1] != nil && runs[1] != runs[0])
    #expect(world.store.runs.count == 2)
  }

  /// Seed 13002 of the simulator: with the batch that removes it on its way, a request id was taken
  /// for new, and the answer did not wait for that batch.
  @Test func whatIsSaidBecauseARunIsGoneWaitsForItsRemoval() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(2 * RetentionTests.day)
    let second = world.start("o-1")
    guard case .startWorkflow(let newest) = world.reply(second) else {
      Issue.record("no second run")
      return
    }
    world.holdsLoads = true
    world.advance(RetentionTests.day)
    let again = world.start("o-1") { request in
      request.requestID = "start o-1"
      request.idConflictPolicy = .useExisting
    }
    world.holdsCommits = true
    while world.loadsWaiting > 0 { world.serveLoads() }
    #expect(world.reply(again) == nil, "the first run may be there again after a crash")
    world.commit()
    while world.loadsWaiting > 0 { world.serveLoads() }
    guard case .startWorkflow(let response) = world.reply(again) else {
      Issue.record("no answer")
      return
    }
    #expect(response.runID == newest.runID && !response.started)
  }

  /// The store still has the run while the batch that removes it is on its way.
  @Test func aRunIsGoneFromTheStepThatRemovesIt() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(20_000)
    world.holdsCommits = true
    world.advance(3 * RetentionTests.day)
    #expect(world.store.runs.count == 1, "its removal is not durable")
    var request = DescribeWorkflowRequest()
    request.execution = world.execution("o-1")
    let describe = world.request(.describeWorkflow(request))
    world.commit()
    #expect(world.failure(describe)?.code == .notFound)
    #expect(world.store.runs.isEmpty)
  }

  @Test func openRunsAndYoungerOnesStay() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    _ = world.start("open")
    world.complete(worker, try #require(world.activation(worker)), [])
    try run(world, worker, "old")
    world.advance(RetentionTests.day)
    try run(world, worker, "young")
    world.advance(2 * RetentionTests.day)
    #expect(world.store.runs.values.map(\.row.workflowID).sorted() == ["open", "young"])
    world.advance(RetentionTests.day - 1)
    #expect(world.store.runs.count == 2)
    world.advance(1)
    #expect(world.store.runs.values.map(\.row.workflowID) == ["open"])
    world.advance(30 * RetentionTests.day)
    #expect(world.describe("open")?.info?.status == .running)
  }

  @Test func removalGoesOnAfterAStartOfTheEngine() throws {
    let world = world()
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(2 * RetentionTests.day)
    world.crash()
    world.advance(RetentionTests.day - 1)
    #expect(world.store.runs.count == 1)
    world.advance(1)
    #expect(world.store.runs.isEmpty)
  }

  /// What has become due while no engine ran goes at the next start, batch by batch.
  @Test func manyGoInBoundedBatches() throws {
    let world = world { configuration in
      configuration.limits.removedRunsMax = 3
      configuration.limits.lifetimeSliceRows = 5
    }
    let worker = world.attach(slots: 1_000)
    for number in 1...20 { try run(world, worker, "o-\(number)") }
    var most = 0
    world.observer = { _, effects in
      let removed = effects.writes.count { if case .deleteRun = $0 { true } else { false } }
      most = max(most, removed)
    }
    world.advance(3 * RetentionTests.day)
    #expect(world.store.runs.count == 17, "three at most in one batch")
    world.advance(60)
    #expect(world.store.runs.isEmpty)
    #expect(world.engine.statistics.removed == 20)
    #expect(most == 3)
  }

  /// While many close, as many go: twice those that have closed since the last batch.
  @Test func removalKeepsUpWithWhatCloses() throws {
    let world = world { configuration in
      configuration.limits.removedRunsMax = 2
      configuration.limits.removedRunsBurst = 7
    }
    let worker = world.attach(slots: 1_000)
    for number in 1...30 { try run(world, worker, "o-\(number)") }
    world.advance(3 * RetentionTests.day)
    #expect(world.store.runs.count == 28)
    for number in 1...3 { try run(world, worker, "n-\(number)") }
    world.advance(10)
    #expect(world.store.runs.count == 28 + 3 - 6)
    for number in 1...9 { try run(world, worker, "m-\(number)") }
    world.advance(10)
    #expect(world.store.runs.count == 28 + 3 - 6 + 9 - 7, "no more than in a burst")
    world.advance(10)
    #expect(world.store.runs.count == 28 + 3 - 6 + 9 - 7 - 2)
  }

  @Test func aRunThatIsReadGoesWhenItHasBeenRead() throws {
    // A part holds one batch of events.
    let world = world { $0.limits.activationBytesMax = 2 }
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(3 * RetentionTests.day - 10)
    var request = GetHistoryRequest()
    request.execution = world.execution("o-1")
    let id = world.request(.getHistory(request))
    // The client has taken the first part and asks for no more yet.
    world.advance(5_000)
    #expect(world.store.runs.count == 1)
    while !world.sent.contains(where: { if case .end(id, _) = $0 { true } else { false } }) {
      world.step(.readMore(id))
    }
    world.advance(5_000)
    #expect(world.store.runs.isEmpty)
  }

  @Test func withoutRetentionNothingGoes() throws {
    let world = world { $0.times.retention = .zero }
    let worker = world.attach(slots: 100)
    try run(world, worker, "o-1")
    world.advance(3_650 * RetentionTests.day)
    #expect(world.store.runs.count == 1)
  }
}
