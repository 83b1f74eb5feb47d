import Basics
import Messages

extension Engine {
  /// DescribeWorkflow: what the run does now, and what keeps it from going on.
  mutating func describeWorkflow(_ id: RequestID, _ request: DescribeWorkflowRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .describeWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      reply(id, .describeWorkflow(description(of: run)), .run(run))
    }
  }

  private func description(of run: Run) -> DescribeWorkflowResponse {
    var response = DescribeWorkflowResponse()
    response.info = info(of: run)
    response.executionTimeoutMs = run.fold.started.executionTimeoutMs
    response.runTimeoutMs = run.fold.started.runTimeoutMs
    response.taskTimeoutMs = run.fold.started.taskTimeoutMs
    response.firstRunID = run.fold.started.firstRunID
    response.continuedRunID = run.fold.started.continuedRunID
    response.newRunID = run.fold.nextRunID
    response.attempt = max(run.fold.started.attempt, 1)
    response.retryPolicy = run.fold.started.retryPolicy
    response.cronSchedule = run.fold.started.cronSchedule
    response.cronTimeZone = run.fold.started.cronTimeZone
    response.scheduleID = run.fold.started.scheduleID
    response.scheduledTimeMs = run.fold.started.scheduledTimeMs
    response.cancelRequested = run.fold.isOpen && run.fold.cancelRequested
    response.pendingWorkflowTask = pendingTask(run)
    response.warnings = problems(of: run)
    response.pause = run.fold.pause
    response.currentDetails = run.fold.details.currentDetails
    response.parent = run.fold.started.parent
    response.root = run.fold.started.root
    response.resetRunID = run.resetRunID
    response.copy = run.fold.copy
    response.priority = run.fold.started.priority
    response.concurrencyKey = run.fold.started.concurrencyKey
    if case .held(let since) = run.permit { response.permitTimeMs = since }
    response.pendingUpdates = run.fold.updates + run.updates.map(\.pending)
    addPending(to: &response, of: run)
    return response
  }

  /// Activities, timers and children, as many as fit a frame: what is too large is left out,
  /// details first, and said in a warning.
  private func addPending(to response: inout DescribeWorkflowResponse, of run: Run) {
    // What the run says of itself is in the same frame.
    var left = min(
      limits.pendingBytesMax, limits.requestPayloadBytesMax - run.fold.details.bytes)
    var omitted = 0
    var shortened = 0
    for activity in run.fold.activities {
      var shown = pending(activity, of: run)
      var bytes = shown.serialized().count
      if bytes > left / 2 {
        shown.heartbeatDetails = []
        shown.failedAttempts = []
        shown.lastFailure = nil
        shortened += 1
        bytes = shown.serialized().count
      }
      guard bytes <= left else {
        omitted += 1
        continue
      }
      left -= bytes
      response.pendingActivities.append(shown)
    }
    for timer in run.fold.timers {
      var shown = PendingTimer()
      shown.seq = timer.seq
      shown.timerID = timer.timerID
      shown.fireTimeMs = timer.fireTime
      let bytes = shown.serialized().count
      guard bytes <= left else {
        omitted += 1
        continue
      }
      left -= bytes
      response.pendingTimers.append(shown)
    }
    for child in run.fold.children {
      let shown = PendingChild(child)
      let bytes = shown.serialized().count
      guard bytes <= left else {
        omitted += 1
        continue
      }
      left -= bytes
      response.pendingChildren.append(shown)
    }
    if shortened > 0 { response.warnings.append("details of \(shortened) activities are left out") }
    if omitted > 0 {
      response.warnings.append(
        "\(omitted) further pending activities, timers and children are not shown")
    }
  }

  /// The run as descriptions show it.
  func info(of run: Run) -> WorkflowInfo {
    var info = WorkflowInfo()
    var execution = WorkflowExecution()
    execution.workflowID = run.key.workflowID
    execution.runID = run.runID
    info.execution = execution
    info.workflowType = run.workflowType
    info.taskQueue = run.fold.started.taskQueue
    info.status = run.fold.shownStatus
    info.startTimeMs = run.fold.startTime
    info.closeTimeMs = run.fold.closeTime ?? Instant(ms: 0)
    info.historyLength = run.fold.lastEventID
    info.historySizeBytes = run.fold.historyBytes
    info.userMetadata = run.fold.userMetadata
    info.problems = problems(of: run)
    info.memo = run.fold.details.memo
    info.searchAttributes = run.fold.details.searchAttributes
    if case .awaited(let since) = run.permit { info.waitingSinceTimeMs = since }
    return info
  }

  /// What a person should look at, in words.
  private func problems(of run: Run) -> [String] {
    guard run.fold.isOpen else { return [] }
    var problems = pauseProblem(of: run).map { [$0] } ?? []
    if let wait = permitProblem(of: run) { problems.append(wait) }
    if run.wantsTask, !hasServer(workflow: run.workflowType, on: run.queue) {
      problems.append(
        "no worker for workflow type '\(run.workflowType)' is attached to task queue"
          + " '\(run.queue.name)'")
    }
    if let failed = run.task.lastFailed {
      problems.append(
        "the workflow task is failing (\(failed.cause.name), attempt \(run.task.attempt)):"
          + " \((failed.failure?.text ?? "no message").cut(to: limits.shownTextBytesMax))")
    } else if run.task.attempt > 1 {
      problems.append("the workflow task times out (attempt \(run.task.attempt))")
    }
    for activity in run.fold.activities {
      problems += activity.problems
      if awaitsWorker(activity, of: run) {
        problems.append(
          "no worker for activity type '\(activity.scheduled.activityType)' is attached to task"
            + " queue '\(activity.taskQueue)'")
      }
    }
    return cut(problems)
  }

  /// Those that stay while the run is not in memory, a line for each.
  func lastingProblems(of run: Run) -> String {
    guard run.fold.isOpen else { return "" }
    var problems = pauseProblem(of: run).map { [$0] } ?? []
    for activity in run.fold.activities { problems += activity.problems }
    // A reason may have lines of its own.
    let lines = cut(problems).map { String($0.map { $0.isNewline ? " " : $0 }) }
    return lines.joined(separator: "\n")
  }

  private func pauseProblem(of run: Run) -> String? {
    guard let pause = run.fold.pause else { return nil }
    let why = pause.reason.cut(to: limits.shownTextBytesMax)
    return "the workflow is paused" + (why.isEmpty ? "" : ": \(why)")
  }

  private func cut(_ problems: [String]) -> [String] {
    guard problems.count > limits.problemsMax else { return problems }
    return problems.prefix(limits.problemsMax) + ["and \(problems.count - limits.problemsMax) more"]
  }

  /// It may start, now or after its wait, and nobody is there to start it.
  private func awaitsWorker(_ activity: Activity, of run: Run) -> Bool {
    activity.phase != .started && !activity.isPaused && !activity.isLocal
      && !hasServer(activity: activity.scheduled.activityType, on: run.queueKey(of: activity))
  }

  func pending(_ activity: Activity, of run: Run) -> PendingActivity {
    var pending = PendingActivity()
    pending.seq = activity.scheduled.seq
    pending.activityID = activity.scheduled.activityID
    pending.activityType = activity.scheduled.activityType
    pending.taskQueue = activity.taskQueue
    pending.attempt = activity.attempt
    pending.maximumAttempts = activity.retryPolicy?.maximumAttempts ?? 0
    pending.scheduledTimeMs = activity.scheduledTime
    pending.startedTimeMs = activity.row.startedTimeMs
    pending.nextAttemptTimeMs = activity.row.retryTimeMs
    pending.lastHeartbeatTimeMs = activity.row.lastHeartbeatTimeMs
    pending.heartbeatDetails = activity.row.heartbeatDetails
    pending.lastWorkerIdentity =
      activity.row.holder?.identity ?? activity.row.failedAttempts.last?.identity ?? ""
    pending.lastFailure = activity.row.lastFailure
    #if MUTANTS
      if Mutant.isOn(.failureIsNotDescribed) { pending.lastFailure = nil }
    #endif
    pending.failedAttempts = activity.row.failedAttempts
    pending.failedAttemptsCount = activity.row.failedAttemptsCount
    pending.crashesWorker = activity.crashesWorker
    pending.noWorker = awaitsWorker(activity, of: run)
    pending.pause = activity.row.pause
    pending.options = activity.options
    pending.optionsChanged = activity.row.options != nil
    pending.local = activity.isLocal
    pending.priority = activity.scheduled.priority
    switch activity.phase {
    case _ where activity.cancelRequested: pending.state = .cancelRequested
    case .started where activity.isPaused: pending.state = .pauseRequested
    case _ where activity.isPaused: pending.state = .paused
    case .queued: pending.state = .scheduled
    case .started: pending.state = .started
    case .backingOff: pending.state = .backingOff
    }
    return pending
  }

  private func pendingTask(_ run: Run) -> PendingWorkflowTask? {
    var pending = PendingWorkflowTask()
    switch run.task.state {
    case .idle:
      guard run.isHeld, let time = run.fold.firstTaskTime else { return nil }
      pending.state = .backingOff
      pending.nextAttemptTimeMs = time
    case .waiting: pending.state = .scheduled
    case .backingOff(let until):
      pending.state = .backingOff
      pending.nextAttemptTimeMs = until
    case .out(let lease):
      pending.state = .started
      pending.identity = sessions[lease.session]?.attach.identity ?? ""
    }
    pending.attempt = run.task.attempt
    pending.scheduledTimeMs = run.task.scheduledTime
    pending.lastFailure = run.task.lastFailed?.failure
    pending.lastCause = run.task.lastFailed?.cause ?? .unspecified
    pending.lastDiff = run.task.lastFailed?.diff
    return pending
  }
}

extension PendingChild {
  fileprivate init(_ child: StartedChild) {
    self.init()
    seq = child.seq
    execution = WorkflowExecution()
    execution?.workflowID = child.workflowID
    execution?.runID = child.runID
    workflowType = child.workflowType
    initiatedEventID = child.initiatedEventID
    parentClosePolicy = child.parentClosePolicy
    cancelRequested = child.cancelRequested
  }
}

extension Activity {
  /// What a person should look at, whoever is there to run it.
  fileprivate var problems: [String] {
    var problems: [String] = []
    if crashesWorker {
      problems.append(
        "CRASHES_WORKER: \(row.workersLostInARow) workers in a row were lost while they ran"
          + " activity '\(scheduled.activityID)'")
    }
    if row.pause?.exhausted ?? false {
      problems.append(
        "activity '\(scheduled.activityID)' is held, its attempts are used up: let it go on with"
          + " `holdfast activity unpause` or `reset`, or end it with `complete` or `fail`")
    }
    return problems
  }
}
