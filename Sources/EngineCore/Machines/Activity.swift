import Basics
import Messages

/// A pending activity: what its events say, and the attempt under way, which history does not tell.
///
///     queued ──▶ started ──▶ (ended: removed by its terminal event)
///       ▲           │
///       └─ backing ◀┘  (the attempt failed and the policy allows another)
///
/// A pause keeps it from becoming started, in whatever phase it is.
struct Activity: Sendable, Equatable {
  enum Phase: Sendable {
    /// Waits in its task queue. Can transition to: started, and ended by schedule-to-start,
    /// schedule-to-close or a cancel request.
    case queued
    /// A worker, or somebody elsewhere, holds the lease. Can transition to: backingOff, queued
    /// (lost before it was received), and ended.
    case started
    /// Waits for `row.retryTimeMs`. Can transition to: queued, and ended by schedule-to-close or
    /// a cancel request.
    case backingOff
  }

  // From history.
  let scheduledEvent: Int64
  let scheduledTime: Instant
  /// Timeouts and policy have their defaults filled in; those in force are below.
  let scheduled: ActivityTaskScheduled
  var cancelRequested = false

  // Beside history: the activity row.
  var row: ActivityRow
  /// The store holds a row of it.
  var hasRow = false
  // Only in memory.
  /// The session that holds the lease; nil for an orphan and for completion from elsewhere.
  var session: SessionID?
  /// Of its entry in the task queue, while it waits there.
  var ticket: UInt64?
  /// Until when an orphan waits for its worker.
  var orphanedUntil: Instant?

  init(scheduledEvent: Int64, scheduledTime: Instant, _ scheduled: ActivityTaskScheduled) {
    self.scheduledEvent = scheduledEvent
    self.scheduledTime = scheduledTime
    self.scheduled = scheduled
    row = ActivityRow()
    row.attempt = 1
    row.attemptScheduledTimeMs = scheduledTime
  }

  /// As a copy of its run has it: nobody has it in hand, and its time begins now.
  func begunAgain(at time: Instant) -> Activity {
    var activity = Activity(scheduledEvent: scheduledEvent, scheduledTime: time, scheduled)
    activity.cancelRequested = cancelRequested
    return activity
  }

  var phase: Phase {
    if row.startedTimeMs.ms != 0 { return .started }
    return row.retryTimeMs.ms != 0 ? .backingOff : .queued
  }

  /// It runs in the worker that has its run (`Engine+LocalActivities.swift`).
  var isLocal: Bool { scheduled.local }
  var isLocalInHand: Bool { isLocal && phase == .started }

  var isPaused: Bool { row.pause != nil }
  /// The attempt's number since the last reset.
  var attempt: Int32 { row.attempt - row.attemptsBefore }
  /// A worker that came could start it, unless its run is kept back.
  var canStart: Bool { phase == .queued && !isPaused }
  /// A worker has it, or may come back for it.
  var isInHand: Bool { phase == .started && !row.elsewhere }
  /// It waits for its time, for word from elsewhere, for the end of a pause, or with its run.
  func isAtRest(whileRunIsKeptBack isKeptBack: Bool) -> Bool {
    switch phase {
    case .queued: isKeptBack || isPaused
    case .backingOff: true
    case .started: row.elsewhere
    }
  }

  /// Three workers in a row were lost while they ran it.
  var crashesWorker: Bool { row.workersLostInARow >= 3 }

  var scheduleToCloseDeadline: Instant? {
    scheduleToCloseTimeout == .zero ? nil : scheduledTime + scheduleToCloseTimeout
  }

