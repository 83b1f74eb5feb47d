import Messages

extension Engine {
  /// FailWorkflow → WorkflowExecutionFailed: a failure that the worker counts as the
  /// workflow's own.
  mutating func fail(_ c: FailWorkflow, _ run: Run, _ completedEvent: Int64) {
    var event = WorkflowExecutionFailed()
    event.failure = c.failure
    event.workflowTaskCompletedEventID = completedEvent
    let next = nextAttempt(of: run, after: c.failure ?? Failure())
    event.retryState = next.state
    event.newRunID = next.started?.runID ?? .none
    close(run, .workflowExecutionFailed(event), next: next.started)
  }
}
