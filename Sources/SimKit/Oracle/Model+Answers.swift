import Basics
import EngineCore
import Messages

/// What is told of runs.
extension Model {
  func describe(_ run: ModelRun) -> DescribeWorkflowResponse {
    var response = DescribeWorkflowResponse()
    response.info = info(run)
    response.runTimeoutMs = run.started.runTimeoutMs
    response.taskTimeoutMs = run.started.taskTimeoutMs
    response.executionTimeoutMs = run.started.executionTimeoutMs
    response.firstRunID = run.started.firstRunID
    response.continuedRunID = run.started.continuedRunID
    response.newRunID = run.followedBy
    response.resetRunID = run.resetRunID
    response.copy = run.copy
    response.attempt = run.started.attempt
    response.retryPolicy = run.started.retryPolicy
    response.cronSchedule = run.started.cronSchedule
    response.cronTimeZone = run.started.cronTimeZone
    response.scheduleID = run.started.scheduleID
    response.scheduledTimeMs = run.started.scheduledTimeMs
    response.cancelRequested = run.isCancelRequested && run.isOpen
    response.pendingActivities = run.activities.map(pending)
    response.pendingTimers = run.timers.filter { !$0.hasFired }.map { timer in
      var pending = PendingTimer()
      pending.seq = timer.seq
      pending.timerID = timer.id
      pending.fireTimeMs = timer.fireTime
      return pending
    }
    response.pause = run.pause
    response.currentDetails = run.details.currentDetails
    response.parent = run.started.parent
    response.priority = run.started.priority
    response.concurrencyKey = run.started.concurrencyKey
    if case .held(let since) = run.permit { response.permitTimeMs = since }
    response.root = run.started.root
    response.pendingChildren = run.children.map(\.pending)
    response.pendingUpdates =
      run.accepted
      + run.updates.map { waiting in
        var pending = PendingUpdate()
        pending.updateID = waiting.update.updateID
        return pending
      }
    response.pendingWorkflowTask = pendingTask(run.task) ?? pendingBeginning(run)
    return response.plain
  }

  func pending(_ activity: ModelActivity) -> PendingActivity {
    var pending = PendingActivity()
    pending.seq = activity.scheduled.seq
    pending.activityID = activity.scheduled.activityID
    pending.activityType = activity.scheduled.activityType
    pending.taskQueue = activity.scheduled.taskQueue
    pending.priority = activity.scheduled.priority
    switch activity.state {
    case .scheduled: pending.state = .scheduled
    case .backingOff(let until):
      pending.state = .backingOff
      pending.nextAttemptTimeMs = until
    case .started: pending.state = activity.pause == nil ? .started : .pauseRequested
    }
    if activity.pause != nil, activity.state != .started { pending.state = .paused }
    if activity.isCancelRequested { pending.state = .cancelRequested }
    pending.attempt = activity.attempt
    pending.maximumAttempts = activity.policy.maximumAttempts
    pending.scheduledTimeMs = activity.scheduledTime
    pending.startedTimeMs = activity.startedTime
    pending.lastHeartbeatTimeMs = activity.lastHeartbeatTime
    pending.heartbeatDetails = activity.heartbeatDetails
    pending.lastWorkerIdentity = activity.identity
    pending.lastFailure = activity.lastFailure
    pending.failedAttempts = activity.shownAttempts
    pending.failedAttemptsCount = Int32(activity.failedAttempts.count)
    pending.crashesWorker = activity.workersLostInARow >= 3
    pending.pause = activity.pause
    pending.options = activity.options
    pending.optionsChanged = activity.hasOtherOptions
    pending.local = activity.isLocal
    pending.noWorker =
      activity.state != .started && activity.pause == nil && !activity.isLocal
      && !sessions.contains { $0.serves(activity) && !$0.isDraining }
    return pending
  }

  private func pendingTask(_ task: ModelTask) -> PendingWorkflowTask? {
    var pending = PendingWorkflowTask()
    switch task.state {
    case .none: return nil
    case .waiting(let notBefore):
      pending.state = notBefore > now ? .backingOff : .scheduled
      if notBefore > now { pending.nextAttemptTimeMs = notBefore }
    case .out(let session, _):
      pending.state = .started
      pending.identity = self.session(session)?.attach.identity ?? ""
    }
    pending.attempt = task.attempt
    pending.scheduledTimeMs = task.scheduledTime
    pending.lastFailure = task.lastFailure
    pending.lastCause = task.lastCause
    pending.lastDiff = task.lastDiff
    return pending
  }

  /// The first task of a run whose time has not come.
  private func pendingBeginning(_ run: ModelRun) -> PendingWorkflowTask? {
    guard isHeld(run) else { return nil }
    var pending = PendingWorkflowTask()
    pending.state = .backingOff
    pending.nextAttemptTimeMs = run.begins
    pending.attempt = 1
    return pending
  }

  func info(_ run: ModelRun) -> WorkflowInfo {
    var info = WorkflowInfo()
    var execution = WorkflowExecution()
    execution.workflowID = run.workflowID
    execution.runID = run.id
    info.execution = execution
    info.workflowType = run.started.workflowType
    info.taskQueue = run.started.taskQueue
    info.status = run.shownStatus
    info.startTimeMs = run.startTime
    info.closeTimeMs = run.closeTime
    info.historyLength = run.lastEventID
    info.userMetadata = run.metadata
    let details = run.details
    info.memo = details.memo
    info.searchAttributes = details.searchAttributes
    if case .awaited(let since) = run.permit { info.waitingSinceTimeMs = since }
    return info
  }

  // MARK: - Histories and results

  /// One that follows is whole when the run has closed.
  mutating func history(_ id: RequestID, _ r: GetHistoryRequest) -> Response? {
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run where r.firstEventID < 0: return .failure(invalid("first_event_id"))
    case .run(let run) where r.follow && run.isOpen:
      run.followers.append((id, r.firstEventID))
      return nil
    case .run(let run): return .history(run.events(from: r.firstEventID))
    }
  }

  mutating func result(_ id: RequestID, _ r: GetWorkflowResultRequest) -> Response? {
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let found):
      let run = r.thisRunOnly ? found : lastOfChain(found)
      if run.nextRunID != .none && !r.thisRunOnly {
        return .failure(.of(.notFound, .workflowNotFound, run: run.nextRunID))
      }
      guard run.isOpen else { return .result(result(of: run)) }
      run.waiting.append(id)
      if r.thisRunOnly { run.waitsForThisRun.append(id) }
      return nil
    }
  }

  func result(of run: ModelRun) -> GetWorkflowResultResponse {
    var response = GetWorkflowResultResponse()
    response.runID = run.id
    response.status = run.status
    response.newRunID = run.nextRunID
    switch run.events.last?.attributes {
    case .workflowExecutionCompleted(let m): response.result = m.result
    case .workflowExecutionFailed(let m): response.failure = m.failure
    case .workflowExecutionCanceled(let m):
      var canceled = CanceledFailure()
      canceled.details = m.details
      response.failure = .of("the workflow was canceled", .canceled(canceled))
    case .workflowExecutionTerminated(let m):
      let why = m.reason.isEmpty ? "" : ": \(m.reason)"
      response.failure = .of(
        "the workflow was terminated\(why)", .terminated(TerminatedFailure()))
    case .workflowExecutionContinuedAsNew: break
    default:
      var timeout = TimeoutFailure()
      timeout.timeoutType = .startToClose
      response.failure = .of("the workflow timed out", .timeout(timeout))
    }
    return response
  }
}
