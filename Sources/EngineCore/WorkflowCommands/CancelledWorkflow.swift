import Messages

extension Engine {
  /// CancelledWorkflow → WorkflowExecutionCanceled: the code has followed a cancel request.
  mutating func cancelled(_ c: CancelledWorkflow, _ run: Run, _ completedEvent: Int64) {
    var event = WorkflowExecutionCanceled()
    event.details = c.details
    event.workflowTaskCompletedEventID = completedEvent
    close(run, .workflowExecutionCanceled(event))
  }
}
