import Basics
import Messages

/// Chains: the run that follows another one under the same workflow id, and the time for which a
/// first task is held back.
extension Engine {
  // MARK: - The next run

  /// Event 1 of the run that follows: what it takes over as it is.
  mutating func successor(of run: Run, _ initiator: ContinueAsNewInitiator)
    -> WorkflowExecutionStarted
  {
    var next = run.fold.started
    next.memo = run.fold.details.memo
    next.searchAttributes = run.fold.details.searchAttributes
    #if MUTANTS
      if Mutant.isOn(.chainForgetsMemo) { next.memo = nil }
    #endif
    next.runID = newRunID()
    next.continuedRunID = run.runID
    next.initiator = initiator
    next.attempt = 1
    next.requestID = ""
    next.randomSeed = random.next()
    next.continuedFailure = nil
    #if MUTANTS
      if Mutant.isOn(.chainForgetsItsFirst) { next.firstRunID = next.runID }
    #endif
    next.firstWorkflowTaskBackoffMs = max(.zero, earliestSuccession(of: run) - now)
    return next
  }

  /// No chain is a busy loop.
  private func earliestSuccession(of run: Run) -> Instant {
    run.fold.beginning + times.chainPause
  }

  /// The next attempt of a workflow whose run failed or timed out, or why there is none.
  mutating func nextAttempt(of run: Run, after failure: Failure)
    -> (state: RetryState, started: WorkflowExecutionStarted?)
  {
    let started = run.fold.started
    guard let policy = started.retryPolicy else { return (.retryPolicyNotSet, nil) }
    if run.fold.cancelRequested { return (.cancelRequested, nil) }
    if policy.forbids(failure) { return (.nonRetryableFailure, nil) }
    #if MUTANTS
      if Mutant.isOn(.workflowsRetryForEver) || Mutant.isOn(.workflowsRetryAtOnce) {
        var next = successor(of: run, .retry)
        next.attempt = started.attempt + 1
        if Mutant.isOn(.workflowsRetryAtOnce) { next.firstWorkflowTaskBackoffMs = .zero }
        if Mutant.isOn(.workflowsRetryForEver) || started.attempt < policy.maximumAttempts {
          return (.inProgress, next)
        }
      }
    #endif
    let pause = policy.interval(afterAttempt: started.attempt, failure)
    let end = started.executionExpirationTimeMs
    let verdict = policy.verdict(
      attempt: started.attempt, at: max(now + pause, earliestSuccession(of: run)),
      before: end == .epoch ? nil : end)
    switch verdict {
    case .giveUp(let state): return (state, nil)
    case .retry(let time):
      var next = successor(of: run, .retry)
      next.attempt = started.attempt + 1
      next.firstWorkflowTaskBackoffMs = time - now
      next.continuedFailure = bounded(failure)
      return (.inProgress, next)
    }
  }

  /// The run, or its whole chain, has had its time.
  mutating func timeOut(_ run: Run) {
    var timeout = TimeoutFailure()
    timeout.timeoutType = .startToClose
    let failure = Failure.engine("the workflow timed out", .timeout(timeout))
    let retry = nextAttempt(of: run, after: failure)
    let next = retry.started ?? nextCronRun(of: run, failure: failure)
    var event = WorkflowExecutionTimedOut()
    event.retryState = retry.state
    event.newRunID = next?.runID ?? .none
    close(run, .workflowExecutionTimedOut(event), next: next)
  }

  /// Closes the run and begins the next one of its chain in its place, with the signals and the
  /// cancel request that its code has not seen.
  mutating func close(
    _ run: Run, _ terminal: HistoryEvent.Attributes, next: WorkflowExecutionStarted?
  ) {
    let requests = next == nil ? [] : unseenRequests(of: run)
    let metadata = run.fold.userMetadata
    let hadPermit = run.permit.isHeld
    close(run, terminal)
    guard let next else { return }
    let successor = begin(next, run.key, metadata: metadata)
    if hadPermit { handPermit(of: run, to: successor) }
    for (request, source) in requests {
      takeOver(request, of: source, from: run, to: successor)
    }
    hand(run.updates, from: run, to: successor)
    offerTask(successor)
  }

