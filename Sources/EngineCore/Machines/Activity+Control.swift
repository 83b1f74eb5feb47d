import Basics
import Messages

/// What operators do to a pending activity: hold it, begin it anew, change its options.
extension Activity {
  // MARK: - Pause

  mutating func pause(_ pause: ActivityPause) {
    row.pause = pause
    // It has left its queue; what it may still wait for begins anew when it goes on.
    ticket = nil
  }

  mutating func unpause(at now: Instant) {
    row.pause = nil
    if phase == .queued { row.attemptScheduledTimeMs = now }
  }

  /// Its attempts are used up, and it is held instead of being ended.
  var isHeldWhenExhausted: Bool { isPaused || scheduled.onExhausted == .pause }

  mutating func holdExhausted(at now: Instant) {
    backOff(until: now)
    becomeDue()
    var pause = row.pause ?? ActivityPause()
    if row.pause == nil { pause.pausedTimeMs = now }
    pause.exhausted = true
    self.pause(pause)
  }

  // MARK: - Reset

  /// The next attempt is the first: the one that waits, at once, or the one after that under way.
  mutating func reset(at now: Instant) {
    row.isReset = true
    guard phase != .started else { return }
    carryOutWishes()
    row.retryTimeMs = .epoch
    row.attemptScheduledTimeMs = now
    row.pause?.exhausted = false
  }

  /// The next attempt is given no heartbeat details.
  mutating func forgetHeartbeat() {
    row.forgetsHeartbeat = true
    if phase != .started { carryOutWishes() }
  }

  /// What the worker of the attempt under way has to know.
  var wish: ActivityCancelReason? {
    if cancelRequested { return .cancelled }
    if isPaused { return .paused }
    return row.isReset ? .reset : nil
  }

  /// What was asked for while an attempt was under way, which has ended now.
  mutating func carryOutWishes() {
    if row.isReset {
      row.isReset = false
      #if MUTANTS
        if Mutant.isOn(.resetNumbersRepeat) { row.attempt = 1 }
      #endif
      // Attempts keep their own numbers: a lease of an earlier one must stay stale.
      row.attemptsBefore = row.attempt - 1
      row.workersLostInARow = 0
    }
    if row.forgetsHeartbeat {
      row.forgetsHeartbeat = false
      row.heartbeatDetails = []
    }
  }

  // MARK: - Options

  /// Those in force.
  var options: ActivityTaskOptions { row.options ?? scheduled.options }
  var taskQueue: String { row.options?.taskQueue ?? scheduled.taskQueue }
  var retryPolicy: RetryPolicy? { row.options?.retryPolicy ?? scheduled.retryPolicy }
  var scheduleToCloseTimeout: Span {
    row.options?.scheduleToCloseTimeoutMs ?? scheduled.scheduleToCloseTimeoutMs
  }
  var scheduleToStartTimeout: Span {
    row.options?.scheduleToStartTimeoutMs ?? scheduled.scheduleToStartTimeoutMs
  }
  var startToCloseTimeout: Span {
    row.options?.startToCloseTimeoutMs ?? scheduled.startToCloseTimeoutMs
  }
  var heartbeatTimeout: Span {
    row.options?.heartbeatTimeoutMs ?? scheduled.heartbeatTimeoutMs
  }

  /// What waits for its next attempt waits as long as the new policy says.
  mutating func change(to options: ActivityTaskOptions, at now: Instant) {
    let earlier = retryPolicy
    row.options = options == scheduled.options ? nil : options
    guard phase == .backingOff, let policy = retryPolicy, policy != earlier,
      let last = row.failedAttempts.last
    else { return }
    let wait = policy.interval(afterAttempt: attempt - 1, last.failure ?? Failure())
    row.retryTimeMs = max(now, last.endedTimeMs + wait)
    row.attemptScheduledTimeMs = row.retryTimeMs
  }
}

extension ActivityTaskScheduled {
  var options: ActivityTaskOptions {
    var options = ActivityTaskOptions()
    options.taskQueue = taskQueue
    options.scheduleToCloseTimeoutMs = scheduleToCloseTimeoutMs
    options.scheduleToStartTimeoutMs = scheduleToStartTimeoutMs
    options.startToCloseTimeoutMs = startToCloseTimeoutMs
    options.heartbeatTimeoutMs = heartbeatTimeoutMs
    options.retryPolicy = retryPolicy
    return options
  }

  mutating func take(_ options: ActivityTaskOptions) {
    taskQueue = options.taskQueue
    scheduleToCloseTimeoutMs = options.scheduleToCloseTimeoutMs
    scheduleToStartTimeoutMs = options.scheduleToStartTimeoutMs
    startToCloseTimeoutMs = options.startToCloseTimeoutMs
    heartbeatTimeoutMs = options.heartbeatTimeoutMs
    retryPolicy = options.retryPolicy
  }
}
