import Basics
import Messages

extension Engine {
  /// CancelExternal → RequestCancelExternalWorkflowExecutionInitiated, and a letter to the other
  /// workflow.
  mutating func cancelExternal(
    _ c: CancelExternal, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = RequestCancelExternalWorkflowExecutionInitiated()
    event.seq = c.seq
    event.execution = c.execution
    event.reason = c.reason
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    let attributes = HistoryEvent.Attributes.requestCancelExternalWorkflowExecutionInitiated(event)
    let id = record(run, attributes, metadata: command.userMetadata)
    post(letter(to: c.execution, from: run, attributes, event: id))
  }
}
