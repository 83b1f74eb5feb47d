import Messages

extension Engine {
  /// PauseSchedule: times that come pass without an action. A repetition changes the note.
  mutating func pauseSchedule(_ id: RequestID, _ request: PauseScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .pause(request))
    else { return }
    if let status = textFault(request.note, "note") { return refuse(id, status) }
    var state = timetable.state
    state.paused = true
    state.note = request.note
    timetable.setState(state, now: now)
    changed(timetable)
    reply(id, .pause(PauseScheduleResponse()))
  }
}
