import Basics
import Messages

/// The end of a run, however it came.
extension Engine {
  mutating func terminate(_ run: Run, reason: String, details: [Payload], identity: String) {
    var event = WorkflowExecutionTerminated()
    event.reason = reason
    event.details = details
    event.identity = identity
    event.newRunID = run.resetTo
    close(run, .workflowExecutionTerminated(event))
    afterClose(run)
  }

  /// Records the terminal event; before it, lets go of what the run has in hand, since the event
  /// removes all that from the fold.
  mutating func close(_ run: Run, _ terminal: HistoryEvent.Attributes) {
    releaseAll(of: run)
    failUpdates(of: run)
    let elsewhere = Set(run.fold.activities.map { run.queueKey(of: $0) })
    let pending = run.fold.activities
    record(run, terminal)
    run.endedAttempts += pending.compactMap { $0.attempts(endedBy: run.fold.lastEventID) }
    tellParent(of: run)
    for key in elsewhere.sorted() where key != run.queue { sweep(key, hasClosed: true) }
  }

  /// Tells the workers of pending activities, and removes the deadlines.
  private mutating func releaseAll(of run: Run) {
    releaseChildren(of: run)
    for index in run.fold.activities.indices {
      let activity = run.fold.activities[index]
      if activity.phase == .started, !activity.isLocal, let session = activity.session {
        cancelLease(run.token(of: activity).bytes, session, .workflowClosed, .run(run))
      }
      release(run, index)
      deadlines.remove(
        .activity(LeaseKey(run: run.number, scheduledEvent: activity.scheduledEvent)))
    }
    for timer in run.fold.timers { deadlines.remove(.timer(run.number, timer.seq)) }
    deadlines.remove(.runTimeout(run.number))
    deadlines.remove(.beginning(run.number))
    run.isHeld = false
    leaveLimit(run)
  }

  /// The terminal event is recorded: everybody who waits for it is told.
  mutating func afterClose(_ run: Run) {
    precondition(!run.fold.isOpen, "\(run.number) is open")
    counters.closed += 1
    failing.remove(run.number)
    if let namespace = namespaces[run.key.namespace] {
      watchRetention(of: namespace, since: now)
    }
    if run.task.lease != nil { evict(run, .closed, "the workflow has closed") }
    endTask(run)
    if run.cachedBy != nil { evict(run, .closed, "the workflow has closed") }
    tellWaiters(of: run)
    refuseUpdates(of: run, .workflowClosed(run))
    tellSchedule(of: run)
    resumeParked(run)
    if !run.queries.isEmpty { offerTask(run) }
    sweep(run.queue, hasClosed: true)
  }

  func result(of run: Run) -> GetWorkflowResultResponse {
    var response = GetWorkflowResultResponse()
    response.runID = run.runID
    response.status = run.fold.status
    switch run.fold.closing?.attributes {
    case .workflowExecutionCompleted(let event): response.result = event.result
    case .workflowExecutionFailed(let event): response.failure = event.failure
    case .workflowExecutionCanceled(let event):
      var canceled = CanceledFailure()
      canceled.details = event.details
      response.failure = .engine("the workflow was canceled", .canceled(canceled))
    case .workflowExecutionTerminated(let event):
      let reason = event.reason.isEmpty ? "" : ": \(event.reason)"
      response.failure = .engine(
        "the workflow was terminated\(reason)", .terminated(TerminatedFailure()))
    case .workflowExecutionTimedOut:
      var timeout = TimeoutFailure()
      timeout.timeoutType = .startToClose
      response.failure = .engine("the workflow timed out", .timeout(timeout))
    case .workflowExecutionContinuedAsNew: break
    default: preconditionFailure("\(run.number) is open")
    }
    response.newRunID = run.nextRunID
    return response
  }
}

/// Where a request waits.
enum WaitingPlace {
  case result(AwaitedEnd)
  case query(RunNumber)
  /// `started`: its request started the run.
  case update(AwaitedOutcome, started: Bool)
  case reading
  case copying
  case replaying
}

extension Engine {
  /// The client does not want the answer any more.
  mutating func abandon(_ id: RequestID) {
    guard let place = waiting.removeValue(forKey: id) else { return }
    switch place {
    case .result(let end):
      resultWaiters[end]?.remove(id)
      if resultWaiters[end]?.isEmpty ?? false { resultWaiters.removeValue(forKey: end) }
    case .query(let number):
      // One that is out comes back to nobody.
      guard let run = runs[number] else { return }
      run.queries.removeAll { $0.request == id }
      waitersLeft(run)
    case .update(let awaited, _): abandon(id, awaited)
    case .reading: dropReader(id)
    case .copying: endCopy(id)
    case .replaying: dropSentReplay(id)
    }
  }
}

extension Engine {
  /// The request has had no effect yet: it waits for a result, a query's answer or a part.
  public func isWaiting(_ id: RequestID) -> Bool { waiting[id] != nil }
}
