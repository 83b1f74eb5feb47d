import Basics
import Messages

/// What is wrong with a schedule.
extension Engine {
  func scheduleKey(_ namespace: String, _ scheduleID: String) -> Result<ScheduleKey, Refusal> {
    if scheduleID.isEmpty { return .failure(Refusal(.missing("schedule_id"))) }
    if let status = first(idFault(scheduleID, "schedule_id"), namespaceFault(namespace)) {
      return .failure(Refusal(status))
    }
    return .success(ScheduleKey(namespace: namespace.orDefault, scheduleID: scheduleID))
  }

  /// The schedule's times, when everything about it is as it must be; its zone is in memory, or is
  /// known to be none.
  func times(of schedule: Schedule?, _ key: ScheduleKey) -> Result<ScheduleTimes, Refusal> {
    guard let schedule else { return .failure(Refusal(.missing("schedule"))) }
    guard let spec = schedule.spec else { return .failure(Refusal(.missing("schedule.spec"))) }
    guard schedule.action != nil else { return .failure(Refusal(.missing("schedule.action"))) }
    if let status = first(
      zoneFault(spec.timeZone, "schedule.spec.time_zone"), actionFault(schedule, key),
      policyFault(schedule.policies), stateFault(schedule.state))
    {
      return .failure(Refusal(status))
    }
    do {
      return .success(try ScheduleTimes(spec, in: zones[spec.timeZone] ?? .utc))
    } catch {
      let place = error.field.isEmpty ? "schedule.spec" : "schedule.spec.\(error.field)"
      return .failure(Refusal(.invalid(place, error.message)))
    }
  }

  /// An action is a start; its longest id is that of a time with milliseconds.
  private func actionFault(_ schedule: Schedule, _ key: ScheduleKey) -> Status? {
    let timetable = Timetable(
      number: ScheduleNumber(0), key: key, schedule, ScheduleTimes.none, now: now)
    let start = timetable.start(at: Instant(ms: 1))
    let fault = first(fault(in: start), typeFault(start.searchAttributes, in: key.namespace))?
      .within("schedule.action")
    guard var fault, fault.field == "schedule.action.workflow_id" else { return fault }
    fault.field = "schedule.action.workflow_id_prefix"
    fault.message = "\(fault.field): with the action's time it is longer than an id may be"
    return fault
  }

  private func policyFault(_ policies: SchedulePolicies?) -> Status? {
    guard let policies else { return nil }
    if let status = overlapFault(policies.overlapPolicy, "schedule.policies.overlap_policy") {
      return status
    }
    let window = policies.catchupWindowMs
    guard window != .zero, window < times.catchupWindowMin else { return nil }
    return .invalid(
      "schedule.policies.catchup_window_ms",
      "at least \(times.catchupWindowMin.ms), or 0 for a year")
  }

  func overlapFault(_ policy: ScheduleOverlapPolicy, _ field: String) -> Status? {
    guard case .unrecognized(let number) = policy else { return nil }
    return .invalid(field, "no policy has the number \(number)")
  }

  private func stateFault(_ state: ScheduleState?) -> Status? {
    guard let state else { return nil }
    if state.remainingActions < 0 {
      return .invalid("schedule.state.remaining_actions", "must not be negative")
    }
    return textFault(state.note, "schedule.state.note")
  }

  /// The definitions together stay within their bound.
  func roomFault(for schedule: Schedule?, inPlaceOf old: Timetable?) -> Status? {
    if old == nil, schedules.count >= limits.schedulesMax {
      return .refusal(
        .resourceExhausted, .limitReached,
        "there are \(schedules.count) schedules; \(limits.schedulesMax) are allowed")
    }
    let bytes = schedules.bytes - (old?.definitionBytes ?? 0) + (schedule?.serialized().count ?? 0)
    guard bytes > limits.scheduleBytesMax else { return nil }
    return .refusal(
      .resourceExhausted, .limitReached,
      "the schedules would take \(bytes) bytes in all; \(limits.scheduleBytesMax) are allowed:"
        + " keep large inputs elsewhere and pass a reference")
  }
}

extension Status {
  static func scheduleNotFound(_ key: ScheduleKey) -> Status {
    refusal(
      .notFound, .scheduleNotFound,
      "no schedule '\(key.scheduleID)' in namespace '\(key.namespace)'", field: "schedule_id")
  }
}
