import Messages

extension Engine {
  /// GetActivityResult: answers when an activity without a workflow has come to its end.
  mutating func getActivityResult(_ id: RequestID, _ request: GetActivityResultRequest) {
    guard
      let run = activityRun(
        id, request.namespace, request.activityID, request.runID, .result(request))
    else { return }
    guard run.fold.isOpen else {
      return reply(id, .activityRun(.result(outcome(of: run))), .run(run))
    }
    wait(id, for: AwaitedEnd(run: run.number, isOfChain: false))
  }

  /// How an activity without a workflow has ended.
  func outcome(of run: Run) -> GetActivityResultResponse {
    var response = GetActivityResultResponse()
    response.runID = run.runID
    response.status = run.fold.status
    switch run.fold.closing?.attributes {
    case .activityTaskCompleted(let event): response.result = event.result
    case .activityTaskFailed(let event): response.failure = event.failure
    case .activityTaskTimedOut(let event): response.failure = event.failure
    case .activityTaskCanceled(let event):
      var canceled = CanceledFailure()
      canceled.details = event.details
      response.failure = .engine("the activity was canceled", .canceled(canceled))
    case .workflowExecutionTerminated(let event):
      let reason = event.reason.isEmpty ? "" : ": \(event.reason)"
      response.failure = .engine(
        "the activity was terminated\(reason)", .terminated(TerminatedFailure()))
    default: preconditionFailure("\(run.number) is open")
    }
    return response
  }
}
