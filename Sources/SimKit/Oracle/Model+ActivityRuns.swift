import Basics
import EngineCore
import Messages

/// Activities without a workflow: runs that have no code, and end with their one activity.
extension Model {
  mutating func answer(_ id: RequestID, _ whole: Request, _ r: ActivityRunRequest) -> Response? {
    switch r {
    case .start(let r): return start(r, whole)
    case .describe(let r):
      return withRun(r.activityID, r.runID) { .activity(describe(activity: $0)) }
    case .result(let r): return result(id, r)
    case .list(let r):
      var list = ListWorkflowsRequest()
      list.query = r.query
      list.limit = r.limit
      return self.list(list, ofActivities: true)
    case .count(let r):
      var count = CountWorkflowsRequest()
      count.query = r.query
      return .count(self.count(count, ofActivities: true))
    case .cancel(let r): return cancel(r, whole)
    case .terminate(let r): return terminate(r, whole)
    case .delete(let r): return delete(r)
    }
  }

  // MARK: - Runs

  func find(activity id: String, _ runID: RunID) -> Found {
    let run = runs.last { run in
      run.isOfActivity && run.workflowID.utf8.elementsEqual(id.utf8)
        && (runID == .none || run.id == runID)
    }
    guard let run else { return .none(.of(.notFound, .activityNotFound, run: runID)) }
    return .run(run)
  }

  private func withRun(_ id: String, _ runID: RunID, _ answer: (ModelRun) -> Response)
    -> Response
  {
    switch find(activity: id, runID) {
    case .run(let run): answer(run)
    case .none(let status): .failure(status)
    }
  }

  /// The activity has ended, and so has the run that is its own.
  mutating func closeAfter(_ event: HistoryEvent.Attributes, _ run: ModelRun) {
    guard run.isOfActivity else { return }
    switch event {
    case .activityTaskCompleted: close(run, .completed)
    case .activityTaskFailed: close(run, .failed)
    case .activityTaskTimedOut: close(run, .timedOut)
    case .activityTaskCanceled: close(run, .canceled)
    default: break
    }
  }

  // MARK: - Starts

  private mutating func start(_ r: StartActivityRequest, _ request: Request) -> Response {
    let key = ModelRun.key(ofActivity: r.activityID)
    if let answer = before("StartActivity", key, r.requestID, request) { return answer }
    if let fault = contradiction(r.searchAttributes) { return fault }
    // By the same policies as a workflow of that id.
    var policies = StartWorkflowRequest()
    policies.workflowID = r.activityID
    policies.idReusePolicy = r.idReusePolicy
    policies.idConflictPolicy = r.idConflictPolicy
    policies.identity = r.identity
    switch admit(policies, default: .fail, ofActivity: true) {
    case .refused(let response): return response
    case .existing(let run): return .start(.of(run.id, started: false))
    case .started, nil: break
    }
    guard let run = makeRun(r) else { return .failure(Status()) }
    let answer = Response.start(.of(run.id, started: true))
    remember("StartActivity", run, r.requestID, request, event: 0, answer)
    return answer
  }

