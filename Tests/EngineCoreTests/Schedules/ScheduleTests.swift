import Basics
import Messages
import Testing

@testable import EngineCore

@Suite struct ScheduleTests {
  private static func create(
    _ id: String, _ cron: String, _ change: (inout Schedule) -> Void = { _ in }
  ) -> Request {
    var schedule = Schedule()
    schedule.spec = ScheduleSpec()
    schedule.spec?.crons = [cron]
    schedule.action = ScheduleAction()
    schedule.action?.workflowType = "order"
    schedule.action?.taskQueue = "q"
    schedule.policies = SchedulePolicies()
    change(&schedule)
    var request = CreateScheduleRequest()
    request.scheduleID = id
    request.schedule = schedule
    return .schedule(.create(request))
  }

  private func describe(_ id: String, in world: World) throws -> DescribeScheduleResponse {
    var request = DescribeScheduleRequest()
    request.scheduleID = id
    guard case .schedule(.describe(let response)) = world.ask(.schedule(.describe(request))) else {
      throw Missing(what: "the description of \(id)")
    }
    return response
  }

  private struct Missing: Error {
    let what: String
  }

  /// The first events of all runs, with their times.
  private func starts(in world: World) -> [(WorkflowExecutionStarted, at: Instant)] {
    world.store.runs.keys.sorted().compactMap { number in
      guard let event = world.store.history(number).first,
        case .workflowExecutionStarted(let started) = event.attributes
      else { return nil }
      return (started, event.eventTimeMs)
    }
  }

  // MARK: - Orders

