import Basics
import EngineCore
import Messages

/// What schedules do when their times come, and when their workflows end.
extension Model {
  // MARK: - Times

  /// Since when it has to be looked at; nil if it has not.
  func lookTime(_ schedule: ModelSchedule) -> Instant? {
    if !schedule.backfills.isEmpty && schedule.hasRoom(limits) { return .epoch }
    return schedule.due.flatMap { $0 <= now ? $0 : nil }
  }

  /// Takes up what has come, until it brings an action: what the next one does depends on that.
  func look(_ schedule: ModelSchedule) {
    while let time = schedule.due, time <= now {
      schedule.doneThrough = time
      if schedule.isMissed(time, now) {
        schedule.info.missedCount += 1
      } else if schedule.hasTaken(time) {
        schedule.info.skippedCount += 1
      } else if schedule.add(time, schedule.policy, limits) {
        if schedule.state.limitedActions { schedule.state.remainingActions -= 1 }
        return
      }
    }
    while let backfill = schedule.backfills.first, schedule.hasRoom(limits) {
      let time = schedule.times.next(after: backfill.next - Span(ms: 1))
      guard let time, time <= backfill.end else {
        schedule.backfills.removeFirst()
        continue
      }
      schedule.backfills[0].next = time + Span(ms: 1)
      // An update may have changed it meanwhile, as it may the times.
      let policy = backfill.policy == .unspecified ? schedule.policy : backfill.policy
      if schedule.add(time, policy, limits) { return }
    }
  }

  // MARK: - Actions

  /// What schedules do comes when everything else of the unit has been done.
  mutating func proceed() {
    while !touched.isEmpty {
      let schedule = touched.removeFirst()
      if schedules.contains(where: { $0 === schedule }) { proceed(schedule) }
    }
  }

  /// Starts what may start, and ends what is in its way.
  private mutating func proceed(_ schedule: ModelSchedule) {
    while let next = schedule.waiting.first(where: { $0.policy == .allowAll }) {
      guard start(next, of: schedule) else { break }
    }
    while let next = schedule.waiting.first(where: { $0.policy != .allowAll }),
      schedule.info.running.isEmpty
    {
      guard start(next, of: schedule) else { break }
    }
    let policies = schedule.waiting.map(\.policy)
    guard policies.contains(.terminateOther) || policies.contains(.cancelOther) else { return }
    for execution in schedule.info.running {
      guard let run = newest(execution.workflowID), run.isOpen,
        run.started.firstRunID == execution.runID
      else { continue }
      if policies.contains(.terminateOther) {
        var terminated = WorkflowExecutionTerminated()
        terminated.reason = "schedule '\(schedule.id)' has its next action"
        terminated.identity = "holdfast"
        append(.workflowExecutionTerminated(terminated), to: run)
        close(run, .terminated)
      } else if run.isRedo && run.task.session != nil {
        run.isCancelParked = true
      } else if !run.isCancelRequested {
        run.isCancelRequested = true
        var requested = WorkflowExecutionCancelRequested()
        requested.reason = "schedule '\(schedule.id)' has its next action"
        requested.identity = "holdfast"
        append(.workflowExecutionCancelRequested(requested), to: run)
      }
    }
  }

  /// False: no starts are taken now.
  private mutating func start(_ action: ModelSchedule.Waiting, of schedule: ModelSchedule) -> Bool {
    guard refusalOfStarts == nil else { return false }
    schedule.waiting.removeAll { $0.time == action.time }
    let wanted = schedule.schedule.action ?? ScheduleAction()
    var request = StartWorkflowRequest()
    request.workflowID = schedule.workflowID(at: action.time)
    request.workflowType = wanted.workflowType
    request.taskQueue = wanted.taskQueue
    request.input = wanted.input
    request.executionTimeoutMs = wanted.executionTimeoutMs
    request.runTimeoutMs = wanted.runTimeoutMs
    request.taskTimeoutMs = wanted.taskTimeoutMs
    request.retryPolicy = wanted.retryPolicy
    request.userMetadata = wanted.userMetadata
    request.memo = wanted.memo
    request.searchAttributes = wanted.searchAttributes
    request.priority = wanted.priority
    request.concurrencyKey = wanted.concurrencyKey
    request.identity = "holdfast"
    var result = ScheduleActionResult()
    result.scheduledTimeMs = action.time
    result.takenTimeMs = now
    switch begin(request, default: .fail, for: (schedule.id, action.time)) {
    case .started(let run):
      let execution = WorkflowExecution.of(run.workflowID, run.id)
      schedule.info.actionCount += 1
      schedule.info.running.append(execution)
      result.execution = execution
      result.status = .running
    case .existing, .refused:
      schedule.info.failedCount += 1
      result.error = "it failed"
    }
    schedule.note(result)
    return true
  }

  // MARK: - Ends

  /// The chain may be a schedule's; what that does next comes when everything else has been done.
  mutating func tellSchedule(of run: ModelRun) {
    guard !run.started.scheduleID.isEmpty, run.nextRunID == .none,
      let schedule = schedules.first(where: { $0.id == run.started.scheduleID })
    else { return }
    let execution = WorkflowExecution.of(run.workflowID, run.started.firstRunID)
    guard schedule.info.running.contains(execution) else { return }
    schedule.info.running.removeAll { $0 == execution }
    touched.append(schedule)
    for place in schedule.info.recentActions.indices
    where schedule.info.recentActions[place].execution == execution {
      schedule.info.recentActions[place].status = run.status
    }
    let failed = run.status == .failed || run.status == .timedOut
    guard schedule.schedule.policies?.pauseOnFailure ?? false, failed, !schedule.state.paused
    else { return }
    schedule.state.paused = true
    schedule.state.note = "a workflow ended \(run.status.name)"
    schedule.conflictToken += 1
  }
}
