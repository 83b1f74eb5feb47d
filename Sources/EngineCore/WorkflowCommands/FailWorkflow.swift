import Messages

extension Engine {
  /// FailWorkflow → WorkflowExecutionFailed: a failure that the worker counts as the
  /// workflow's own.
  mutating func fail(_ c: FailWorkflow, _ run: Run, _ completedEvent: Int64) {
    var event = WorkflowExecutionFailed()
    event.failure = c.failure
    event.workflowTaskCompletedEventID = completedEvent
    let failure = c.failure ?? Failure()
    let retry = nextAttempt(of: run, after: failure)
    let next = retry.started ?? nextCronRun(of: run, failure: failure)
    event.retryState = retry.state
    event.newRunID = next?.runID ?? .none
    close(run, .workflowExecutionFailed(event), next: next)
  }
}
