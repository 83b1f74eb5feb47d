import Messages

extension Engine {
  /// UpdateSchedule: another definition in place of the one that the client has seen.
  mutating func updateSchedule(_ id: RequestID, _ request: UpdateScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .update(request))
    else { return }
    if let status = first(
      idFault(request.requestID, "request_id"), idFault(request.identity, "identity"))
    {
      return refuse(id, status)
    }
    let key = timetable.key
    switch earlier(
      id, method: "UpdateSchedule", key, request.requestID, hash: request.requestHash)
    {
    case .refused: return
    case .done: replyUpdated(id, timetable)
    case .new(let record):
      let zone = request.schedule?.spec?.timeZone ?? ""
      guard hasZone(zone, for: .request(id, .schedule(.update(request))), in: .schedule(key)) else {
        return
      }
      update(timetable, id, request, record)
    }
  }

  private mutating func update(
    _ timetable: Timetable, _ id: RequestID, _ request: UpdateScheduleRequest,
    _ record: ScheduleRequestRecord?
  ) {
    guard request.conflictToken == 0 || request.conflictToken == timetable.conflictToken else {
      return refuse(
        id,
        .refusal(
          .failedPrecondition, .scheduleChanged,
          "schedule '\(timetable.key.scheduleID)' was changed after the conflict token was read;"
            + " describe it again",
          field: "conflict_token"))
    }
    switch times(of: request.schedule, timetable.key) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let times):
      if let status = roomFault(for: request.schedule, inPlaceOf: timetable) {
        return refuse(id, status)
      }
      guard let schedule = request.schedule else { return }
      // Times of the new spec that are over by now have no action.
      if schedule.spec != timetable.schedule.spec { timetable.passOver(until: now) }
      timetable.setState(schedule.state ?? timetable.state, now: now)
      schedules.redefine(timetable, schedule, times)
      timetable.updated(now)
      changed(timetable, by: record)
      replyUpdated(id, timetable)
    }
  }

  private mutating func replyUpdated(_ id: RequestID, _ timetable: Timetable) {
    var response = UpdateScheduleResponse()
    response.conflictToken = timetable.conflictToken
    reply(id, .update(response))
  }
}
