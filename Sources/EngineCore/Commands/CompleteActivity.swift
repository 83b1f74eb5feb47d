import Messages

extension Engine {
  /// CompleteActivity: the attempt's result, from anywhere; or that of an activity that is held
  /// without an attempt.
  mutating func completeActivity(_ id: RequestID, _ request: CompleteActivityRequest) {
    if let status = payloadFault(request.result, "result") { return refuse(id, status) }
    report(
      id, .completeActivity(request), request.namespace, request.activity, "CompleteActivity",
      request.requestID, { request.requestHash }
    ) { engine, run, index in
      engine.end(run, index, .completed(request.result), by: request.identity)
      return .completeActivity(CompleteActivityResponse())
    }
  }
}
