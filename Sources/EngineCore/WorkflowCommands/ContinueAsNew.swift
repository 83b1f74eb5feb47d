import Basics
import Messages

extension Engine {
  /// ContinueAsNew → WorkflowExecutionContinuedAsNew, and the first event of the next run.
  mutating func continueAsNew(
    _ c: ContinueAsNew, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var next = successor(of: run, .workflow)
    next.input = c.input
    if !c.workflowType.isEmpty { next.workflowType = c.workflowType }
    if !c.taskQueue.isEmpty { next.taskQueue = c.taskQueue }
    if let header = c.header { next.header = header }
    if c.runTimeoutMs > .zero { next.runTimeoutMs = c.runTimeoutMs }
    if c.taskTimeoutMs > .zero { next.taskTimeoutMs = c.taskTimeoutMs }
    if let policy = c.retryPolicy {
      next.retryPolicy = policy.filled(default: times.retryIntervalDefault)
    }
    if let memo = c.memo { next.memo = memo.settled }
    if let attributes = c.searchAttributes { next.searchAttributes = attributes.settled }
    declare(c.searchAttributes, in: run.key.namespace)
    var event = WorkflowExecutionContinuedAsNew()
    event.memo = c.memo
    event.searchAttributes = c.searchAttributes
    event.newRunID = next.runID
    event.workflowType = next.workflowType
    event.taskQueue = next.taskQueue
    event.input = next.input
    event.header = next.header
    event.runTimeoutMs = next.runTimeoutMs
    event.taskTimeoutMs = next.taskTimeoutMs
    event.backoffStartIntervalMs = next.firstWorkflowTaskBackoffMs
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    close(run, .workflowExecutionContinuedAsNew(event), next: next)
  }
}
