import Basics
import EngineCore
import Messages

/// What workflow code asks for, and the event that each command makes.
extension Model {
  /// Whether the commands break a rule; nothing of the completion is recorded then.
  func areBad(_ commands: [Command], _ run: ModelRun) -> Bool {
    var seq = run.lastSeq
    var pending = run.activities.map(\.scheduled.activityID)
    var timers = run.timers.filter { !$0.hasFired }.map(\.id)
    // What the names would be after the commands before.
    var known = self
    for (place, command) in commands.enumerated() {
      switch command.kind {
      case .scheduleActivity(let m):
        seq += 1
        if m.seq != seq || isBad(m, pending) { return true }
        pending.append(m.activityID.isEmpty ? "\(seq)" : m.activityID)
      case .scheduleLocalActivity(let m):
        seq += 1
        if m.seq != seq || isBad(m, pending) { return true }
        pending.append(m.activityID.isEmpty ? "\(seq)" : m.activityID)
      case .startTimer(let m):
        seq += 1
        let id = m.timerID.isEmpty ? "\(seq)" : m.timerID
        if m.seq != seq || m.startToFireTimeoutMs < .zero || timers.contains(id) { return true }
        timers.append(id)
      case .requestCancelActivity(let m): if m.seq == 0 || m.seq > seq { return true }
      case .cancelTimer(let m): if m.seq == 0 || m.seq > seq { return true }
      case .completeWorkflow, .failWorkflow, .cancelledWorkflow:
        if place != commands.count - 1 { return true }
      case .continueAsNew(let m):
        if place != commands.count - 1 || m.runTimeoutMs < .zero || m.taskTimeoutMs < .zero
          || m.taskTimeoutMs > times.taskTimeoutMax || isBad(m.retryPolicy)
          || m.input.contains(where: { $0.data.count > limits.payloadBytesMax })
          || isBad(m.memo) || isBad(m.searchAttributes) || known.contradicts(m.searchAttributes)
        {
          return true
        }
      case .recordMarker(let m):
        if m.seq != 0 { seq += 1 }
        if m.seq != 0 && m.seq != seq { return true }
        if m.markerName.isEmpty || m.details.map(\.key) != Set(m.details.map(\.key)).sorted() {
          return true
        }
        if m.details.contains(where: { ($0.value?.data.count ?? 0) > limits.payloadBytesMax }) {
          return true
        }
      case .updateAccepted, .updateCompleted, .setCurrentDetails: break
      case .upsertMemo(let m): if isBad(m.memo) { return true }
      case .upsertSearchAttributes(let m):
        if isBad(m.searchAttributes) || known.contradicts(m.searchAttributes) { return true }
        known.declare(m.searchAttributes)
      case .startChild(let m):
        seq += 1
        if m.seq != seq || isBad(m) || known.contradicts(m.searchAttributes) { return true }
        known.declare(m.searchAttributes)
      case .cancelChild(let m): if m.seq == 0 || m.seq > seq { return true }
      case .signalExternal(let m):
        seq += 1
        if m.seq != seq || isBad(m.execution) || m.signalName.isEmpty { return true }
      case .cancelExternal(let m):
        seq += 1
        if m.seq != seq || isBad(m.execution) { return true }
      case nil: return true
      }
    }
    return false
  }

  private func isBad(_ execution: WorkflowExecution?) -> Bool {
    let id = execution?.workflowID ?? ""
    return id.isEmpty || id.utf8.count > limits.idBytesMax
  }

  private func isBad(_ m: StartChild) -> Bool {
    let spans = [m.executionTimeoutMs, m.runTimeoutMs, m.taskTimeoutMs]
    return m.workflowType.isEmpty || spans.contains { $0 < .zero }
      || m.taskTimeoutMs > times.taskTimeoutMax || isBad(m.retryPolicy) || isBad(m.memo)
      || isBad(m.searchAttributes) || isBad(m.priority) != nil
  }

