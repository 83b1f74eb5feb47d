import Basics
import Messages

extension Engine {
  /// UpdateAccepted → WorkflowExecutionUpdateAccepted, which holds the request. From here on the
  /// update's id is known, and its clients are told or wait for the outcome.
  mutating func acceptUpdate(
    _ c: UpdateAccepted, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    guard let index = run.updates.firstIndex(where: { $0.request.updateID == c.updateID }) else {
      preconditionFailure("an update that nobody asked for passed the check")
    }
    let update = run.updates.remove(at: index)
    var event = WorkflowExecutionUpdateAccepted()
    event.updateID = update.request.updateID
    event.updateName = update.request.updateName
    event.args = update.request.args
    event.header = update.request.header
    event.identity = update.request.identity
    event.afterEventID = update.afterEvent
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    let accepted = record(
      run, .workflowExecutionUpdateAccepted(event), metadata: command.userMetadata)
    #if MUTANTS
      if !Mutant.isOn(.updateIsForgotten) { remember(update.record, event: accepted, in: run) }
    #else
      remember(update.record, event: accepted, in: run)
    #endif
    for client in update.clients { awaitOutcome(client, update.record.key, run) }
  }
}
