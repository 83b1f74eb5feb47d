import Basics
import EngineCore
import Messages

/// How activities end, and signs of life.
extension Model {
  /// The lease that a reference names.
  enum Lease {
    case current(ModelRun, Int)
    /// By token, of an attempt that is over.
    case past(ModelRun)
    case none(Status)
  }

  /// `orHeld`: or the activity that is paused and has not started.
  private func lease(_ reference: ActivityReference?, orHeld: Bool = false) -> Lease {
    guard let reference else { return .none(Status()) }
    return reference.activityID.isEmpty
      ? lease(token: reference.token) : lease(ids: reference, orHeld)
  }

  private func lease(token: [UInt8]) -> Lease {
    guard let owner = tokens[token], let run = run(owner) else {
      return .none(.of(.notFound, .activityNotFound))
    }
    let place = run.activities.firstIndex { $0.state == .started && $0.token == token }
    return place.map { .current(run, $0) } ?? .past(run)
  }

  private func lease(ids reference: ActivityReference, _ orHeld: Bool) -> Lease {
    let runID = reference.execution?.runID ?? .none
    let found =
      reference.isOfActivityRun
      ? find(activity: reference.activityID, runID) : find(reference.execution)
    switch found {
    case .none(let status): return .none(status)
    case .run(let run):
      let place = run.activities.firstIndex {
        $0.scheduled.activityID == reference.activityID && !$0.isLocal
          && ($0.state == .started || orHeld && $0.pause != nil)
      }
      return place.map { .current(run, $0) } ?? .none(.of(.notFound, .activityNotFound))
    }
  }

  // MARK: - Requests

  mutating func report(
    _ id: RequestID, _ reference: ActivityReference?, _ requestID: String, _ request: Request,
    _ end: EndedAttempt.End, _ identity: String, details: [Payload] = []
  ) -> Response? {
    let method = "\(end.name)Activity"
    let byIDs =
      reference?.isOfActivityRun ?? false
      ? ModelRun.key(ofActivity: reference?.activityID ?? "") : reference?.execution?.workflowID
    let key =
      reference.flatMap { $0.activityID.isEmpty ? tokens[$0.token] : nil }
      .flatMap { run($0)?.key } ?? byIDs ?? ""
    if let answer = before(method, key, requestID, request) { return answer }
    switch lease(reference, orHeld: end.isOutcome) {
    case .none(let status): return .failure(status)
    case .past(let run):
      let stale = Response.failure(.of(.failedPrecondition, .staleLease))
      guard isLikeBefore(run, reference?.token ?? [], end) else { return stale }
      // The engine remembers the last ends of a run while it is in memory.
      either.append((.answered(id, .done), .answered(id, stale)))
      return nil
    case .current(let run, let place):
      remember(method, run, requestID, request, event: run.lastEventID + 1, .done)
      self.end(run, place, end, identity: identity, details: details)
      return .done
    }
  }

  mutating func heartbeat(_ r: HeartbeatActivityRequest) -> Response {
    switch lease(r.activity) {
    case .none(let status): return .failure(status)
    case .past: return .failure(.of(.failedPrecondition, .staleLease))
    case .current(let run, let place):
      run.activities[place].lastHeartbeatTime = now
      run.activities[place].heartbeatDetails = r.details
      var response = HeartbeatActivityResponse()
      response.cancelRequested = run.activities[place].isCancelRequested
      response.paused = run.activities[place].pause != nil
      response.reset = run.activities[place].isReset
      return .heartbeat(response)
    }
  }

  // MARK: - Workers' messages

  mutating func report(
    _ session: SessionID, _ token: [UInt8], _ end: EndedAttempt.End, details: [Payload] = []
  ) {
    switch lease(token: token) {
    case .current(let run, let place):
      self.end(run, place, end, identity: "", details: details)
      facts.append(.told(session, .recorded(.of(token))))
    case .past(let run) where isRepetition(run, token, end):
      facts.append(.told(session, .recorded(.of(token))))
    case .past(let run) where isLikeBefore(run, token, end):
      // While the run is in memory the engine does not look at what the end brought.
      either.append(
        (.told(session, .recorded(.of(token))), .told(session, .refused(.stale(token)))))
    case .past, .none: refuse(session, token)
    }
  }

  mutating func heartbeat(_ session: SessionID, _ m: Heartbeat) {
    switch lease(token: m.token) {
    case .current(let run, let place):
      run.activities[place].lastHeartbeatTime = now
      run.activities[place].heartbeatDetails = m.details
    case .past, .none: tell(session, m.token, .notFound)
    }
  }

  mutating func willCompleteElsewhere(_ session: SessionID, _ token: [UInt8]) {
    guard case .current(let run, let place) = lease(token: token) else {
      return refuse(session, token)
    }
    run.activities[place].holder = nil
    run.activities[place].isElsewhere = true
    facts.append(.told(session, .recorded(.of(token))))
  }

  mutating func refuse(_ session: SessionID, _ token: [UInt8]) {
    facts.append(.told(session, .refused(.stale(token))))
  }

