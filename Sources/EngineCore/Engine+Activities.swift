import Basics
import Messages

/// How attempts of activities end.
extension Engine {
  /// How an activity ends for good.
  enum ActivityEnd {
    case completed([Payload])
    case failed(Failure, RetryState)
    case timedOut(Failure, RetryState)
    case canceled([Payload])

    /// Of an attempt.
    var isOutcome: Bool {
      switch self {
      case .completed, .failed: true
      case .timedOut, .canceled: false
      }
    }
  }

  // MARK: - Reports of a worker

  mutating func activityCompleted(_ id: SessionID, _ m: ActivityCompleted) {
    withAttempt(m.token, of: id, .activityCompleted(m)) { engine, run, index in
      if let fault = engine.payloadFault(m.result, "result") {
        // The worker's answer cannot be kept; the attempt fails for good and says why.
        engine.attemptFailed(run, index, .server(fault.message))
      } else {
        engine.end(run, index, .completed(m.result))
      }
      engine.recorded(m.token, id, run)
    }
  }

  mutating func activityFailed(_ id: SessionID, _ m: ActivityFailed) {
    withAttempt(m.token, of: id, .activityFailed(m)) { engine, run, index in
      // Details that are too large are left out: why it failed counts more.
      if !m.lastHeartbeatDetails.isEmpty,
        m.lastHeartbeatDetails.bytes <= engine.limits.detailBytesMax
      {
        run.fold.activities[index].heartbeat(m.lastHeartbeatDetails, at: engine.now)
      }
      engine.attemptFailed(run, index, engine.bounded(m.failure))
      engine.recorded(m.token, id, run)
    }
  }

  mutating func activityCancelled(_ id: SessionID, _ m: ReportActivityCancelled) {
    withAttempt(m.token, of: id, .reportActivityCancelled(m)) { engine, run, index in
      if let fault = engine.payloadFault(m.details, "details") {
        engine.attemptFailed(run, index, .server(fault.message))
      } else {
        engine.attemptCancelled(run, index, m.details)
      }
      engine.recorded(m.token, id, run)
    }
  }

  mutating func willCompleteElsewhere(_ id: SessionID, _ m: WillCompleteElsewhere) {
    withAttempt(m.token, of: id, .willCompleteElsewhere(m)) { engine, run, index in
      engine.release(run, index)
      run.fold.activities[index].row.elsewhere = true
      engine.changed(run, index)
      engine.recorded(m.token, id, run)
    }
  }

  mutating func heartbeat(_ id: SessionID, _ m: Heartbeat) {
    withAttempt(m.token, of: id, .heartbeat(m)) { engine, run, index in
      if m.details.bytes > engine.limits.detailBytesMax {
        // As with a result that cannot be kept; the worker hears that it can stop.
        engine.cancelLease(m.token, id, .notFound, .run(run))
        engine.attemptFailed(run, index, .server(engine.tooLarge("details").message))
      } else {
        engine.heartbeat(run, index, m.details)
      }
    }
  }

  /// Finds the attempt that a worker speaks of; refuses what is stale, and answers a repetition.
  private mutating func withAttempt(
    _ bytes: [UInt8], of id: SessionID, _ kind: WorkerMessage.Kind,
    _ body: (inout Engine, Run, Int) -> Void
  ) {
    guard let token = ActivityToken(bytes) else { return refused(bytes, id, .staleLease, .engine) }
    var message = WorkerMessage()
    message.kind = kind
    switch find(token.run, for: .workerMessage(id, message)) {
    case .parked: return
    case .none: return stale(bytes, id, kind, .engine)
    case .run(let run):
      if let index = current(token, in: run) {
        if let end = kind.end { run.remember(token, end) }
        return body(&self, run, index)
      }
      if let end = kind.end, run.hasEnded(token, end) { return recorded(bytes, id, run) }
      if kind.end != nil, lookUp(Repetition(id, bytes, token, kind), in: run) { return }
      #if MUTANTS
        if Mutant.isOn(.refusedCounts), case .activityCompleted(let m) = kind,
          let index = run.fold.activityIndex(scheduledEvent: token.scheduledEvent)
        {
          end(run, index, .completed(m.result))
        }
      #endif
      stale(bytes, id, kind, .run(run))
    }
  }