  private func isBad(_ m: ScheduleActivity, _ pending: [String]) -> Bool {
    let times = [
      m.scheduleToCloseTimeoutMs, m.scheduleToStartTimeoutMs, m.startToCloseTimeoutMs,
      m.heartbeatTimeoutMs,
    ]
    let id = m.activityID.isEmpty ? "\(m.seq)" : m.activityID
    return m.activityType.isEmpty || pending.contains(id) || times.contains { $0 < .zero }
      || (m.scheduleToCloseTimeoutMs == .zero && m.startToCloseTimeoutMs == .zero)
      || isBad(m.retryPolicy) || isBad(m.priority) != nil
  }

  private func isBad(_ m: ScheduleLocalActivity, _ pending: [String]) -> Bool {
    let id = m.activityID.isEmpty ? "\(m.seq)" : m.activityID
    return m.activityType.isEmpty || pending.contains(id)
      || m.scheduleToCloseTimeoutMs < .zero || m.startToCloseTimeoutMs < .zero
      || (m.scheduleToCloseTimeoutMs == .zero && m.startToCloseTimeoutMs == .zero)
      || isBad(m.retryPolicy)
  }

  private func isBad(_ policy: RetryPolicy?) -> Bool {
    guard let policy else { return false }
    return (policy.backoffCoefficient != 0 && policy.backoffCoefficient < 1)
      || policy.initialIntervalMs < .zero || policy.maximumIntervalMs < .zero
      || policy.maximumAttempts < 0
  }

  /// For good: no run follows that could take over what the code has not seen.
  func closes(_ commands: [Command]) -> Bool {
    switch commands.last?.kind {
    case .completeWorkflow, .failWorkflow, .cancelledWorkflow: true
    default: false
    }
  }

  /// One event for each, and then the ends of what was cancelled.
  mutating func record(_ commands: [Command], _ run: ModelRun) {
    let completion = run.lastEventID
    for command in commands {
      switch command.kind {
      case .scheduleActivity(let m): schedule(m, command, run, completion)
      case .scheduleLocalActivity(let m): schedule(m, command, run, completion)
      case .startTimer(let m): startTimer(m, command, run, completion)
      case .cancelTimer(let m): cancelTimer(m, command, run, completion)
      case .requestCancelActivity(let m): requestCancel(m, command, run, completion)
      case .recordMarker(let m): recordMarker(m, command, run, completion)
      case .updateAccepted(let m): accept(m, command, run, completion)
      case .updateCompleted(let m): complete(m, command, run, completion)
      case .startChild(let m): startChild(m, command, run, completion)
      case .cancelChild(let m): cancelChild(m, command, run, completion)
      case .signalExternal(let m): signalExternal(m, command, run, completion)
      case .cancelExternal(let m): cancelExternal(m, command, run, completion)
      case .upsertMemo(let m): upsert(m, command, run, completion)
      case .upsertSearchAttributes(let m): upsert(m, command, run, completion)
      case .completeWorkflow, .failWorkflow, .cancelledWorkflow, .continueAsNew,
        .setCurrentDetails, nil:
        break
      }
    }
    if let last = commands.last { closeByCommand(last, run, completion) }
    guard run.isOpen else { return }
    for command in commands {
      switch command.kind {
      case .requestCancelActivity(let m): resolveCancel(m.seq, run)
      case .cancelChild(let m): resolveCancel(ofChild: m.seq, run)
      default: break
      }
    }
    sendLetters(run)
  }

  private mutating func schedule(
    _ m: ScheduleActivity, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var scheduled = ActivityTaskScheduled()
    scheduled.seq = m.seq
    scheduled.activityID = m.activityID.isEmpty ? "\(m.seq)" : m.activityID
    scheduled.activityType = m.activityType
    scheduled.taskQueue = m.taskQueue.isEmpty ? run.started.taskQueue : m.taskQueue
    scheduled.header = m.header
    scheduled.input = m.input
    scheduled.scheduleToCloseTimeoutMs = m.scheduleToCloseTimeoutMs
    scheduled.scheduleToStartTimeoutMs = m.scheduleToStartTimeoutMs
    scheduled.startToCloseTimeoutMs = m.startToCloseTimeoutMs
    scheduled.heartbeatTimeoutMs = m.heartbeatTimeoutMs
    scheduled = scheduled.filled(within: run.started.runTimeoutMs)
    scheduled.retryPolicy = (m.retryPolicy ?? RetryPolicy()).withDefaults
    scheduled.cancellationType = m.cancellationType
    scheduled.onExhausted = m.onExhausted
    scheduled.workflowTaskCompletedEventID = completion
    scheduled.priority = priority(m.priority, of: run)
    scheduled.location = command.location
    run.lastSeq = m.seq
    append(.activityTaskScheduled(scheduled), to: run, metadata: command.userMetadata)
    run.activities.append(ModelActivity(run.lastEventID, scheduled, at: now))
  }

