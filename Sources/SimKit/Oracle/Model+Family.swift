import Basics
import EngineCore
import Messages

/// Runs and other runs: children, signals, cancel requests.
extension Model {
  // MARK: - Commands

  mutating func startChild(
    _ m: StartChild, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var event = StartChildWorkflowExecutionInitiated()
    event.seq = m.seq
    event.workflowID = m.workflowID.isEmpty ? "\(run.id)/\(m.seq)" : m.workflowID
    event.defaultWorkflowID = m.workflowID.isEmpty
    event.workflowType = m.workflowType
    event.taskQueue = m.taskQueue.isEmpty ? run.started.taskQueue : m.taskQueue
    event.input = m.input
    event.header = m.header
    event.executionTimeoutMs = m.executionTimeoutMs
    event.runTimeoutMs = m.runTimeoutMs
    event.taskTimeoutMs = m.taskTimeoutMs
    event.retryPolicy = m.retryPolicy?.withDefaults
    event.idReusePolicy = m.idReusePolicy
    event.parentClosePolicy = m.parentClosePolicy
    if event.parentClosePolicy == .unspecified { event.parentClosePolicy = .terminate }
    event.cancellationType = m.cancellationType
    if event.cancellationType == .unspecified {
      event.cancellationType = .waitCancellationCompleted
    }
    event.memo = m.memo
    event.searchAttributes = m.searchAttributes
    declare(m.searchAttributes)
    event.workflowTaskCompletedEventID = completion
    event.priority = priority(m.priority, of: run)
    event.concurrencyKey = m.concurrencyKey
    event.location = command.location
    run.lastSeq = m.seq
    append(
      .startChildWorkflowExecutionInitiated(event), to: run, metadata: command.userMetadata)
    run.children.append(ModelChild(event: run.lastEventID, initiated: event))
    write(run, .of(event.workflowID), .startChildWorkflowExecutionInitiated(event))
  }

  mutating func cancelChild(
    _ m: CancelChild, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var event = RequestCancelExternalWorkflowExecutionInitiated()
    event.childSeq = m.seq
    event.childWorkflowOnly = true
    event.reason = m.reason
    event.workflowTaskCompletedEventID = completion
    event.location = command.location
    let place = run.children.firstIndex { $0.initiated.seq == m.seq }
    var asks: ModelChild?
    if let place {
      let child = run.children[place]
      if child.isSent && !child.isCancelRequested && child.initiated.cancellationType != .abandon {
        asks = child
        event.execution = .of(child.initiated.workflowID)
      }
      run.children[place].isCancelRequested = true
    }
    append(.requestCancelExternalWorkflowExecutionInitiated(event), to: run)
    guard let asks else { return }
    run.sent.append(ModelSent(event: run.lastEventID, seq: 0, child: asks.event))
    write(
      run, .of(asks.initiated.workflowID),
      .requestCancelExternalWorkflowExecutionInitiated(event), toChild: asks.event,
      base: asks.base)
  }

  mutating func signalExternal(
    _ m: SignalExternal, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var event = SignalExternalWorkflowExecutionInitiated()
    event.seq = m.seq
    event.execution = m.execution
    event.childWorkflowOnly = m.childWorkflowOnly
    event.signalName = m.signalName
    event.input = m.input
    event.header = m.header
    event.workflowTaskCompletedEventID = completion
    event.location = command.location
    run.lastSeq = m.seq
    append(
      .signalExternalWorkflowExecutionInitiated(event), to: run, metadata: command.userMetadata)
    run.sent.append(ModelSent(event: run.lastEventID, seq: m.seq, child: 0))
    write(
      run, m.execution ?? WorkflowExecution(),
      .signalExternalWorkflowExecutionInitiated(event), toChild: m.childWorkflowOnly ? 0 : nil,
      base: m.childWorkflowOnly ? run.starter(of: m.execution) : .none)
  }

  mutating func cancelExternal(
    _ m: CancelExternal, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var event = RequestCancelExternalWorkflowExecutionInitiated()
    event.seq = m.seq
    event.execution = m.execution
    event.reason = m.reason
    event.workflowTaskCompletedEventID = completion
    event.location = command.location
    run.lastSeq = m.seq
    append(
      .requestCancelExternalWorkflowExecutionInitiated(event), to: run,
      metadata: command.userMetadata)
    run.sent.append(ModelSent(event: run.lastEventID, seq: m.seq, child: 0))
    write(
      run, m.execution ?? WorkflowExecution(),
      .requestCancelExternalWorkflowExecutionInitiated(event))
  }