  private mutating func stale(
    _ token: [UInt8], _ id: SessionID, _ kind: WorkerMessage.Kind, _ gate: Gate
  ) {
    if kind.isHeartbeat {
      cancelLease(token, id, .notFound, gate)
    } else {
      refused(token, id, .staleLease, gate)
    }
  }

  /// The place of the activity whose current, started attempt the token names.
  func current(_ token: ActivityToken, in run: Run) -> Int? {
    #if MUTANTS
      if Mutant.isOn(.staleAttemptCounts) {
        return run.fold.activityIndex(scheduledEvent: token.scheduledEvent)
          .flatMap { run.fold.activities[$0].phase == .started ? $0 : nil }
      }
    #endif
    guard run.runID == token.runID,
      let index = run.fold.activityIndex(scheduledEvent: token.scheduledEvent),
      run.fold.activities[index].phase == .started, !run.fold.activities[index].isLocal,
      run.fold.activities[index].row.attempt == token.attempt,
      run.fold.activities[index].row.branch == token.branch
    else { return nil }
    return index
  }

  // MARK: - Heartbeats

  /// Coalesced per lease of a worker; durable with the next write of the engine, at the latest
  /// after a second.
  mutating func heartbeat(_ run: Run, _ index: Int, _ details: [Payload]) {
    run.fold.activities[index].heartbeat(details, at: now)
    // Its run need not stay in memory.
    if run.fold.activities[index].row.elsewhere { return changed(run, index) }
    let key = LeaseKey(
      run: run.number, scheduledEvent: run.fold.activities[index].scheduledEvent)
    freshHeartbeats.insert(key)
    if deadlines.time(of: .heartbeats) == nil {
      deadlines.set(.heartbeats, at: now + times.heartbeatFlush, order: .init(0))
    }
    armActivity(run, index)
  }

  mutating func flushHeartbeats() {
    deadlines.remove(.heartbeats)
    for key in freshHeartbeats.sorted() {
      guard let run = runs[key.run],
        let index = run.fold.activityIndex(scheduledEvent: key.scheduledEvent)
      else { continue }
      changed(run, index)
    }
    freshHeartbeats.removeAll(keepingCapacity: true)
  }

  /// A commit is due anyway: the heartbeats ride on it.
  mutating func carryHeartbeats() {
    if !freshHeartbeats.isEmpty { flushHeartbeats() }
  }

  // MARK: - Ends

  /// The attempt failed: another one by the policy, or the end.
  mutating func attemptFailed(
    _ run: Run, _ index: Int, _ failure: Failure, by identity: String = ""
  ) {
    if case .workerLost = failure.info?.kind {
      run.fold.activities[index].row.workersLostInARow += 1
      counters.workersLost += 1
    } else {
      run.fold.activities[index].row.workersLostInARow = 0
    }
    switch run.fold.activities[index].verdict(on: failure, at: now) {
    case .retry(let time):
      run.fold.activities[index].remember(failure, at: now, limits: limits)
      release(run, index)
      run.fold.activities[index].backOff(until: time)
      counters.activityRetries += 1
      if time <= now {
        run.fold.activities[index].becomeDue()
        changed(run, index)
        offerActivity(run.fold.activities[index].scheduledEvent, of: run)
      } else {
        changed(run, index)
      }
    case .giveUp(.maximumAttemptsReached) where isHeld(run.fold.activities[index]):
      run.fold.activities[index].remember(failure, at: now, limits: limits)
      release(run, index)
      run.fold.activities[index].holdExhausted(at: now)
      changed(run, index)
    case .giveUp(let state):
      end(run, index, ending(failure, state, run.fold.activities[index]), by: identity)
    }
  }

