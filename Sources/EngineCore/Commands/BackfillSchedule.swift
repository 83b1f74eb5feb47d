import Basics
import Messages

extension Engine {
  /// BackfillSchedule: the actions of the times in a range, one after the other, as if they came
  /// now.
  mutating func backfillSchedule(_ id: RequestID, _ request: BackfillScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .backfill(request))
    else { return }
    if let status = first(
      idFault(request.requestID, "request_id"), idFault(request.identity, "identity"),
      overlapFault(request.overlapPolicy, "overlap_policy"),
      rangeFault(request.startAtMs, request.endAtMs))
    {
      return refuse(id, status)
    }
    switch earlier(
      id, method: "BackfillSchedule", timetable.key, request.requestID, hash: request.requestHash)
    {
    case .refused: return
    case .done: break
    case .new(let record):
      guard timetable.progress.backfills.count < limits.backfillsMax else {
        return refuse(
          id,
          .refusal(
            .resourceExhausted, .limitReached,
            "\(limits.backfillsMax) backfills of this schedule are under way",
            retryAfter: Span(ms: 1_000)))
      }
      var backfill = Backfill()
      backfill.doneThroughTimeMs = request.startAtMs - Span(ms: 1)
      backfill.endAtMs = request.endAtMs
      backfill.overlapPolicy = request.overlapPolicy
      timetable.add(backfill)
      changed(timetable, by: record)
    }
    reply(id, .backfill(BackfillScheduleResponse()))
  }

  func rangeFault(_ start: Instant, _ end: Instant) -> Status? {
    if start < .epoch { return .invalid("start_at_ms", "must not be negative") }
    return end < start ? .invalid("end_at_ms", "it is before start_at_ms") : nil
  }
}
