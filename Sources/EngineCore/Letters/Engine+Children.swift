import Basics
import Messages

/// Children: runs that another one has started, and whose ends it is told.
extension Engine {
  // MARK: - At the parent

  /// Sends what the commands of the completion have begun, and have not cancelled since.
  mutating func sendChildren(of run: Run) {
    for event in run.unsentChildren { sendStart(of: event, run) }
    run.unsentChildren.removeAll()
  }

  private mutating func sendStart(of event: Int64, _ run: Run) {
    guard let first = run.newEvents.first else {
      preconditionFailure("event \(event) of \(run.number) was recorded by an earlier step")
    }
    var letter = letter(from: run, to: "", event: run.newEvents[Int(event - first.eventID)])
    guard case .startChildWorkflowExecutionInitiated(let start) = letter.event?.attributes else {
      preconditionFailure("event \(event) of \(run.number) starts no child")
    }
    letter.to?.workflowID = start.workflowID
    letter.root = run.fold.started.root ?? run.execution
    post(letter)
  }

  func letter(from run: Run, to workflowID: String, event: HistoryEvent?) -> Letter {
    var letter = Letter()
    letter.namespace = run.key.namespace
    letter.from = run.execution
    letter.to = WorkflowExecution()
    letter.to?.workflowID = workflowID
    letter.event = event
    return letter
  }

  /// A letter that only the child itself may read, or the run that follows it in its chain.
  func letter(
    from run: Run, to child: StartedChild, _ attributes: HistoryEvent.Attributes, event: Int64
  ) -> Letter {
    var letter = letter(from: run, to: child.workflowID, event: HistoryEvent())
    letter.toChild = true
    letter.toChildInitiatedEventID = child.initiatedEventID
    letter.event?.eventID = event
    letter.event?.attributes = attributes
    return letter
  }

  /// The run closes: each child is told what its policy says.
  mutating func releaseChildren(of run: Run) {
    #if MUTANTS
      if Mutant.isOn(.closePolicyIsOverlooked) { return run.unsentChildren.removeAll() }
    #endif
    for child in run.fold.children {
      let event = child.initiatedEventID
      let isUnsent = run.unsentChildren.contains(event)
      switch child.parentClosePolicy {
      case .abandon: if isUnsent { sendStart(of: event, run) }
      case .requestCancel where !isUnsent:
        var cancel = WorkflowExecutionCancelRequested()
        cancel.reason = Engine.parentHasClosed
        cancel.externalExecution = run.execution
        post(letter(from: run, to: child, .workflowExecutionCancelRequested(cancel), event: event))
      case _ where !isUnsent:
        var terminated = WorkflowExecutionTerminated()
        terminated.reason = Engine.parentHasClosed
        post(letter(from: run, to: child, .workflowExecutionTerminated(terminated), event: event))
      default: break  // It is not started at all.
      }
    }
    run.unsentChildren.removeAll()
  }

  private static let parentHasClosed = "the parent workflow has closed"

  /// What became of a request of this run; its event says of which.
  mutating func hear(_ answer: HistoryEvent.Attributes, about event: Int64, _ run: Run) {
    if let child = run.fold.child(initiatedEvent: event) {
      guard let known = answer.completed(with: child) else { return }
      record(run, known)
      afterInbound(run)
    } else if let sent = run.fold.sent.first(where: { $0.initiatedEventID == event }) {
      record(run, answer.completed(with: sent))
      requestArrived(sent, run)
      afterInbound(run)
    }
  }

  /// A child whose parent waits for no more than that counts as canceled.
  private mutating func requestArrived(_ sent: SentRequest, _ run: Run) {
    guard let child = run.fold.child(initiatedEvent: sent.childInitiatedEventID),
      child.cancellationType == .waitCancellationRequested
    else { return }
    cancelled(child, of: run)
  }

  /// The parent goes on without the child's own end.
  private mutating func cancelled(_ child: StartedChild, of run: Run) {
    var execution = WorkflowExecution()
    execution.workflowID = child.workflowID
    execution.runID = child.runID
    if child.startedEventID == 0 {
      var failed = StartChildWorkflowExecutionFailed()
      failed.initiatedEventID = child.initiatedEventID
      failed.seq = child.seq
      failed.workflowID = child.workflowID
      failed.workflowType = child.workflowType
      failed.cause = .canceled
      record(run, .startChildWorkflowExecutionFailed(failed))
    } else {
      var canceled = ChildWorkflowExecutionCanceled()
      canceled.initiatedEventID = child.initiatedEventID
      canceled.seq = child.seq
      canceled.startedEventID = child.startedEventID
      canceled.execution = execution
      canceled.workflowType = child.workflowType
      record(run, .childWorkflowExecutionCanceled(canceled))
    }
  }

  /// Resolves a cancel of the completion: what was not sent yet never is, and some parents wait for
  /// nothing.
  mutating func resolveCancel(ofChild seq: UInt32, _ run: Run) {
    guard let child = run.fold.child(seq: seq) else { return }
    if let place = run.unsentChildren.firstIndex(of: child.initiatedEventID) {
      run.unsentChildren.remove(at: place)
      cancelled(child, of: run)
    } else if child.cancellationType == .abandon || child.cancellationType == .tryCancel {
      #if MUTANTS
        if Mutant.isOn(.cancelWaitsAlways) { return }
      #endif
      cancelled(child, of: run)
    }
  }

  // MARK: - At the child