  private func isHeld(_ activity: Activity) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.exhaustedIsNotHeld) { return false }
    #endif
    return activity.isHeldWhenExhausted
  }

  /// A timeout that cannot be tried again for lack of time is a schedule-to-close timeout.
  private func ending(_ failure: Failure, _ state: RetryState, _ activity: Activity) -> ActivityEnd
  {
    guard case .timeout(let timeout) = failure.info?.kind else { return .failed(failure, state) }
    guard state == .timeout, timeout.timeoutType != .scheduleToStart else {
      return .timedOut(failure, state)
    }
    let whole = Failure.timeout(
      .scheduleToClose, details: timeout.lastHeartbeatDetails,
      causes: activity.row.lastFailure?.layers ?? failure.layers)
    return .timedOut(whole, state)
  }

  mutating func attemptCancelled(
    _ run: Run, _ index: Int, _ details: [Payload], by identity: String = ""
  ) {
    if run.fold.activities[index].cancelRequested {
      return end(run, index, .canceled(details), by: identity)
    }
    // The code need not end for it: the worker gave up, which is a failure like others.
    var application = ApplicationFailure()
    application.type = "Cancelled"
    application.details = details
    let why =
      switch run.fold.activities[index].wish {
      case .paused: "the worker ended the attempt because the activity is paused"
      case .reset: "the worker ended the attempt because the activity was reset"
      default: "the worker cancelled the activity by itself"
      }
    attemptFailed(run, index, .engine(why, .application(application)), by: identity)
  }

  /// Records the terminal event, after the start of the attempt if it had started. `reporter` is
  /// who brought the end when that was not the lease's holder.
  mutating func end(
    _ run: Run, _ index: Int, _ end: ActivityEnd, by reporter: String = ""
  ) {
    let activity = run.fold.activities[index]
    release(run, index)
    let event = activity.scheduledEvent
    let isStarted = activity.phase == .started
    // What is held may be ended by hand, and had no attempt for it.
    let identity = isStarted ? activity.row.holder?.identity ?? "" : reporter
    deadlines.remove(.activity(LeaseKey(run: run.number, scheduledEvent: event)))
    if activity.hasRow { run.endedActivities.append(event) }
    if isStarted || end.isOutcome {
      var started = ActivityTaskStarted()
      started.scheduledEventID = event
      started.identity = identity
      started.attempt = activity.attempt
      started.attemptsBefore = activity.row.attemptsBefore
      started.startedTimeMs = isStarted ? activity.row.startedTimeMs : now
      started.lastFailure = activity.row.lastFailure
      record(run, .activityTaskStarted(started))
    }
    record(run, Engine.terminal(end, activity, reporter.isEmpty ? identity : reporter))
    keepAttempts(of: activity, run)
    if run.fold.isOpen { afterInbound(run) } else { afterClose(run) }
  }

  /// The run's last event has ended the activity.
  private func keepAttempts(of activity: Activity, _ run: Run) {
    #if MUTANTS
      if Mutant.isOn(.attemptsAreNotKept) { return }
    #endif
    guard let attempts = activity.attempts(endedBy: run.fold.lastEventID) else { return }
    run.endedAttempts.append(attempts)
  }

  private static func terminal(_ end: ActivityEnd, _ activity: Activity, _ identity: String)
    -> HistoryEvent.Attributes
  {
    switch end {
    case .completed(let result):
      var event = ActivityTaskCompleted()
      event.scheduledEventID = activity.scheduledEvent
      event.seq = activity.scheduled.seq
      event.result = result
      event.identity = identity
      return .activityTaskCompleted(event)
    case .failed(let failure, let state):
      var event = ActivityTaskFailed()
      event.scheduledEventID = activity.scheduledEvent
      event.seq = activity.scheduled.seq
      event.failure = activity.wrap(failure, state, identity)
      event.retryState = state
      event.identity = identity
      return .activityTaskFailed(event)
    case .timedOut(let failure, let state):
      var event = ActivityTaskTimedOut()
      event.scheduledEventID = activity.scheduledEvent
      event.seq = activity.scheduled.seq
      event.failure = activity.wrap(failure, state, identity)
      event.retryState = state
      return .activityTaskTimedOut(event)
    case .canceled(let details):
      var event = ActivityTaskCanceled()
      event.scheduledEventID = activity.scheduledEvent
      event.seq = activity.scheduled.seq
      event.details = details
      event.identity = identity
      return .activityTaskCanceled(event)
    }
  }

  // MARK: - Deadlines

  mutating func activityDue(_ key: LeaseKey) {
    guard let run = runs[key.run],
      let index = run.fold.activityIndex(scheduledEvent: key.scheduledEvent),
      let deadline = run.fold.activities[index].deadline
    else { return }
    guard deadline.time <= now else { return armActivity(run, index) }
    switch deadline.due {
    case .retry: retryIsDue(run, index)
    case .workerLost:
      loseWorker(run, index, evidence: "it did not come back within the resume window")
    case .scheduleToStart: timeOut(run, index, .scheduleToStart)
    case .startToClose: timeOut(run, index, .startToClose)
    case .heartbeat: timeOut(run, index, .heartbeat)
    case .scheduleToClose: timeOut(run, index, .scheduleToClose)
    }
  }

  mutating func retryIsDue(_ run: Run, _ index: Int) {
    run.fold.activities[index].becomeDue()
    noteWork(of: run)
    if !run.isKeptBack && !run.fold.activities[index].isPaused {
      // Not written: a start of the engine finds the retry time in the past.
      armActivity(run, index)
    } else {
      // The run may leave memory as it is now.
      changed(run, index)
    }
    offerActivity(run.fold.activities[index].scheduledEvent, of: run)
  }

  private mutating func timeOut(_ run: Run, _ index: Int, _ type: TimeoutType) {
    let activity = run.fold.activities[index]
    if activity.phase == .started, !activity.isLocal, let session = activity.session {
      cancelLease(run.token(of: activity).bytes, session, .timedOut, .run(run))
    }
    let causes = type == .scheduleToClose ? activity.row.lastFailure?.layers ?? [] : []
    attemptFailed(
      run, index,
      .timeout(
        type, details: type == .heartbeat ? activity.row.heartbeatDetails : [], causes: causes))
  }

  mutating func loseWorker(_ run: Run, _ index: Int, evidence: String) {
    var lost = WorkerLostFailure()
    lost.identity = run.fold.activities[index].row.holder?.identity ?? ""
    lost.evidence = evidence
    attemptFailed(
      run, index,
      .engine("the worker '\(lost.identity)' was lost: \(evidence)", .workerLost(lost)))
  }

  // MARK: - Leases

  /// The lease belongs to nobody any more.
  mutating func release(_ run: Run, _ index: Int) {
    let key = LeaseKey(
      run: run.number, scheduledEvent: run.fold.activities[index].scheduledEvent)
    if let session = run.fold.activities[index].session {
      sessions[session]?.leases.remove(key)
    }
    orphans.remove(key)
    freshHeartbeats.remove(key)
    run.fold.activities[index].session = nil
    run.fold.activities[index].orphanedUntil = nil
  }

  /// Tells the worker that its attempt is no longer wanted.
  mutating func cancelLease(
    _ token: [UInt8], _ id: SessionID, _ reason: ActivityCancelReason, _ gate: Gate
  ) {
    var cancel = ActivityCancel()
    cancel.token = token
    cancel.reason = reason
    var message = EngineMessage()
    message.kind = .activityCancel(cancel)
    send(.worker(id, message), gate)
  }

  /// Tells the worker that holds the lease, which stays its own, what is wanted of the attempt.
  mutating func tellHolder(_ run: Run, _ index: Int, _ reason: ActivityCancelReason) {
    let activity = run.fold.activities[index]
    guard activity.phase == .started, let session = activity.session else { return }
    cancelLease(run.token(of: activity).bytes, session, reason, .run(run))
  }

  func bounded(_ failure: Failure?) -> Failure {
    guard let failure, failure.info != nil else {
      return .engine("the worker gave no reason", .application(ApplicationFailure()))
    }
    return failure.cut(to: limits.detailBytesMax)
  }
}

extension Activity {
  /// What the workflow sees: which activity, and why.
  fileprivate func wrap(_ failure: Failure, _ state: RetryState, _ identity: String) -> Failure {
    var info = ActivityFailure()
    info.scheduledEventID = scheduledEvent
    info.activityID = scheduled.activityID
    info.activityType = scheduled.activityType
    info.identity = identity
    info.retryState = state
    info.attempt = attempt
    return .engine(
      "activity '\(scheduled.activityType)' failed", .activity(info), causes: failure.layers)
  }
}

extension WorkerMessage.Kind {
  /// How the message ends its attempt; nil when it does not.
  fileprivate var end: AttemptEnd? {
    switch self {
    case .activityCompleted: return .completed
    case .activityFailed: return .failed
    case .reportActivityCancelled: return .cancelled
    default: return nil
    }
  }

  fileprivate var isHeartbeat: Bool {
    if case .heartbeat = self { return true }
    return false
  }
}
