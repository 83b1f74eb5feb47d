import Basics
import Messages

extension Engine {
  /// ScheduleActivity → ActivityTaskScheduled, with timeouts and policy filled in.
  mutating func schedule(
    _ c: ScheduleActivity, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) -> Int64 {
    var event = ActivityTaskScheduled()
    event.seq = c.seq
    event.activityID = c.activityID.isEmpty ? String(c.seq) : c.activityID
    event.activityType = c.activityType
    event.taskQueue = c.taskQueue.isEmpty ? run.fold.started.taskQueue : c.taskQueue
    event.header = c.header
    event.input = c.input
    event.scheduleToCloseTimeoutMs = c.scheduleToCloseTimeoutMs
    event.scheduleToStartTimeoutMs = c.scheduleToStartTimeoutMs
    event.startToCloseTimeoutMs = c.startToCloseTimeoutMs
    event.heartbeatTimeoutMs = c.heartbeatTimeoutMs
    event.fillTimeouts(runTimeout: run.fold.started.runTimeoutMs)
    event.retryPolicy = (c.retryPolicy ?? RetryPolicy()).filled(
      default: times.retryIntervalDefault)
    event.cancellationType = c.cancellationType
    event.onExhausted = c.onExhausted
    event.workflowTaskCompletedEventID = completedEvent
    event.priority = WorkPriority.of(c.priority, in: run.fold.started.priority)
    event.location = command.location
    return record(run, .activityTaskScheduled(event), metadata: command.userMetadata)
  }
}
