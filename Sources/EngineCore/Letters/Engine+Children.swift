import Basics
import Messages

/// Children: runs that another one has started, and whose ends it is told.
extension Engine {
  // MARK: - At the parent

  /// Posts the letters of a completion's commands, but for those that were withdrawn.
  mutating func sendLetters(of run: Run) {
    for event in run.unsent { sendLetter(of: event, run) }
    run.unsent.removeAll()
  }

  private mutating func sendLetter(of event: Int64, _ run: Run) {
    guard let first = run.newEvents.first else {
      preconditionFailure("event \(event) of \(run.number) was recorded by an earlier step")
    }
    var letter = Letter()
    letter.namespace = run.key.namespace
    letter.from = run.execution
    letter.event = run.newEvents[Int(event - first.eventID)]
    switch letter.event?.attributes {
    case .startChildWorkflowExecutionInitiated(let e):
      letter.to = WorkflowExecution()
      letter.to?.workflowID = e.workflowID
      letter.root = run.fold.started.root ?? run.execution
    case .signalExternalWorkflowExecutionInitiated(let e):
      letter.to = e.execution
      letter.toChild = e.childWorkflowOnly
      if e.childWorkflowOnly { letter.baseRunID = starter(of: e.execution, run) }
    case .requestCancelExternalWorkflowExecutionInitiated(let e):
      letter.to = e.execution
      letter.toChild = e.childWorkflowOnly
      let child = run.fold.child(seq: e.childSeq)
      letter.toChildInitiatedEventID = child?.initiatedEventID ?? 0
      letter.baseRunID = child?.baseRunID ?? .none
      if e.childWorkflowOnly && child == nil { letter.baseRunID = starter(of: e.execution, run) }
    default: preconditionFailure("event \(event) of \(run.number) tells nobody anything")
    }
    post(letter)
  }

  /// The run that has started the child of this workflow id, if that was one which was reset.
  private func starter(of execution: WorkflowExecution?, _ run: Run) -> RunID {
    let id = execution?.workflowID ?? ""
    return run.fold.children.last { $0.workflowID == id }?.baseRunID ?? .none
  }

  /// The run closes: what its last completion had to say is said, and each child is told what its
  /// policy says; one that was to be started only begins if it is left alone.
  mutating func releaseChildren(of run: Run) {
    #if MUTANTS
      if Mutant.isOn(.closePolicyIsOverlooked) { return sendLetters(of: run) }
    #endif
    let unsent = Set(run.unsent)
    let unborn = run.fold.children.filter {
      unsent.contains($0.initiatedEventID) && $0.parentClosePolicy != .abandon
    }
    run.unsent.removeAll { event in unborn.contains { $0.initiatedEventID == event } }
    sendLetters(of: run)
    for child in run.fold.children where !unsent.contains(child.initiatedEventID) {
      if goesOver(child, from: run) { continue }
      switch child.parentClosePolicy {
      case .abandon: break
      case .requestCancel:
        var cancel = WorkflowExecutionCancelRequested()
        cancel.reason = Engine.parentHasClosed
        cancel.externalExecution = run.execution
        tell(child, of: run, .workflowExecutionCancelRequested(cancel))
      default:
        var terminated = WorkflowExecutionTerminated()
        terminated.reason = Engine.parentHasClosed
        tell(child, of: run, .workflowExecutionTerminated(terminated))
      }
    }
  }

