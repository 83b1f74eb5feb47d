import Basics
import Messages

extension RequestCancelActivityRequest: RunRequest {
  var target: RunTarget { .activity(activityID, runID) }
}

extension Engine {
  /// RequestCancelActivity: what has not started ends at once; a worker that has the attempt is
  /// told, and there is no further one. A repetition has no effect.
  mutating func cancelActivity(_ id: RequestID, _ request: RequestCancelActivityRequest) {
    let done = Reply.activityRun(.cancel(RequestCancelActivityResponse()))
    guard
      let (run, record) = target(
        of: request, id, method: "RequestCancelActivity", as: .activityRun(.cancel(request)),
        done: done)
    else { return }
    if let activity = run.fold.activities.first, !activity.cancelRequested {
      var event = ActivityTaskCancelRequested()
      event.scheduledEventID = activity.scheduledEvent
      event.reason = request.reason
      event.identity = request.identity
      event.requestID = request.requestID
      remember(record, event: self.record(run, .activityTaskCancelRequested(event)), in: run)
      resolveCancel(run)
    }
    guard run.fold.isOpen || run.fold.status == .canceled else {
      return refuse(id, .runClosed(run), .run(run))
    }
    reply(id, done, .run(run))
  }

  private mutating func resolveCancel(_ run: Run) {
    #if MUTANTS
      if Mutant.isOn(.waitingActivityIsNotCancelled) { return }
    #endif
    if run.fold.activities[0].phase == .started {
      tellHolder(run, 0, .cancelled)
    } else {
      end(run, 0, .canceled([]))
    }
  }
}
