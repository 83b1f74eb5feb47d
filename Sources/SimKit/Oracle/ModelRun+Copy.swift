import Basics
import Messages

/// What a history says of its run, for one that begins with another one's.
extension ModelRun {
  convenience init(_ copy: RunCopy, of base: ModelRun, at now: Instant) {
    var started = base.started
    started.runID = copy.execution?.runID ?? .none
    started.firstWorkflowTaskBackoffMs = .zero
    started.executionExpirationTimeMs =
      started.executionTimeoutMs == .zero ? .epoch : now + started.executionTimeoutMs
    let id = copy.execution?.workflowID ?? ""
    if !id.utf8.elementsEqual(base.workflowID.utf8) {
      started.workflowID = copy.execution?.workflowID ?? ""
      started.firstRunID = started.runID
      started.continuedRunID = .none
      started.parent = nil
      started.parentInitiatedEventID = 0
      started.root = nil
      started.scheduleID = ""
      started.scheduledTimeMs = .epoch
    }
    self.init(started, at: now, metadata: base.metadata)
  }

  /// Takes an event of the base.
  func fold(_ event: HistoryEvent) {
    events.append(event)
    switch event.attributes {
    case .workflowTaskCompleted(let m):
      through = m.throughEventID
      activationTime = m.activationTimeMs
      timers.removeAll { $0.hasFired && !isUnseenFiring($0) }
    case .workflowExecutionSignaled: signals += 1
    case .workflowExecutionCancelRequested: isCancelRequested = true
    case .markerRecorded(let m): lastSeq = max(lastSeq, m.seq)
    case .timerStarted(let m):
      lastSeq = m.seq
      timers.append(
        ModelTimer(
          seq: m.seq, id: m.timerID, startedEvent: event.eventID,
          fireTime: event.eventTimeMs + m.startToFireTimeoutMs))
    case .timerFired(let m):
      if let place = timers.firstIndex(where: { $0.seq == m.seq }) { timers[place].hasFired = true }
    case .timerCanceled(let m): timers.removeAll { $0.seq == m.seq }
    case .activityTaskScheduled(let m):
      lastSeq = m.seq
      activities.append(ModelActivity(event.eventID, m, at: event.eventTimeMs))
    case .activityTaskCancelRequested(let m):
      if let place = activities.firstIndex(where: { $0.event == m.scheduledEventID }) {
        activities[place].isCancelRequested = true
      }
    case .activityTaskCompleted(let m): end(activity: m.scheduledEventID)
    case .activityTaskFailed(let m): end(activity: m.scheduledEventID)
    case .activityTaskTimedOut(let m): end(activity: m.scheduledEventID)
    case .activityTaskCanceled(let m): end(activity: m.scheduledEventID)
    default: foldFamily(event)
    }
  }

  /// What was asked of the base's code by an earlier reset, and was not shown to it by then.
  func askAgain() {
    for event in events where event.eventID > through {
      guard var waiting = event.admitted?.waiting else { continue }
      waiting.after = event.eventID
      updates.append(waiting)
    }
  }

  private func end(activity event: Int64) { activities.removeAll { $0.event == event } }

  private func foldFamily(_ event: HistoryEvent) {
    switch event.attributes {
    case .startChildWorkflowExecutionInitiated(let m):
      lastSeq = m.seq
      var child = ModelChild(event: event.eventID, initiated: m)
      child.isSent = true
      children.append(child)
    case .signalExternalWorkflowExecutionInitiated(let m):
      lastSeq = m.seq
      sent.append(ModelSent(event: event.eventID, seq: m.seq, child: 0))
    case .requestCancelExternalWorkflowExecutionInitiated(let m):
      lastSeq = max(lastSeq, m.seq)
      let child = m.childSeq == 0 ? nil : children.firstIndex { $0.initiated.seq == m.childSeq }
      if let child { children[child].isCancelRequested = true }
      guard m.execution != nil else { break }
      sent.append(
        ModelSent(
          event: event.eventID, seq: m.seq, child: child.map { children[$0].event } ?? 0))
    case .childWorkflowExecutionStarted(let m):
      guard let place = children.firstIndex(where: { $0.event == m.initiatedEventID }) else {
        break
      }
      children[place].startedEvent = event.eventID
      children[place].runID = m.execution?.runID ?? .none
    case .workflowTaskFailed:
      if let base = event.copied?.baseExecution?.runID { takeChildren(of: base) }
    default:
      guard let about = event.lastAnswer else { break }
      if event.isEarly, let place = children.firstIndex(where: { $0.event == about }) {
        children[place].isLeft = true
      } else {
        children.removeAll { $0.event == about }
        sent.removeAll { $0.event == about }
      }
    }
  }

  /// From here on it is a run of its own.
  func beginAgain(at now: Instant, _ base: RunID) {
    activities = activities.map { activity in
      var again = ModelActivity(activity.event, activity.scheduled, at: now)
      again.isCancelRequested = activity.isCancelRequested
      return again
    }
    takeChildren(of: base)
  }

  /// What is there by now was begun and sent by the run that it is a copy of, if not by an earlier
  /// one.
  private func takeChildren(of base: RunID) {
    for place in children.indices where children[place].base == .none {
      children[place].base = base
    }
    for place in sent.indices where sent[place].base == .none { sent[place].base = base }
  }

  // MARK: - Questions

  /// Of what it is a copy.
  var copy: RunCopy? { events.last { $0.copied?.execution?.runID == id }?.copied }

  /// The run that goes on in its place, after a reset of it or of an earlier one.
  var resetRunID: RunID {
    if resetTo != .none { return resetTo }
    guard case .workflowExecutionTerminated(let m) = events.last?.attributes else { return .none }
    return m.newRunID
  }

