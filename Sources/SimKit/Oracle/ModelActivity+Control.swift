import Basics
import EngineCore
import Messages

/// What operators do to a pending activity.
extension ModelActivity {
  /// Used up, and held instead of ended.
  var isHeld: Bool { pause != nil || scheduled.onExhausted == .pause }

  mutating func hold(at now: Instant) {
    backOff(until: now)
    queue(at: now)
    if pause == nil {
      pause = ActivityPause()
      pause?.pausedTimeMs = now
    }
    pause?.exhausted = true
  }

  var whyItsWorkerGaveUp: String {
    if pause != nil { return "the worker ended the attempt because the activity is paused" }
    return isReset
      ? "the worker ended the attempt because the activity was reset"
      : "the worker cancelled the activity by itself"
  }

  mutating func reset(at now: Instant) {
    isReset = true
    guard state != .started else { return }
    endWishes()
    attemptScheduledTime = now
    queue(at: now)
    pause?.exhausted = false
  }

  mutating func forgetHeartbeat() {
    forgetsHeartbeat = true
    if state != .started { endWishes() }
  }

  mutating func unpause(at now: Instant) {
    pause = nil
    guard state == .scheduled else { return }
    attemptScheduledTime = now
    queue(at: now)
  }

  mutating func endWishes() {
    if isReset {
      before += attempt - 1
      attempt = 1
      workersLostInARow = 0
    }
    if forgetsHeartbeat { heartbeatDetails = [] }
    isReset = false
    forgetsHeartbeat = false
  }

  var options: ActivityTaskOptions {
    var options = ActivityTaskOptions()
    options.taskQueue = scheduled.taskQueue
    options.scheduleToCloseTimeoutMs = scheduled.scheduleToCloseTimeoutMs
    options.scheduleToStartTimeoutMs = scheduled.scheduleToStartTimeoutMs
    options.startToCloseTimeoutMs = scheduled.startToCloseTimeoutMs
    options.heartbeatTimeoutMs = scheduled.heartbeatTimeoutMs
    options.retryPolicy = scheduled.retryPolicy
    return options
  }

  var hasOtherOptions: Bool { scheduled != original }

  mutating func restoreOptions(at now: Instant) { change(to: original, at: now) }

  /// As they will be, before what is missing is filled in.
  func changed(_ request: UpdateActivityOptionsRequest) -> ActivityTaskScheduled {
    var changed = request.restoreOriginal ? original : scheduled
    let new = request.options ?? ActivityTaskOptions()
    func counts(_ field: String, _ isGiven: Bool) -> Bool {
      request.updateMask.isEmpty ? isGiven : request.updateMask.contains(field)
    }
    if counts("task_queue", !new.taskQueue.isEmpty) { changed.taskQueue = new.taskQueue }
    if counts("retry_policy", new.retryPolicy != nil) {
      changed.retryPolicy = new.retryPolicy ?? RetryPolicy()
    }
    if request.updateMask.contains("retry_policy.maximum_attempts") {
      changed.retryPolicy?.maximumAttempts = new.retryPolicy?.maximumAttempts ?? 0
    }
    if request.updateMask.contains("retry_policy.initial_interval_ms") {
      changed.retryPolicy?.initialIntervalMs = new.retryPolicy?.initialIntervalMs ?? .zero
    }
    if counts("schedule_to_close_timeout_ms", new.scheduleToCloseTimeoutMs != .zero) {
      changed.scheduleToCloseTimeoutMs = new.scheduleToCloseTimeoutMs
    }
    if counts("schedule_to_start_timeout_ms", new.scheduleToStartTimeoutMs != .zero) {
      changed.scheduleToStartTimeoutMs = new.scheduleToStartTimeoutMs
    }
    if counts("start_to_close_timeout_ms", new.startToCloseTimeoutMs != .zero) {
      changed.startToCloseTimeoutMs = new.startToCloseTimeoutMs
    }
    if counts("heartbeat_timeout_ms", new.heartbeatTimeoutMs != .zero) {
      changed.heartbeatTimeoutMs = new.heartbeatTimeoutMs
    }
    return changed
  }

  mutating func change(to new: ActivityTaskScheduled, at now: Instant) {
    let isOtherPolicy = new.retryPolicy != scheduled.retryPolicy
    let isOtherQueue = new.taskQueue != scheduled.taskQueue
    scheduled = new
    if case .backingOff = state, isOtherPolicy, let last = failedAttempts.last {
      let next = max(now, last.endedTimeMs + wait(after: last.failure, attempt: attempt - 1))
      attemptScheduledTime = next
      state = .backingOff(until: next)
    }
    if isOtherQueue, state == .scheduled { queue(at: now) }
  }
}

extension ActivityTaskScheduled {
  /// Timeouts that are missing come from the others, and none is longer than the whole.
  func filled(within runTimeout: Span) -> ActivityTaskScheduled {
    var filled = self
    let whole = shorter(scheduleToCloseTimeoutMs, runTimeout)
    filled.scheduleToCloseTimeoutMs = whole
    filled.scheduleToStartTimeoutMs = shorter(scheduleToStartTimeoutMs, whole)
    filled.startToCloseTimeoutMs = shorter(startToCloseTimeoutMs, whole)
    if heartbeatTimeoutMs > .zero {
      filled.heartbeatTimeoutMs = shorter(heartbeatTimeoutMs, filled.startToCloseTimeoutMs)
    }
    return filled
  }
}
