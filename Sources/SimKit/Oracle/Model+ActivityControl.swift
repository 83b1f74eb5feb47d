import Basics
import EngineCore
import Messages

/// Requests of operators about pending activities.
extension Model {
  mutating func pause(_ r: PauseActivityRequest, _ request: Request) -> Response {
    control("PauseActivity", r.execution, r.activities, r.requestID, request) { model, run, place in
      guard run.activities[place].pause == nil else { return false }
      var pause = ActivityPause()
      pause.pausedTimeMs = model.now
      pause.reason = r.reason
      pause.identity = r.identity
      run.activities[place].pause = pause
      model.tellWish(run.activities[place], .paused)
      return true
    }
  }

  mutating func unpause(_ r: UnpauseActivityRequest, _ request: Request) -> Response {
    control("UnpauseActivity", r.execution, r.activities, r.requestID, request) {
      model, run, place in
      guard run.activities[place].pause != nil else { return false }
      if r.resetAttempts { run.activities[place].reset(at: model.now) }
      if r.resetHeartbeat { run.activities[place].forgetHeartbeat() }
      run.activities[place].unpause(at: model.now)
      return true
    }
  }

  mutating func reset(_ r: ResetActivityRequest, _ request: Request) -> Response {
    control("ResetActivity", r.execution, r.activities, r.requestID, request) { model, run, place in
      if r.restoreOriginalOptions { run.activities[place].restoreOptions(at: model.now) }
      if r.resetHeartbeat { run.activities[place].forgetHeartbeat() }
      run.activities[place].reset(at: model.now)
      if !r.keepPaused { run.activities[place].unpause(at: model.now) }
      model.tellWish(run.activities[place], .reset)
      return true
    }
  }

  mutating func update(_ r: UpdateActivityOptionsRequest, _ request: Request) -> Response {
    control(
      "UpdateActivityOptions", r.execution, r.activities, r.requestID, request,
      fault: {
        let new = $0.changed(r)
        if new.scheduleToCloseTimeoutMs == .zero && new.startToCloseTimeoutMs == .zero {
          return .of(.invalidArgument, .fieldInvalid, field: "options.start_to_close_timeout_ms")
        }
        guard let policy = new.retryPolicy, policy.maximumIntervalMs != .zero,
          policy.maximumIntervalMs < policy.initialIntervalMs
        else { return nil }
        return .of(
          .invalidArgument, .fieldInvalid, field: "options.retry_policy.maximum_interval_ms")
      }
    ) { model, run, place in
      var new = run.activities[place].changed(r).filled(within: run.started.runTimeoutMs)
      new.retryPolicy = new.retryPolicy?.withDefaults
      run.activities[place].change(to: new, at: model.now)
      return true
    }
  }

  private mutating func control(
    _ method: String, _ execution: WorkflowExecution?, _ selection: ActivitySelection?,
    _ requestID: String, _ request: Request, fault: (ModelActivity) -> Status? = { _ in nil },
    _ body: (inout Model, ModelRun, Int) -> Bool
  ) -> Response {
    let activity = selection.activityRun(execution)
    switch openRun(method, execution, requestID, request, activity: activity) {
    case .refused(let response): return response
    case .existing(let run), .started(let run):
      let places = run.activities.indices.filter { selection.means(run.activities[$0]) }
      if places.isEmpty { return .failure(.of(.notFound, .activityNotFound)) }
      for place in places {
        if let status = fault(run.activities[place]) { return .failure(status) }
      }
      let changed = places.filter { body(&self, run, $0) }
      if !changed.isEmpty { remember(method, run, requestID, request, event: 0, .done) }
      return .done
    }
  }

  private mutating func tellWish(_ activity: ModelActivity, _ reason: ActivityCancelReason) {
    if !activity.isCancelRequested { tellHolder(of: activity, reason) }
  }
}

extension Optional<ActivitySelection> {
  fileprivate func means(_ activity: ModelActivity) -> Bool {
    if activity.isLocal { return false }
    return switch self?.which {
    case .activityID(let id): activity.scheduled.activityID == id
    case .activityType(let type): activity.scheduled.activityType == type
    case .all(let all): all
    case nil: false
    }
  }
}
