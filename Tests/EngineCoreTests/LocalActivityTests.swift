import Basics
import Messages
import Testing

@testable import EngineCore

/// Local activities over loads, copies and sessions that come and go; what each message brings is
/// told by the traces `ScheduleLocalActivity` and `LocalActivities`.
@Suite struct LocalActivityTests {
  /// A run whose worker, with so many slots, has local activity 1 in hand.
  private func inHand(
    _ world: World, slots: UInt32 = 10, _ change: (inout ScheduleLocalActivity) -> Void = { _ in }
  ) throws -> (worker: SessionID, run: RunID) {
    let worker = world.attach(slots: slots)
    _ = world.start("w")
    let activation = try #require(world.activation(worker))
    world.complete(worker, activation, [.local(1, change)])
    return (worker, activation.runID)
  }

  private func done(
    _ world: World, _ worker: SessionID, _ run: RunID, attempt: Int32 = 1,
    _ result: LocalActivityDone.Result? = .completed(PayloadList())
  ) -> Bool {
    var done = LocalActivityDone()
    done.token = [1, 2, 3]
    done.runID = run
    done.seq = 1
    done.attempt = attempt
    done.result = result
    world.tell(worker, .localActivityDone(done))
    return world.take(worker) { kind -> Bool? in
      if case .recorded(let m) = kind, m.tokens == [[1, 2, 3]] { return true }
      if case .refused(let m) = kind, m.token == [1, 2, 3] { return false }
      return nil
    } ?? false
  }

  private static func failure(_ delayMs: Int64) -> LocalActivityDone.Result {
    var application = ApplicationFailure()
    application.nextRetryDelayMs = Span(ms: delayMs)
    return .failed(.engine("no", .application(application)))
  }

  @Test func aRunThatWaitsForItsNextAttemptLeavesMemoryAndItsWorkerKeepsIt() throws {
    let world = World()
    let (worker, run) = try inHand(world)
    #expect(world.engine.busyRuns == 1, "it is under way")
    #expect(done(world, worker, run, LocalActivityTests.failure(3_600_000)))
    #expect(world.engine.busyRuns == 0)
    world.advance(3_599_999)
    #expect(world.engine.statistics.residentRuns == 0)
    world.advance(1)
    let activation = try #require(world.activation(worker))
    #expect(activation.jobs.isEmpty)
    #expect(activation.localAttempts.map(\.seq) == [1])
    #expect(activation.localAttempts.map(\.attempt) == [2])
    world.complete(worker, activation, [])
    #expect(done(world, worker, run, attempt: 2))
    #expect(
      world.history() == [
        "workflowExecutionStarted", "workflowTaskCompleted", "activityTaskScheduled",
        "activityTaskStarted", "activityTaskCompleted",
      ])
  }

  @Test func aRunThatHasOneInHandStaysInMemory() throws {
    let world = World()
    let (worker, run) = try inHand(world)
    world.advance(3_600_000)
    #expect(world.engine.statistics.residentRuns == 1)
    #expect(done(world, worker, run))
  }

  /// The start of an attempt is durable before its leave.
  @Test func anEngineThatStartsAgainKnowsOfTheAttempt() throws {
    let world = World()
    _ = try inHand(world) { $0.retryPolicy = RetryPolicy.of(attempts: 1) }
    world.crash()
    let next = world.attach()
    _ = world.describe("w")
    let described = try #require(world.describe("w"))
    #expect(described.pendingActivities.isEmpty)
    #expect(world.history().last == "activityTaskFailed")
    #expect(world.take(next) { if case .replayHistory = $0 { true } else { nil } } == true)
  }

  @Test func whatALeaveWasNotDurableForNeverBegan() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("w")
    let activation = try #require(world.activation(worker))
    world.holdsCommits = true
    world.complete(worker, activation, [.local(1)])
    #expect(world.take(worker) { if case .recorded = $0 { true } else { nil } } == nil)
    world.crash()
    world.holdsCommits = false
    let next = world.attach()
    #expect(world.activation(next)?.jobs.count == 1, "the code begins anew")
  }

  @Test func aRunThatOnlyWaitsForSomebodyToRunItWaitsOutside() throws {
    let world = World { $0.limits.residentBytesMax = 1 }
    let (worker, _) = try inHand(world)
    world.step(.sessionClosed(worker))
    #expect(world.engine.statistics.residentRuns == 0)
    #expect(world.engine.statistics.tasksQueued == 1)
    let next = world.attach()
    #expect(world.take(next) { if case .replayHistory = $0 { true } else { nil } } == true)
  }

  @Test func aDrainingWorkerKeepsTheRunUntilItHasDone() throws {
    let world = World()
    let (worker, run) = try inHand(world)
    let other = world.attach()
    world.tell(worker, .detach(Detach()))
    _ = world.signal("w", "a")
    world.advance(1_000)
    #expect(world.take(other) { if case .replayHistory = $0 { true } else { nil } } == nil)
    #expect(done(world, worker, run))
    world.advance(100)
    #expect(world.take(other) { if case .replayHistory = $0 { true } else { nil } } == true)
  }

  /// The run was taken away and came back to the same worker: a report of before is stale.
  @Test func anOldReportOfTheSameWorkerIsStale() throws {
    let world = World()
    let (worker, run) = try inHand(world)
    var evicted = Evicted()
    evicted.runIDs = [run]
    world.tell(worker, .evicted(evicted))
    let part = try #require(
      world.take(worker) { if case .replayHistory(let m) = $0 { m } else { nil } })
    var head = CommandHead()
    head.type = .scheduleLocalActivity
    head.seq = 1
    head.name = "charge"
    var past = PastCompletion()
    past.heads = [head]
    var replayed = ReplayCompleted()
    replayed.token = part.token
    replayed.completions = [past]
    world.tell(worker, .replayCompleted(replayed))
    world.complete(worker, try #require(world.activation(worker)), [])
    #expect(!done(world, worker, run, attempt: 1))
    #expect(done(world, worker, run, attempt: 2))
    #expect(done(world, worker, run, attempt: 2), "a repetition")
  }

  @Test func theyCountAmongPendingActivities() throws {
    let world = World { $0.limits.pendingActivitiesMax = 2 }
    let worker = world.attach()
    _ = world.start("w")
    world.complete(
      worker, try #require(world.activation(worker)), [.local(1), .activity(2), .local(3)])
    #expect(world.history() == ["workflowExecutionStarted", "workflowTaskFailed"])
    let text = world.describe("w")?.pendingWorkflowTask?.lastFailure?.info?.message
    #expect(text?.hasSuffix("more than 2 pending activities") ?? false)
  }

  @Test func aResultThatCannotBeKeptIsAFailure() throws {
    let world = World { $0.limits.payloadBytesMax = 10 }
    let (worker, run) = try inHand(world)
    var list = PayloadList()
    list.payloads = [.text("more than ten bytes")]
    #expect(done(world, worker, run, .completed(list)))
    #expect(world.history().last == "activityTaskFailed")
  }
}

extension RetryPolicy {
  fileprivate static func of(attempts: Int32) -> RetryPolicy {
    var policy = RetryPolicy()
    policy.maximumAttempts = attempts
    return policy
  }
}

extension Command.Kind {
  fileprivate static func local(
    _ seq: UInt32, _ change: (inout ScheduleLocalActivity) -> Void = { _ in }
  ) -> Command.Kind {
    var schedule = ScheduleLocalActivity()
    schedule.seq = seq
    schedule.activityType = "charge"
    schedule.startToCloseTimeoutMs = Span(ms: 10_000)
    change(&schedule)
    return .scheduleLocalActivity(schedule)
  }
}