  private func isRepetition(_ run: ModelRun, _ token: [UInt8], _ end: EndedAttempt.End) -> Bool {
    run.endedAttempts.contains { $0.token == token && $0.end == end && $0.isInHistory }
  }

  /// The attempt ended in this way, perhaps with something else in it, or before the last one.
  private func isLikeBefore(_ run: ModelRun, _ token: [UInt8], _ end: EndedAttempt.End) -> Bool {
    run.endedAttempts.contains { $0.token == token && $0.end.name == end.name }
  }

  mutating func tellHolder(of activity: ModelActivity, _ reason: ActivityCancelReason) {
    guard activity.state == .started, !activity.isLocal, let holder = activity.holder
    else { return }
    tell(holder, activity.token, reason)
  }

  mutating func tell(
    _ session: SessionID, _ token: [UInt8], _ reason: ActivityCancelReason
  ) {
    facts.append(.told(session, .activityCancel(.of(token, reason))))
  }

  // MARK: - Ends

  mutating func end(
    _ run: ModelRun, _ place: Int, _ end: EndedAttempt.End, identity: String,
    details: [Payload]
  ) {
    let activity = run.activities[place]
    let events = run.events.count
    defer {
      run.endedAttempts.append(
        EndedAttempt(
          token: activity.token, end: end,
          isInHistory: run.events.count > events && !end.isSelfCancel(of: activity)))
    }
    guard activity.state == .started else { return endHeld(run, place, end, identity) }
    let who = identity.isEmpty ? activity.identity : identity
    switch end {
    case .completed(let result):
      appendStarted(run, activity)
      var completed = ActivityTaskCompleted()
      completed.scheduledEventID = activity.event
      completed.seq = activity.scheduled.seq
      completed.result = result
      completed.identity = who
      let ended = run.activities.remove(at: place)
      append(.activityTaskCompleted(completed), to: run)
      keepAttempts(of: ended, run)
    case .canceled(let details) where activity.isCancelRequested:
      resolveCanceled(run, place, details, identity: who)
    case .canceled(let details):
      var application = ApplicationFailure()
      application.type = "Cancelled"
      application.details = details
      fail(run, place, .of(activity.whyItsWorkerGaveUp, .application(application)), who)
    case .failed(let failure):
      if !details.isEmpty {
        run.activities[place].heartbeatDetails = details
        run.activities[place].lastHeartbeatTime = now
      }
      fail(run, place, failure, who)
    }
  }

  /// By hand: it has an attempt for it.
  private mutating func endHeld(
    _ run: ModelRun, _ place: Int, _ end: EndedAttempt.End, _ identity: String
  ) {
    run.activities[place].state = .started
    run.activities[place].startedTime = now
    run.activities[place].identity = identity
    if case .failed(let failure) = end {
      let isExhausted = run.activities[place].pause?.exhausted ?? false
      return endFailed(
        run, place, failure, isExhausted ? .maximumAttemptsReached : .nonRetryableFailure,
        identity)
    }
    self.end(run, place, end, identity: identity, details: [])
  }

  private mutating func endFailed(
    _ run: ModelRun, _ place: Int, _ failure: Failure, _ why: RetryState, _ identity: String
  ) {
    let activity = run.activities.remove(at: place)
    appendStarted(run, activity)
    var failed = ActivityTaskFailed()
    failed.scheduledEventID = activity.event
    failed.seq = activity.scheduled.seq
    failed.failure = activity.failure(failure.chain, why, identity: identity)
    failed.retryState = why
    failed.identity = identity
    append(.activityTaskFailed(failed), to: run)
    keepAttempts(of: activity, run)
  }

  /// The run's last event has ended the activity.
  mutating func keepAttempts(of activity: ModelActivity, _ run: ModelRun) {
    guard !activity.failedAttempts.isEmpty else { return }
    var attempts = ActivityAttempts()
    attempts.scheduledEventID = activity.event
    attempts.endedEventID = run.lastEventID
    attempts.failedAttempts = activity.shownAttempts
    attempts.failedAttemptsCount = Int32(activity.failedAttempts.count)
    facts.append(.attempts(run.id, attempts))
  }

  private mutating func appendStarted(_ run: ModelRun, _ activity: ModelActivity) {
    guard activity.state == .started else { return }
    var started = ActivityTaskStarted()
    started.scheduledEventID = activity.event
    started.identity = activity.identity
    started.attempt = activity.attempt
    started.attemptsBefore = activity.before
    started.startedTimeMs = activity.startedTime
    started.lastFailure = activity.lastFailure
    append(.activityTaskStarted(started), to: run)
  }

  mutating func resolveCanceled(
    _ run: ModelRun, _ place: Int, _ details: [Payload], identity: String
  ) {
    let activity = run.activities.remove(at: place)
    appendStarted(run, activity)
    var canceled = ActivityTaskCanceled()
    canceled.scheduledEventID = activity.event
    canceled.seq = activity.scheduled.seq
    canceled.details = details
    canceled.identity = identity
    append(.activityTaskCanceled(canceled), to: run)
    keepAttempts(of: activity, run)
  }

