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
    guard !drawn.isEmpty else {
      objections.append("a run had to follow \(run.id)")
      return nil
    }
    let choice = drawn.removeFirst()
    var next = run.started
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
    var continued = WorkflowExecutionContinuedAsNew()
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
    let (state, next) = retry(run, after: m.failure ?? Failure())
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
    let (state, next) = retry(run, after: .of("the workflow timed out", .timeout(timeout)))
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

  /// The run ends, and what its code has not seen of requests goes to the one that follows.
  private mutating func close(
    _ run: ModelRun, _ status: WorkflowStatus, _ end: HistoryEvent.Attributes,
    next: WorkflowExecutionStarted?
  ) {
    let unseen = run.unseen.map(\.attributes)
    append(end, to: run)
    if let next {
      let successor = ModelRun(next, at: now, metadata: run.metadata)
      runs.append(successor)
      append(.workflowExecutionStarted(next), to: successor, metadata: run.metadata)
      for case .some(let request) in unseen { takeOver(request, run, successor) }
      for var update in run.updates where update.update.execution?.runID ?? .none == RunID.none {
        update.after = successor.lastEventID
        successor.updates.append(update)
      }
      run.updates.removeAll { $0.update.execution?.runID ?? .none == RunID.none }
      successor.waiting = run.waiting.filter { !run.waitsForThisRun.contains($0) }
      run.waiting.removeAll { !run.waitsForThisRun.contains($0) }
    }
    close(run, status)
  }

  /// Its request id goes along.
  private mutating func takeOver(
    _ request: HistoryEvent.Attributes, _ before: ModelRun, _ run: ModelRun
  ) {
    var requestID = ""
    var answers: [(method: String, answer: Response)] = []
    switch request {
    case .workflowExecutionSignaled(let m):
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
    default: return
    }
    append(request, to: run)
    for (method, answer) in answers {
      let known = remembered.last {
        $0.run == before.id && $0.method == method && $0.requestID == requestID
      }
      guard let known, !requestID.isEmpty else { continue }
      remember(method, run, requestID, known.request, event: run.lastEventID, answer)
    }
  }

  /// The last run of the chain that goes on from this one.
  func lastOfChain(_ run: ModelRun) -> ModelRun {
    var last = run
    while let next = self.run(last.nextRunID) { last = next }
    return last
  }
}

extension ModelRun {
  /// When its code begins.
  var begins: Instant { startTime + started.firstWorkflowTaskBackoffMs }

  /// Its code does not begin before this; nil when it may.
  var heldUntil: Instant? {
    let isCalled = isCancelRequested || (started.initiator == .unspecified && signals > 0)
    return started.firstWorkflowTaskBackoffMs == .zero || isCalled || hasPast ? nil : begins
  }

  var nextRunID: RunID {
    switch events.last?.attributes {
    case .workflowExecutionContinuedAsNew(let m): m.newRunID
    case .workflowExecutionFailed(let m): m.newRunID
    case .workflowExecutionTimedOut(let m): m.newRunID
    default: .none
    }
  }
}
