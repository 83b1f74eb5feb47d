import Basics
import Messages

/// The ends and heartbeats of activities that come as requests, by token or by ids.
extension Engine {
  /// CompleteActivity: the attempt's result, from anywhere.
  mutating func completeActivity(_ id: RequestID, _ request: CompleteActivityRequest) {
    if let status = payloadFault(request.result, "result") { return refuse(id, status) }
    report(
      id, .completeActivity(request), request.namespace, request.activity, "CompleteActivity",
      request.requestID, { request.requestHash }
    ) { engine, run, index in
      engine.end(run, index, .completed(request.result))
      return .completeActivity(CompleteActivityResponse())
    }
  }

  /// FailActivity: the attempt failed; the policy decides what follows.
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
      engine.attemptFailed(run, index, engine.bounded(failure))
      return .failActivity(FailActivityResponse())
    }
  }

  /// ReportActivityCancelled: the attempt ended because it was asked to.
  mutating func reportActivityCancelled(
    _ id: RequestID, _ request: ReportActivityCancelledRequest
  ) {
    if let status = payloadFault(request.details, "details") { return refuse(id, status) }
    report(
      id, .reportActivityCancelled(request), request.namespace, request.activity,
      "ReportActivityCancelled", request.requestID, { request.requestHash }
    ) { engine, run, index in
      engine.attemptCancelled(run, index, request.details)
      return .reportActivityCancelled(ReportActivityCancelledResponse())
    }
  }

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
      return .heartbeatActivity(response)
    }
  }

  private func tooLarge(_ field: String) -> Status {
    .refusal(
      .invalidArgument, .payloadTooLarge, "\(field): \(limits.detailBytesMax) bytes are allowed",
      field: field)
  }

  /// Finds the attempt that the request names and lets `body` end it, once per request id.
  private mutating func report(
    _ id: RequestID, _ request: Request, _ namespace: String, _ reference: ActivityReference?,
    _ method: String, _ requestID: String, _ hash: () -> UInt64,
    _ body: (inout Engine, Run, Int) -> Reply
  ) {
    guard let reference else { return refuse(id, .missing("activity")) }
    if let status = first(namespaceFault(namespace), idFault(requestID, "request_id")) {
      return refuse(id, status)
    }
    let input = Input.request(id, request)
    guard let found = find(reference, namespace, id, input) else { return }
    guard let run = found.run else {
      let named = reference.execution.map {
        Status.workflowNotFound(
          WorkflowKey(namespace: namespace.orDefault, workflowID: $0.workflowID), $0.runID)
      }
      return refuse(id, named ?? .activityNotFound("with that token"), .engine)
    }
    let earlier = earlier(
      id, method: method, key: run.key, requestID: requestID, hash: hash(), run: run, input: input)
    switch earlier {
    case .handled: return
    case .done: return reply(id, request.repeated, .run(run))
    case .new(let record):
      guard let index = index(of: reference, in: run) else {
        return refuse(id, found.isByToken ? .staleLease : notPending(reference, run), .run(run))
      }
      if let token = ActivityToken(reference.token), requestID.isEmpty { run.remember(token) }
      remember(record, event: run.fold.lastEventID + 1, in: run)
      let answer = body(&self, run, index)
      reply(id, answer, .run(run))
    }
  }

  private func notPending(_ reference: ActivityReference, _ run: Run) -> Status {
    .activityNotFound("'\(reference.activityID)' that has started in run \(run.runID)")
  }

  private mutating func find(
    _ reference: ActivityReference, _ namespace: String, _ id: RequestID, _ input: Input
  ) -> (run: Run?, isByToken: Bool)? {
    if !reference.token.isEmpty {
      guard let token = ActivityToken(reference.token) else {
        refuse(id, .invalid("activity.token", "this is not a token of an activity"))
        return nil
      }
      return find(token.run, for: input).settled.map { ($0.run, true) }
    }
    if reference.activityID.isEmpty {
      refuse(id, .missing("activity.token or activity.activity_id"))
      return nil
    }
    switch key(namespace, reference.execution) {
    case .failure(let refusal):
      refuse(id, refusal.status)
      return nil
    case .success(let key):
      let runID = reference.execution?.runID ?? .none
      return find(key, runID, for: input).settled.map { ($0.run, false) }
    }
  }

  private func index(of reference: ActivityReference, in run: Run) -> Int? {
    if let token = ActivityToken(reference.token) { return current(token, in: run) }
    return run.fold.activities.firstIndex {
      $0.scheduled.activityID == reference.activityID && $0.phase == .started
    }
  }
}

extension Request {
  /// The answer to a repetition of a report that was recorded.
  fileprivate var repeated: Reply {
    switch self {
    case .completeActivity: return .completeActivity(CompleteActivityResponse())
    case .failActivity: return .failActivity(FailActivityResponse())
    case .reportActivityCancelled:
      return .reportActivityCancelled(ReportActivityCancelledResponse())
    default: preconditionFailure("not a report on an activity")
    }
  }
}
