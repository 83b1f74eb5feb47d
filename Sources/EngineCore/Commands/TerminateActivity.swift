import Messages

extension TerminateActivityRequest: RunRequest {
  var target: RunTarget { .activity(activityID, runID) }
}

extension Engine {
  /// TerminateActivity: ends an activity without a workflow at once; its worker is told.
  mutating func terminateActivity(_ id: RequestID, _ request: TerminateActivityRequest) {
    let done = Reply.activityRun(.terminate(TerminateActivityResponse()))
    guard
      let (run, record) = target(
        of: request, id, method: "TerminateActivity", as: .activityRun(.terminate(request)),
        done: done)
    else { return }
    guard run.fold.isOpen else { return refuse(id, .runClosed(run), .run(run)) }
    remember(record, event: run.fold.lastEventID + 1, in: run)
    terminate(run, reason: request.reason, details: [], identity: request.identity)
    reply(id, done, .run(run))
  }
}