  /// The event of the task at the point.
  func event(at point: WorkflowPoint?) -> Int64? {
    let tasks = events.filter { event in
      if case .workflowTaskCompleted = event.attributes { true } else { false }
    }
    switch point?.kind {
    case .firstWorkflowTask: return tasks.first?.eventID
    case .lastWorkflowTask: return tasks.last?.eventID
    case .event: return tasks.first { $0.eventID == point?.eventID }?.eventID
    default:
      for case .activityTaskScheduled(let m) in events.compactMap(\.attributes)
      where m.activityType == point?.activityType {
        return m.workflowTaskCompletedEventID
      }
      return nil
    }
  }

  /// Where an event of it came first: what is before the mark of a copy is its base's.
  func origin(of event: HistoryEvent) -> EventOrigin {
    let mark = events.first { $0.eventID > event.eventID && $0.copied != nil }
    return event.first(in: mark?.copied?.baseExecution?.runID ?? id)
  }

  /// The run of this workflow that had the events before the point first.
  func source(before point: Int64) -> RunID {
    let mark = events.first { $0.eventID > point && $0.copied != nil }?.copied?.baseExecution
    guard let mark, mark.workflowID.utf8.elementsEqual(workflowID.utf8) else { return id }
    return mark.runID
  }

  func hasRequest(at event: HistoryEvent) -> Bool {
    switch event.attributes {
    case .workflowExecutionSignaled, .workflowExecutionCancelRequested,
      .workflowExecutionUpdateAdmitted:
      true
    default: false
    }
  }

  /// The event asks for another workflow's cancel, not for a signal.
  func cancels(_ event: Int64) -> Bool {
    if case .requestCancelExternalWorkflowExecutionInitiated = events[Int(event) - 1].attributes {
      return true
    }
    return false
  }

  /// The run that has started its child of this id, if that was reset since.
  func starter(of execution: WorkflowExecution?) -> RunID {
    let id = execution?.workflowID ?? ""
    return children.last { $0.initiated.workflowID == id }?.base ?? .none
  }
}

extension HistoryEvent {
  /// Where it came first.
  func first(in run: RunID) -> EventOrigin {
    if case .workflowExecutionSignaled(let m) = attributes, let origin = m.origin { return origin }
    if let origin = admitted?.origin { return origin }
    var origin = EventOrigin()
    origin.runID = run
    origin.eventID = eventID
    return origin
  }

  var isSignal: Bool { if case .workflowExecutionSignaled = attributes { true } else { false } }

  /// Its code goes on without the child.
  fileprivate var isEarly: Bool {
    switch attributes {
    case .startChildWorkflowExecutionFailed(let m): m.early
    case .childWorkflowExecutionCanceled(let m): m.early
    default: false
    }
  }

  /// The request of which it is the last that is heard.
  fileprivate var lastAnswer: Int64? {
    switch attributes {
    case .startChildWorkflowExecutionFailed(let m): m.initiatedEventID
    case .childWorkflowExecutionCompleted(let m): m.initiatedEventID
    case .childWorkflowExecutionFailed(let m): m.initiatedEventID
    case .childWorkflowExecutionCanceled(let m): m.initiatedEventID
    case .childWorkflowExecutionTimedOut(let m): m.initiatedEventID
    case .childWorkflowExecutionTerminated(let m): m.initiatedEventID
    case .signalExternalWorkflowExecutionFailed(let m): m.initiatedEventID
    case .externalWorkflowExecutionSignaled(let m): m.initiatedEventID
    case .requestCancelExternalWorkflowExecutionFailed(let m): m.initiatedEventID
    case .externalWorkflowExecutionCancelRequested(let m): m.initiatedEventID
    default: nil
    }
  }

  /// The request that another run has answered, if it has.
  var answeredEvent: Int64? {
    if isEarly { return nil }
    if case .childWorkflowExecutionStarted(let m) = attributes { return m.initiatedEventID }
    return lastAnswer
  }
}

extension HistoryEvent.Attributes {
  /// As a copy of the run has it of its child.
  func answer(seq: UInt32, started: Int64) -> HistoryEvent.Attributes? {
    switch self {
    case .childWorkflowExecutionStarted(var m):
      m.seq = seq
      return .childWorkflowExecutionStarted(m)
    case .startChildWorkflowExecutionFailed(var m):
      m.seq = seq
      return .startChildWorkflowExecutionFailed(m)
    case .childWorkflowExecutionCompleted(var m):
      (m.seq, m.startedEventID) = (seq, started)
      return .childWorkflowExecutionCompleted(m)
    case .childWorkflowExecutionFailed(var m):
      (m.seq, m.startedEventID) = (seq, started)
      return .childWorkflowExecutionFailed(m)
    case .childWorkflowExecutionCanceled(var m):
      (m.seq, m.startedEventID) = (seq, started)
      return .childWorkflowExecutionCanceled(m)
    case .childWorkflowExecutionTimedOut(var m):
      (m.seq, m.startedEventID) = (seq, started)
      return .childWorkflowExecutionTimedOut(m)
    case .childWorkflowExecutionTerminated(var m):
      (m.seq, m.startedEventID) = (seq, started)
      return .childWorkflowExecutionTerminated(m)
    default: return nil
    }
  }
}

extension Response {
  /// What a repetition is answered when another run has what it did.
  func moved(to run: RunID) -> Response {
    switch self {
    case .start(let m): return .start(.of(run, started: m.started))
    case .signal(var m):
      m.runID = run
      return .signal(m)
    default: return self
    }
  }
}
