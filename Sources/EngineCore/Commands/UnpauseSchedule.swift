import Messages

extension Engine {
  /// UnpauseSchedule: the times that come from now on have their actions again.
  mutating func unpauseSchedule(_ id: RequestID, _ request: UnpauseScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .unpause(request))
    else { return }
    if let status = textFault(request.note, "note") { return refuse(id, status) }
    var state = timetable.state
    state.paused = false
    state.note = request.note
    timetable.setState(state, now: now)
    changed(timetable)
    reply(id, .unpause(UnpauseScheduleResponse()))
  }
}
