import Basics
import Messages

/// A client's request about a schedule.
enum ScheduleCall {
  case create(CreateScheduleRequest)
  case delete(DeleteScheduleRequest)
  case pause(PauseScheduleRequest)
  case unpause(UnpauseScheduleRequest)
  case trigger(TriggerScheduleRequest)
  case times(ListScheduleMatchingTimesRequest)

  var method: Method {
    switch self {
    case .create: .scheduleCreateSchedule
    case .delete: .scheduleDeleteSchedule
    case .pause: .schedulePauseSchedule
    case .unpause: .scheduleUnpauseSchedule
    case .trigger: .scheduleTriggerSchedule
    case .times: .scheduleListScheduleMatchingTimes
    }
  }

  var bytes: [UInt8] {
    switch self {
    case .create(let m): m.serialized()
    case .delete(let m): m.serialized()
    case .pause(let m): m.serialized()
    case .unpause(let m): m.serialized()
    case .trigger(let m): m.serialized()
    case .times(let m): m.serialized()
    }
  }
}

/// Draws requests about schedules. Each schedule ends by itself, so that a simulation can.
struct ScheduleWorkload {
  /// Its times are asked for and never come: each day at 02:30 in Berlin.
  static let zoned = "zoned"
  static let zone = "Europe/Berlin"

  private let options: Options

  init(_ options: Options) { self.options = options }

  func call(_ id: String, _ dice: inout Dice) -> ScheduleCall {
    if dice.percent(20) { return zonedCall(id, &dice) }
    let scheduleID = "s\(dice.int(1...3))"
    switch dice.int(0...19) {
    case 0...7: return .create(create(scheduleID, id, &dice))
    case 8...14:
      var request = TriggerScheduleRequest()
      request.scheduleID = scheduleID
      request.requestID = id
      return .trigger(request)
    case 15, 16:
      var request = PauseScheduleRequest()
      request.scheduleID = scheduleID
      request.note = id
      return .pause(request)
    case 17, 18:
      var request = UnpauseScheduleRequest()
      request.scheduleID = scheduleID
      return .unpause(request)
    default:
      var request = DeleteScheduleRequest()
      request.scheduleID = scheduleID
      return .delete(request)
    }
  }

  private func create(_ scheduleID: String, _ id: String, _ dice: inout Dice)
    -> CreateScheduleRequest
  {
    var interval = IntervalSpec()
    interval.everyMs = Span(ms: dice.pick([1_000, 2_000]))
    var spec = ScheduleSpec()
    spec.intervals = [interval]
    spec.jitterMs = Span(ms: dice.pick([0, 0, 700]))
    var policies = SchedulePolicies()
    policies.overlapPolicy = dice.pick([
      .unspecified, .skip, .bufferOne, .bufferAll, .cancelOther, .terminateOther, .allowAll,
    ])
    policies.catchupWindowMs = Span(ms: dice.pick([300, 10_000]))
    policies.pauseOnFailure = dice.percent(20)
    var state = ScheduleState()
    state.limitedActions = true
    state.remainingActions = dice.int64(1...4)
    return make(scheduleID, id, spec, policies, state, &dice)
  }

  private func make(
    _ scheduleID: String, _ id: String, _ spec: ScheduleSpec, _ policies: SchedulePolicies?,
    _ state: ScheduleState, _ dice: inout Dice
  ) -> CreateScheduleRequest {
    var action = ScheduleAction()
    action.workflowType = Program.type
    action.taskQueue = "q"
    action.input = [Payload(numbers: [dice.int64(0...Int64(1) << 40)])]
    action.taskTimeoutMs = Span(ms: options.taskTimeoutMs)
    var schedule = Schedule()
    schedule.spec = spec
    schedule.action = action
    schedule.policies = policies
    schedule.state = state
    var request = CreateScheduleRequest()
    request.scheduleID = scheduleID
    request.schedule = schedule
    request.requestID = id
    return request
  }

  private func zonedCall(_ id: String, _ dice: inout Dice) -> ScheduleCall {
    if dice.percent(30) {
      var spec = ScheduleSpec()
      spec.crons = ["30 2 * * *"]
      spec.timeZone = ScheduleWorkload.zone
      var state = ScheduleState()
      state.paused = true
      return .create(make(ScheduleWorkload.zoned, id, spec, nil, state, &dice))
    }
    var request = ListScheduleMatchingTimesRequest()
    request.scheduleID = ScheduleWorkload.zoned
    // From some day of the years 2024 to 2034 on, for over a year.
    let start = 1_704_067_200_000 + dice.int64(0...3_650) * 86_400_000
    request.startAtMs = Instant(ms: start)
    request.endAtMs = Instant(ms: start + 400 * 86_400_000 - 1)
    return .times(request)
  }
}
