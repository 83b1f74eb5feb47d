import Messages

extension Engine {
  /// DeleteSchedule: no further action; the workflows that are open stay.
  mutating func deleteSchedule(_ id: RequestID, _ request: DeleteScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .delete(request))
    else { return }
    schedules.remove(timetable)
    deadlines.remove(.schedule(timetable.number))
    reply(id, .delete(DeleteScheduleResponse()))
  }
}
