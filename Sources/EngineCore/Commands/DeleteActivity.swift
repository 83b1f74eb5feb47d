import Messages

extension Engine {
  /// DeleteActivity: removes one run of an activity without a workflow; an open one ends first.
  mutating func deleteActivity(_ id: RequestID, _ request: DeleteActivityRequest) {
    if let status = first(
      textFault(request.reason, "reason"), idFault(request.identity, "identity"))
    {
      return refuse(id, status)
    }
    guard
      let run = activityRun(
        id, request.namespace, request.activityID, request.runID, .delete(request))
    else { return }
    var response = DeleteActivityResponse()
    response.runID = run.runID
    delete(run, reason: request.reason, identity: request.identity)
    reply(id, .activityRun(.delete(response)), .engine)
  }
}
