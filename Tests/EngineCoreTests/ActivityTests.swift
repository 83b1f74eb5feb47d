import Basics
@testable import EngineCore
import Messages
import Testing

@Suite struct ActivityTests {
  /// A world in which `o-1` has scheduled one activity, and its worker.
  private func scheduled(
    activities: [String] = ["charge"], _ change: (inout ScheduleActivity) -> Void = { _ in }
  ) throws -> (World, SessionID) {
    let world = World()
    let worker = world.attach(activities: activities)
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1, change)])
    return (world, worker)
  }

  private func fail(
    _ world: World, _ worker: SessionID, _ task: ActivityTask, type: String = "Oops",
    message: String = "no", _ change: (inout ApplicationFailure) -> Void = { _ in }
  ) {
    var application = ApplicationFailure()
    application.type = type
    change(&application)
    var failed = ActivityFailed()
    failed.token = task.token
    failed.failure = Failure()
    failed.failure?.info = FailureInfo()
    failed.failure?.info?.message = message
    failed.failure?.info?.kind = .application(application)
    world.tell(worker, .activityFailed(failed))
  }

  private func failure(_ activation: Activation?) -> Failure? {
    guard case .resolveActivity(let resolved) = activation?.jobs.first?.kind,
      case .failed(let failure) = resolved.result
    else { return nil }
    return failure
  }

  @Test func itIsTriedAgainByItsPolicyAndFailsWhenThatIsUsedUp() throws {
    let (world, worker) = try scheduled { schedule in
      schedule.retryPolicy = RetryPolicy()
      schedule.retryPolicy?.maximumAttempts = 3
    }
    for (attempt, wait) in [(1, 1_000), (2, 2_000)] as [(Int32, Int64)] {
      let task = try #require(world.activity(worker))
      #expect(task.attempt == attempt)
      fail(world, worker, task)
      world.tell(worker, .grant(.of(activities: 1)))
      world.advance(wait - 1)
      #expect(world.activity(worker) == nil, "not before its interval")
      world.advance(1)
    }
    let last = try #require(world.activity(worker))
    #expect(last.attempt == 3)
    fail(world, worker, last)
    let ended = try #require(failure(world.activation(worker)))
    guard case .activity(let activity) = ended.info?.kind else { return }
    #expect(activity.retryState == .maximumAttemptsReached)
    #expect(activity.attempt == 3)
    #expect(ended.causes.first?.message == "no")
    #expect(world.history().suffix(2) == ["activityTaskStarted", "activityTaskFailed"])
  }

  @Test func ofManyFailedAttemptsTheFirstAndTheLastAreKept() throws {
    let (world, worker) = try scheduled { schedule in
      schedule.retryPolicy = RetryPolicy()
      schedule.retryPolicy?.maximumIntervalMs = Span(ms: 1_000)
    }
    for _ in 1...30 {
      fail(world, worker, try #require(world.activity(worker)))
      world.tell(worker, .grant(.of(activities: 1)))
      world.advance(1_000)
    }
    let pending = try #require(world.describe("o-1")?.pendingActivities.first)
    #expect(pending.failedAttemptsCount == 30)
    #expect(pending.failedAttempts.map(\.attempt) == Array(1...5) + Array(11...30))
    #expect(pending.attempt == 31)
  }

  @Test func aKeptFailureIsCutAndTheOneThatEndsItIsNot() throws {
    let (world, worker) = try scheduled { schedule in
      schedule.retryPolicy = RetryPolicy()
      schedule.retryPolicy?.maximumAttempts = 2
    }
    let long = String(repeating: "x", count: 10_000)
    fail(world, worker, try #require(world.activity(worker)), message: long)
    world.tell(worker, .grant(.of(activities: 1)))
    let kept = try #require(
      world.describe("o-1")?.pendingActivities.first?.failedAttempts.first?.failure)
    #expect(kept.info?.message == String(long.prefix(2_048)))
    #expect(kept.serialized().count < 4_096)
    world.advance(1_000)
    fail(world, worker, try #require(world.activity(worker)), message: long)
    #expect(failure(world.activation(worker))?.causes.first?.message == long)
  }

  @Test func nonRetryableFailuresEndItAtOnce() throws {
    for isListed in [true, false] {
      let (world, worker) = try scheduled { schedule in
        schedule.retryPolicy = RetryPolicy()
        if isListed { schedule.retryPolicy?.nonRetryableErrorTypes = ["Declined"] }
      }
      fail(world, worker, try #require(world.activity(worker)), type: "Declined") {
        $0.nonRetryable = !isListed
      }
      let ended = try #require(failure(world.activation(worker)))
      guard case .activity(let activity) = ended.info?.kind else { return }
      #expect(activity.retryState == .nonRetryableFailure)
    }
  }

  @Test func aFailureCanChooseItsOwnDelay() throws {
    let (world, worker) = try scheduled()
    fail(world, worker, try #require(world.activity(worker))) {
      $0.nextRetryDelayMs = Span(ms: 77_000)
    }
    world.advance(76_999)
    #expect(world.activity(worker) == nil)
    world.advance(1)
    #expect(world.activity(worker)?.attempt == 2)
  }

  @Test func itGivesUpEarlyWhenTheNextTryWouldBeTooLate() throws {
    let (world, worker) = try scheduled { schedule in
      schedule.scheduleToCloseTimeoutMs = Span(ms: 900)
    }
    fail(world, worker, try #require(world.activity(worker)))
    guard case .activity(let activity) = failure(world.activation(worker))?.info?.kind else {
      Issue.record("it did not fail")
      return
    }
    #expect(activity.retryState == .timeout)
  }

  @Test func startToCloseIsTriedAgainAndScheduleToStartIsNot() throws {
    let (world, worker) = try scheduled()
    let first = try #require(world.activity(worker))
    world.advance(10_000)
    let cancel = world.take(worker) { if case .activityCancel(let m) = $0 { m } else { nil } }
    #expect(cancel?.reason == .timedOut)
    world.advance(1_000)
    #expect(world.activity(worker)?.attempt == 2)
    world.finish(worker, first)
    let refused = world.take(worker) { if case .refused(let m) = $0 { m } else { nil } }
    #expect(refused?.status?.reason == .staleLease, "a late result changes nothing")

    let (idle, _) = try scheduled(activities: []) { $0.scheduleToStartTimeoutMs = Span(ms: 500) }
    idle.advance(500)
    #expect(idle.history().last == "activityTaskTimedOut")
  }

  @Test func heartbeatsKeepItAliveAndTheirDetailsReachTheNextAttempt() throws {
    let (world, worker) = try scheduled { $0.heartbeatTimeoutMs = Span(ms: 1_000) }
    let task = try #require(world.activity(worker))
    for _ in 0..<5 {
      world.advance(900)
      var heartbeat = Heartbeat()
      heartbeat.token = task.token
      heartbeat.details = [.text("half")]
      world.tell(worker, .heartbeat(heartbeat))
    }
    #expect(world.describe("o-1")?.pendingActivities.first?.attempt == 1)
    world.advance(1_000)
    world.advance(1_000)
    let second = try #require(world.activity(worker))
    #expect(second.attempt == 2)
    #expect(second.heartbeatDetails == [.text("half")])
  }

  @Test func heartbeatsAskForNoCommitOfTheirOwnWithinASecond() throws {
    let (world, worker) = try scheduled()
    let task = try #require(world.activity(worker))
    let before = world.commits
    for _ in 0..<20 {
      var heartbeat = Heartbeat()
      heartbeat.token = task.token
      world.tell(worker, .heartbeat(heartbeat))
    }
    #expect(world.commits == before)
    world.advance(1_000)
    #expect(world.commits == before + 1, "one for all of them")
  }

  @Test func cancelKinds() throws {
    let kinds: [(ActivityCancellationType, Bool)] = [
      (.tryCancel, true), (.waitCancellationCompleted, false), (.abandon, true),
    ]
    for (kind, resolvesNow) in kinds {
      let (world, worker) = try scheduled { $0.cancellationType = kind }
      let task = try #require(world.activity(worker))
      _ = world.signal("o-1", "stop")
      var cancel = RequestCancelActivity()
      cancel.seq = 1
      world.complete(
        worker, try #require(world.activation(worker)), [.requestCancelActivity(cancel)])
      let told = world.take(worker) { if case .activityCancel(let m) = $0 { m } else { nil } }
      #expect((told?.reason == .cancelled) == (kind != .abandon), "\(kind)")
      #expect((world.activation(worker) != nil) == resolvesNow, "\(kind)")
      guard kind == .waitCancellationCompleted else { continue }
      var report = ReportActivityCancelled()
      report.token = task.token
      world.tell(worker, .reportActivityCancelled(report))
      #expect(world.activation(worker)?.jobNames == ["canceled 1"])
    }
  }

  @Test func whatHasNotStartedIsCancelledAtOnce() throws {
    let (world, worker) = try scheduled(activities: []) {
      $0.cancellationType = .waitCancellationCompleted
    }
    _ = world.signal("o-1", "stop")
    var cancel = RequestCancelActivity()
    cancel.seq = 1
    world.complete(
      worker, try #require(world.activation(worker)), [.requestCancelActivity(cancel)])
    #expect(world.activation(worker)?.jobNames == ["canceled 1"])
  }

  @Test func aDeadProcessLosesItsLeasesAtOnce() throws {
    let world = World()
    let process = ProcessIdentity(bootID: "boot", process: 7, start: 1)
    let first = world.attach(slots: 1, process: process)
    _ = world.start("o-1")
    world.complete(first, try #require(world.activation(first)), [.activity(1)])
    let task = try #require(world.activity(first))
    let second = world.attach()
    world.step(.processGone(process))
    let again = try #require(world.activity(second), "without waiting for anything")
    #expect(again.attempt == 2)
    #expect(again.idempotencyKey == task.idempotencyKey)
    let attempt = world.describe("o-1")?.pendingActivities.first?.failedAttempts.first
    guard case .workerLost = attempt?.failure?.info?.kind else {
      Issue.record("not WORKER_LOST")
      return
    }
  }

  @Test func aWorkerThatComesBackKeepsWhatItNamesAndIsSentTheRestAgain() throws {
    let world = World()
    let token = Array("resume".utf8)
    let first = world.attach { $0.resumeToken = token }
    _ = world.start("o-1")
    world.complete(
      first, try #require(world.activation(first)), [.activity(1), .activity(2)])
    let held = try #require(world.activity(first))
    let lost = try #require(world.activity(first))
    world.step(.sessionClosed(first))
    let second = world.attach {
      $0.resumeToken = token
      $0.heldLeases = [held.token]
    }
    let again = try #require(world.activity(second), "it never arrived")
    #expect(again.token == lost.token)
    #expect(again.attempt == 1)
    #expect(world.activity(second) == nil)
    world.finish(second, held)
    #expect(world.history().contains("activityTaskCompleted"))
  }

  @Test func leasesLiveOverACrashOfTheEngine() throws {
    let world = World()
    let token = Array("resume".utf8)
    let first = world.attach { $0.resumeToken = token }
    _ = world.start("o-1")
    world.complete(first, try #require(world.activation(first)), [.activity(1)])
    let task = try #require(world.activity(first))
    world.crash()
    let second = world.attach {
      $0.resumeToken = token
      $0.heldLeases = [task.token]
    }
    world.finish(second, task)
    let recorded = world.take(second) { if case .recorded(let m) = $0 { m } else { nil } }
    #expect(recorded?.tokens == [task.token])
    #expect(world.history().contains("activityTaskCompleted"))
  }

  @Test func aLostLeaseIsTriedElsewhereAfterTheResumeWindow() throws {
    let world = World()
    let first = world.attach()
    _ = world.start("o-1")
    world.complete(
      first, try #require(world.activation(first)),
      [.activity(1) { $0.startToCloseTimeoutMs = Span(ms: 60_000) }])
    _ = world.activity(first)
    world.step(.sessionClosed(first))
    let second = world.attach()
    world.advance(9_999)
    #expect(world.activity(second) == nil)
    world.advance(1)
    #expect(world.activity(second)?.attempt == 2)
  }

  @Test func itIsCompletedFromElsewhereByIdsOnce() throws {
    let (world, worker) = try scheduled { $0.activityID = "approval" }
    let task = try #require(world.activity(worker))
    var elsewhere = WillCompleteElsewhere()
    elsewhere.token = task.token
    world.tell(worker, .willCompleteElsewhere(elsewhere))
    world.step(.sessionClosed(worker))
    var complete = CompleteActivityRequest()
    complete.activity = ActivityReference()
    complete.activity?.execution = world.execution("o-1")
    complete.activity?.activityID = "approval"
    complete.requestID = "r-1"
    complete.result = [.text("yes")]
    for _ in 0..<2 {
      guard case .completeActivity = world.ask(.completeActivity(complete)) else {
        Issue.record("refused")
        return
      }
    }
    #expect(world.history().filter { $0 == "activityTaskCompleted" }.count == 1)
  }

  /// What a worker is told of its report: recorded, refused, or nothing.
  private func told(_ world: World, _ worker: SessionID) -> String? {
    world.take(worker) { message -> String? in
      switch message {
      case .recorded: "recorded"
      case .refused: "refused"
      default: nil
      }
    }
  }

  /// Seed 18 of the simulation.
  @Test(arguments: [false, true])
  func aRepetitionIsRecordedAfterACrashAndAnotherResultRefused(_ closes: Bool) throws {
    let (world, worker) = try scheduled()
    let task = try #require(world.activity(worker))
    world.finish(worker, task)
    let resolved = try #require(world.activation(worker))
    if closes { world.complete(worker, resolved, [.done()]) }
    world.crash()
    let again = world.attach { $0.resumeToken = Array("token-1".utf8) }
    world.finish(again, task)
    #expect(told(world, again) == "recorded")
    world.finish(again, task, "another")
    #expect(told(world, again) == "refused")
    fail(world, again, task)
    #expect(told(world, again) == "refused")
    #expect(world.history().count { $0 == "activityTaskCompleted" } == 1)
  }

  @Test func theRepetitionOfAFailureThatIsTriedAgainIsRecordedAfterACrash() throws {
    let (world, worker) = try scheduled()
    let task = try #require(world.activity(worker))
    fail(world, worker, task)
    world.crash()
    let again = world.attach { $0.resumeToken = Array("token-1".utf8) }
    fail(world, again, task)
    #expect(told(world, again) == "recorded")
    fail(world, again, task, type: "Another")
    #expect(told(world, again) == "refused")
  }

  /// Seed 12 of the oracle.
  @Test func aLeaseThatAnotherWorkerHoldsIsLost() throws {
    let (world, worker) = try scheduled()
    let task = try #require(world.activity(worker))
    let other = world.attach { $0.heldLeases = [task.token] }
    let attached = world.take(other) { if case .attached(let m) = $0 { m } else { nil } }
    #expect(attached?.lostLeases == [task.token])
    world.finish(worker, task)
    #expect(told(world, worker) == "recorded")
  }

  @Test func intervalsSaturate() {
    var policy = RetryPolicy()
    policy.backoffCoefficient = 10
    let filled = policy.filled(default: Span(ms: 1_000))
    #expect(filled.interval(afterAttempt: 1) == Span(ms: 1_000))
    #expect(filled.interval(afterAttempt: 2) == Span(ms: 10_000))
    #expect(filled.interval(afterAttempt: 3) == Span(ms: 100_000))
    #expect(filled.interval(afterAttempt: .max) == Span(ms: 100_000))
    policy.maximumIntervalMs = Span(ms: .max)
    #expect(policy.filled(default: Span(ms: 1)).interval(afterAttempt: .max) == Span(ms: .max))
  }
}

extension Grant {
  static func of(activities: UInt32) -> Grant {
    var grant = Grant()
    grant.activitySlots = activities
    return grant
  }
}
