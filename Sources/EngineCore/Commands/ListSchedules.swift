import Messages

extension Engine {
  /// ListSchedules: by id, a page at a time.
  mutating func listSchedules(_ id: RequestID, _ request: ListSchedulesRequest) {
    guard (0...limits.listedSchedulesMax).contains(request.limit) else {
      return refuse(id, .invalid("limit", "0 to \(limits.listedSchedulesMax)"))
    }
    if let status = first(
      namespaceFault(request.namespace), idFault(request.afterScheduleID, "after_schedule_id"))
    {
      return refuse(id, status)
    }
    let after = ScheduleKey(
      namespace: request.namespace.orDefault, scheduleID: request.afterScheduleID)
    let limit = request.limit == 0 ? 100 : Int(request.limit)
    var response = ListSchedulesResponse()
    var place = schedules.place(of: after)
    var bytes = 0
    while place < schedules.inOrder.count, schedules.inOrder[place].namespace == after.namespace {
      let key = schedules.inOrder[place]
      place += 1
      guard key != after, let timetable = schedules[key] else { continue }
      guard response.schedules.count < limit, bytes < limits.partBytesMax else {
        response.more = true
        break
      }
      let entry = entry(of: timetable)
      bytes += entry.serialized().count
      response.schedules.append(entry)
    }
    reply(id, .list(response))
  }

  private func entry(of timetable: Timetable) -> ScheduleEntry {
    var entry = ScheduleEntry()
    entry.scheduleID = timetable.key.scheduleID
    entry.workflowType = timetable.schedule.action?.workflowType ?? ""
    entry.paused = timetable.state.paused
    entry.note = timetable.state.note.cut(to: limits.shownTextBytesMax)
    entry.actionCount = timetable.info.actionCount
    entry.nextActionTimeMs = deadlines.time(of: .schedule(timetable.number)) ?? .epoch
    entry.lastActionTimeMs = timetable.info.recentActions.last?.takenTimeMs ?? .epoch
    entry.runningCount = Int32(timetable.info.running.count)
    return entry
  }
}
