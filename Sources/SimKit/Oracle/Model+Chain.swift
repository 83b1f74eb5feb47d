import Basics
import EngineCore
import Messages

/// Chains: a run that takes the place of the one before it.
extension Model {
  // MARK: - The next run

  /// How the next run begins, with what it has from this one; nil if the engine began none.
  private mutating func successor(_ run: ModelRun, _ initiator: ContinueAsNewInitiator)
    -> WorkflowExecutionStarted?
  {
    guard let choice = draw(run.workflowID) else { return nil }
    var next = run.started
    let details = run.details
    next.memo = details.memo
    next.searchAttributes = details.searchAttributes
    next.runID = choice.runID
    next.randomSeed = choice.randomSeed
    next.continuedRunID = run.id
    next.initiator = initiator
    next.attempt = 1
    next.requestID = ""
    next.continuedFailure = nil
    next.firstWorkflowTaskBackoffMs = max(.zero, run.begins + times.chainPause - now)
    return next
  }

  mutating func continueAsNew(
    _ m: ContinueAsNew, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    guard var next = successor(run, .workflow) else { return }
    next.input = m.input
    if !m.workflowType.isEmpty { next.workflowType = m.workflowType }
    if !m.taskQueue.isEmpty { next.taskQueue = m.taskQueue }
    if m.runTimeoutMs > .zero { next.runTimeoutMs = m.runTimeoutMs }
    if m.taskTimeoutMs > .zero { next.taskTimeoutMs = m.taskTimeoutMs }
    if m.header != nil { next.header = m.header }
    if m.retryPolicy != nil { next.retryPolicy = m.retryPolicy?.withDefaults }
    if let memo = m.memo { next.memo = memo.settledByModel }
    if let attributes = m.searchAttributes {
      next.searchAttributes = attributes.settledByModel
      declare(attributes)
    }
    var continued = WorkflowExecutionContinuedAsNew()
    continued.memo = m.memo
    continued.searchAttributes = m.searchAttributes
    continued.newRunID = next.runID
    continued.workflowType = next.workflowType
    continued.taskQueue = next.taskQueue
    continued.input = next.input
    continued.header = next.header
    continued.runTimeoutMs = next.runTimeoutMs
    continued.taskTimeoutMs = next.taskTimeoutMs
    continued.backoffStartIntervalMs = next.firstWorkflowTaskBackoffMs
    continued.workflowTaskCompletedEventID = completion
    continued.location = command.location
    close(run, .continuedAsNew, .workflowExecutionContinuedAsNew(continued), next: next)
  }

  mutating func fail(_ m: FailWorkflow, _ run: ModelRun, _ completion: Int64) {
    let failure = m.failure ?? Failure()
    let (state, attempt) = retry(run, after: failure)
    let next = attempt ?? nextOfCron(run, failure: failure)
    var failed = WorkflowExecutionFailed()
    failed.failure = m.failure
    failed.retryState = state
    failed.newRunID = next?.runID ?? .none
    failed.workflowTaskCompletedEventID = completion
    close(run, .failed, .workflowExecutionFailed(failed), next: next)
  }

  mutating func timeOut(_ run: ModelRun) {
    var timeout = TimeoutFailure()
    timeout.timeoutType = .startToClose
    let failure = Failure.of("the workflow timed out", .timeout(timeout))
    let (state, attempt) = retry(run, after: failure)
    let next = attempt ?? nextOfCron(run, failure: failure)
    var timedOut = WorkflowExecutionTimedOut()
    timedOut.retryState = state
    timedOut.newRunID = next?.runID ?? .none
    close(run, .timedOut, .workflowExecutionTimedOut(timedOut), next: next)
  }

  private mutating func retry(_ run: ModelRun, after failure: Failure)
    -> (RetryState, WorkflowExecutionStarted?)
  {
    guard let policy = run.started.retryPolicy else { return (.retryPolicyNotSet, nil) }
    if run.isCancelRequested { return (.cancelRequested, nil) }
    if policy.forbids(failure) { return (.nonRetryableFailure, nil) }
    if policy.maximumAttempts > 0 && run.started.attempt >= policy.maximumAttempts {
      return (.maximumAttemptsReached, nil)
    }
    var pause = policy.interval(afterAttempt: run.started.attempt)
    if case .application(let application) = failure.info?.kind,
      application.nextRetryDelayMs > .zero
    {
      pause = application.nextRetryDelayMs
    }
    let begins = max(now + pause, run.begins + times.chainPause)
    let end = run.started.executionExpirationTimeMs
    if end > .epoch && begins > end { return (.timeout, nil) }
    guard var next = successor(run, .retry) else { return (.inProgress, nil) }
    next.attempt = run.started.attempt + 1
    next.firstWorkflowTaskBackoffMs = begins - now
    next.continuedFailure = failure
    return (.inProgress, next)
  }

  mutating func complete(_ m: CompleteWorkflow, _ run: ModelRun, _ completion: Int64) {
    let next = nextOfCron(run, result: m.result)
    var completed = WorkflowExecutionCompleted()
    completed.result = m.result
    completed.newRunID = next?.runID ?? .none
    completed.workflowTaskCompletedEventID = completion
    close(run, .completed, .workflowExecutionCompleted(completed), next: next)
  }

  /// The first time of the run's cron schedule that is to come.
  func cronTime(_ started: WorkflowExecutionStarted) -> Instant? {
    guard !started.cronSchedule.isEmpty else { return nil }
    return ModelTimes(cron: started.cronSchedule, zone: started.cronTimeZone)?.next(after: now)
  }

