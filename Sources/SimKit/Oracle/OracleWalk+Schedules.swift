import Basics
import EngineCore
import Messages

/// What clients ask of schedules, and the times that they name.
extension OracleWalk {
  private static let scheduleIDs = ["s1", "s2", "s3"]

  /// Where walks begin: on some day, and half an hour before clocks are changed.
  static let beginnings = [
    1_700_000_000_000, 1_711_845_000_000, 1_729_989_000_000, 1_710_052_200_000, 1_712_413_800_000,
  ].map { Instant(ms: $0) }

  mutating func drawZone() -> String {
    isWrong()
      ? "Moon/Tranquility"
      : dice.pick(["", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
  }

  mutating func drawCron() -> String {
    isWrong() ? dice.pick(["61 * * * *", "@sometimes", "* * * *"]) : dice.pick(ModelCron.texts)
  }

  mutating func drawScheduleRequest() -> ScheduleRequest {
    switch dice.int(0...99) {
    case 0..<25: .create(drawCreate())
    case 25..<45: .trigger(drawTrigger())
    case 45..<55: .describe(drawScheduleDescribe())
    case 55..<63: .update(drawScheduleUpdate())
    case 63..<70: .pause(drawSchedulePause())
    case 70..<80: .unpause(drawScheduleUnpause())
    case 80..<87: .backfill(drawBackfill())
    case 87..<92: .matchingTimes(drawMatchingTimes())
    case 92..<96: .list(drawSchedules())
    default: .delete(drawDelete())
    }
  }

  // MARK: - Definitions

  private mutating func drawScheduleID() -> String {
    isWrong() ? dice.pick(["", OracleWalk.tooLong]) : dice.pick(OracleWalk.scheduleIDs)
  }

  private mutating func drawOverlap() -> ScheduleOverlapPolicy {
    isWrong()
      ? .unrecognized(9)
      : dice.pick([
        .unspecified, .skip, .bufferOne, .bufferAll, .cancelOther, .terminateOther, .allowAll,
      ])
  }

  private mutating func drawSpec() -> ScheduleSpec {
    var spec = ScheduleSpec()
    if dice.percent(60) {
      var interval = IntervalSpec()
      interval.everyMs = Span(ms: isWrong() ? 999 : dice.pick([3_001, 7_001, 20_011]))
      interval.phaseMs = Span(ms: dice.pick([0, 137]))
      spec.intervals = [interval]
    }
    if dice.percent(40) { spec.crons = [drawCron()] }
    if dice.percent(20) { spec.calendars = [drawCalendar()] }
    if dice.percent(20) {
      spec.instantsAtMs = [engine.now + Span(ms: dice.pick([-1_003, 2_003, 9_007]))]
    }
    if !spec.intervals.isEmpty && dice.percent(30) { spec.exclusions = [drawCalendar()] }
    if dice.percent(10) { spec.startAtMs = engine.now + Span(ms: 10_007) }
    if dice.percent(10) { spec.endAtMs = engine.now + Span(ms: 30_011) }
    spec.timeZone = drawZone()
    return spec
  }

  private mutating func drawCalendar() -> CalendarSpec {
    func range(_ start: Int32, _ end: Int32, _ step: Int32 = 0) -> CalendarRange {
      var range = CalendarRange()
      range.start = start
      range.end = end
      range.step = step
      return range
    }
    var calendar = CalendarSpec()
    calendar.seconds = dice.pick([[range(0, 29)], [range(7, 0), range(31, 59, 13)]])
    calendar.minutes = dice.pick([[range(0, 59)], [range(0, 59, 3)]])
    calendar.hours = [range(0, 23)]
    if dice.percent(20) { calendar.daysOfWeek = [range(0, 6)] }
    return calendar
  }

  private mutating func drawSchedule() -> Schedule {
    var action = ScheduleAction()
    action.memo = DetailsDraw.memo(&dice)
    action.workflowIDPrefix = dice.pick(["", "", "report"])
    action.workflowType = dice.pick(["order", "order", "ship"])
    action.taskQueue = isWrong() ? "" : dice.pick(["q", "q", "q", "dock"])
    action.input = drawDetails()
    if dice.percent(60) { action.runTimeoutMs = Span(ms: dice.pick([1_701, 9_203])) }
    if dice.percent(20) { action.executionTimeoutMs = Span(ms: 12_107) }
    action.priority = drawPriority()
    action.concurrencyKey = dice.pick(["", "k2"])
    if dice.percent(20) { action.retryPolicy = drawPolicy() }
    var policies = SchedulePolicies()
    policies.overlapPolicy = drawOverlap()
    policies.catchupWindowMs = Span(ms: isWrong() ? 9_999 : dice.pick([0, 10_000, 60_000]))
    policies.pauseOnFailure = dice.percent(20)
    var schedule = Schedule()
    schedule.spec = drawSpec()
    schedule.action = action
    if dice.percent(90) { schedule.policies = policies }
    if dice.percent(40) {
      var state = ScheduleState()
      state.paused = dice.percent(20)
      state.limitedActions = dice.percent(50)
      state.remainingActions = isWrong() ? -1 : dice.int64(0...4)
      schedule.state = state
    }
    return schedule
  }

  // MARK: - Requests

  private mutating func drawCreate() -> CreateScheduleRequest {
    var create = CreateScheduleRequest()
    create.namespace = drawNamespace()
    create.scheduleID = drawScheduleID()
    create.schedule = isWrong() ? nil : drawSchedule()
    create.triggerImmediately = dice.percent(20)
    create.requestID = drawRequestID()
    create.identity = drawIdentity()
    return create
  }

  private mutating func drawTrigger() -> TriggerScheduleRequest {
    var trigger = TriggerScheduleRequest()
    trigger.namespace = drawNamespace()
    trigger.scheduleID = drawScheduleID()
    trigger.overlapPolicy = drawOverlap()
    trigger.requestID = drawRequestID()
    trigger.identity = drawIdentity()
    return trigger
  }

  private mutating func drawScheduleDescribe() -> DescribeScheduleRequest {
    var describe = DescribeScheduleRequest()
    describe.namespace = drawNamespace()
    describe.scheduleID = drawScheduleID()
    return describe
  }

  private mutating func drawScheduleUpdate() -> UpdateScheduleRequest {
    var update = UpdateScheduleRequest()
    update.namespace = drawNamespace()
    update.scheduleID = drawScheduleID()
    update.schedule = drawSchedule()
    if dice.percent(50) { update.conflictToken = UInt64(dice.int(1...4)) }
    update.requestID = drawRequestID()
    update.identity = drawIdentity()
    return update
  }

  private mutating func drawSchedulePause() -> PauseScheduleRequest {
    var pause = PauseScheduleRequest()
    pause.namespace = drawNamespace()
    pause.scheduleID = drawScheduleID()
    pause.note = dice.pick(["", "a holiday"])
    return pause
  }

  private mutating func drawScheduleUnpause() -> UnpauseScheduleRequest {
    var unpause = UnpauseScheduleRequest()
    unpause.namespace = drawNamespace()
    unpause.scheduleID = drawScheduleID()
    unpause.note = dice.pick(["", "on we go"])
    return unpause
  }

  /// Of the last and the next seconds.
  private mutating func drawBackfill() -> BackfillScheduleRequest {
    var backfill = BackfillScheduleRequest()
    backfill.namespace = drawNamespace()
    backfill.scheduleID = drawScheduleID()
    backfill.startAtMs = engine.now + Span(ms: dice.int64(-40_000...5_000))
    backfill.endAtMs = backfill.startAtMs + Span(ms: isWrong() ? -1 : dice.int64(0...30_000))
    backfill.overlapPolicy = drawOverlap()
    backfill.requestID = drawRequestID()
    backfill.identity = drawIdentity()
    return backfill
  }

  /// Of less than an hour: the engine shows at most 1,000.
  private mutating func drawMatchingTimes() -> ListScheduleMatchingTimesRequest {
    var request = ListScheduleMatchingTimesRequest()
    request.namespace = drawNamespace()
    request.scheduleID = drawScheduleID()
    request.startAtMs = engine.now + Span(ms: dice.int64(-3_600_000...86_400_000))
    request.endAtMs = request.startAtMs + Span(ms: isWrong() ? -1 : dice.int64(0...1_000_000))
    return request
  }

  private mutating func drawSchedules() -> ListSchedulesRequest {
    var list = ListSchedulesRequest()
    list.afterScheduleID = dice.pick(["", "", "s1", "s2", "x"])
    list.limit = isWrong() ? dice.pick([-1, 1_001]) : dice.pick([0, 1, 2, 1_000])
    return list
  }

  private mutating func drawDelete() -> DeleteScheduleRequest {
    var delete = DeleteScheduleRequest()
    delete.namespace = drawNamespace()
    delete.scheduleID = drawScheduleID()
    return delete
  }
}
