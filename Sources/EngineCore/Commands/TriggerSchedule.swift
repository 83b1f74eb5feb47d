import Messages

extension Engine {
  /// TriggerSchedule: an action now.
  mutating func triggerSchedule(_ id: RequestID, _ request: TriggerScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .trigger(request))
    else { return }
    if let status = first(
      idFault(request.requestID, "request_id"), idFault(request.identity, "identity"),
      overlapFault(request.overlapPolicy, "overlap_policy"))
    {
      return refuse(id, status)
    }
    switch earlier(
      id, method: "TriggerSchedule", timetable.key, request.requestID, hash: request.requestHash)
    {
    case .refused: return
    case .done(let record): replyTriggered(id, record.workflowID)
    case .new(let record):
      if let status = refusalOfStarts { return refuse(id, status) }
      let time = timetable.trigger(request.overlapPolicy, now, limits)
      let workflowID = time.map { timetable.workflowID(at: $0) } ?? ""
      changed(timetable, by: record, workflowID: workflowID)
      replyTriggered(id, workflowID)
    }
  }

  private mutating func replyTriggered(_ id: RequestID, _ workflowID: String) {
    var response = TriggerScheduleResponse()
    response.workflowID = workflowID
    reply(id, .trigger(response))
  }
}
