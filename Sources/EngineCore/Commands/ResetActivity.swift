import Messages

extension Engine {
  /// ResetActivity: the next attempt is the first. What waits for its time or for somebody starts
  /// at once; the worker of an attempt that has started is told.
  mutating func resetActivity(_ id: RequestID, _ request: ResetActivityRequest) {
    control(
      request, id, method: "ResetActivity", as: .resetActivity(request),
      done: .resetActivity(ResetActivityResponse())
    ) { engine, run, index in
      if request.restoreOriginalOptions {
        let original = run.fold.activities[index].scheduled.options
        run.fold.activities[index].change(to: original, at: engine.now)
      }
      if request.resetHeartbeat { run.fold.activities[index].forgetHeartbeat() }
      run.fold.activities[index].reset(at: engine.now)
      if !request.keepPaused { run.fold.activities[index].unpause(at: engine.now) }
      if !run.fold.activities[index].cancelRequested { engine.tellHolder(run, index, .reset) }
      if run.fold.activities[index].phase == .queued {
        engine.offerActivity(run.fold.activities[index].scheduledEvent, of: run)
      }
      return true
    }
  }
}
