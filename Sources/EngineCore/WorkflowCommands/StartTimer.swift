import Basics
import Messages

extension Engine {
  /// StartTimer → TimerStarted.
  mutating func startTimer(
    _ c: StartTimer, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = TimerStarted()
    event.seq = c.seq
    event.timerID = c.timerID.isEmpty ? String(c.seq) : c.timerID
    event.startToFireTimeoutMs = c.startToFireTimeoutMs
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    record(run, .timerStarted(event), metadata: command.userMetadata)
    if let timer = run.fold.timer(seq: c.seq) { arm(timer, of: run) }
  }
}
