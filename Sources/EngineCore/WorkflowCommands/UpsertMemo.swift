import Messages

extension Engine {
  /// UpsertMemo → WorkflowPropertiesModified.
  mutating func upsertMemo(
    _ c: UpsertMemo, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = WorkflowPropertiesModified()
    event.upsertedMemo = c.memo
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    record(run, .workflowPropertiesModified(event), metadata: command.userMetadata)
  }
}