  /// The run ends because of a reset, and what goes on in its place has the child, too.
  private func goesOver(_ child: StartedChild, from run: Run) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.resetEndsChildren) { return false }
    #endif
    guard let number = byRunID[run.resetTo], let next = runs[number] else { return false }
    let starter = child.baseRunID == .none ? run.runID : child.baseRunID
    return next.fold.children.contains {
      $0.initiatedEventID == child.initiatedEventID && $0.baseRunID == starter
    }
  }

  private mutating func tell(
    _ child: StartedChild, of run: Run, _ attributes: HistoryEvent.Attributes
  ) {
    var letter = Letter()
    letter.namespace = run.key.namespace
    letter.from = run.execution
    letter.to = WorkflowExecution()
    letter.to?.workflowID = child.workflowID
    letter.toChild = true
    letter.toChildInitiatedEventID = child.initiatedEventID
    letter.baseRunID = child.baseRunID
    letter.event = HistoryEvent()
    letter.event?.eventID = child.initiatedEventID
    letter.event?.attributes = attributes
    post(letter)
  }

  private static let parentHasClosed = "the parent workflow has closed"

  /// What became of a request of this run, or of the run `base` that was reset; its event says of
  /// which.
  mutating func hear(
    _ answer: HistoryEvent.Attributes, about event: Int64, of base: RunID, _ run: Run
  ) {
    if let child = run.fold.child(initiatedEvent: event) {
      guard child.baseRunID == base, let known = answer.completed(with: child) else { return }
      record(run, known)
      // Of a child that it has left, its code is told nothing.
      if !child.left { afterInbound(run) }
    } else if let sent = run.fold.sent.first(where: { $0.initiatedEventID == event }),
      sent.baseRunID == base
    {
      record(run, answer.completed(with: sent))
      requestArrived(sent, run)
      afterInbound(run)
    }
  }

  /// What has been heard of a request that a copy of the run has made, too.
  mutating func hearAgain(_ event: HistoryEvent, _ run: Run) {
    guard let answer = event.attributes, let about = event.answers else { return }
    let child = run.fold.child(initiatedEvent: about)
    let sent = run.fold.sent.first { $0.initiatedEventID == about }
    hear(answer, about: about, of: child?.baseRunID ?? sent?.baseRunID ?? .none, run)
  }

  /// The run is a reset of one that has closed: what that one's children have said since, and
  /// those that it had asked for something, nobody has heard.
  mutating func askAgain(_ run: Run) {
    #if MUTANTS
      if Mutant.isOn(.resetAsksNobody) { return }
    #endif
    for child in run.fold.children {
      var letter = Letter()
      letter.namespace = run.key.namespace
      letter.from = run.execution
      letter.to = WorkflowExecution()
      letter.to?.workflowID = child.workflowID
      letter.to?.runID = child.runID
      letter.baseRunID = child.baseRunID
      letter.asks = true
      letter.event = HistoryEvent()
      letter.event?.eventID = child.initiatedEventID
      post(letter)
    }
    failSent(by: run, .outcomeUnknown)
  }

  /// The run is a fork: its base's children, and whom its base has asked for something, tell it
  /// nothing.
  mutating func leaveBehind(_ run: Run) {
    for child in run.fold.children {
      var failed = ChildWorkflowExecutionFailed()
      failed.execution = WorkflowExecution()
      failed.execution?.workflowID = child.workflowID
      failed.execution?.runID = child.runID
      failed.failure = .server("the child goes on for the run that this one was forked from")
      var notStarted = StartChildWorkflowExecutionFailed()
      notStarted.cause = .workflowAlreadyExists
      notStarted.message = "the child is started for the run that this one was forked from"
      let answer: HistoryEvent.Attributes =
        child.startedEventID == 0
        ? .startChildWorkflowExecutionFailed(notStarted) : .childWorkflowExecutionFailed(failed)
      hear(answer, about: child.initiatedEventID, of: child.baseRunID, run)
    }
    failSent(by: run, .notFound)
  }

  /// Nobody will answer what the run has asked of others.
  private mutating func failSent(by run: Run, _ cause: ExternalFailedCause) {
    for sent in run.fold.sent {
      var signal = SignalExternalWorkflowExecutionFailed()
      signal.cause = cause
      var cancel = RequestCancelExternalWorkflowExecutionFailed()
      cancel.cause = cause
      hear(
        sent.isCancel
          ? .requestCancelExternalWorkflowExecutionFailed(cancel)
          : .signalExternalWorkflowExecutionFailed(signal),
        about: sent.initiatedEventID, of: sent.baseRunID, run)
    }
  }

  /// A child whose parent waits for no more than that counts as canceled.
  private mutating func requestArrived(_ sent: SentRequest, _ run: Run) {
    guard let child = run.fold.child(initiatedEvent: sent.childInitiatedEventID),
      child.cancellationType == .waitCancellationRequested, !child.left
    else { return }
    leave(child, of: run)
  }

  /// The parent goes on without the child's own end; `isWithdrawn`: it will never begin.
  private mutating func leave(_ child: StartedChild, of run: Run, isWithdrawn: Bool = false) {
    if child.startedEventID == 0 {
      var failed = StartChildWorkflowExecutionFailed()
      failed.initiatedEventID = child.initiatedEventID
      failed.seq = child.seq
      failed.workflowID = child.workflowID
      failed.workflowType = child.workflowType
      failed.cause = .canceled
      failed.early = !isWithdrawn
      record(run, .startChildWorkflowExecutionFailed(failed))
    } else {
      var canceled = ChildWorkflowExecutionCanceled()
      canceled.initiatedEventID = child.initiatedEventID
      canceled.seq = child.seq
      canceled.startedEventID = child.startedEventID
      canceled.execution = WorkflowExecution()
      canceled.execution?.workflowID = child.workflowID
      canceled.execution?.runID = child.runID
      canceled.workflowType = child.workflowType
      canceled.early = true
      record(run, .childWorkflowExecutionCanceled(canceled))
    }
  }

  /// Resolves a cancel of the completion: what was not sent yet never is, and some parents wait for
  /// nothing.
  mutating func resolveCancel(ofChild seq: UInt32, _ run: Run) {
    guard let child = run.fold.child(seq: seq), !child.left else { return }
    if let place = run.unsent.firstIndex(of: child.initiatedEventID) {
      run.unsent.remove(at: place)
      leave(child, of: run, isWithdrawn: true)
    } else if child.cancellationType == .abandon || child.cancellationType == .tryCancel {
      #if MUTANTS
        if Mutant.isOn(.cancelWaitsAlways) { return }
      #endif
      leave(child, of: run)
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
    #if MUTANTS
      let isLast = Mutant.isOn(.parentHearsOfEachRun) || run.nextRunID == .none
    #else
      let isLast = run.nextRunID == .none
    #endif
    guard let parent = run.fold.started.parent, isLast,
      let end = run.fold.closing?.attributes?.asEndOfChild(run.execution)
    else { return }
    var letter = Letter()
    letter.namespace = run.key.namespace
    letter.from = run.execution
    letter.to = parent
    letter.event = HistoryEvent()
    letter.event?.eventID = run.fold.started.parentInitiatedEventID
    letter.event?.attributes = end
    post(letter)
  }
}