  /// What is due next for this activity, and what it then is.
  var deadline: (time: Instant, due: Due)? {
    var first: (time: Instant, due: Due)?
    func offer(_ time: Instant, _ due: Due) {
      if first.map({ time < $0.time }) ?? true { first = (time, due) }
    }
    switch phase {
    case .queued:
      if !isPaused, scheduleToStartTimeout != .zero {
        offer(row.attemptScheduledTimeMs + scheduleToStartTimeout, .scheduleToStart)
      }
    case .backingOff:
      offer(row.retryTimeMs, .retry)
    case .started:
      // Of the attempts of a local one its worker knows.
      if startToCloseTimeout != .zero, !isLocal {
        offer(row.startedTimeMs + startToCloseTimeout, .startToClose)
      }
      if heartbeatTimeout != .zero {
        let alive = max(row.startedTimeMs, row.lastHeartbeatTimeMs)
        offer(alive + heartbeatTimeout, .heartbeat)
      }
      if let orphanedUntil { offer(orphanedUntil, .workerLost) }
    }
    if let end = scheduleToCloseDeadline { offer(end, .scheduleToClose) }
    return first
  }

  enum Due: Sendable {
    case retry, scheduleToStart, startToClose, heartbeat, scheduleToClose, workerLost
  }

  // MARK: Transitions

  mutating func start(
    at now: Instant, session: SessionID, holder: LeaseHolder, branch: UInt32
  ) {
    precondition(phase == .queued, "attempt \(row.attempt) of \(scheduledEvent) starts twice")
    row.startedTimeMs = now
    row.lastHeartbeatTimeMs = Instant(ms: 0)
    row.holder = holder
    row.elsewhere = false
    row.branch = branch
    self.session = session
    orphanedUntil = nil
  }

  /// The attempt never reached its worker: the same attempt waits again, and its time to start
  /// begins anew.
  mutating func returnToQueue(at now: Instant) {
    precondition(phase == .started)
    carryOutWishes()
    row.attemptScheduledTimeMs = now
    row.startedTimeMs = Instant(ms: 0)
    row.holder = nil
    session = nil
    orphanedUntil = nil
  }

  mutating func backOff(until time: Instant) {
    row.attempt = row.attempt == .max ? .max : row.attempt + 1
    carryOutWishes()
    #if MUTANTS
      if Mutant.isOn(.optionsAreForgotten) { row.options = nil }
    #endif
    row.attemptScheduledTimeMs = time
    row.retryTimeMs = time
    row.startedTimeMs = Instant(ms: 0)
    row.holder = nil
    row.elsewhere = false
    session = nil
    orphanedUntil = nil
  }

  mutating func becomeDue() {
    precondition(phase == .backingOff)
    row.retryTimeMs = Instant(ms: 0)
  }

  mutating func heartbeat(_ details: [Payload], at now: Instant) {
    row.lastHeartbeatTimeMs = now
    row.heartbeatDetails = details
  }

  /// Keeps a failed attempt for `describe`: the first ones and the last ones.
  mutating func remember(_ failure: Failure, at now: Instant, limits: EngineLimits) {
    var attempt = FailedAttempt()
    attempt.attempt = self.attempt
    attempt.attemptsBefore = row.attemptsBefore
    attempt.startedTimeMs = row.startedTimeMs
    attempt.endedTimeMs = now
    attempt.identity = row.holder?.identity ?? ""
    attempt.failure = failure.cut(to: limits.keptFailureBytesMax)
    if row.failedAttempts.count == limits.firstAttemptsKept + limits.lastAttemptsKept {
      row.failedAttempts.remove(at: limits.firstAttemptsKept)
    }
    row.failedAttempts.append(attempt)
    row.failedAttemptsCount += 1
    row.lastFailure = attempt.failure
  }

  /// What stays of them beside the history; nil: none has failed.
  func attempts(endedBy event: Int64) -> ActivityAttempts? {
    guard row.failedAttemptsCount > 0 else { return nil }
    var attempts = ActivityAttempts()
    attempts.scheduledEventID = scheduledEvent
    attempts.endedEventID = event
    attempts.failedAttempts = row.failedAttempts
    attempts.failedAttemptsCount = row.failedAttemptsCount
    return attempts
  }
}

// MARK: - Retry

