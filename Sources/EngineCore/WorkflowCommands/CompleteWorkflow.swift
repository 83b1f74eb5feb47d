import Messages

extension Engine {
  /// CompleteWorkflow → WorkflowExecutionCompleted.
  mutating func complete(_ c: CompleteWorkflow, _ run: Run, _ completedEvent: Int64) {
    var event = WorkflowExecutionCompleted()
    event.result = c.result
    event.workflowTaskCompletedEventID = completedEvent
    let next = nextCronRun(of: run, result: c.result)
    event.newRunID = next?.runID ?? .none
    close(run, .workflowExecutionCompleted(event), next: next)
  }
}