  private mutating func makeRun(_ r: StartActivityRequest) -> ModelRun? {
    guard let choice = draw(r.activityID, ofActivity: true) else { return nil }
    let options = r.options ?? ActivityTaskOptions()
    var started = WorkflowExecutionStarted()
    started.isActivity = true
    started.namespace = "default"
    started.workflowID = r.activityID
    started.runID = choice.runID
    started.firstRunID = choice.runID
    started.workflowType = r.activityType
    started.taskQueue = options.taskQueue
    started.identity = r.identity
    started.requestID = r.requestID
    started.attempt = 1
    started.firstWorkflowTaskBackoffMs =
      r.startAtTimeMs > now ? r.startAtTimeMs - now : r.startDelayMs
    started.memo = r.memo?.settledByModel
    started.searchAttributes = r.searchAttributes?.settledByModel
    started.priority = r.priority == WorkPriority() ? nil : r.priority
    declare(r.searchAttributes)
    let run = ModelRun(started, at: now, metadata: r.userMetadata)
    runs.append(run)
    append(.workflowExecutionStarted(started), to: run, metadata: r.userMetadata)
    var scheduled = ActivityTaskScheduled()
    scheduled.taskQueue = options.taskQueue
    scheduled.scheduleToCloseTimeoutMs = options.scheduleToCloseTimeoutMs
    scheduled.scheduleToStartTimeoutMs = options.scheduleToStartTimeoutMs
    scheduled.startToCloseTimeoutMs = options.startToCloseTimeoutMs
    scheduled.heartbeatTimeoutMs = options.heartbeatTimeoutMs
    scheduled = scheduled.filled(within: .zero)
    scheduled.retryPolicy = (options.retryPolicy ?? RetryPolicy()).withDefaults
    scheduled.activityID = r.activityID
    scheduled.activityType = r.activityType
    scheduled.input = r.input
    scheduled.header = r.header
    scheduled.onExhausted = r.onExhausted
    scheduled.priority = started.priority
    append(.activityTaskScheduled(scheduled), to: run)
    var activity = ModelActivity(run.lastEventID, scheduled, at: run.begins)
    if run.begins > now { activity.state = .backingOff(until: run.begins) }
    run.activities = [activity]
    return run
  }

  // MARK: - Ends

  private mutating func cancel(_ r: RequestCancelActivityRequest, _ request: Request) -> Response {
    let key = ModelRun.key(ofActivity: r.activityID)
    if let answer = before("RequestCancelActivity", key, r.requestID, request) { return answer }
    switch find(activity: r.activityID, r.runID) {
    case .none(let status): return .failure(status)
    case .run(let run):
      if run.status == .canceled { return .done }
      guard run.isOpen else {
        return .failure(.of(.failedPrecondition, .activityClosed, run: run.id))
      }
      if run.activities[0].isCancelRequested { return .done }
      remember(
        "RequestCancelActivity", run, r.requestID, request, event: run.lastEventID + 1, .done)
      var requested = ActivityTaskCancelRequested()
      requested.scheduledEventID = run.activities[0].event
      requested.reason = r.reason
      requested.identity = r.identity
      requested.requestID = r.requestID
      append(.activityTaskCancelRequested(requested), to: run)
      run.activities[0].isCancelRequested = true
      if run.activities[0].state == .started {
        tellHolder(of: run.activities[0], .cancelled)
      } else {
        resolveCanceled(run, 0, [], identity: "")
      }
      return .done
    }
  }

  private mutating func terminate(_ r: TerminateActivityRequest, _ request: Request) -> Response {
    let key = ModelRun.key(ofActivity: r.activityID)
    if let answer = before("TerminateActivity", key, r.requestID, request) { return answer }
    switch find(activity: r.activityID, r.runID) {
    case .none(let status): return .failure(status)
    case .run(let run):
      guard run.isOpen else {
        return .failure(.of(.failedPrecondition, .activityClosed, run: run.id))
      }
      remember("TerminateActivity", run, r.requestID, request, event: run.lastEventID + 1, .done)
      terminate(run, r.reason, r.identity)
      return .done
    }
  }

  private mutating func terminate(_ run: ModelRun, _ reason: String, _ identity: String) {
    var terminated = WorkflowExecutionTerminated()
    terminated.reason = reason
    terminated.identity = identity
    append(.workflowExecutionTerminated(terminated), to: run)
    close(run, .terminated)
  }

  private mutating func delete(_ r: DeleteActivityRequest) -> Response {
    switch find(activity: r.activityID, r.runID) {
    case .none(let status): return .failure(status)
    case .run(let run):
      let why = r.reason.isEmpty ? "" : ": \(r.reason)"
      if run.isOpen { terminate(run, "the activity is deleted\(why)", r.identity) }
      deleted.append(run.id)
      runs.removeAll { $0 === run }
      remembered.removeAll { $0.run == run.id }
      return .delete(run.id)
    }
  }

