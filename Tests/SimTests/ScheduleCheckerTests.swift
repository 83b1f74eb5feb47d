import Basics
import EngineCore
import Messages
import Testing

@testable import SimKit

/// The checker of schedules accepts a good story, and sees what is wrong in a bad one.
@Suite("The checker of schedules") struct ScheduleCheckerTests {
  private static let number = ScheduleNumber(1)

  private func definition(_ policy: ScheduleOverlapPolicy) -> Write {
    var definition = ScheduleDefinition()
    definition.scheduleID = "s"
    var interval = IntervalSpec()
    interval.everyMs = Span(ms: 1_000)
    var schedule = Schedule()
    schedule.spec = ScheduleSpec()
    schedule.spec?.intervals = [interval]
    schedule.policies = SchedulePolicies()
    schedule.policies?.overlapPolicy = policy
    schedule.policies?.catchupWindowMs = Span(ms: 10_000)
    definition.schedule = schedule
    return .putSchedule(ScheduleCheckerTests.number, definition: definition.serialized())
  }

  /// Made at 500 ms by a request with an id.
  private func progress(
    through: Int64, running: [Int64] = [], waiting: [Int64] = [], actions: Int64 = 0,
    skipped: Int64 = 0
  ) -> Write {
    var info = ScheduleInfo()
    info.createTimeMs = Instant(ms: 500)
    info.actionCount = actions
    info.skippedCount = skipped
    info.running = running.map { run in
      var execution = WorkflowExecution()
      execution.runID = CheckerBench.runID(run)
      return execution
    }
    var progress = ScheduleProgress()
    progress.conflictToken = 1
    progress.doneThroughTimeMs = Instant(ms: through)
    progress.info = info
    progress.waiting = waiting.map { time in
      var action = WaitingAction()
      action.scheduledTimeMs = Instant(ms: time)
      return action
    }
    progress.requests = [ScheduleRequestRecord()]
    return .putScheduleProgress(ScheduleCheckerTests.number, bytes: progress.serialized())
  }

  /// The run is started for a time.
  private func start(_ run: Int64, for time: Int64, at begun: Int64, _ bench: CheckerBench)
    -> [Write]
  {
    let row = RunRow(
      number: RunNumber(run), namespace: "default", workflowID: "s-\(time)",
      runID: CheckerBench.runID(run), workflowType: "T", taskQueue: "q", status: .running,
      startTime: Instant(ms: begun), closeTime: nil, historyLength: 0, historySizeBytes: 0,
      deadline: nil, summary: "")
    var started = WorkflowExecutionStarted()
    started.scheduleID = "s"
    started.scheduledTimeMs = Instant(ms: time)
    return [
      .createRun(row), bench.append(run, [.workflowExecutionStarted(started)], ms: begun),
    ]
  }

  private func bench(_ policy: ScheduleOverlapPolicy = .allowAll) -> CheckerBench {
    let bench = CheckerBench(SchedulesKeepTime())
    bench.commit([definition(policy), progress(through: 500)])
    return bench
  }

  @Test func eachTimeHasItsAction() {
    let bench = bench()
    bench.commit(
      start(1, for: 1_000, at: 1_001, bench) + [
        progress(through: 1_000, running: [1], actions: 1)
      ])
    bench.commit(
      start(2, for: 2_000, at: 12_000, bench) + [
        progress(through: 2_000, running: [1, 2], actions: 2)
      ])
    #expect(bench.found == [])
  }

  @Test func aTimeThatComesTwiceIsSeen() {
    let bench = bench()
    let first = progress(through: 1_000, running: [1], actions: 1)
    bench.commit(start(1, for: 1_000, at: 1_001, bench) + [first])
    bench.commit(
      start(2, for: 1_000, at: 1_002, bench) + [
        progress(through: 1_000, running: [1, 2], actions: 1)
      ])
    #expect(bench.found == ["run#2 is the second action of s for 1000"])
  }

  @Test(arguments: [
    (2_000, 1_999, "run#1 is started before its time"),
    (1_000, 11_001, "run#1 is 10001 ms late; 10000 are allowed"),
  ])
  func earlyAndLateActionsAreSeen(_ time: Int64, _ begun: Int64, _ what: String) {
    let bench = bench()
    bench.commit(
      start(1, for: time, at: begun, bench) + [
        progress(through: time, running: [1], actions: time / 1_000)
      ])
    #expect(bench.found == [what])
  }

