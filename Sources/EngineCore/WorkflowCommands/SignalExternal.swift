import Basics
import Messages

extension Engine {
  /// SignalExternal → SignalExternalWorkflowExecutionInitiated, whose letter is sent after all
  /// commands.
  mutating func signalExternal(
    _ c: SignalExternal, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = SignalExternalWorkflowExecutionInitiated()
    event.seq = c.seq
    event.execution = c.execution
    event.childWorkflowOnly = c.childWorkflowOnly
    event.signalName = c.signalName
    event.input = c.input
    event.header = c.header
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    run.unsent.append(
      record(run, .signalExternalWorkflowExecutionInitiated(event), metadata: command.userMetadata))
  }
}
