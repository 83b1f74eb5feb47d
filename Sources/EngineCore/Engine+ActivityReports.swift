import Basics
import Messages

/// What the requests share that report on an attempt from anywhere, by token or by ids:
/// CompleteActivity, FailActivity, ReportActivityCancelled, HeartbeatActivity.
extension Engine {
  func tooLarge(_ field: String) -> Status {
    .refusal(
      .invalidArgument, .payloadTooLarge, "\(field): \(limits.detailBytesMax) bytes are allowed",
      field: field)
  }

  /// Finds the attempt that the request names and lets `body` end it, once per request id.
  mutating func report(
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
    guard let key = found.key else {
      return refuse(id, .activityNotFound("with that token"), .engine)
    }
    let earlier = earlier(
      id, method: method, key: key, requestID: requestID, hash: hash(), run: found.run,
      input: input)
    switch earlier {
    case .handled: return
    case .done(let done):
      guard let (_, repeated) = request.end else {
        preconditionFailure("a heartbeat has no request id")
      }
      reply(id, repeated, runs[done.run].map { .run($0) } ?? .engine)
    case .new(let record):
      guard let run = found.run else {
        return refuse(id, .runNotFound(key, reference.target.runID), .engine)
      }
      let token = ActivityToken(reference.token)
      guard let index = index(of: reference, in: run, orHeld: request.mayEndHeld) else {
        if let token, let (end, repeated) = request.end, run.hasEnded(token, end) {
          return reply(id, repeated, .run(run))
        }
        return refuse(id, found.isByToken ? .staleLease : notPending(reference, run), .run(run))
      }
      if let token, let (end, _) = request.end { run.remember(token, end) }
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
  ) -> (run: Run?, key: WorkflowKey?, isByToken: Bool)? {
    if !reference.token.isEmpty {
      guard let token = ActivityToken(reference.token) else {
        refuse(id, .invalid("activity.token", "this is not a token of an activity"))
        return nil
      }
      return find(token.run, for: input).settled.map { found in
        // Whoever may speak for one namespace may not end what runs in another, and a removed run
        // may have left its number to a new one.
        guard let run = found.run, run.runID == token.runID,
          run.key.namespace == namespace.orDefault
        else { return (nil, nil, true) }
        return (run, run.key, true)
      }
    }
    if reference.activityID.isEmpty {
      refuse(id, .missing("activity.activity_id"))
      return nil
    }
    switch key(namespace, reference.target) {
    case .failure(let refusal):
      refuse(id, refusal.status)
      return nil
    case .success(let key):
      return find(key, reference.target.runID, for: input).settled.map { ($0.run, key, false) }
    }
  }

  private func index(of reference: ActivityReference, in run: Run, orHeld: Bool) -> Int? {
    if let token = ActivityToken(reference.token) { return current(token, in: run) }
    return run.fold.activities.firstIndex {
      $0.scheduled.activityID == reference.activityID && !$0.isLocal
        && ($0.phase == .started || orHeld && $0.isPaused)
    }
  }
}

extension ActivityReference {
  /// Without a workflow id: the run of an activity without a workflow.
  fileprivate var target: RunTarget {
    execution?.workflowID ?? "" == ""
      ? .activity(activityID, execution?.runID ?? .none) : .workflow(execution)
  }
}

extension Request {
  /// Somebody may bring the outcome of an activity that is paused and has not started.
  fileprivate var mayEndHeld: Bool {
    switch self {
    case .completeActivity, .failActivity: true
    default: false
    }
  }

  /// How the report ends its attempt, and the answer to its repetition; nil for a heartbeat.
  fileprivate var end: (AttemptEnd, repeated: Reply)? {
    switch self {
    case .completeActivity: return (.completed, .completeActivity(CompleteActivityResponse()))
    case .failActivity: return (.failed, .failActivity(FailActivityResponse()))
    case .reportActivityCancelled:
      return (.cancelled, .reportActivityCancelled(ReportActivityCancelledResponse()))
    default: return nil
    }
  }
}
