import Messages

extension Engine {
  /// HeartbeatActivity: the attempt is alive; says whether it should stop.
  mutating func heartbeatActivity(_ id: RequestID, _ request: HeartbeatActivityRequest) {
    if request.details.bytes > limits.detailBytesMax { return refuse(id, tooLarge("details")) }
    report(
      id, .heartbeatActivity(request), request.namespace, request.activity, "HeartbeatActivity",
      "", { 0 }
    ) { engine, run, index in
      engine.heartbeat(run, index, request.details)
      var response = HeartbeatActivityResponse()
      response.cancelRequested = run.fold.activities[index].cancelRequested
      response.paused = run.fold.activities[index].isPaused
      response.reset = run.fold.activities[index].row.isReset
      return .heartbeatActivity(response)
    }
  }
}
