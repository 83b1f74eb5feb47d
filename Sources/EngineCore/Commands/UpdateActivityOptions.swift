import Basics
import Messages

extension Engine {
  /// UpdateActivityOptions: other timeouts, another policy or queue, from now on.
  mutating func updateActivityOptions(_ id: RequestID, _ request: UpdateActivityOptionsRequest) {
    let options = request.options ?? ActivityTaskOptions()
    let fields: [OptionsField]
    switch OptionsField.named(in: request.updateMask) {
    case .success(let named): fields = named.isEmpty ? options.given : named
    case .failure(let unknown):
      return refuse(
        id, .invalid("update_mask", "'\(unknown.name.cut(to: 200))' is no field of the options"))
    }
    if fields.isEmpty && !request.restoreOriginal {
      return refuse(id, .invalid("options", "no field of them is given"))
    }
    if let status = first(
      idFault(options.taskQueue, "options.task_queue"),
      fields.contains(.taskQueue) && options.taskQueue.isEmpty
        ? .missing("options.task_queue") : nil,
      options.fault)
    {
      return refuse(id, status)
    }
    control(
      request, id, method: "UpdateActivityOptions", as: .updateActivityOptions(request),
      done: .updateActivityOptions(UpdateActivityOptionsResponse()),
      fault: { request.changed($0, by: options, fields).conflict }
    ) { engine, run, index in
      let activity = run.fold.activities[index]
      var scheduled = activity.scheduled
      scheduled.take(request.changed(activity, by: options, fields))
      scheduled.fillTimeouts(runTimeout: run.fold.started.runTimeoutMs)
      scheduled.retryPolicy = scheduled.retryPolicy?.filled(
        default: engine.times.retryIntervalDefault)
      run.fold.activities[index].change(to: scheduled.options, at: engine.now)
      if scheduled.taskQueue != activity.taskQueue && activity.phase == .queued {
        run.fold.activities[index].ticket = nil
        engine.offerActivity(activity.scheduledEvent, of: run)
      }
      return true
    }
  }
}

extension UpdateActivityOptionsRequest {
  /// The options of the activity as they will be, before what is missing is filled in.
  fileprivate func changed(
    _ activity: Activity, by options: ActivityTaskOptions, _ fields: [OptionsField]
  ) -> ActivityTaskOptions {
    var changed = restoreOriginal ? activity.scheduled.options : activity.options
    for field in fields { changed.take(field, of: options) }
    return changed
  }
}

private enum OptionsField: String, CaseIterable {
  case taskQueue = "task_queue"
  case scheduleToClose = "schedule_to_close_timeout_ms"
  case scheduleToStart = "schedule_to_start_timeout_ms"
  case startToClose = "start_to_close_timeout_ms"
  case heartbeat = "heartbeat_timeout_ms"
  case retryPolicy = "retry_policy"
  case initialInterval = "retry_policy.initial_interval_ms"
  case backoffCoefficient = "retry_policy.backoff_coefficient"
  case maximumInterval = "retry_policy.maximum_interval_ms"
  case maximumAttempts = "retry_policy.maximum_attempts"
  case nonRetryableErrorTypes = "retry_policy.non_retryable_error_types"

  struct Unknown: Error { let name: String }

  static func named(in mask: [String]) -> Result<[OptionsField], Unknown> {
    var fields: [OptionsField] = []
    for name in mask {
      guard let field = OptionsField(rawValue: name) else {
        return .failure(Unknown(name: name))
      }
      fields.append(field)
    }
    return .success(fields)
  }
}

extension ActivityTaskOptions {
  fileprivate var given: [OptionsField] {
    OptionsField.allCases.filter { field in
      switch field {
      case .taskQueue: !taskQueue.isEmpty
      case .retryPolicy: retryPolicy != nil
      case .scheduleToClose: scheduleToCloseTimeoutMs != .zero
      case .scheduleToStart: scheduleToStartTimeoutMs != .zero
      case .startToClose: startToCloseTimeoutMs != .zero
      case .heartbeat: heartbeatTimeoutMs != .zero
      case .initialInterval, .backoffCoefficient, .maximumInterval, .maximumAttempts,
        .nonRetryableErrorTypes:
        // With the policy, which is given as a whole.
        false
      }
    }
  }

  fileprivate mutating func take(_ field: OptionsField, of other: ActivityTaskOptions) {
    let policy = other.retryPolicy ?? RetryPolicy()
    switch field {
    case .taskQueue: taskQueue = other.taskQueue
    case .retryPolicy: retryPolicy = policy
    case .initialInterval: retryPolicy?.initialIntervalMs = policy.initialIntervalMs
    case .backoffCoefficient: retryPolicy?.backoffCoefficient = policy.backoffCoefficient
    case .maximumInterval: retryPolicy?.maximumIntervalMs = policy.maximumIntervalMs
    case .maximumAttempts: retryPolicy?.maximumAttempts = policy.maximumAttempts
    case .nonRetryableErrorTypes:
      retryPolicy?.nonRetryableErrorTypes = policy.nonRetryableErrorTypes
    case .scheduleToClose: scheduleToCloseTimeoutMs = other.scheduleToCloseTimeoutMs
    case .scheduleToStart: scheduleToStartTimeoutMs = other.scheduleToStartTimeoutMs
    case .startToClose: startToCloseTimeoutMs = other.startToCloseTimeoutMs
    case .heartbeat: heartbeatTimeoutMs = other.heartbeatTimeoutMs
    }
  }

  var fault: Status? {
    let spans = [
      ("schedule_to_close_timeout_ms", scheduleToCloseTimeoutMs),
      ("schedule_to_start_timeout_ms", scheduleToStartTimeoutMs),
      ("start_to_close_timeout_ms", startToCloseTimeoutMs),
      ("heartbeat_timeout_ms", heartbeatTimeoutMs),
    ]
    for (field, span) in spans where span < .zero {
      return .invalid("options.\(field)", "must not be negative")
    }
    return policyFault
  }

  private var policyFault: Status? {
    retryPolicy?.fault.map { .invalid("options.retry_policy.\($0.field)", $0.message) }
  }

  /// What is wrong with options that are put together.
  var conflict: Status? {
    guard scheduleToCloseTimeoutMs == .zero, startToCloseTimeoutMs == .zero else {
      return policyFault
    }
    return .invalid(
      "options.start_to_close_timeout_ms",
      "one of it and schedule_to_close_timeout_ms is required")
  }
}
