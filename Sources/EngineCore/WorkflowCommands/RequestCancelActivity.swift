import Basics
import Messages

extension Engine {
  /// RequestCancelActivity → ActivityTaskCancelRequested. What follows from it is recorded after
  /// all commands: see `resolveCancels`.
  mutating func requestCancel(
    _ c: RequestCancelActivity, _ command: Command, _ run: Run, _ completedEvent: Int64
  ) {
    var event = ActivityTaskCancelRequested()
    event.seq = c.seq
    event.workflowTaskCompletedEventID = completedEvent
    event.location = command.location
    if let index = run.fold.activityIndex(seq: c.seq) {
      event.scheduledEventID = run.fold.activities[index].scheduledEvent
    }
    // No such activity: it has ended, and that end is delivered instead.
    record(run, .activityTaskCancelRequested(event))
  }

  /// Resolves the cancel requests of a completion: what has not started, and every try-cancel and
  /// abandon, ends at once; a worker that runs an activity is told, but of a local one it knows.
  mutating func resolveCancels(_ commands: [Command], of run: Run) {
    for command in commands {
      if case .cancelChild(let c) = command.kind { resolveCancel(ofChild: c.seq, run) }
      guard run.fold.isOpen, case .requestCancelActivity(let c) = command.kind,
        let index = run.fold.activityIndex(seq: c.seq)
      else { continue }
      let activity = run.fold.activities[index]
      let kind = activity.scheduled.cancellationType
      if kind != .abandon && !activity.isLocal { tellHolder(run, index, .cancelled) }
      switch kind {
      case .waitCancellationCompleted where activity.phase == .started: break
      default: end(run, index, .canceled([]))
      }
    }
  }
}
