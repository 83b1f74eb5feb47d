import Basics
import EngineCore
import Messages
import Testing

@Suite struct WorkflowTests {
  @Test func aThreeActivityWorkflowRunsToItsResult() throws {
    let world = World()
    let worker = world.attach()
    let start = world.start("o-1")
    guard case .startWorkflow(let started) = world.reply(start) else {
      Issue.record("no reply to the start")
      return
    }
    #expect(started.started)
    let waiting = world.result("o-1")
    for seq in 1...3 as ClosedRange<UInt32> {
      let activation = try #require(world.activation(worker))
      #expect(activation.jobNames == [seq == 1 ? "initialize" : "completed \(seq - 1)"])
      world.complete(worker, activation, [.activity(seq)])
      let task = try #require(world.activity(worker))
      #expect(task.attempt == 1)
      #expect(
        task.idempotencyKey == "\(started.runID)/\(task.idempotencyKey.split(separator: "/")[1])")
      world.finish(worker, task)
    }
    let last = try #require(world.activation(worker))
    #expect(last.jobNames == ["completed 3"])
    #expect(world.reply(waiting) == nil)
    world.complete(worker, last, [.done()])
    guard case .getWorkflowResult(let result) = world.reply(waiting) else {
      Issue.record("no result")
      return
    }
    #expect(result.status == .completed)
    #expect(result.result == [.text("done")])
    #expect(
      world.history() == [
        "workflowExecutionStarted",
        "workflowTaskCompleted", "activityTaskScheduled", "activityTaskStarted",
        "activityTaskCompleted",
        "workflowTaskCompleted", "activityTaskScheduled", "activityTaskStarted",
        "activityTaskCompleted",
        "workflowTaskCompleted", "activityTaskScheduled", "activityTaskStarted",
        "activityTaskCompleted",
        "workflowTaskCompleted", "workflowExecutionCompleted",
      ])
  }

  @Test func nothingGatedLeavesBeforeItsCommit() throws {
    let world = World()
    let worker = world.attach()
    world.holdsCommits = true
    let start = world.start("o-1")
    #expect(world.reply(start) == nil, "the start is not durable")
    let activation = try #require(
      world.activation(worker), "an activation leaves before its commit")
    world.complete(worker, activation, [.activity(1)])
    #expect(world.activity(worker) == nil, "the attempt's start is not durable")
    world.commit()
    #expect(world.reply(start) != nil)
    #expect(world.activity(worker) != nil)
    #expect(world.commits == 1, "start, completion and attempt share one commit")
  }

  /// A request whose id may be known waits for the store; those after it wait for it.
  @Test func requestsToAWorkflowKeepTheirOrderOverALoad() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [])
    _ = world.signal("o-1", "first", requestID: "r-1")
    world.complete(worker, try #require(world.activation(worker)), [])
    world.advance(10_000)
    #expect(world.engine.statistics.residentRuns == 0)
    world.holdsLoads = true
    let start = world.start("o-1")
    let again = world.signal("o-1", "first", requestID: "r-1")
    let second = world.signal("o-1", "second")
    #expect(world.reply(second) == nil)
    while world.loadsWaiting > 0 { world.serveLoads() }
    #expect(world.failure(start)?.code == .alreadyExists)
    #expect(world.reply(again) != nil && world.reply(second) != nil)
    let signals = world.store.history(RunNumber(1)).compactMap { event -> String? in
      guard case .workflowExecutionSignaled(let signal) = event.attributes else { return nil }
      return signal.signalName
    }
    #expect(signals == ["first", "second"])
  }

  @Test func aFalseHitOfTheFilterDoesNotTurnPipelinedRequestsRound() throws {
    let world = World()
    world.holdsLoads = true
    // Enough ids that the filter is wrong about some; each start is followed by its result.
    for number in 1...6_000 {
      let start = world.start("o-\(number)") { $0.requestID = "r-\(number)" }
      let result = world.result("o-\(number)")
      #expect(world.failure(result) == nil, "o-\(number) was started before")
      while world.loadsWaiting > 0 { world.serveLoads() }
      guard case .startWorkflow = world.reply(start) else {
        Issue.record("o-\(number) was not started")
        return
      }
    }
    #expect(world.engine.statistics.loads > 0)
  }

  @Test func resultsThatComeTogetherAreShownTogether() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1), .activity(2)])
    var results: [WorkerMessage] = []
    while let task = world.activity(worker) {
      var completed = ActivityCompleted()
      completed.token = task.token
      results.append(.of(.activityCompleted(completed)))
    }
    #expect(results.count == 2)
    let commits = world.commits
    world.step(.workerMessages(worker, results))
    #expect(world.activation(worker)?.jobNames == ["completed 1", "completed 2"])
    #expect(world.activation(worker) == nil)
    #expect(world.commits == commits + 1)
  }

  @Test func everyRequestIDOfARunIsKnownHoweverManyThereAre() throws {
    let world = World()
    _ = world.start("o-1") { $0.requestID = "start" }
    for round in 1...2 {
      for number in 1...20 {
        let reply = world.reply(world.signal("o-1", "s-\(number)", requestID: "r-\(number)"))
        guard case .signalWorkflow = reply else {
          Issue.record(
            "round \(round): signal \(number) is answered by \(String(describing: reply))")
          return
        }
      }
      #expect(world.store.history(RunNumber(1)).count == 21, "each takes effect once")
    }
    world.crash()
    _ = world.signal("o-1", "s-20", requestID: "r-20")
    #expect(world.store.history(RunNumber(1)).count == 21)
  }

  @Test func timersFireInOrderAndNeverEarly() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    let first = try #require(world.activation(worker))
    world.complete(worker, first, [.timer(1, 500), .timer(2, 200), .timer(3, 200)])
    world.advance(199)
    #expect(world.activation(worker) == nil)
    world.advance(1)
    let second = try #require(world.activation(worker))
    #expect(second.jobNames == ["fire 2", "fire 3"], "what is due together is shown together")
    world.complete(worker, second, [.cancelTimer(1)])
    world.advance(10_000)
    #expect(world.activation(worker) == nil)
    #expect(world.history().last == "timerCanceled")
  }

  @Test func aFiringThatTheCodeCancelledUnseenIsVoid() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 100)])
    _ = world.signal("o-1", "go")
    let out = try #require(world.activation(worker))
    world.advance(100)  // The timer fires while the task is out.
    world.complete(worker, out, [.cancelTimer(1)])
    #expect(world.activation(worker) == nil, "the firing is void and wakes nothing")
    #expect(world.history().suffix(3) == ["timerFired", "workflowTaskCompleted", "timerCanceled"])
    let events = world.store.history(RunNumber(1))
    guard case .timerCanceled(let canceled) = events.last?.attributes else {
      Issue.record("the last event cancels the timer")
      return
    }
    let start = try #require(
      events.first { if case .timerStarted = $0.attributes { true } else { false } })
    #expect(canceled.startedEventID == start.eventID)
  }

  @Test func aSessionThatWasTooLateIsGivenTasksAgainOnceItGivesASlotBack() throws {
    let world = World()
    let worker = world.attach(slots: 1)
    _ = world.start("o-1")
    _ = try #require(world.activation(worker))
    world.advance(60_000)
    #expect(world.activation(worker) == nil, "its task timed out: it is given nothing")
    // It found the task and its eviction together, so there was nothing to answer.
    var grant = Grant()
    grant.workflowSlots = 1
    world.tell(worker, .grant(grant))
    #expect(world.activation(worker)?.jobNames == ["initialize"])
  }

  @Test func aCloseThatHasNotSeenASignalIsAskedAgain() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    let first = try #require(world.activation(worker))
    _ = world.signal("o-1", "wait")
    world.complete(worker, first, [.done()])
    let evicted = world.take(worker) { if case .evict(let m) = $0 { m } else { nil } }
    #expect(evicted?.reason == .notRecorded)
    let again = try #require(world.activation(worker))
    #expect(again.jobNames == ["initialize", "signal wait"])
    let late = world.signal("o-1", "late")
    #expect(world.reply(late) == nil, "parked while the redo is out")
    world.complete(worker, again, [.done()])
    #expect(world.failure(late)?.reason == .workflowClosed)
    #expect(
      world.history() == [
        "workflowExecutionStarted", "workflowExecutionSignaled", "workflowTaskCompleted",
        "workflowExecutionCompleted",
      ])
  }

  @Test func signalsComeInOrderBeforeOtherJobs() throws {
    let world = World()
    let worker = world.attach(activities: [])
    let charger = world.attach(workflows: [])
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    let task = try #require(world.activity(charger))
    _ = world.signal("o-1", "a")
    let out = try #require(world.activation(worker))
    world.finish(charger, task)
    _ = world.signal("o-1", "b")
    _ = world.signal("o-1", "c")
    world.complete(worker, out, [])
    #expect(world.activation(worker)?.jobNames == ["signal b", "signal c", "completed 1"])
  }

  @Test func theSameRequestIDHasOneEffectAlsoAfterACrash() throws {
    let world = World()
    let first = world.start("o-1") { $0.requestID = "r-1" }
    guard case .startWorkflow(let made) = world.reply(first) else { return }
    _ = world.signal("o-1", "s", requestID: "r-2")
    world.crash()
    let second = world.start("o-1") {
      $0.requestID = "r-1"
      $0.identity = "another process"
    }
    guard case .startWorkflow(let again) = world.reply(second) else {
      Issue.record("the repeated start was refused")
      return
    }
    #expect(again.runID == made.runID)
    let repeated = world.signal("o-1", "s", requestID: "r-2")
    guard case .signalWorkflow = world.reply(repeated) else {
      Issue.record("the repeated signal was refused")
      return
    }
    #expect(world.history() == ["workflowExecutionStarted", "workflowExecutionSignaled"])
    let other = world.start("o-1") {
      $0.requestID = "r-1"
      $0.workflowType = "another"
    }
    #expect(world.failure(other)?.reason == .requestIDReused)
  }

  /// Seed 3 of the oracle.
  @Test func theTimeOfAClosedRunStandsStillForEveryQuery() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    let closed = world.now
    world.advance(1_000)
    var query = QueryWorkflowRequest()
    query.execution = world.execution("o-1")
    query.queryType = "total"
    _ = world.request(.queryWorkflow(query))
    let replay = try #require(
      world.take(worker) { if case .replayHistory(let m) = $0 { m } else { nil } })
    var replayed = ReplayCompleted()
    replayed.token = replay.token
    var head = CommandHead()
    head.type = .completeWorkflow
    var past = PastCompletion()
    past.heads = [head]
    replayed.completions = [past]
    world.tell(worker, .replayCompleted(replayed))
    let first = try #require(world.activation(worker))
    _ = world.request(.queryWorkflow(query))
    var answer = WorkflowTaskCompleted()
    answer.token = first.token
    world.tell(worker, .workflowTaskCompleted(answer))
    let second = try #require(world.activation(worker), "it needs no replay")
    #expect([first, second].map(\.activationTimeMs) == [closed, closed])
  }

  /// Seed 2 of the oracle.
  @Test func theWholeTimeForAnAnswerBeginsWhenTheReplayIsAnswered() throws {
    let world = World()
    let first = world.attach()
    _ = world.start("o-1")
    world.complete(first, try #require(world.activation(first)), [])
    world.step(.sessionClosed(first))
    _ = world.signal("o-1", "s")
    let second = world.attach()
    let replay = try #require(
      world.take(second) { if case .replayHistory(let m) = $0 { m } else { nil } })
    world.advance(9_000)
    var replayed = ReplayCompleted()
    replayed.token = replay.token
    replayed.completions = [PastCompletion()]
    world.tell(second, .replayCompleted(replayed))
    let activation = try #require(world.activation(second))
    world.advance(9_999)
    world.complete(second, activation, [.done()])
    #expect(world.history().last == "workflowExecutionCompleted")
  }

  /// Seeds 3 and 7 of the oracle.
  @Test func theTaskOfALostWorkerWaitsSinceItWasMade() throws {
    let world = World()
    let made = world.now
    let first = world.attach()
    _ = world.start("o-1")
    _ = try #require(world.activation(first))
    world.advance(1_000)
    world.step(.sessionClosed(first))
    #expect(world.describe("o-1")?.pendingWorkflowTask?.scheduledTimeMs == made)
    let second = world.attach()
    let again = try #require(world.activation(second))
    world.complete(second, again, [])
    _ = world.signal("o-1", "s")
    #expect(world.describe("o-1")?.pendingWorkflowTask?.scheduledTimeMs == world.now)
  }

  @Test func partsWithoutAnEndFailTheTask() throws {
    let world = World { $0.limits.partsBytesMax = 1_000 }
    let worker = world.attach()
    _ = world.start("o-1")
    var part = WorkflowTaskCompleted()
    part.token = try #require(world.activation(worker)).token
    part.more = true
    part.sdkMetadata = [UInt8](repeating: 0, count: 400)
    for _ in 1...2 { world.tell(worker, .workflowTaskCompleted(part)) }
    #expect(world.history() == ["workflowExecutionStarted"])
    world.tell(worker, .workflowTaskCompleted(part))
    #expect(world.history() == ["workflowExecutionStarted", "workflowTaskFailed"])
  }

  @Test func aWorkflowThatFailsItsTaskBacksOffAndGoesOn() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    for attempt in 1...3 as ClosedRange<Int32> {
      let activation = try #require(world.activation(worker))
      #expect(activation.attempt == attempt)
      var completed = WorkflowTaskCompleted()
      completed.token = activation.token
      var failure = WorkflowTaskFailure()
      failure.failure = Failure()
      failure.failure?.info = FailureInfo()
      failure.failure?.info?.message = "boom"
      completed.failure = failure
      world.tell(worker, .workflowTaskCompleted(completed))
      #expect(world.activation(worker) == nil)
      world.advance(1_000 << Int64(attempt - 1))
    }
    #expect(world.history() == ["workflowExecutionStarted", "workflowTaskFailed"])
    #expect(world.describe("o-1")?.warnings.first?.contains("boom") == true)
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    #expect(world.history().last == "workflowExecutionCompleted")
  }

  @Test func aRunThatRestsLeavesMemoryAndComesBackForItsTimer() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 3_600_000)])
    world.advance(20_000)
    #expect(world.engine.statistics.residentRuns == 0)
    world.advance(3_580_000)
    #expect(world.activation(worker)?.jobNames == ["fire 1"])
  }
}
