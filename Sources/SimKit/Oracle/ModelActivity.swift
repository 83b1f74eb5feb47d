import Basics
import EngineCore
import Messages

/// A pending activity.
struct ModelActivity {
  enum State: Equatable {
    case scheduled
    case backingOff(until: Instant)
    case started
  }
  let event: Int64
  /// With the options in force, and as its event has it.
  var scheduled: ActivityTaskScheduled
  let original: ActivityTaskScheduled
  let scheduledTime: Instant
  var state = State.scheduled
  var attempt: Int32 = 1
  /// Attempts before the last reset.
  var before: Int32 = 0
  var attemptScheduledTime: Instant
  /// Since when the attempt waits in its queue.
  var queuedTime: Instant
  var startedTime = Instant.epoch
  var lastHeartbeatTime = Instant.epoch
  var heartbeatDetails: [Payload] = []
  var lastFailure: Failure?
  var failedAttempts: [FailedAttempt] = []
  var workersLostInARow = 0
  var isCancelRequested = false
  var pause: ActivityPause?
  /// When the attempt under way has failed, the next one is the first, and knows no heartbeats.
  var isReset = false
  var forgetsHeartbeat = false
  // The lease of a started attempt.
  var token: [UInt8] = []
  var identity = ""
  var resumeToken: [UInt8] = []
  var process: ProcessIdentity?
  /// Nil when its session has gone, or when it will be completed from elsewhere.
  var holder: SessionID?
  var isElsewhere = false
  /// Its session has gone and may come back until then.
  var orphanUntil: Instant?

  init(_ event: Int64, _ scheduled: ActivityTaskScheduled, at now: Instant) {
    self.event = event
    self.scheduled = scheduled
    original = scheduled
    scheduledTime = now
    attemptScheduledTime = now
    queuedTime = now
  }

  var isLocal: Bool { scheduled.local }

  var policy: RetryPolicy { scheduled.retryPolicy ?? RetryPolicy() }

  // MARK: - Times

  var scheduleToCloseTime: Instant? {
    let timeout = scheduled.scheduleToCloseTimeoutMs
    return timeout > .zero ? scheduledTime + timeout : nil
  }

  /// When something becomes due, and what: the earliest, by the order of this list if they are
  /// due at once.
  var due: (Instant, ModelDue)? {
    var all: [(Instant, ModelDue)] = []
    func add(_ from: Instant, _ span: Span, _ type: TimeoutType) {
      if span > .zero { all.append((from + span, .timeout(type))) }
    }
    switch state {
    case .scheduled:
      if pause != nil { break }
      add(attemptScheduledTime, scheduled.scheduleToStartTimeoutMs, .scheduleToStart)
    case .backingOff(let until): all.append((until, .retry))
    case .started:
      // Of the attempts of a local one its worker knows.
      if !isLocal { add(startedTime, scheduled.startToCloseTimeoutMs, .startToClose) }
      add(max(startedTime, lastHeartbeatTime), scheduled.heartbeatTimeoutMs, .heartbeat)
      if let orphanUntil { all.append((orphanUntil, .workerLost)) }
    }
    add(scheduledTime, scheduled.scheduleToCloseTimeoutMs, .scheduleToClose)
    guard let first = all.map(\.0).min() else { return nil }
    return all.first { $0.0 == first }
  }

  // MARK: - Attempts

  mutating func start(_ session: ModelSession, token: [UInt8], at now: Instant) {
    state = .started
    startedTime = now
    lastHeartbeatTime = .epoch
    self.token = token
    identity = session.attach.identity
    resumeToken = session.attach.resumeToken
    process = session.process
    holder = session.id
    isElsewhere = false
    orphanUntil = nil
  }

  /// Why there is no further attempt; or when the next one is due.
  func next(after failure: Failure, at now: Instant) -> Result<Instant, NoRetry> {
    if isCancelRequested { return .failure(NoRetry(why: .cancelRequested)) }
    if policy.forbids(failure) { return .failure(NoRetry(why: .nonRetryableFailure)) }
    if !isReset, policy.maximumAttempts > 0, attempt >= policy.maximumAttempts {
      return .failure(NoRetry(why: .maximumAttemptsReached))
    }
    let next = isReset ? now : now + interval(after: failure)
    if let end = scheduleToCloseTime, next > end || isReset && next == end {
      return .failure(NoRetry(why: .timeout))
    }
    return .success(next)
  }