extension Engine {
  /// Answers a letter that asks for a child: that it was started, and how it has ended. One that
  /// has not tells its end when it comes to it.
  mutating func tellOfChild(_ letter: Letter, _ run: Run?) {
    let isStarted = (letter.to?.runID ?? .none) != .none
    guard let run, isAskedFor(run, by: letter) else {
      return tell(isStarted ? .childIsGone(letter) : .childIsUnknown, to: letter)
    }
    if !isStarted {
      var started = ChildWorkflowExecutionStarted()
      started.execution = run.execution
      started.execution?.runID = run.fold.started.firstRunID
      tell(.childWorkflowExecutionStarted(started), to: letter)
    }
    guard !run.fold.isOpen else { return }
    if run.nextRunID != .none {
      var letter = letter
      letter.to?.runID = run.nextRunID
      return post(letter)
    }
    let end = run.fold.closing?.attributes?.asEndOfChild(run.execution)
    tell(end ?? .childIsGone(letter), to: letter)
  }

  private func isAskedFor(_ run: Run, by letter: Letter) -> Bool {
    let started = run.fold.started
    return started.parent?.runID == letter.baseRunID
      && started.parentInitiatedEventID == letter.event?.eventID
  }

  private mutating func tell(_ word: HistoryEvent.Attributes, to letter: Letter) {
    var answer = Letter()
    answer.namespace = letter.namespace
    answer.from = letter.to
    answer.to = letter.from
    answer.baseRunID = letter.baseRunID
    answer.event = HistoryEvent()
    answer.event?.eventID = letter.event?.eventID ?? 0
    answer.event?.attributes = word
    post(answer)
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
    memo = e.memo
    searchAttributes = e.searchAttributes
    priority = e.priority
    concurrencyKey = e.concurrencyKey
  }
}

extension HistoryEvent.Attributes {
  /// The child was started, and is not there any more.
  fileprivate static func childIsGone(_ letter: Letter) -> HistoryEvent.Attributes {
    var failed = ChildWorkflowExecutionFailed()
    failed.execution = letter.to
    failed.failure = .server("the child has been removed: how it ended is not known")
    return .childWorkflowExecutionFailed(failed)
  }

  /// The child may have been started.
  fileprivate static var childIsUnknown: HistoryEvent.Attributes {
    var failed = StartChildWorkflowExecutionFailed()
    failed.cause = .outcomeUnknown
    failed.message =
      "the run that asked for the child closed before it was answered, and there is no such child"
      + " now"
    return .startChildWorkflowExecutionFailed(failed)
  }

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
    let seq = child.left ? 0 : child.seq
    switch self {
    case .startChildWorkflowExecutionFailed(var e):
      (e.initiatedEventID, e.seq) = (initiated, seq)
      (e.workflowID, e.workflowType) = (child.workflowID, child.workflowType)
      return started == 0 ? .startChildWorkflowExecutionFailed(e) : nil
    case .childWorkflowExecutionStarted(var e):
      (e.initiatedEventID, e.seq, e.workflowType) = (initiated, seq, child.workflowType)
      return started == 0 ? .childWorkflowExecutionStarted(e) : nil
    case .childWorkflowExecutionCompleted(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (seq, child.workflowType)
      return .childWorkflowExecutionCompleted(e)
    case .childWorkflowExecutionFailed(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (seq, child.workflowType)
      return .childWorkflowExecutionFailed(e)
    case .childWorkflowExecutionCanceled(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (seq, child.workflowType)
      return .childWorkflowExecutionCanceled(e)
    case .childWorkflowExecutionTimedOut(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (seq, child.workflowType)
      return .childWorkflowExecutionTimedOut(e)
    case .childWorkflowExecutionTerminated(var e):
      (e.initiatedEventID, e.startedEventID) = (initiated, started)
      (e.seq, e.workflowType) = (seq, child.workflowType)
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
