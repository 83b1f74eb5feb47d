import Messages

extension Engine {
  /// ReportActivityCancelled: the attempt ended because it was asked to.
  mutating func reportActivityCancelled(
    _ id: RequestID, _ request: ReportActivityCancelledRequest
  ) {
    if let status = payloadFault(request.details, "details") { return refuse(id, status) }
    report(
      id, .reportActivityCancelled(request), request.namespace, request.activity,
      "ReportActivityCancelled", request.requestID, { request.requestHash }
    ) { engine, run, index in
      engine.attemptCancelled(run, index, request.details, by: request.identity)
      return .reportActivityCancelled(ReportActivityCancelledResponse())
    }
  }
}
