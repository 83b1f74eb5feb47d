import Messages

extension Engine {
  /// CreateSchedule: its times bring actions from now on.
  mutating func createSchedule(_ id: RequestID, _ request: CreateScheduleRequest) {
    let key: ScheduleKey
    switch scheduleKey(request.namespace, request.scheduleID) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let named): key = named
    }
    guard !waitsInLine(id, key, .create(request)) else { return }
    if let status = first(
      idFault(request.requestID, "request_id"), idFault(request.identity, "identity"))
    {
      return refuse(id, status)
    }
    switch earlier(
      id, method: "CreateSchedule", key, request.requestID, hash: request.requestHash)
    {
    case .refused: return
    case .done: replyCreated(id, schedules[key])
    case .new(let record):
      if schedules[key] != nil { return refuse(id, .scheduleExists(key)) }
      let zone = request.schedule?.spec?.timeZone ?? ""
      guard hasZone(zone, for: .request(id, .schedule(.create(request))), in: .schedule(key)) else {
        return
      }
      create(id, request, key, record)
    }
  }

  private mutating func create(
    _ id: RequestID, _ request: CreateScheduleRequest, _ key: ScheduleKey,
    _ record: ScheduleRequestRecord?
  ) {
    switch times(of: request.schedule, key) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let times):
      if let status = refusalOfStarts ?? roomFault(for: request.schedule, inPlaceOf: nil) {
        return refuse(id, status)
      }
      let timetable = Timetable(
        number: schedules.takeNumber(), key: key, request.schedule ?? Schedule(), times, now: now)
      schedules.insert(timetable)
      if request.triggerImmediately { _ = timetable.trigger(.unspecified, now, limits) }
      changed(timetable, by: record)
      replyCreated(id, timetable)
    }
  }

  private mutating func replyCreated(_ id: RequestID, _ timetable: Timetable?) {
    var response = CreateScheduleResponse()
    response.conflictToken = timetable?.conflictToken ?? 0
    reply(id, .create(response))
  }
}

extension Status {
  fileprivate static func scheduleExists(_ key: ScheduleKey) -> Status {
    refusal(
      .alreadyExists, .scheduleAlreadyExists,
      "schedule '\(key.scheduleID)' is there already; update it, or choose another id",
      field: "schedule_id")
  }
}
