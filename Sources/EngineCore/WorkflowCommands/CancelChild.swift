import Basics
import Messages

extension Engine {
  /// CancelChild → RequestCancelExternalWorkflowExecutionInitiated, which names the child if it is
  /// to be asked. What else follows is recorded after all commands: see `resolveCancels`.
  mutating func cancelChild(
    _ c: CancelChild, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = RequestCancelExternalWorkflowExecutionInitiated()
    event.childSeq = c.seq
    event.childWorkflowOnly = true
    event.reason = c.reason
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    // No such child: it has ended, and that end is delivered instead.
    guard let child = run.fold.child(seq: c.seq), !child.cancelRequested,
      !run.unsent.contains(child.initiatedEventID), child.cancellationType != .abandon
    else {
      record(run, .requestCancelExternalWorkflowExecutionInitiated(event))
      return
    }
    event.execution = WorkflowExecution()
    event.execution?.workflowID = child.workflowID
    run.unsent.append(record(run, .requestCancelExternalWorkflowExecutionInitiated(event)))
  }
}
