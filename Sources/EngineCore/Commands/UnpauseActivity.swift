import Messages

extension Engine {
  /// UnpauseActivity: an attempt may start. What is not paused stays as it is.
  mutating func unpauseActivity(_ id: RequestID, _ request: UnpauseActivityRequest) {
    control(
      request, id, method: "UnpauseActivity", as: .unpauseActivity(request),
      done: .unpauseActivity(UnpauseActivityResponse())
    ) { engine, run, index in
      guard run.fold.activities[index].isPaused else { return false }
      if request.resetAttempts { run.fold.activities[index].reset(at: engine.now) }
      if request.resetHeartbeat { run.fold.activities[index].forgetHeartbeat() }
      run.fold.activities[index].unpause(at: engine.now)
      if run.fold.activities[index].phase == .queued {
        engine.offerActivity(run.fold.activities[index].scheduledEvent, of: run)
      }
      return true
    }
  }
}