  /// Seed 30065 of the oracle: each answer of the store doubled the orders that waited for the
  /// next one.
  @Test func aWorkflowIsToldOnceToEnd() throws {
    var schedule = Schedule()
    schedule.spec = ScheduleSpec()
    schedule.spec?.crons = ["0 0 * * *"]
    schedule.policies = SchedulePolicies()
    schedule.policies?.overlapPolicy = .allowAll
    let limits = EngineLimits()
    let now = Instant(ms: 1_700_000_000_000)
    let timetable = Timetable(
      number: ScheduleNumber(1), key: ScheduleKey(namespace: "default", scheduleID: "s"), schedule,
      try ScheduleTimes(try #require(schedule.spec), in: .utc), now: now)
    let executions = (1...3).map { number in
      var execution = WorkflowExecution()
      execution.workflowID = "s-\(number)"
      execution.runID = RunID(high: 1, low: UInt64(number))
      return execution
    }
    for execution in executions {
      let time = try #require(timetable.trigger(.allowAll, now, limits))
      #expect(timetable.orders() == [.start(time)])
      timetable.started(time, execution, now)
    }
    _ = timetable.trigger(.cancelOther, now, limits)
    #expect(timetable.orders() == executions.map { .cancel($0) })
    #expect(timetable.orders() == [], "they are on their way")
    timetable.asked(executions[0], terminates: false)
    #expect(timetable.orders() == [.cancel(executions[0])], "a new run may have taken its place")
    _ = timetable.trigger(.terminateOther, now, limits)
    #expect(timetable.orders() == executions.map { .terminate($0) }, "that is another thing")
    #expect(timetable.closed(executions[0], .terminated))
    #expect(timetable.orders() == [])
  }

  // MARK: - Time zones

  @Test func aYearOfDailyActionsOverBothChangesOfTheClocksInThreeZones() throws {
    let world = World()
    world.now = try #require(Instant(iso8601: "2025-12-31T12:00:00Z"))
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
    for zone in zones {
      let create = ScheduleTests.create(zone, "30 2 * * *") { schedule in
        schedule.spec?.timeZone = zone
        schedule.policies?.overlapPolicy = .allowAll
        schedule.action?.workflowIDPrefix = zone
      }
      guard case .schedule(.create) = world.ask(create) else { throw Missing(what: zone) }
    }
    for month in 0..<12 {
      world.advance(31 * 86_400_000)
      if month % 3 == 1 { world.crash() }
    }
    for zone in zones {
      let own = starts(in: world).filter { $0.0.scheduleID == zone }
      #expect(own.allSatisfy { $0.0.scheduledTimeMs == $0.at }, "\(zone): each at its time")
      let offsets = try PythonZones.offsets(own.map { (zone, $0.at.ms / 1_000) })
      let shown = zip(own, offsets).map { $0.0.at.ms / 1_000 + $0.1 }
      #expect(shown.map { $0 / 86_400 } == Array(shown[0] / 86_400..<shown[0] / 86_400 + 372))
      // Every day at 02:30, but for the one on which the clocks skip it, or show it as 03:00 or so.
      #expect(shown.filter { $0 % 86_400 != 9_000 }.count <= 1, "\(zone)")
      #expect(own.allSatisfy { $0.0.workflowID.hasPrefix("\(zone)-202") })
    }
    let all = starts(in: world).map(\.0.workflowID)
    #expect(Set(all).count == all.count && all.count == 3 * 372)
    // The days of the changes, as they are known.
    for id in [
      "Europe/Berlin-2026-03-29T01:00:00Z", "Europe/Berlin-2026-10-25T00:30:00Z",
      "America/New_York-2026-03-08T07:00:00Z", "America/New_York-2026-11-01T07:30:00Z",
      "Australia/Lord_Howe-2026-10-03T15:30:00Z", "Australia/Lord_Howe-2026-04-04T16:00:00Z",
    ] {
      #expect(all.contains(id), "\(id)")
    }
  }

  // MARK: - Catching up

  struct CatchUp: Sendable {
    let policy: ScheduleOverlapPolicy
    /// The hours whose workflows are started, and those of them that are open then.
    let started: [Int]
    let open: [Int]
    let waiting: Int64
    let skipped: Int64
  }

  /// Five hours without an engine; the one of hour 0 was started before and is open.
  @Test(arguments: [
    CatchUp(policy: .skip, started: [0], open: [0], waiting: 0, skipped: 5),
    CatchUp(policy: .bufferOne, started: [0], open: [0], waiting: 1, skipped: 4),
    CatchUp(policy: .bufferAll, started: [0], open: [0], waiting: 5, skipped: 0),
    CatchUp(policy: .cancelOther, started: [0], open: [0], waiting: 1, skipped: 4),
    CatchUp(
      policy: .terminateOther, started: [0, 1, 2, 3, 4, 5], open: [5], waiting: 0, skipped: 0),
    CatchUp(
      policy: .allowAll, started: [0, 1, 2, 3, 4, 5], open: [0, 1, 2, 3, 4, 5], waiting: 0,
      skipped: 0),
  ])
  func catchesUpAfterFiveHoursAsItsOverlapPolicySays(_ expected: CatchUp) throws {
    let world = World()
    world.now = try #require(Instant(iso8601: "2026-01-31T11:30:00Z"))
    _ = world.ask(
      ScheduleTests.create("s-1", "@hourly") { $0.policies?.overlapPolicy = expected.policy })
    world.advance(3_600_000)
    world.now = world.now + Span(ms: 5 * 3_600_000)
    world.crash()
    let found = starts(in: world).map { $0.0.workflowID }
    #expect(found == expected.started.map { "s-1-2026-01-31T\(12 + $0):00:00Z" })
    let description = try describe("s-1", in: world)
    let info = try #require(description.info)
    #expect(
      info.running.map(\.workflowID) == expected.open.map { "s-1-2026-01-31T\(12 + $0):00:00Z" })
    #expect(info.waitingCount == expected.waiting)
    #expect(info.skippedCount == expected.skipped)
    #expect(info.actionCount == Int64(expected.started.count))
    #expect(info.missedCount == 0)
    // What waits is started when the way is free: the last one, or all in their order.
    guard expected.waiting > 0 else { return }
    world.terminate("s-1-2026-01-31T12:00:00Z")
    let next = expected.policy == .bufferOne || expected.policy == .bufferAll ? 13 : 17
    #expect(starts(in: world).last?.0.workflowID == "s-1-2026-01-31T\(next):00:00Z")
  }

  @Test func whatIsOlderThanTheWindowIsMissed() throws {
    let world = World()
    world.now = try #require(Instant(iso8601: "2026-01-31T11:30:00Z"))
    _ = world.ask(
      ScheduleTests.create("s-1", "@hourly") { schedule in
        schedule.policies?.overlapPolicy = .allowAll
        schedule.policies?.catchupWindowMs = Span(ms: 2 * 3_600_000)
      })
    world.now = world.now + Span(ms: 5 * 3_600_000)
    world.crash()
    // At 16:30: those of 12, 13 and 14 are too old.
    #expect(
      starts(in: world).map(\.0.workflowID) == [
        "s-1-2026-01-31T15:00:00Z", "s-1-2026-01-31T16:00:00Z",
      ])
    #expect(try describe("s-1", in: world).info?.missedCount == 3)
  }

