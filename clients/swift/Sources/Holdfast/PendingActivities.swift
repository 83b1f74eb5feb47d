internal import Messages

/// Which activities of a workflow are meant.
public enum ActivityChoice: Sendable {
  case id(String)
  case type(String)
  case all

  var selection: ActivitySelection {
    var selection = ActivitySelection()
    switch self {
    case .id(let id): selection.which = .activityID(id)
    case .type(let type): selection.which = .activityType(type)
    case .all: selection.which = .all(true)
    }
    return selection
  }
}

extension WorkflowHandle {
  /// The pending activities of the workflow's current run that are meant.
  public func activities(_ choice: ActivityChoice) -> PendingActivities {
    PendingActivities(client: client, execution: execution, selection: choice.selection)
  }
}

/// Activities that have not ended: what an operator can do to them. Each call throws when none is
/// meant, and does all or nothing; it is durable when it returns.
public struct PendingActivities: Sendable {
  let client: Client
  let execution: WorkflowExecution
  let selection: ActivitySelection

  /// No attempt starts from now on. The code of one that has started is cancelled; what it brings
  /// counts.
  public func pause(reason: String = "") async throws {
    var request = PauseActivityRequest()
    request.execution = execution
    request.activities = selection
    request.reason = reason
    _ = try await client.call(.activityPauseActivity, request, as: PauseActivityResponse.self)
  }

  /// Attempts may start. `resetAttempts`: they are counted from one again; `resetHeartbeat`: the
  /// next one is given no heartbeat details.
  public func unpause(
    resetAttempts: Bool = false, resetHeartbeat: Bool = false, reason: String = ""
  ) async throws {
    var request = UnpauseActivityRequest()
    request.execution = execution
    request.activities = selection
    request.resetAttempts = resetAttempts
    request.resetHeartbeat = resetHeartbeat
    request.reason = reason
    _ = try await client.call(.activityUnpauseActivity, request, as: UnpauseActivityResponse.self)
  }

  /// The next attempt is the first, and starts at once; of an activity that has started, when its
  /// attempt fails, whose code is cancelled.
  public func reset(
    keepPaused: Bool = false, resetHeartbeat: Bool = false, restoreOriginalOptions: Bool = false,
    reason: String = ""
  ) async throws {
    var request = ResetActivityRequest()
    request.execution = execution
    request.activities = selection
    request.keepPaused = keepPaused
    request.resetHeartbeat = resetHeartbeat
    request.restoreOriginalOptions = restoreOriginalOptions
    request.reason = reason
    _ = try await client.call(.activityResetActivity, request, as: ResetActivityResponse.self)
  }

  /// Other options from now on, for an attempt that has started too; those that are nil stay.
  public func update(
    startToClose: Duration? = nil, scheduleToClose: Duration? = nil,
    scheduleToStart: Duration? = nil, heartbeat: Duration? = nil, retry: Retry? = nil,
    taskQueue: String? = nil, reason: String = ""
  ) async throws {
    var request = UpdateActivityOptionsRequest(
      startToClose, scheduleToClose, scheduleToStart, heartbeat, retry, taskQueue)
    request.execution = execution
    request.activities = selection
    request.reason = reason
    try await update(request)
  }

  /// The options that the workflow gave count again.
  public func restoreOptions(reason: String = "") async throws {
    var request = UpdateActivityOptionsRequest()
    request.execution = execution
    request.activities = selection
    request.reason = reason
    request.restoreOriginal = true
    try await update(request)
  }

  private func update(_ request: UpdateActivityOptionsRequest) async throws {
    _ = try await client.call(
      .activityUpdateActivityOptions, request, as: UpdateActivityOptionsResponse.self)
  }
}

extension UpdateActivityOptionsRequest {
  /// Those that are nil stay.
  init(
    _ startToClose: Duration?, _ scheduleToClose: Duration?, _ scheduleToStart: Duration?,
    _ heartbeat: Duration?, _ retry: Retry?, _ taskQueue: String?
  ) {
    self.init()
    var options = ActivityTaskOptions()
    var fields: [String] = []
    if let startToClose {
      options.startToCloseTimeoutMs = startToClose.span
      fields.append("start_to_close_timeout_ms")
    }
    if let scheduleToClose {
      options.scheduleToCloseTimeoutMs = scheduleToClose.span
      fields.append("schedule_to_close_timeout_ms")
    }
    if let scheduleToStart {
      options.scheduleToStartTimeoutMs = scheduleToStart.span
      fields.append("schedule_to_start_timeout_ms")
    }
    if let heartbeat {
      options.heartbeatTimeoutMs = heartbeat.span
      fields.append("heartbeat_timeout_ms")
    }
    if let retry {
      options.retryPolicy = retry.policy
      fields.append("retry_policy")
    }
    if let taskQueue {
      options.taskQueue = taskQueue
      fields.append("task_queue")
    }
    self.options = options
    updateMask = fields
  }
}