  /// The attempt has failed: there is another one, or the activity ends.
  private mutating func fail(
    _ run: ModelRun, _ place: Int, _ failure: Failure, _ identity: String
  ) {
    switch run.activities[place].next(after: failure, at: now) {
    case .success(let next):
      run.activities[place].fail(failure, at: now)
      run.activities[place].backOff(until: next)
      if next <= now { run.activities[place].queue(at: now) }
    case .failure(let no) where no.isUsedUp && run.activities[place].isHeld:
      run.activities[place].fail(failure, at: now)
      run.activities[place].hold(at: now)
    case .failure(let no): endFailed(run, place, failure, no.why, identity)
    }
  }

  mutating func loseWorker(_ run: ModelRun, _ place: Int, evidence: String) {
    let identity = run.activities[place].identity
    var lost = WorkerLostFailure()
    lost.identity = identity
    lost.evidence = evidence
    fail(
      run, place, .of("the worker '\(identity)' was lost: \(evidence)", .workerLost(lost)),
      identity)
  }

  // MARK: - Timeouts

  mutating func timeOut(_ run: ModelRun, _ place: Int, _ type: TimeoutType) {
    let activity = run.activities[place]
    let failure = timeout(type, activity)
    switch type {
    case .startToClose, .heartbeat:
      switch activity.next(after: failure, at: now) {
      case .success(let next):
        tellHolder(of: activity, .timedOut)
        run.activities[place].fail(failure, at: now)
        run.activities[place].backOff(until: next)
      case .failure(let no) where no.isUsedUp && activity.isHeld:
        tellHolder(of: activity, .timedOut)
        run.activities[place].fail(failure, at: now)
        run.activities[place].hold(at: now)
      case .failure(let no) where no.why == .timeout:
        // As Temporal has it: the last failure is the cause, or the only one that there was.
        var whole = timeout(.scheduleToClose, activity)
        whole.copyHeartbeat(of: failure)
        endTimedOut(
          run, place, whole.chain + (activity.lastFailure ?? failure).chain, no.why)
      case .failure(let no): endTimedOut(run, place, failure.chain, no.why)
      }
    case .scheduleToStart: endTimedOut(run, place, failure.chain, .nonRetryableFailure)
    case .scheduleToClose:
      let last = activity.lastFailure?.chain ?? []
      endTimedOut(
        run, place, failure.chain + last,
        activity.isCancelRequested ? .cancelRequested : .nonRetryableFailure)
    case .unspecified, .unrecognized: preconditionFailure("no timeout")
    }
  }

  private func timeout(_ type: TimeoutType, _ activity: ModelActivity) -> Failure {
    var timeout = TimeoutFailure()
    timeout.timeoutType = type
    if type == .heartbeat { timeout.lastHeartbeatDetails = activity.heartbeatDetails }
    let name = type.name.replacing("TIMEOUT_TYPE_", with: "")
    return .of("activity timed out (\(name))", .timeout(timeout))
  }

  private mutating func endTimedOut(
    _ run: ModelRun, _ place: Int, _ causes: [FailureInfo], _ why: RetryState
  ) {
    let activity = run.activities.remove(at: place)
    tellHolder(of: activity, .timedOut)
    appendStarted(run, activity)
    var timedOut = ActivityTaskTimedOut()
    timedOut.scheduledEventID = activity.event
    timedOut.seq = activity.scheduled.seq
    timedOut.failure = activity.failure(
      causes, why, identity: activity.state == .started ? activity.identity : "")
    timedOut.retryState = why
    append(.activityTaskTimedOut(timedOut), to: run)
    keepAttempts(of: activity, run)
  }
}

extension Refused {
  static func stale(_ token: [UInt8]) -> Refused {
    var refused = Refused()
    refused.token = token
    refused.status = .of(.failedPrecondition, .staleLease)
    return refused
  }
}

extension EndedAttempt.End {
  /// Somebody may bring it for an activity that is held.
  fileprivate var isOutcome: Bool {
    switch self {
    case .completed, .failed: true
    case .canceled: false
    }
  }

  /// The worker cancelled what nobody asked it to cancel: history has that as a failure.
  fileprivate func isSelfCancel(of activity: ModelActivity) -> Bool {
    if case .canceled = self { !activity.isCancelRequested } else { false }
  }

  fileprivate var name: String {
    switch self {
    case .completed: "Complete"
    case .failed: "Fail"
    case .canceled: "ReportCancelled"
    }
  }
}

extension Failure {
  fileprivate mutating func copyHeartbeat(of other: Failure) {
    guard case .timeout(let theirs) = other.info?.kind, case .timeout(var own) = info?.kind
    else { return }
    own.lastHeartbeatDetails = theirs.lastHeartbeatDetails
    info?.kind = .timeout(own)
  }

  /// The failure and its causes.
  var chain: [FailureInfo] { (info.map { [$0] } ?? []) + causes }
}