  // MARK: - What is told

  private mutating func result(_ id: RequestID, _ r: GetActivityResultRequest) -> Response? {
    switch find(activity: r.activityID, r.runID) {
    case .none(let status): return .failure(status)
    case .run(let run):
      guard run.isOpen else { return .outcome(outcome(of: run)) }
      run.waiting.append(id)
      run.waitsForThisRun.append(id)
      return nil
    }
  }

  func outcome(of run: ModelRun) -> GetActivityResultResponse {
    var response = GetActivityResultResponse()
    response.runID = run.id
    response.status = run.status
    switch run.events.last?.attributes {
    case .activityTaskCompleted(let m): response.result = m.result
    case .activityTaskFailed(let m): response.failure = m.failure
    case .activityTaskTimedOut(let m): response.failure = m.failure
    case .activityTaskCanceled(let m):
      var canceled = CanceledFailure()
      canceled.details = m.details
      response.failure = .of("the activity was canceled", .canceled(canceled))
    case .workflowExecutionTerminated(let m):
      let why = m.reason.isEmpty ? "" : ": \(m.reason)"
      response.failure = .of(
        "the activity was terminated\(why)", .terminated(TerminatedFailure()))
    default: break
    }
    return response
  }

  private func describe(activity run: ModelRun) -> DescribeActivityResponse {
    var response = DescribeActivityResponse()
    response.activity = activityInfo(run)
    response.pending = run.activities.first.map(pending)
    for event in run.events where !run.isOpen {
      guard case .activityTaskStarted(let started) = event.attributes else { continue }
      var last = FailedAttempt()
      last.attempt = started.attempt
      last.attemptsBefore = started.attemptsBefore
      last.startedTimeMs = started.startedTimeMs
      last.endedTimeMs = run.closeTime
      last.identity = started.identity
      switch run.events.last?.attributes {
      case .activityTaskFailed(let m): last.failure = m.failure?.cause
      case .activityTaskTimedOut(let m): last.failure = m.failure?.cause
      default: break
      }
      response.lastAttempt = last
    }
    return response
  }

  func activityInfo(_ run: ModelRun) -> StandaloneActivity {
    var activity = StandaloneActivity()
    let info = info(run)
    activity.activityID = run.workflowID
    activity.runID = run.id
    activity.activityType = info.workflowType
    activity.taskQueue = info.taskQueue
    activity.status = run.status
    activity.startTimeMs = info.startTimeMs
    activity.closeTimeMs = info.closeTimeMs
    activity.userMetadata = info.userMetadata
    activity.memo = info.memo
    activity.searchAttributes = info.searchAttributes
    return activity
  }
}

extension ModelRun {
  /// Its run is that of an activity without a workflow.
  var isOfActivity: Bool { started.isActivity }

  /// By what its requests are remembered.
  var key: String { isOfActivity ? ModelRun.key(ofActivity: workflowID) : workflowID }

  static func key(ofActivity id: String) -> String { "activity/\(id)" }
}

extension ActivityReference {
  /// It names an activity without a workflow by its id.
  var isOfActivityRun: Bool { token.isEmpty && execution?.workflowID ?? "" == "" }
}

extension Optional<ActivitySelection> {
  /// The activity without a workflow that it means; nil: those of a workflow.
  func activityRun(_ execution: WorkflowExecution?) -> String? {
    guard case .activityID(let id) = self?.which, execution?.workflowID ?? "" == "" else {
      return nil
    }
    return id
  }
}

extension Failure {
  /// What it tells of beneath its first word.
  fileprivate var cause: Failure? {
    guard let info = causes.first else { return nil }
    var cause = Failure()
    (cause.info, cause.causes) = (info, Array(causes.dropFirst()))
    return cause
  }
}
