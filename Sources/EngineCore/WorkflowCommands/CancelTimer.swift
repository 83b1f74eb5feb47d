import Basics
import Messages

extension Engine {
  /// CancelTimer → TimerCanceled. The worker has resolved the timer itself; a firing that the code
  /// has not seen is void from here on.
  mutating func cancelTimer(
    _ c: CancelTimer, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = TimerCanceled()
    event.seq = c.seq
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    if let timer = run.fold.timer(seq: c.seq) {
      event.timerID = timer.timerID
      event.startedEventID = timer.startedEvent
    } else if let fired = run.fold.unseen.firing(of: c.seq) {
      event.timerID = fired.timerID
      event.startedEventID = fired.startedEventID
    }
    deadlines.remove(.timer(run.number, c.seq))
    record(run, .timerCanceled(event))
  }
}