  private mutating func startTimer(
    _ m: StartTimer, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var started = TimerStarted()
    started.seq = m.seq
    started.timerID = m.timerID.isEmpty ? "\(m.seq)" : m.timerID
    started.startToFireTimeoutMs = m.startToFireTimeoutMs
    started.workflowTaskCompletedEventID = completion
    started.location = command.location
    run.lastSeq = m.seq
    append(.timerStarted(started), to: run, metadata: command.userMetadata)
    run.timers.append(
      ModelTimer(
        seq: m.seq, id: started.timerID, startedEvent: run.lastEventID,
        fireTime: now + m.startToFireTimeoutMs))
  }

  private mutating func cancelTimer(
    _ m: CancelTimer, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var canceled = TimerCanceled()
    canceled.seq = m.seq
    canceled.workflowTaskCompletedEventID = completion
    canceled.location = command.location
    if let place = run.timers.firstIndex(where: { $0.seq == m.seq }) {
      let timer = run.timers.remove(at: place)
      canceled.timerID = timer.id
      canceled.startedEventID = timer.startedEvent
    }
    append(.timerCanceled(canceled), to: run, metadata: command.userMetadata)
  }

  private mutating func recordMarker(
    _ m: RecordMarker, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var recorded = MarkerRecorded()
    recorded.markerName = m.markerName
    recorded.markerID = m.markerID
    recorded.seq = m.seq
    recorded.details = m.details
    recorded.header = m.header
    recorded.failure = m.failure
    recorded.deprecated = m.deprecated
    recorded.workflowTaskCompletedEventID = completion
    recorded.location = command.location
    if m.seq != 0 { run.lastSeq = m.seq }
    append(.markerRecorded(recorded), to: run, metadata: command.userMetadata)
  }

  private mutating func requestCancel(
    _ m: RequestCancelActivity, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var requested = ActivityTaskCancelRequested()
    requested.seq = m.seq
    requested.workflowTaskCompletedEventID = completion
    requested.location = command.location
    let pending = run.activities.first { $0.scheduled.seq == m.seq }
    requested.scheduledEventID = pending?.event ?? 0
    append(.activityTaskCancelRequested(requested), to: run, metadata: command.userMetadata)
  }

  /// At once, unless the worker's answer is waited for.
  private mutating func resolveCancel(_ seq: UInt32, _ run: ModelRun) {
    guard let place = run.activities.firstIndex(where: { $0.scheduled.seq == seq })
    else { return }
    run.activities[place].isCancelRequested = true
    let activity = run.activities[place]
    let kind = activity.scheduled.cancellationType
    guard activity.state == .started else {
      return resolveCanceled(run, place, [], identity: "")
    }
    if kind != .abandon { tellHolder(of: activity, .cancelled) }
    guard kind != .waitCancellationCompleted else { return }
    run.endedAttempts.append(
      EndedAttempt(token: activity.token, end: .canceled([]), isInHistory: true))
    resolveCanceled(run, place, [], identity: activity.identity)
  }

  private mutating func closeByCommand(_ command: Command, _ run: ModelRun, _ completion: Int64) {
    switch command.kind {
    case .completeWorkflow(let m): complete(m, run, completion)
    case .failWorkflow(let m):
      fail(m, run, completion)
    case .continueAsNew(let m): continueAsNew(m, command, run, completion)
    case .cancelledWorkflow(let m):
      var canceled = WorkflowExecutionCanceled()
      canceled.details = m.details
      canceled.workflowTaskCompletedEventID = completion
      append(.workflowExecutionCanceled(canceled), to: run, metadata: command.userMetadata)
      close(run, .canceled)
    default: break
    }
  }
}
