import Messages

extension Engine {
  /// UpsertSearchAttributes → UpsertWorkflowSearchAttributes.
  mutating func upsertSearchAttributes(
    _ c: UpsertSearchAttributes, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    declare(c.searchAttributes, in: run.key.namespace)
    var event = UpsertWorkflowSearchAttributes()
    event.searchAttributes = c.searchAttributes
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    record(run, .upsertWorkflowSearchAttributes(event), metadata: command.userMetadata)
  }
}
