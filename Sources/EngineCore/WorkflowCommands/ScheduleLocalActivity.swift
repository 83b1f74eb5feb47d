import Basics
import Messages

extension Engine {
  /// ScheduleLocalActivity → ActivityTaskScheduled, as local. That the completion is recorded is
  /// the worker's leave to run it: see `startLocals`.
  mutating func scheduleLocal(
    _ c: ScheduleLocalActivity, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) -> Int64 {
    var event = ActivityTaskScheduled()
    event.local = true
    event.seq = c.seq
    event.activityID = c.activityID.isEmpty ? String(c.seq) : c.activityID
    event.activityType = c.activityType
    event.header = c.header
    event.input = c.input
    event.scheduleToCloseTimeoutMs = c.scheduleToCloseTimeoutMs
    event.startToCloseTimeoutMs = c.startToCloseTimeoutMs
    event.fillTimeouts(runTimeout: run.fold.started.runTimeoutMs)
    // It waits in no queue.
    event.scheduleToStartTimeoutMs = .zero
    event.retryPolicy = (c.retryPolicy ?? RetryPolicy()).filled(
      default: times.retryIntervalDefault)
    event.cancellationType = c.cancellationType
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    return record(run, .activityTaskScheduled(event), metadata: command.userMetadata)
  }
}
