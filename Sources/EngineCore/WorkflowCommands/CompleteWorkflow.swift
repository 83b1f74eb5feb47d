import Messages

extension Engine {
  /// CompleteWorkflow → WorkflowExecutionCompleted.
  mutating func complete(_ c: CompleteWorkflow, _ run: Run, _ completedEvent: Int64) {
    var event = WorkflowExecutionCompleted()
    event.result = c.result
    event.workflowTaskCompletedEventID = completedEvent
    close(run, .workflowExecutionCompleted(event))
  }
}
