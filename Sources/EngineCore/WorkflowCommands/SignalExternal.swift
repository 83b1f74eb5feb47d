import Basics
import Messages

extension Engine {
  /// SignalExternal → SignalExternalWorkflowExecutionInitiated, and a letter to the other workflow.
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
    let attributes = HistoryEvent.Attributes.signalExternalWorkflowExecutionInitiated(event)
    let id = record(run, attributes, metadata: command.userMetadata)
    var letter = letter(to: c.execution, from: run, attributes, event: id)
    letter.toChild = c.childWorkflowOnly
    post(letter)
  }

  func letter(
    to execution: WorkflowExecution?, from run: Run, _ attributes: HistoryEvent.Attributes,
    event: Int64
  ) -> Letter {
    var letter = letter(from: run, to: "", event: HistoryEvent())
    letter.to = execution
    letter.event?.eventID = event
    letter.event?.attributes = attributes
    return letter
  }
}