/// What follows the failure of an attempt.
enum RetryVerdict {
  case retry(at: Instant)
  case giveUp(RetryState)
}

extension Activity {
  /// What follows the failure of the current attempt.
  func verdict(on failure: Failure, at now: Instant) -> RetryVerdict {
    if cancelRequested { return .giveUp(.cancelRequested) }
    guard let policy = retryPolicy else { return .giveUp(.retryPolicyNotSet) }
    if policy.forbids(failure) { return .giveUp(.nonRetryableFailure) }
    #if MUTANTS
      if Mutant.isOn(.retriesForEver) { return .retry(at: now + policy.initialIntervalMs) }
      if Mutant.isOn(.retriesAtOnce), attempt < policy.maximumAttempts {
        return .retry(at: now)
      }
    #endif
    // After a reset the next one is the first, and waits for nothing.
    if row.isReset {
      if let end = scheduleToCloseDeadline, now >= end { return .giveUp(.timeout) }
      return .retry(at: now)
    }
    return policy.verdict(
      attempt: attempt, at: now + interval(policy, failure), before: scheduleToCloseDeadline)
  }

  private func interval(_ policy: RetryPolicy, _ failure: Failure) -> Span {
    if case .workerLost = failure.info?.kind, row.workersLostInARow <= 1 { return .zero }
    return policy.interval(afterAttempt: attempt, failure)
  }
}

extension RetryPolicy {
  /// The policy in force: defaults filled in.
  func filled(default initial: Span) -> RetryPolicy {
    var policy = self
    if policy.initialIntervalMs.ms == 0 { policy.initialIntervalMs = initial }
    #if MUTANTS
      if Mutant.isOn(.intervalDefaultIsLong), initialIntervalMs.ms == 0 {
        policy.initialIntervalMs = initial * 2
      }
    #endif
    if policy.backoffCoefficient == 0 { policy.backoffCoefficient = 2 }
    if policy.maximumIntervalMs.ms == 0 {
      policy.maximumIntervalMs = Span(ms: saturating(Double(policy.initialIntervalMs.ms) * 100))
    }
    return policy
  }

  /// Whether there is an attempt after this one, which would begin at `next`.
  func verdict(attempt: Int32, at next: Instant, before end: Instant?) -> RetryVerdict {
    if maximumAttempts > 0 && attempt >= maximumAttempts {
      return .giveUp(.maximumAttemptsReached)
    }
    if let end, next > end { return .giveUp(.timeout) }
    return .retry(at: next)
  }

  /// The pause after the attempt: what the failure says, else the policy.
  func interval(afterAttempt attempt: Int32, _ failure: Failure) -> Span {
    guard case .application(let application) = failure.info?.kind,
      application.nextRetryDelayMs.ms > 0
    else { return interval(afterAttempt: attempt) }
    return application.nextRetryDelayMs
  }

  /// initial × coefficient^(attempt − 1), capped; saturates instead of overflowing.
  func interval(afterAttempt attempt: Int32) -> Span {
    var interval = Double(initialIntervalMs.ms)
    var left = attempt - 1
    let cap = Double(maximumIntervalMs.ms)
    while left > 0 && interval < cap && backoffCoefficient > 1 {
      interval *= backoffCoefficient
      left -= 1
    }
    return Span(ms: saturating(min(interval, cap)))
  }

  /// What is wrong with it, by field; nil when nothing is.
  var fault: (field: String, message: String)? {
    if initialIntervalMs.ms < 0 { return ("initial_interval_ms", "must not be negative") }
    if maximumIntervalMs.ms < 0 { return ("maximum_interval_ms", "must not be negative") }
    if maximumAttempts < 0 { return ("maximum_attempts", "must not be negative; 0 is unlimited") }
    if backoffCoefficient.isNaN || backoffCoefficient.isInfinite {
      return ("backoff_coefficient", "must be a number")
    }
    if backoffCoefficient != 0 && backoffCoefficient < 1 {
      return ("backoff_coefficient", "must be at least 1.0 (0 is the default, 2.0)")
    }
    if maximumIntervalMs.ms != 0 && maximumIntervalMs < initialIntervalMs {
      return ("maximum_interval_ms", "must not be below initial_interval_ms")
    }
    return nil
  }

