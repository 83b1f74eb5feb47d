import Messages

extension Engine {
  /// FailWorkflow → WorkflowExecutionFailed: a failure that the worker counts as the
  /// workflow's own.
  mutating func fail(_ c: FailWorkflow, _ run: Run, _ completedEvent: Int64) {
    var event = WorkflowExecutionFailed()
    event.failure = c.failure
    event.retryState = .retryPolicyNotSet
    event.workflowTaskCompletedEventID = completedEvent
    close(run, .workflowExecutionFailed(event))
  }
}
