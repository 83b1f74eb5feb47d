import Messages

extension Engine {
  /// FailActivity: the attempt failed; the policy decides what follows. An activity that is held
  /// without an attempt fails for good.
  mutating func failActivity(_ id: RequestID, _ request: FailActivityRequest) {
    guard let failure = request.failure, failure.info != nil else {
      return refuse(id, .missing("failure"))
    }
    if request.lastHeartbeatDetails.bytes > limits.detailBytesMax {
      return refuse(id, tooLarge("last_heartbeat_details"))
    }
    report(
      id, .failActivity(request), request.namespace, request.activity, "FailActivity",
      request.requestID, { request.requestHash }
    ) { engine, run, index in
      if !request.lastHeartbeatDetails.isEmpty {
        run.fold.activities[index].heartbeat(request.lastHeartbeatDetails, at: engine.now)
      }
      let reason = engine.bounded(failure)
      let activity = run.fold.activities[index]
      if activity.phase == .started {
        engine.attemptFailed(run, index, reason, by: request.identity)
      } else {
        let isExhausted = activity.row.pause?.exhausted ?? false
        engine.end(
          run, index,
          .failed(reason, isExhausted ? .maximumAttemptsReached : .nonRetryableFailure),
          by: request.identity)
      }
      return .failActivity(FailActivityResponse())
    }
  }
}