  /// The batch of both steps was staged while the disk was full.
  @Test func anActionThatWaitedForTheDiskIsNotLate() {
    let bench = bench()
    bench.commit(
      [progress(through: 1_000, waiting: [1_000])] + start(1, for: 1_000, at: 60_000, bench) + [
        progress(through: 1_000, running: [1], actions: 1)
      ])
    #expect(bench.found == [])
  }

  /// Its successor under the same id may have the same time, by a clock that was set back.
  @Test func aScheduleThatIsDeletedTakesItsTimesAlong() {
    let bench = bench()
    let first = progress(through: 1_000, running: [1], actions: 1)
    bench.commit(start(1, for: 1_000, at: 1_001, bench) + [first])
    bench.commit([.deleteSchedule(ScheduleCheckerTests.number)])
    bench.commit(start(2, for: 2_000, at: 2_000, bench))
    #expect(bench.found == ["run#2 is started by a schedule that is not there"])
    bench.commit([definition(.allowAll), progress(through: 500)])
    bench.commit(
      start(3, for: 1_000, at: 1_001, bench) + [progress(through: 1_000, running: [3], actions: 1)])
    #expect(bench.found.count == 1)
  }

  /// What had come by a clock that was set back since may begin; what no clock has shown may not.
  @Test(arguments: [(1_999_999, 1), (2_000_000, 0)] as [(Int64, Int)])
  func anActionThatHasWaitedHasComeByAClock(_ us: Int64, _ faults: Int) {
    let bench = bench(.bufferAll)
    let time = SimClock.originMs + 2_000
    let skipped = time / 1_000 - 1
    bench.commit([progress(through: time, waiting: [time], skipped: skipped)])
    bench.us = us
    bench.commit(
      start(1, for: time, at: time - 1_000, bench) + [
        progress(through: time, running: [1], actions: 1, skipped: skipped)
      ])
    #expect(bench.found.count == faults)
  }

  @Test func aStartThatItsScheduleDoesNotKnowIsSeen() {
    let bench = bench()
    bench.commit(start(1, for: 1_000, at: 1_001, bench))
    #expect(bench.found == ["run#1 is open, and its schedule says it is not"])
  }

  @Test func twoWorkflowsAtOnceAreSeen() {
    let bench = bench(.skip)
    bench.commit(
      start(1, for: 1_000, at: 1_001, bench) + start(2, for: 2_000, at: 2_001, bench) + [
        progress(through: 2_000, running: [1, 2], actions: 2)
      ])
    #expect(bench.found == ["2 workflows of s are open, against its policy"])
  }

  @Test func aTimeThatIsNotCountedIsSeen() {
    let bench = bench()
    bench.commit([progress(through: 3_000, actions: 1, skipped: 1)])
    #expect(bench.found == ["s was to have 3 actions and has counted 2"])
  }

  @Test func timesThatAreNotThoseOfTheClocksAreSeen() {
    let bench = bench()
    var asked = ListScheduleMatchingTimesRequest()
    // From March 28 to March 30, 2026: 02:30 does not come on the 29th.
    asked.startAtMs = Instant(ms: 1_774_656_000_000)
    asked.endAtMs = Instant(ms: 1_774_915_199_999)
    var told = ListScheduleMatchingTimesResponse()
    told.matchingTimeMs = [1_774_661_400_000, 1_774_746_000_000, 1_774_830_600_000]
      .map { Instant(ms: $0) }
    bench.answer(Ask.request(.schedule(.times(asked))), Ask.ok(told))
    #expect(bench.found == [])
    told.matchingTimeMs[1] = Instant(ms: 1_774_747_800_000)
    bench.answer(Ask.request(.schedule(.times(asked))), Ask.ok(told))
    #expect(bench.found.count == 1)
  }
}

extension CheckerBench {
  fileprivate func commit(_ writes: [Write]) {
    ledger.apply(writes)
    see(.committed(writes))
  }
}
