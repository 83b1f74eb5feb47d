import Messages

extension Engine {
  /// PauseActivity: no attempt starts from now on; the worker of one that has started is told, and
  /// its end counts. What is paused already keeps its reason.
  mutating func pauseActivity(_ id: RequestID, _ request: PauseActivityRequest) {
    control(
      request, id, method: "PauseActivity", as: .pauseActivity(request),
      done: .pauseActivity(PauseActivityResponse())
    ) { engine, run, index in
      guard !run.fold.activities[index].isPaused else { return false }
      var pause = ActivityPause()
      pause.pausedTimeMs = engine.now
      pause.reason = request.reason
      pause.identity = request.identity
      run.fold.activities[index].pause(pause)
      if !run.fold.activities[index].cancelRequested { engine.tellHolder(run, index, .paused) }
      return true
    }
  }
}
