import Basics
import Messages

/// What the requests about schedules have in common.
extension Engine {
  mutating func handle(_ id: RequestID, _ request: ScheduleRequest) {
    switch request {
    case .create(let r): createSchedule(id, r)
    case .describe(let r): describeSchedule(id, r)
    case .list(let r): listSchedules(id, r)
    case .update(let r): updateSchedule(id, r)
    case .delete(let r): deleteSchedule(id, r)
    case .pause(let r): pauseSchedule(id, r)
    case .unpause(let r): unpauseSchedule(id, r)
    case .trigger(let r): triggerSchedule(id, r)
    case .backfill(let r): backfillSchedule(id, r)
    case .matchingTimes(let r): listScheduleMatchingTimes(id, r)
    }
  }

  mutating func reply(_ id: RequestID, _ response: ScheduleReply) {
    reply(id, .schedule(response), .engine)
  }

  /// The schedule that a request names; nil: the request is refused, or waits behind one whose zone
  /// is being read.
  mutating func findSchedule(
    _ id: RequestID, _ namespace: String, _ scheduleID: String, for request: ScheduleRequest
  ) -> Timetable? {
    switch scheduleKey(namespace, scheduleID) {
    case .failure(let refusal):
      refuse(id, refusal.status)
      return nil
    case .success(let key):
      guard !waitsInLine(id, key, request) else { return nil }
      guard let timetable = schedules[key] else {
        refuse(id, .scheduleNotFound(key))
        return nil
      }
      return timetable
    }
  }

  /// Requests about one schedule take effect in the order in which they came.
  mutating func waitsInLine(
    _ id: RequestID, _ key: ScheduleKey, _ request: ScheduleRequest
  ) -> Bool {
    guard let line = loading.parked[.schedule(key)], !line.isEmpty else { return false }
    _ = park(.request(id, .schedule(request)), on: .schedule(key))
    return true
  }

  /// What a request id has done to a schedule before.
  enum EarlierToSchedule {
    /// Not seen: do it, and remember it with `record`.
    case new(ScheduleRequestRecord?)
    case done(ScheduleRequestRecord)
    /// It did something else.
    case refused
  }

  mutating func earlier(
    _ id: RequestID, method: String, _ key: ScheduleKey, _ requestID: String, hash: UInt64
  ) -> EarlierToSchedule {
    guard !requestID.isEmpty else { return .new(nil) }
    let fingerprint = Fingerprint(of: key.namespace, method, key.scheduleID, requestID)
    guard let known = schedules[key]?.request(fingerprint) else {
      var record = ScheduleRequestRecord()
      record.keyHigh = fingerprint.high
      record.keyLow = fingerprint.low
      record.requestHash = hash
      return .new(record)
    }
    if known.requestHash == hash { return .done(known) }
    refuse(
      id,
      .refusal(
        .invalidArgument, .requestIDReused,
        "request id '\(requestID)' was used for another request; choose a new one",
        field: "request_id"))
    return .refused
  }

  /// The schedule was changed by a request: that is written, and it does what it can.
  mutating func changed(
    _ timetable: Timetable, by record: ScheduleRequestRecord? = nil, workflowID: String = ""
  ) {
    if var record {
      record.workflowID = workflowID
      timetable.remember(record, limits)
    }
    schedules.touch(timetable)
    goOn(timetable)
  }
}