  /// A year of seconds that were missed: looked at in small steps, each of which ends.
  @Test func aLongAbsenceDoesNotHoldAStep() throws {
    let world = World()
    _ = world.ask(
      ScheduleTests.create("s-1", "* * * * * * *") { schedule in
        schedule.policies?.catchupWindowMs = Span(ms: 10_000)
      })
    world.now = world.now + Span(ms: 3_600_000)
    var steps = 0
    world.observer = { _, _ in steps += 1 }
    world.crash()
    let info = try #require(try describe("s-1", in: world).info)
    #expect(info.missedCount == 3_600 - 11)
    #expect(steps > 15 && steps < 200)
  }

  // MARK: - Crashes

  /// However often the engine dies, before or after a commit: each time has one workflow, and each
  /// workflow's end is known.
  @Test func everyTimeHasItsOneWorkflowOverCrashes() throws {
    for seed in 1...60 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      let world = World()
      let begin = world.now
      let policy = [ScheduleOverlapPolicy.allowAll, .bufferAll, .terminateOther]
        .randomElement(using: &random)!
      _ = world.ask(
        ScheduleTests.create("s-1", "*/20 * * * * * *") { schedule in
          schedule.policies?.overlapPolicy = policy
          schedule.spec?.jitterMs = Span(ms: Int64.random(in: 0...30_000, using: &random))
        })
      for _ in 0..<60 {
        world.holdsCommits = Bool.random(using: &random)
        world.advance(Int64.random(in: 0...25_000, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: world.crash()
        case 1: world.commit()
        case 2:
          world.commit()
          if let open = try describe("s-1", in: world).info?.running.first {
            world.terminate(open.workflowID)
          }
        default: break
        }
      }
      world.holdsCommits = false
      world.commit()
      world.advance(60_000)
      let end = world.now
      // What waits comes in its turn.
      while let open = try describe("s-1", in: world).info, open.waitingCount > 0 {
        world.terminate(try #require(open.running.first).workflowID)
      }
      let times = starts(in: world).map(\.0.scheduledTimeMs)
      #expect(times.allSatisfy { $0 > begin }, "seed \(seed)")
      let expected = stride(from: begin.ms / 20_000 * 20_000 + 20_000, through: end.ms, by: 20_000)
      let last = (times.last ?? begin).ms
      #expect(times.map(\.ms) == expected.filter { $0 <= last }, "seed \(seed), \(policy)")
      #expect(last > end.ms - 50_000, "seed \(seed)")
      let open = world.store.runs.values.filter { $0.row.closeTime == nil }.map(\.row.workflowID)
      let known = try describe("s-1", in: world).info?.running.map(\.workflowID)
      #expect(known?.sorted() == open.sorted(), "seed \(seed)")
    }
  }

  // MARK: - Overlap

  /// Found by the oracle, seed 15: what had been asked to cancel was not terminated.
  @Test func anActionTerminatesWhatAnotherHasAskedToCancel() throws {
    let world = World()
    _ = world.ask(ScheduleTests.create("s-1", "@daily"))
    var trigger = TriggerScheduleRequest()
    trigger.scheduleID = "s-1"
    for policy in [ScheduleOverlapPolicy.skip, .cancelOther, .terminateOther] {
      trigger.overlapPolicy = policy
      _ = world.ask(.schedule(.trigger(trigger)))
    }
    let info = try #require(try describe("s-1", in: world).info)
    #expect(info.recentActions.map(\.status) == [.terminated, .running])
    #expect(info.running == info.recentActions.suffix(1).compactMap(\.execution))
    #expect(info.waitingCount == 0 && info.skippedCount == 1)
  }

  /// Found by the oracle, seed 26: what waited was counted when it was started.
  @Test func actionsThatWaitAreAmongThoseThatAreLeft() throws {
    let world = World()
    _ = world.ask(
      ScheduleTests.create("s-1", "@hourly") { schedule in
        schedule.policies?.overlapPolicy = .bufferAll
        schedule.state = ScheduleState()
        schedule.state?.limitedActions = true
        schedule.state?.remainingActions = 2
      })
    world.advance(5 * 3_600_000)
    let before = try describe("s-1", in: world)
    #expect(before.info?.waitingCount == 1 && before.schedule?.state?.remainingActions == 0)
    world.terminate(try #require(before.info?.running.first?.workflowID))
    let after = try describe("s-1", in: world)
    #expect(after.info?.waitingCount == 0 && after.info?.actionCount == 2)
  }

  // MARK: - Limits

  @Test func thereAreOnlySoMany() throws {
    let world = World { configuration in
      configuration.limits.schedulesMax = 2
      configuration.limits.scheduleBytesMax = 10_000
    }
    func outcome(_ request: Request) -> Status? {
      if case .failure(let status) = world.ask(request) { status } else { nil }
    }
    #expect(outcome(ScheduleTests.create("s-1", "@daily")) == nil)
    let large = ScheduleTests.create("s-2", "@daily") { schedule in
      var payload = Payload()
      payload.data = [UInt8](repeating: 1, count: 10_000)
      schedule.action?.input = [payload]
    }
    #expect(outcome(large)?.reason == .limitReached)
    #expect(outcome(ScheduleTests.create("s-2", "@daily")) == nil)
    #expect(outcome(ScheduleTests.create("s-3", "@daily"))?.reason == .limitReached)
    var delete = DeleteScheduleRequest()
    delete.scheduleID = "s-1"
    #expect(outcome(.schedule(.delete(delete))) == nil)
    #expect(outcome(ScheduleTests.create("s-3", "@daily")) == nil)
  }

  /// Actions that wait are bounded, and so are open workflows; a backfill waits for room.
  @Test func whatWaitsIsBounded() throws {
    let world = World { configuration in
      configuration.limits.waitingActionsMax = 3
      configuration.limits.scheduledWorkflowsMax = 4
    }
    _ = world.ask(
      ScheduleTests.create("all", "@hourly") { $0.policies?.overlapPolicy = .bufferAll })
    _ = world.ask(
      ScheduleTests.create("allow", "@hourly") { $0.policies?.overlapPolicy = .allowAll })
    world.advance(7 * 3_600_000)
    let all = try #require(try describe("all", in: world).info)
    #expect(all.waitingCount == 3 && all.droppedCount == 3 && all.running.count == 1)
    let allow = try #require(try describe("allow", in: world).info)
    #expect(allow.running.count == 4 && allow.droppedCount == 3 && allow.waitingCount == 0)
    var backfill = BackfillScheduleRequest()
    backfill.scheduleID = "allow"
    backfill.startAtMs = World.start - Span(ms: 3 * 3_600_000)
    backfill.endAtMs = World.start
    guard case .schedule(.backfill) = world.ask(.schedule(.backfill(backfill))) else {
      throw Missing(what: "the backfill")
    }
    #expect(try describe("allow", in: world).info?.backfills == 1)
    for execution in allow.running { world.terminate(execution.workflowID) }
    world.advance(0)
    let after = try #require(try describe("allow", in: world).info)
    #expect(after.actionCount == 7 && after.backfills == 0 && after.droppedCount == 3)
  }

  /// Actions that wait only until starts are taken again are not more than may be open then.
  @Test func whatWaitsForTheDiskHasAPlaceAmongTheOpenWorkflows() throws {
    let world = World { $0.limits.scheduledWorkflowsMax = 4 }
    let create = ScheduleTests.create("allow", "@hourly") {
      $0.policies?.overlapPolicy = .allowAll
    }
    _ = world.ask(create)
    world.advance(3_600_000)
    world.step(.diskFull(true))
    world.advance(6 * 3_600_000)
    let full = try #require(try describe("allow", in: world).info)
    #expect(full.running.count == 1 && full.waitingCount == 3 && full.droppedCount == 3)
    world.step(.diskFull(false))
    let free = try #require(try describe("allow", in: world).info)
    #expect(free.running.count == 4 && free.waitingCount == 0 && free.droppedCount == 3)
  }

  /// The same for a backfill, of which nothing is left out, whatever takes it up again.
  @Test(arguments: [false, true])
  func aBackfillThatWaitsForTheDiskGoesOnWhenThereIsRoom(crashes: Bool) throws {
    let world = World { $0.limits.scheduledWorkflowsMax = 4 }
    let create = ScheduleTests.create("allow", "@hourly") {
      $0.policies?.overlapPolicy = .allowAll
    }
    _ = world.ask(create)
    world.advance(3_600_000)
    world.step(.diskFull(true))
    var backfill = BackfillScheduleRequest()
    backfill.scheduleID = "allow"
    backfill.startAtMs = World.start - Span(ms: 5 * 3_600_000)
    backfill.endAtMs = World.start - Span(ms: 1)
    _ = world.ask(.schedule(.backfill(backfill)))
    world.advance(0)
    let full = try #require(try describe("allow", in: world).info)
    #expect(full.running.count == 1 && full.waitingCount == 3 && full.backfills == 1)
    if crashes { world.crash() } else { world.step(.diskFull(false)) }
    world.advance(0)
    let free = try #require(try describe("allow", in: world).info)
    #expect(free.running.count == 4 && free.waitingCount == 0 && free.backfills == 1)
    for execution in free.running { world.terminate(execution.workflowID) }
    world.advance(0)
    let after = try #require(try describe("allow", in: world).info)
    #expect(after.actionCount == 6 && after.backfills == 0 && after.droppedCount == 0)
  }
}