  /// Failures that are never tried again.
  func forbids(_ failure: Failure) -> Bool {
    switch failure.info?.kind {
    case .application(let application):
      return application.nonRetryable || nonRetryableErrorTypes.contains(application.type)
    case .server(let server):
      return server.nonRetryable
    case .timeout(let timeout):
      switch timeout.timeoutType {
      case .startToClose, .heartbeat:
        return nonRetryableErrorTypes.contains("TemporalTimeout:\(timeout.timeoutType.camelName)")
      default: return true
      }
    case .canceled, .terminated:
      return true
    case .activity, .childWorkflow, .workerLost, nil:
      return false
    }
  }
}

extension TimeoutType {
  var camelName: String {
    switch self {
    case .startToClose: return "StartToClose"
    case .scheduleToStart: return "ScheduleToStart"
    case .scheduleToClose: return "ScheduleToClose"
    case .heartbeat: return "Heartbeat"
    case .unspecified, .unrecognized: return "Unspecified"
    }
  }
}

private func saturating(_ value: Double) -> Int64 {
  value >= Double(Int64.max) ? .max : Int64(value)
}

// MARK: - Timeouts

extension ActivityTaskScheduled {
  /// Fills the missing timeouts from the others and caps all to the run's.
  mutating func fillTimeouts(runTimeout: Span) {
    func least(_ a: Span, _ b: Span) -> Span {
      a.ms == 0 ? b : b.ms == 0 ? a : min(a, b)
    }
    if scheduleToCloseTimeoutMs.ms != 0 {
      scheduleToCloseTimeoutMs = least(scheduleToCloseTimeoutMs, runTimeout)
      scheduleToStartTimeoutMs = least(scheduleToStartTimeoutMs, scheduleToCloseTimeoutMs)
      startToCloseTimeoutMs = least(startToCloseTimeoutMs, scheduleToCloseTimeoutMs)
    } else {
      scheduleToCloseTimeoutMs = runTimeout
      scheduleToStartTimeoutMs = least(scheduleToStartTimeoutMs, runTimeout)
      startToCloseTimeoutMs = least(startToCloseTimeoutMs, runTimeout)
    }
    if heartbeatTimeoutMs.ms != 0 {
      heartbeatTimeoutMs = least(heartbeatTimeoutMs, startToCloseTimeoutMs)
    }
  }
}

// MARK: - Failures

extension Failure {
  /// The failure with its texts cut so that it stays below `bytes`.
  func cut(to bytes: Int) -> Failure {
    guard approximateBytes > bytes else { return self }
    var short = self
    short.causes = []
    guard var info = short.info else { return short }
    info.message = info.message.cut(to: bytes / 2)
    info.stackTrace = info.stackTrace.cut(to: bytes / 4)
    info.source = info.source.cut(to: bytes / 16)
    info.encodedAttributes = nil
    switch info.kind {
    case .application(var application):
      application.details = []
      application.type = application.type.cut(to: bytes / 16)
      info.kind = .application(application)
    case .timeout(var timeout):
      timeout.lastHeartbeatDetails = []
      info.kind = .timeout(timeout)
    case .canceled: info.kind = .canceled(CanceledFailure())
    default: break
    }
    short.info = info
    return short
  }
}

extension String {
  /// The longest prefix of whole characters within `bytes` bytes of UTF-8.
  func cut(to bytes: Int) -> String {
    guard utf8.count > bytes else { return self }
    var end = utf8.index(startIndex, offsetBy: bytes)
    while end > startIndex && end.samePosition(in: unicodeScalars) == nil {
      end = utf8.index(before: end)
    }
    return String(self[..<end])
  }
}