  /// What a cancel of the completion comes to at once.
  mutating func resolveCancel(ofChild seq: UInt32, _ run: ModelRun) {
    let place = run.children.firstIndex { $0.initiated.seq == seq && !$0.isLeft }
    guard let place else { return }
    let child = run.children[place]
    let kind = child.initiated.cancellationType
    if !child.isSent {
      run.unsent.removeAll { $0.event == child.event }
      leave(place, run)
      run.children.remove(at: place)
    } else if kind == .abandon || kind == .tryCancel {
      leave(place, run)
    }
  }

  /// The parent does not wait for the child any more.
  private mutating func leave(_ place: Int, _ run: ModelRun) {
    let child = run.children[place]
    run.children[place].isLeft = true
    if child.startedEvent == 0 {
      var failed = StartChildWorkflowExecutionFailed()
      failed.initiatedEventID = child.event
      failed.seq = child.initiated.seq
      failed.workflowID = child.initiated.workflowID
      failed.workflowType = child.initiated.workflowType
      failed.cause = .canceled
      failed.early = child.isSent
      append(.startChildWorkflowExecutionFailed(failed), to: run)
    } else {
      var canceled = ChildWorkflowExecutionCanceled()
      canceled.initiatedEventID = child.event
      canceled.seq = child.initiated.seq
      canceled.startedEventID = child.startedEvent
      canceled.execution = .of(child.initiated.workflowID, child.runID)
      canceled.workflowType = child.initiated.workflowType
      canceled.early = true
      append(.childWorkflowExecutionCanceled(canceled), to: run)
    }
  }

  /// What the commands of a completion had to say, in their order.
  mutating func sendLetters(_ run: ModelRun) {
    mail += run.unsent
    run.unsent = []
    for place in run.children.indices { run.children[place].isSent = true }
  }

  /// A run ends: what its children are told. One that is to begin with the end begins only if it is
  /// left alone.
  mutating func leaveChildren(of run: ModelRun) {
    let told = run.children.filter(\.isSent)
    for child in run.children
    where !child.isSent && child.initiated.parentClosePolicy != .abandon {
      run.unsent.removeAll { $0.event == child.event }
    }
    sendLetters(run)
    for child in told where !goesOver(child, run) {
      let id = WorkflowExecution.of(child.initiated.workflowID)
      switch child.initiated.parentClosePolicy {
      case .abandon: break
      case .requestCancel:
        var cancel = WorkflowExecutionCancelRequested()
        cancel.reason = "the parent workflow has closed"
        cancel.externalExecution = .of(run.workflowID, run.id)
        post(
          run, id, child.event, .workflowExecutionCancelRequested(cancel), toChild: child.event,
          base: child.base)
      default:
        var terminated = WorkflowExecutionTerminated()
        terminated.reason = "the parent workflow has closed"
        post(
          run, id, child.event, .workflowExecutionTerminated(terminated), toChild: child.event,
          base: child.base)
      }
    }
  }

  /// After a run's end: nothing while another follows.
  mutating func tellParent(_ run: ModelRun) {
    guard let parent = run.started.parent, run.nextRunID == .none,
      let end = run.events.last?.attributes
    else { return }
    post(run, parent, run.started.parentInitiatedEventID, end)
  }

  // MARK: - Letters

  private mutating func post(
    _ run: ModelRun, _ to: WorkflowExecution, _ event: Int64,
    _ content: HistoryEvent.Attributes, toChild: Int64? = nil, base: RunID = .none
  ) {
    mail.append(letter(run, to, event, content, toChild, base))
  }

  /// About the event that was appended last; posted after all commands.
  private func write(
    _ run: ModelRun, _ to: WorkflowExecution, _ content: HistoryEvent.Attributes,
    toChild: Int64? = nil, base: RunID = .none
  ) {
    run.unsent.append(letter(run, to, run.lastEventID, content, toChild, base))
  }

  private func letter(
    _ run: ModelRun, _ to: WorkflowExecution, _ event: Int64,
    _ content: HistoryEvent.Attributes, _ toChild: Int64?, _ base: RunID
  ) -> ModelLetter {
    let own = WorkflowExecution.of(run.workflowID, run.id)
    return ModelLetter(
      from: own, to: to, toChild: toChild, event: event, content: content,
      root: run.started.root ?? own,
      metadata: event <= run.lastEventID ? run.events[Int(event) - 1].userMetadata : nil,
      base: base)
  }