  /// The request's id goes along: its first run may be removed long before this one ends.
  /// `source`: the run that had it first.
  mutating func takeOver(
    _ request: HistoryEvent, of source: RunID, from run: Run, to successor: Run
  ) {
    guard let known = request.repeated(from: source) else { return }
    if case .workflowExecutionUpdateAdmitted(let update) = known {
      return admitAgain(update, to: successor)
    }
    let event = record(successor, known)
    // Requests to the base of a fork are not known as requests to the fork.
    guard run.key == successor.key, let (requestID, methods) = known.requestID, !requestID.isEmpty
    else { return }
    for method in methods {
      let key = requestKey(method: method, run.key, requestID)
      // One method's id may be that of another method's request.
      guard let record = run.request(key), record.event == request.eventID else { continue }
      remember(record, event: event, in: successor)
    }
  }

  private func unseenRequests(of run: Run) -> [(event: HistoryEvent, source: RunID)] {
    #if MUTANTS
      if Mutant.isOn(.chainLosesSignals) { return [] }
    #endif
    return run.fold.unseen.requests(of: run.runID)
  }

  // MARK: - Held back

  /// Holds the first task back until its time, if it has one.
  mutating func hold(_ run: Run) {
    guard let time = run.fold.firstTaskTime, time > now else { return }
    #if MUTANTS
      if Mutant.isOn(.codeBeginsEarly) { return }
    #endif
    run.isHeld = true
    deadlines.set(.beginning(run.number), at: time, order: .init(run.number.value))
  }

  mutating func beginningDue(_ number: RunNumber) {
    guard let run = runs[number], run.isHeld else { return }
    run.isHeld = false
    offerTask(run)
  }

  /// Something has come for which the code begins before its time.
  mutating func release(_ run: Run) {
    guard run.isHeld, run.fold.firstTaskTime == nil else { return }
    run.isHeld = false
    deadlines.remove(.beginning(run.number))
  }
}

extension HistoryEvent {
  /// Where the event came first: here, or in an earlier run.
  func origin(in run: RunID) -> EventOrigin {
    switch attributes {
    case .workflowExecutionSignaled(let e): if let origin = e.origin { return origin }
    case .workflowExecutionUpdateAdmitted(let e): if let origin = e.origin { return origin }
    default: break
    }
    var origin = EventOrigin()
    origin.runID = run
    origin.eventID = eventID
    return origin
  }

  /// The same in another run, which has it from this one. An update that the code had taken on is
  /// admitted there.
  func repeated(from run: RunID) -> HistoryEvent.Attributes? {
    switch attributes {
    case .workflowExecutionSignaled(var e):
      e.origin = origin(in: run)
      return .workflowExecutionSignaled(e)
    case .workflowExecutionUpdateAdmitted(var e):
      e.origin = origin(in: run)
      return .workflowExecutionUpdateAdmitted(e)
    case .workflowExecutionUpdateAccepted(let e):
      var admitted = WorkflowExecutionUpdateAdmitted(e)
      admitted.origin = origin(in: run)
      return .workflowExecutionUpdateAdmitted(admitted)
    default: return attributes
    }
  }
}

extension HistoryEvent.Attributes {
  /// Of a signal or a cancel request: its request id, and the methods that it may have come by.
  fileprivate var requestID: (id: String, methods: [String])? {
    switch self {
    case .workflowExecutionSignaled(let e):
      (e.requestID, ["SignalWorkflow", "SignalWithStartWorkflow"])
    case .workflowExecutionCancelRequested(let e): (e.requestID, ["CancelWorkflow"])
    default: nil
    }
  }
}