  mutating func startChild(
    _ e: StartChildWorkflowExecutionInitiated, _ letter: Letter, _ key: WorkflowKey, _ run: Run?
  ) {
    let request = StartWorkflowRequest(e, letter)
    switch admit(request, run, default: .fail, isChild: true) {
    case .refuse(let status):
      var failed = StartChildWorkflowExecutionFailed()
      failed.cause = .workflowAlreadyExists
      failed.message = status.message
      reply(to: letter, .startChildWorkflowExecutionFailed(failed))
    case .use: preconditionFailure("a child is never a run that was there")
    case .start:
      let child = start(request, key, by: letter)
      offerTask(child)
      var started = ChildWorkflowExecutionStarted()
      started.execution = child.execution
      reply(to: letter, .childWorkflowExecutionStarted(started))
    }
  }

  /// The run has closed and none follows it: its parent is told.
  mutating func tellParent(of run: Run) {
    let started = run.fold.started
    #if MUTANTS
      let isLast = Mutant.isOn(.parentHearsOfEachRun) || run.fold.nextRunID == .none
    #else
      let isLast = run.fold.nextRunID == .none
    #endif
    guard let parent = started.parent, isLast,
      let end = run.fold.closing?.attributes?.asEndOfChild(run.execution)
    else { return }
    var letter = Letter()
    letter.namespace = run.key.namespace
    letter.from = run.execution
    letter.to = parent
    letter.event = HistoryEvent()
    letter.event?.eventID = started.parentInitiatedEventID
    letter.event?.attributes = end
    post(letter)
  }
}

extension StartWorkflowRequest {
  fileprivate init(_ e: StartChildWorkflowExecutionInitiated, _ letter: Letter) {
    self.init()
    namespace = letter.namespace
    workflowID = e.workflowID
    workflowType = e.workflowType
    taskQueue = e.taskQueue
    input = e.input
    header = e.header
    executionTimeoutMs = e.executionTimeoutMs
    runTimeoutMs = e.runTimeoutMs
    taskTimeoutMs = e.taskTimeoutMs
    retryPolicy = e.retryPolicy
    idReusePolicy = e.idReusePolicy
    userMetadata = letter.event?.userMetadata
  }
}

extension HistoryEvent.Attributes {
  /// What the end of a run is to its parent, which knows the rest; nil: it is no end.
  fileprivate func asEndOfChild(_ execution: WorkflowExecution) -> HistoryEvent.Attributes? {
    switch self {
    case .workflowExecutionCompleted(let end):
      var event = ChildWorkflowExecutionCompleted()
      event.execution = execution
      event.result = end.result
      return .childWorkflowExecutionCompleted(event)
    case .workflowExecutionFailed(let end):
      var event = ChildWorkflowExecutionFailed()
      event.execution = execution
      event.failure = end.failure
      event.retryState = end.retryState
      return .childWorkflowExecutionFailed(event)
    case .workflowExecutionCanceled(let end):
      var event = ChildWorkflowExecutionCanceled()
      event.execution = execution
      event.details = end.details
      return .childWorkflowExecutionCanceled(event)
    case .workflowExecutionTimedOut(let end):
      var event = ChildWorkflowExecutionTimedOut()
      event.execution = execution
      event.retryState = end.retryState
      return .childWorkflowExecutionTimedOut(event)
    case .workflowExecutionTerminated:
      var event = ChildWorkflowExecutionTerminated()
      event.execution = execution
      return .childWorkflowExecutionTerminated(event)
    default: return nil
    }
  }

  /// With what the parent knows of its child; nil: it does not fit what is known.
  fileprivate func completed(with child: StartedChild) -> HistoryEvent.Attributes? {
    let (initiated, started) = (child.initiatedEventID, child.startedEventID)
    switch self {
    case .startChildWorkflowExecutionFailed(var e):
      (e.initiatedEventID, e.seq) = (initiated, child.seq)
      (e.workflowID, e.workflowType) = (child.workflowID, child.workflowType)
      return started == 0 ? .startChildWorkflowExecutionFailed(e) : nil
    case .childWorkflowExecutionStarted(var e):
      (e.initiatedEventID, e.seq, e.workflowType) = (initiated, child.seq, child.workflowType)
      return started == 0 ? .childWorkflowExecutionStarted(e) : nil
    case .childWorkflowExecutionCompleted(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (child.seq, child.workflowType)
      return .childWorkflowExecutionCompleted(e)
    case .childWorkflowExecutionFailed(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (child.seq, child.workflowType)
      return .childWorkflowExecutionFailed(e)
    case .childWorkflowExecutionCanceled(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (child.seq, child.workflowType)
      return .childWorkflowExecutionCanceled(e)
    case .childWorkflowExecutionTimedOut(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (child.seq, child.workflowType)
      return .childWorkflowExecutionTimedOut(e)
    case .childWorkflowExecutionTerminated(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (child.seq, child.workflowType)
      return .childWorkflowExecutionTerminated(e)
    default: return nil
    }
  }

  /// With what the sender knows of its request.
  fileprivate func completed(with sent: SentRequest) -> HistoryEvent.Attributes {
    let (initiated, seq) = (sent.initiatedEventID, sent.seq)
    switch self {
    case .signalExternalWorkflowExecutionFailed(var e):
      (e.initiatedEventID, e.seq) = (initiated, seq)
      return .signalExternalWorkflowExecutionFailed(e)
    case .externalWorkflowExecutionSignaled(var e):
      (e.initiatedEventID, e.seq) = (initiated, seq)
      return .externalWorkflowExecutionSignaled(e)
    case .requestCancelExternalWorkflowExecutionFailed(var e):
      (e.initiatedEventID, e.seq) = (initiated, seq)
      return .requestCancelExternalWorkflowExecutionFailed(e)
    case .externalWorkflowExecutionCancelRequested(var e):
      (e.initiatedEventID, e.seq) = (initiated, seq)
      return .externalWorkflowExecutionCancelRequested(e)
    default: preconditionFailure("a request of a run is answered with something else")
    }
  }
}