  /// In their order, but for those whose runs had to be loaded.
  mutating func deliverMail() {
    var late: [ModelLetter] = []
    while true {
      if !mail.isEmpty {
        let letter = mail.removeFirst()
        if lateLetters.contains(where: letter.isSame) {
          late.append(letter)
        } else {
          for earlier in late.filter({ isHeard($0, before: letter) }) {
            late.removeAll { $0.isSame(as: earlier) }
            lateLetters.removeAll { earlier.isSame(as: $0) }
            read(earlier)
          }
          read(letter)
        }
      } else if let next = lateLetters.first {
        lateLetters.removeFirst()
        guard let place = late.firstIndex(where: { $0.isSame(as: next) }) else { continue }
        read(late.remove(at: place))
      } else {
        break
      }
      takeResumed()
    }
    for letter in late {
      objections.append("a letter to '\(letter.to.workflowID)' was not taken in")
      read(letter)
    }
  }

  /// The engine took a late letter in, and what brought the other one happened later still.
  private func isHeard(_ late: ModelLetter, before letter: ModelLetter) -> Bool {
    func place(_ letter: ModelLetter) -> Int? {
      heard.firstIndex { $0.run == letter.to.runID && $0.event == letter.event }
    }
    guard late.to.runID == letter.to.runID, let first = place(late), let second = place(letter)
    else { return false }
    return first < second
  }

  mutating func read(_ letter: ModelLetter) {
    var run: ModelRun?
    if case .run(let found) = find(letter.to) { run = found }
    if letter.asks { return tellOfChild(letter, run) }
    switch letter.content {
    case .startChildWorkflowExecutionInitiated(let m): start(m, letter)
    case .signalExternalWorkflowExecutionInitiated(let m): take(m, letter, run)
    case .requestCancelExternalWorkflowExecutionInitiated(let m): take(m, letter, run)
    case .workflowExecutionCancelRequested(let m):
      guard case .run(let run) = reader(letter, run) else { return }
      if !wait(letter, run) { cancel(run, m) }
    // Of a policy; one without `toChild` is a child's end.
    case .workflowExecutionTerminated(let m) where letter.toChild != nil:
      guard case .run(let run) = reader(letter, run) else { return }
      append(.workflowExecutionTerminated(m), to: run)
      close(run, .terminated)
    default: if let run, run.isOpen { hear(letter, run) } else { forward(letter, run) }
    }
  }

  /// A run that was reset is answered: the one that goes on in its place waits for it.
  private mutating func forward(_ letter: ModelLetter, _ run: ModelRun?) {
    if letter.to.runID == .none { return }
    if let run, run.resetRunID == .none { return }
    mail.append(
      ModelLetter(
        from: letter.from, to: .of(letter.to.workflowID), toChild: nil, event: letter.event,
        content: letter.content, root: letter.root, metadata: nil,
        base: letter.base == .none ? letter.to.runID : letter.base))
  }

  /// A child that has ended says so once more; one that has not will.
  private mutating func tellOfChild(_ letter: ModelLetter, _ run: ModelRun?) {
    var letter = letter
    func say(_ content: HistoryEvent.Attributes, _ from: WorkflowExecution) -> ModelLetter {
      ModelLetter(
        from: from, to: letter.from, toChild: nil, event: letter.event, content: content,
        root: letter.root, metadata: nil, base: letter.base)
    }
    let isStarted = letter.to.runID != .none
    let isChild =
      run?.started.parent?.runID == letter.base
      && run?.started.parentInitiatedEventID == letter.event
    guard let run, isChild else {
      var unknown = StartChildWorkflowExecutionFailed()
      unknown.cause = .outcomeUnknown
      var gone = WorkflowExecutionFailed()
      var server = ServerFailure()
      server.nonRetryable = true
      gone.failure = .of(
        "the child has been removed: how it ended is not known", .server(server))
      mail.append(
        say(
          isStarted ? .workflowExecutionFailed(gone) : .startChildWorkflowExecutionFailed(unknown),
          letter.to))
      return
    }
    if !isStarted {
      var started = ChildWorkflowExecutionStarted()
      started.execution = .of(run.workflowID, run.started.firstRunID)
      mail.append(say(.childWorkflowExecutionStarted(started), letter.to))
    }
    if run.isOpen { return }
    if run.nextRunID != .none {
      letter.to.runID = run.nextRunID
      mail.append(letter)
    } else if let end = run.events.last?.attributes {
      mail.append(say(end, .of(run.workflowID, run.id)))
    }
  }

  private enum Reader {
    case run(ModelRun)
    case nobody(ExternalFailedCause)
  }

