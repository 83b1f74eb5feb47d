import Basics
import Messages

extension Engine {
  /// CancelExternal → RequestCancelExternalWorkflowExecutionInitiated, whose letter is sent
  /// after all commands.
  mutating func cancelExternal(
    _ c: CancelExternal, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = RequestCancelExternalWorkflowExecutionInitiated()
    event.seq = c.seq
    event.execution = c.execution
    event.reason = c.reason
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    run.unsent.append(
      record(
        run, .requestCancelExternalWorkflowExecutionInitiated(event),
        metadata: command.userMetadata))
  }
}
