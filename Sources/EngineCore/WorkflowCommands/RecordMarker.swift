import Basics
import Messages

extension Engine {
  /// RecordMarker → MarkerRecorded.
  mutating func recordMarker(
    _ c: RecordMarker, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = MarkerRecorded()
    event.markerName = c.markerName
    event.markerID = c.markerID
    event.seq = c.seq
    event.details = c.details
    event.header = c.header
    event.failure = c.failure
    event.deprecated = c.deprecated
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    record(run, .markerRecorded(event), metadata: command.userMetadata)
  }
}

extension RecordMarker {
  /// What a worker is given back of it when the run's past is shown.
  init(recordedBy event: MarkerRecorded) {
    self.init()
    markerName = event.markerName
    markerID = event.markerID
    seq = event.seq
    details = event.details
    header = event.header
    failure = event.failure
    deprecated = event.deprecated
  }

  /// About its size in a message.
  var bytes: Int {
    64 + markerName.utf8.count + markerID.utf8.count
      + details.reduce(0) { $0 + $1.key.utf8.count + [$1.value ?? Payload()].bytes }
      + (header?.bytes ?? 0) + (failure?.approximateBytes ?? 0)
  }
}