  /// Who may read the letter, if it is open.
  private func reader(_ letter: ModelLetter, _ run: ModelRun?) -> Reader {
    guard let run else { return .nobody(.notFound) }
    if let child = letter.toChild {
      let parent = letter.base == .none ? letter.from.runID : letter.base
      let isOwn = run.started.parent?.runID == parent
      let isMeant = child == 0 || run.started.parentInitiatedEventID == child
      if !isOwn || !isMeant { return .nobody(.notFound) }
    }
    return run.isOpen ? .run(run) : .nobody(.closed)
  }

  /// While a redo is out.
  private func wait(_ letter: ModelLetter, _ run: ModelRun) -> Bool {
    guard run.isRedo, run.task.session != nil else { return false }
    run.parked.append(.letter(letter))
    return true
  }

  private mutating func start(_ m: StartChildWorkflowExecutionInitiated, _ letter: ModelLetter) {
    var request = StartWorkflowRequest()
    request.workflowID = m.workflowID
    request.workflowType = m.workflowType
    request.taskQueue = m.taskQueue
    request.input = m.input
    request.header = m.header
    request.executionTimeoutMs = m.executionTimeoutMs
    request.runTimeoutMs = m.runTimeoutMs
    request.taskTimeoutMs = m.taskTimeoutMs
    request.retryPolicy = m.retryPolicy
    request.idReusePolicy = m.idReusePolicy
    request.userMetadata = letter.metadata
    request.memo = m.memo
    request.searchAttributes = m.searchAttributes
    request.priority = m.priority
    request.concurrencyKey = m.concurrencyKey
    if case .started(let run) = begin(request, default: .fail, by: letter) {
      var started = ChildWorkflowExecutionStarted()
      started.execution = .of(run.workflowID, run.id)
      answer(letter, .childWorkflowExecutionStarted(started))
    } else {
      var failed = StartChildWorkflowExecutionFailed()
      failed.cause = .workflowAlreadyExists
      answer(letter, .startChildWorkflowExecutionFailed(failed))
    }
  }

  private mutating func take(
    _ m: SignalExternalWorkflowExecutionInitiated, _ letter: ModelLetter, _ run: ModelRun?
  ) {
    var failed = SignalExternalWorkflowExecutionFailed()
    failed.execution = m.execution
    switch reader(letter, run) {
    case .run(let run):
      if wait(letter, run) { return }
      if run.signals < limits.signalsPerRunMax {
        var signaled = WorkflowExecutionSignaled()
        signaled.signalName = m.signalName
        signaled.input = m.input
        signaled.header = m.header
        signaled.externalExecution = letter.from
        run.signals += 1
        append(.workflowExecutionSignaled(signaled), to: run)
        var arrived = ExternalWorkflowExecutionSignaled()
        arrived.execution = .of(run.workflowID, run.id)
        return answer(letter, .externalWorkflowExecutionSignaled(arrived))
      }
      failed.cause = .limitReached
    case .nobody(let cause): failed.cause = cause
    }
    answer(letter, .signalExternalWorkflowExecutionFailed(failed))
  }

  private mutating func take(
    _ m: RequestCancelExternalWorkflowExecutionInitiated, _ letter: ModelLetter, _ run: ModelRun?
  ) {
    switch reader(letter, run) {
    case .run(let run):
      if wait(letter, run) { return }
      var requested = WorkflowExecutionCancelRequested()
      requested.reason = m.reason
      requested.externalExecution = letter.from
      cancel(run, requested)
      var arrived = ExternalWorkflowExecutionCancelRequested()
      arrived.execution = .of(run.workflowID, run.id)
      answer(letter, .externalWorkflowExecutionCancelRequested(arrived))
    case .nobody(let cause):
      var failed = RequestCancelExternalWorkflowExecutionFailed()
      failed.execution = m.execution
      failed.cause = cause
      answer(letter, .requestCancelExternalWorkflowExecutionFailed(failed))
    }
  }

  private mutating func cancel(_ run: ModelRun, _ m: WorkflowExecutionCancelRequested) {
    guard !run.isCancelRequested else { return }
    run.isCancelRequested = true
    append(.workflowExecutionCancelRequested(m), to: run)
  }

  private mutating func answer(_ letter: ModelLetter, _ content: HistoryEvent.Attributes) {
    mail.append(
      ModelLetter(
        from: letter.to, to: letter.from, toChild: nil, event: letter.event, content: content,
        root: letter.root, metadata: nil))
  }

  // MARK: - Answers