  private func interval(after failure: Failure) -> Span {
    if case .workerLost = failure.info?.kind, workersLostInARow == 0 { return .zero }
    return wait(after: failure, attempt: attempt)
  }

  func wait(after failure: Failure?, attempt: Int32) -> Span {
    if case .application(let m) = failure?.info?.kind, m.nextRetryDelayMs > .zero {
      return m.nextRetryDelayMs
    }
    return policy.interval(afterAttempt: attempt)
  }

  mutating func fail(_ failure: Failure, at now: Instant) {
    var failed = FailedAttempt()
    failed.attempt = attempt
    failed.attemptsBefore = before
    failed.startedTimeMs = startedTime
    failed.endedTimeMs = now
    failed.identity = identity
    failed.failure = failure
    failedAttempts.append(failed)
    if case .workerLost = failure.info?.kind {
      workersLostInARow += 1
    } else {
      workersLostInARow = 0
    }
    lastFailure = failure
  }

  mutating func backOff(until next: Instant) {
    attempt += 1
    endWishes()
    attemptScheduledTime = next
    state = .backingOff(until: next)
    endLease()
  }

  /// The attempt may start.
  mutating func queue(at now: Instant) {
    state = .scheduled
    queuedTime = now
  }

  mutating func endLease() {
    startedTime = .epoch
    token = []
    resumeToken = []
    process = nil
    holder = nil
    isElsewhere = false
    orphanUntil = nil
  }

  /// The first 5 failed attempts and the last 20.
  var shownAttempts: [FailedAttempt] {
    failedAttempts.count <= 25
      ? failedAttempts : Array(failedAttempts.prefix(5) + failedAttempts.suffix(20))
  }

  /// How the workflow is told of its failure.
  func failure(_ cause: [FailureInfo], _ state: RetryState, identity: String) -> Failure {
    var activity = ActivityFailure()
    activity.scheduledEventID = event
    activity.activityID = scheduled.activityID
    activity.activityType = scheduled.activityType
    activity.identity = identity
    activity.retryState = state
    activity.attempt = attempt
    var failure = Failure.of("activity '\(scheduled.activityType)' failed", .activity(activity))
    failure.causes = cause
    return failure
  }
}

enum ModelDue: Equatable {
  case retry
  case timeout(TimeoutType)
  case workerLost
}

struct NoRetry: Error {
  let why: RetryState
  var isUsedUp: Bool { why == .maximumAttemptsReached }
}

/// What a worker may bring again: the end of an attempt, and the lease that it came from.
struct EndedAttempt {
  enum End: Equatable {
    case completed([Payload])
    case failed(Failure)
    case canceled([Payload])
  }
  let token: [UInt8]
  let end: End
  /// It was also the activity's end.
  let isInHistory: Bool
}

extension RetryPolicy {
  var withDefaults: RetryPolicy {
    var policy = self
    if policy.initialIntervalMs == .zero { policy.initialIntervalMs = Span(ms: 1_000) }
    if policy.backoffCoefficient == 0 { policy.backoffCoefficient = 2 }
    if policy.maximumIntervalMs == .zero {
      policy.maximumIntervalMs = policy.initialIntervalMs * 100
    }
    return policy
  }

  func forbids(_ failure: Failure) -> Bool {
    switch failure.info?.kind {
    case .application(let m): m.nonRetryable || nonRetryableErrorTypes.contains(m.type)
    case .server(let m): m.nonRetryable
    default: false
    }
  }

  func interval(afterAttempt attempt: Int32) -> Span {
    var interval = Double(initialIntervalMs.ms)
    for _ in 1..<max(attempt, 1) {
      interval = min(interval * backoffCoefficient, Double(maximumIntervalMs.ms))
    }
    return Span(ms: min(Int64(interval), maximumIntervalMs.ms))
  }
}
