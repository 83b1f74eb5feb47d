import Basics
import Messages

extension Engine {
  /// StartChild → StartChildWorkflowExecutionInitiated. Its letter is sent after all
  /// commands: see `sendLetters`.
  mutating func startChild(
    _ c: StartChild, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = StartChildWorkflowExecutionInitiated()
    event.seq = c.seq
    event.defaultWorkflowID = c.workflowID.isEmpty
    event.workflowID = c.workflowID.isEmpty ? "\(run.runID)/\(c.seq)" : c.workflowID
    event.workflowType = c.workflowType
    event.taskQueue = c.taskQueue.isEmpty ? run.fold.started.taskQueue : c.taskQueue
    event.input = c.input
    event.header = c.header
    event.executionTimeoutMs = c.executionTimeoutMs
    event.runTimeoutMs = c.runTimeoutMs
    event.taskTimeoutMs = c.taskTimeoutMs
    event.retryPolicy = c.retryPolicy?.filled(default: times.retryIntervalDefault)
    event.idReusePolicy = c.idReusePolicy
    event.parentClosePolicy =
      c.parentClosePolicy == .unspecified ? .terminate : c.parentClosePolicy
    event.cancellationType =
      c.cancellationType == .unspecified ? .waitCancellationCompleted : c.cancellationType
    event.memo = c.memo
    event.searchAttributes = c.searchAttributes
    declare(c.searchAttributes, in: run.key.namespace)
    event.workflowTaskCompletedEventID = completedEvent
    event.priority = WorkPriority.of(c.priority, in: run.fold.started.priority)
    event.concurrencyKey = c.concurrencyKey
    event.location = command.location
    let id = record(
      run, .startChildWorkflowExecutionInitiated(event), metadata: command.userMetadata)
    run.unsent.append(id)
  }
}