  private mutating func hear(_ letter: ModelLetter, _ run: ModelRun) {
    if let place = run.children.firstIndex(where: { $0.event == letter.event }) {
      return run.children[place].base == letter.base ? hear(letter, of: place, run) : ()
    }
    guard
      let place = run.sent.firstIndex(where: {
        $0.event == letter.event && $0.base == letter.base
      })
    else { return }
    let sent = run.sent.remove(at: place)
    switch letter.content {
    case .signalExternalWorkflowExecutionFailed(var m):
      (m.initiatedEventID, m.seq) = (sent.event, sent.seq)
      append(.signalExternalWorkflowExecutionFailed(m), to: run)
    case .externalWorkflowExecutionSignaled(var m):
      (m.initiatedEventID, m.seq) = (sent.event, sent.seq)
      append(.externalWorkflowExecutionSignaled(m), to: run)
    case .requestCancelExternalWorkflowExecutionFailed(var m):
      (m.initiatedEventID, m.seq) = (sent.event, sent.seq)
      append(.requestCancelExternalWorkflowExecutionFailed(m), to: run)
    case .externalWorkflowExecutionCancelRequested(var m):
      (m.initiatedEventID, m.seq) = (sent.event, sent.seq)
      append(.externalWorkflowExecutionCancelRequested(m), to: run)
    default: objections.append("a request of \(run.id) is answered by something else")
    }
    requestArrived(sent, run)
  }

  mutating func requestArrived(_ sent: ModelSent, _ run: ModelRun) {
    let child = run.children.firstIndex { $0.event == sent.child && !$0.isLeft }
    if let child, run.children[child].initiated.cancellationType == .waitCancellationRequested {
      leave(child, run)
    }
  }

  /// A child runs, cannot, or has ended.
  private mutating func hear(_ letter: ModelLetter, of place: Int, _ run: ModelRun) {
    let child = run.children[place]
    let (event, type) = (child.event, child.initiated.workflowType)
    let seq = child.isLeft ? 0 : child.initiated.seq
    let id = child.initiated.workflowID
    switch letter.content {
    case .childWorkflowExecutionStarted(var m):
      (m.initiatedEventID, m.seq, m.workflowType) = (event, seq, type)
      append(.childWorkflowExecutionStarted(m), to: run)
      run.children[place].startedEvent = run.lastEventID
      run.children[place].runID = m.execution?.runID ?? .none
      return
    case .startChildWorkflowExecutionFailed(var m):
      (m.initiatedEventID, m.seq, m.workflowID, m.workflowType) = (event, seq, id, type)
      append(.startChildWorkflowExecutionFailed(m), to: run)
    case .workflowExecutionCompleted(let end):
      var m = ChildWorkflowExecutionCompleted()
      (m.initiatedEventID, m.seq, m.workflowType) = (event, seq, type)
      (m.startedEventID, m.execution, m.result) = (child.startedEvent, letter.from, end.result)
      append(.childWorkflowExecutionCompleted(m), to: run)
    case .workflowExecutionFailed(let end):
      var m = ChildWorkflowExecutionFailed()
      (m.initiatedEventID, m.seq, m.workflowType) = (event, seq, type)
      (m.startedEventID, m.execution) = (child.startedEvent, letter.from)
      (m.failure, m.retryState) = (end.failure, end.retryState)
      append(.childWorkflowExecutionFailed(m), to: run)
    case .workflowExecutionCanceled(let end):
      var m = ChildWorkflowExecutionCanceled()
      (m.initiatedEventID, m.seq, m.workflowType) = (event, seq, type)
      (m.startedEventID, m.execution, m.details) = (child.startedEvent, letter.from, end.details)
      append(.childWorkflowExecutionCanceled(m), to: run)
    case .workflowExecutionTimedOut(let end):
      var m = ChildWorkflowExecutionTimedOut()
      (m.initiatedEventID, m.seq, m.workflowType) = (event, seq, type)
      (m.startedEventID, m.execution) = (child.startedEvent, letter.from)
      m.retryState = end.retryState
      append(.childWorkflowExecutionTimedOut(m), to: run)
    case .workflowExecutionTerminated:
      var m = ChildWorkflowExecutionTerminated()
      (m.initiatedEventID, m.seq, m.workflowType) = (event, seq, type)
      (m.startedEventID, m.execution) = (child.startedEvent, letter.from)
      append(.childWorkflowExecutionTerminated(m), to: run)
    default: objections.append("child '\(id)' of \(run.id) is told of something else")
    }
    run.children.removeAll { $0.event == event }
  }
}
