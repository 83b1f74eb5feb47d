import Basics
import Messages

extension Engine {
  /// UpdateCompleted → WorkflowExecutionUpdateCompleted; who waits for the outcome is told.
  mutating func completeUpdate(
    _ c: UpdateCompleted, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = WorkflowExecutionUpdateCompleted()
    event.updateID = c.updateID
    event.acceptedEventID = run.fold.update(c.updateID)?.acceptedEventID ?? 0
    event.outcome = c.outcome
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    record(run, .workflowExecutionUpdateCompleted(event), metadata: command.userMetadata)
    tellOutcome(of: c.updateID, c.outcome ?? UpdateOutcome(), run)
  }
}