  /// The run of that time, when the chain goes on until then.
  private mutating func nextOfCron(
    _ run: ModelRun, result: [Payload]? = nil, failure: Failure? = nil
  ) -> WorkflowExecutionStarted? {
    let end = run.started.executionExpirationTimeMs
    guard !run.isCancelRequested, let time = cronTime(run.started), end == .epoch || time < end,
      var next = successor(run, .cron)
    else { return nil }
    next.firstWorkflowTaskBackoffMs = max(next.firstWorkflowTaskBackoffMs, time - now)
    next.continuedFailure = failure
    if let result {
      next.lastCompletionResult = PayloadList()
      next.lastCompletionResult?.payloads = result
    }
    return next
  }

  /// The run ends, and what its code has not seen of requests goes to the one that follows.
  private mutating func close(
    _ run: ModelRun, _ status: WorkflowStatus, _ end: HistoryEvent.Attributes,
    next: WorkflowExecutionStarted?
  ) {
    let unseen = run.unseen
    append(end, to: run)
    if let next {
      let successor = ModelRun(next, at: now, metadata: run.metadata)
      runs.append(successor)
      handPermit(run, successor)
      append(.workflowExecutionStarted(next), to: successor, metadata: run.metadata)
      for request in unseen { takeOver(request, run, successor) }
      hand(run, successor)
      successor.waiting = run.waiting.filter { !run.waitsForThisRun.contains($0) }
      run.waiting.removeAll { !run.waitsForThisRun.contains($0) }
    }
    close(run, status)
  }

  /// Updates that name no run go on to the one that follows.
  mutating func hand(_ run: ModelRun, _ successor: ModelRun) {
    for var update in run.updates where update.update.execution?.runID ?? .none == RunID.none {
      if let place = successor.place(ofWaiting: update.update.updateID) {
        successor.updates[place].clients += update.clients
        continue
      }
      if update.isAdmitted && update.clients.isEmpty { continue }
      update.isAdmitted = false
      update.after = successor.lastEventID
      successor.updates.append(update)
    }
    run.updates.removeAll { $0.update.execution?.runID ?? .none == RunID.none }
  }

  /// Its request id goes along.
  mutating func takeOver(_ event: HistoryEvent, _ before: ModelRun, _ run: ModelRun) {
    var requestID = ""
    var answers: [(method: String, answer: Response)] = []
    var request = event.attributes
    let origin = before.origin(of: event)
    switch request {
    case .workflowExecutionSignaled(var m):
      m.origin = origin
      request = .workflowExecutionSignaled(m)
      run.signals += 1
      requestID = m.requestID
      var signal = SignalWorkflowResponse()
      signal.runID = run.id
      answers = [
        ("Signal", .signal(signal)), ("SignalWithStart", .start(.of(run.id, started: false))),
      ]
    case .workflowExecutionCancelRequested(let m):
      run.isCancelRequested = true
      requestID = m.requestID
      answers = [("Cancel", .done)]
    case .workflowExecutionUpdateAdmitted(var m):
      m.origin = origin
      return admitAgain(m, run)
    case .workflowExecutionUpdateAccepted(let m):
      var admitted = WorkflowExecutionUpdateAdmitted()
      admitted.updateID = m.updateID
      admitted.updateName = m.updateName
      admitted.args = m.args
      admitted.header = m.header
      admitted.identity = m.identity
      admitted.origin = origin
      return admitAgain(admitted, run)
    default: return
    }
    guard let request else { return }
    append(request, to: run)
    guard before.workflowID.utf8.elementsEqual(run.workflowID.utf8) else { return }
    for (method, answer) in answers {
      let known = remembered.last {
        $0.run == before.id && $0.method == method && $0.requestID == requestID
          && $0.event == event.eventID
      }
      guard let known, !requestID.isEmpty else { continue }
      remember(method, run, requestID, known.request, event: run.lastEventID, answer)
    }
  }

  /// The last run of the chain that goes on from this one.
  func lastOfChain(_ run: ModelRun) -> ModelRun {
    var last = run
    while let next = self.run(last.nextRunID) { last = next }
    // Where one between has been removed, the chain's newest run tells its end.
    if last.nextRunID != .none, let newest = newest(run.workflowID), newest !== last,
      newest.started.firstRunID == run.started.firstRunID
    {
      return newest
    }
    return last
  }
}

extension ModelRun {
  /// When its code begins.
  var begins: Instant { startTime + started.firstWorkflowTaskBackoffMs }

  /// Its code does not begin before this; nil when it may.
  var heldUntil: Instant? {
    let endsWithSignals = started.initiator == .unspecified && started.cronSchedule.isEmpty
    let isCalled = isCancelRequested || (endsWithSignals && signals > 0)
    return started.firstWorkflowTaskBackoffMs == .zero || isCalled || hasPast ? nil : begins
  }

  var nextRunID: RunID {
    resetTo == .none ? followedBy : resetTo
  }

  /// The run that follows by its last event.
  var followedBy: RunID {
    switch events.last?.attributes {
    case .workflowExecutionContinuedAsNew(let m): m.newRunID
    case .workflowExecutionCompleted(let m): m.newRunID
    case .workflowExecutionFailed(let m): m.newRunID
    case .workflowExecutionTimedOut(let m): m.newRunID
    case .workflowExecutionTerminated(let m): m.newRunID
    default: .none
    }
  }
}
