import Basics
import Messages

/// A history in Temporal's shape.
///
/// Ours keeps what comes while a task is out where it came, and says with the task's completion up
/// to which event it showed; Temporal holds such events back until the task has ended. So an event
/// has its place only when a completion says on which side of it the event stands, or when the run
/// ends: until then it is held here. Therefore the projection of a history is always the beginning
/// of the projection of what the history becomes.
///
/// Ours has one event where a workflow task ends, Temporal three: it is scheduled, starts, ends.
public struct Projection: Sendable {
  public private(set) var events: [ShapedEvent] = []
  /// They have no place yet.
  private(set) var held: [HistoryEvent] = []
  /// Of our events, the numbers that they have here.
  private var ids: [Int64: Int64] = [:]
  /// The completion whose commands follow.
  private var completion: Int64 = 0
  private var commandsLeft: Int32 = 0
  /// By the event that scheduled the activity: the last start of it, and its cancel request.
  private var starts: [Int64: Int64] = [:]
  private var cancels: [Int64: Int64] = [:]
  /// The events that scheduled the activities, by the commands' numbers.
  private var scheduled: [UInt32: Int64] = [:]

  public init(_ history: some Sequence<HistoryEvent> = []) {
    for event in history { take(event) }
  }

  /// The next event of the history.
  public mutating func take(_ event: HistoryEvent) {
    if commandsLeft > 0 {
      commandsLeft -= 1
      return takeCommand(event)
    }
    switch event.attributes {
    case .workflowExecutionStarted: place(event)
    case .workflowTaskCompleted(let completed):
      placeHeld { $0.eventID <= completed.throughEventID }
      completion = placeTask(event)
      commandsLeft = completed.commands
    case .workflowTaskFailed, .workflowTaskTimedOut:
      // What the task showed, the next one shows again.
      _ = placeTask(event)
    case .workflowExecutionTerminated, .workflowExecutionTimedOut:
      placeHeld { _ in true }
      place(event)
    default:
      #if MUTANTS
        if Mutant.isOn(.shapeHoldsNothing) { return place(event) }
      #endif
      held.append(event)
    }
  }

  private mutating func takeCommand(_ event: HistoryEvent) {
    if case .timerCanceled(let canceled) = event.attributes {
      // It had fired, but the code did not know.
      held.removeAll { event in
        guard case .timerFired(let fired) = event.attributes else { return false }
        return fired.seq == canceled.seq
      }
    }
    place(event)
    // What the code had not been told of is not told any more.
    if events.last?.kind.isClosing ?? false { held = [] }
  }

  private mutating func placeHeld(where isShown: (HistoryEvent) -> Bool) {
    let shown = held.filter(isShown)
    held.removeAll(where: isShown)
    for event in shown { place(event) }
  }

  /// A workflow task from its beginning to its end; the number of the end.
  private mutating func placeTask(_ event: HistoryEvent) -> Int64 {
    guard let kind = ShapedKind(event) else { return 0 }
    let scheduled = add(.workflowTaskScheduled, event) { _ in }
    let started = add(.workflowTaskStarted, event) { $0.scheduledEventID = scheduled }
    let end = add(kind, event) {
      $0.scheduledEventID = scheduled
      $0.startedEventID = started
    }
    ids[event.eventID] = end
    return end
  }

  private mutating func add(
    _ kind: ShapedKind, _ event: HistoryEvent, _ change: (inout ShapedEvent) -> Void
  ) -> Int64 {
    var shaped = ShapedEvent(
      id: Int64(events.count) + 1, kind: kind, source: event.eventID)
    change(&shaped)
    events.append(shaped)
    return shaped.id
  }

  private mutating func place(_ event: HistoryEvent) {
    // That the parent waits no more is known to its code only, where Temporal runs it.
    guard let kind = ShapedKind(event), !event.isEarly, !cancelsNothing(event) else { return }
    var shaped = ShapedEvent(id: Int64(events.count) + 1, kind: kind, source: event.eventID)
    if kind.isCommand { shaped.workflowTaskCompletedEventID = completion }
    link(&shaped, event)
    ids[event.eventID] = shaped.id
    events.append(shaped)
  }

  /// Code has cancelled what it never had, or what has ended and it was told so. Ours records that
  /// it did; Temporal fails such a task.
  private func cancelsNothing(_ event: HistoryEvent) -> Bool {
    switch event.attributes {
    case .timerCanceled(let canceled): number(canceled.startedEventID) == 0
    case .activityTaskCancelRequested(let requested): scheduled[requested.seq] == nil
    default: false
    }
  }

  // MARK: - Links

  private func number(_ event: Int64) -> Int64 { ids[event] ?? 0 }

  private mutating func link(_ shaped: inout ShapedEvent, _ event: HistoryEvent) {
    switch event.attributes {
    case .workflowExecutionSignaled(let e): shaped.name = e.signalName
    case .markerRecorded(let e): shaped.name = e.markerName
    case .timerStarted(let e): shaped.name = e.timerID
    case .timerFired(let e):
      shaped.name = e.timerID
      shaped.startedEventID = number(e.startedEventID)
    case .timerCanceled(let e):
      shaped.name = e.timerID
      shaped.startedEventID = number(e.startedEventID)
    case .workflowExecutionUpdateAdmitted(let e): shaped.name = e.updateID
    case .workflowExecutionUpdateAccepted(let e):
      shaped.name = e.updateID
      shaped.sequencingEventID = events.last { $0.source <= e.afterEventID }?.id ?? 0
    case .workflowExecutionUpdateCompleted(let e):
      shaped.name = e.updateID
      shaped.acceptedEventID = number(e.acceptedEventID)
    default:
      linkActivity(&shaped, event)
      linkOutside(&shaped, event)
    }
  }

  private mutating func linkActivity(_ shaped: inout ShapedEvent, _ event: HistoryEvent) {
    switch event.attributes {
    case .activityTaskScheduled(let e):
      shaped.name = e.activityID
      scheduled[e.seq] = event.eventID
    case .activityTaskStarted(let e):
      shaped.scheduledEventID = number(e.scheduledEventID)
      starts[e.scheduledEventID] = shaped.id
    case .activityTaskCancelRequested(let e):
      // Ours names no activity that has ended meanwhile.
      let activity = scheduled[e.seq] ?? 0
      shaped.scheduledEventID = number(activity)
      cancels[activity] = shaped.id
    case .activityTaskCompleted(let e): end(&shaped, e.scheduledEventID)
    case .activityTaskFailed(let e): end(&shaped, e.scheduledEventID)
    case .activityTaskTimedOut(let e): end(&shaped, e.scheduledEventID)
    case .activityTaskCanceled(let e):
      end(&shaped, e.scheduledEventID)
      shaped.latestCancelRequestedEventID = cancels[e.scheduledEventID] ?? 0
    default: break
    }
  }

  private func end(_ shaped: inout ShapedEvent, _ scheduled: Int64) {
    shaped.scheduledEventID = number(scheduled)
    shaped.startedEventID = starts[scheduled] ?? 0
  }

  private func linkOutside(_ shaped: inout ShapedEvent, _ event: HistoryEvent) {
    switch event.attributes {
    case .startChildWorkflowExecutionInitiated(let e): shaped.name = e.workflowID
    case .startChildWorkflowExecutionFailed(let e): began(&shaped, e.initiatedEventID)
    case .childWorkflowExecutionStarted(let e): began(&shaped, e.initiatedEventID)
    case .childWorkflowExecutionCompleted(let e):
      ended(&shaped, e.initiatedEventID, e.startedEventID)
    case .childWorkflowExecutionFailed(let e): ended(&shaped, e.initiatedEventID, e.startedEventID)
    case .childWorkflowExecutionCanceled(let e):
      ended(&shaped, e.initiatedEventID, e.startedEventID)
    case .childWorkflowExecutionTimedOut(let e):
      ended(&shaped, e.initiatedEventID, e.startedEventID)
    case .childWorkflowExecutionTerminated(let e):
      ended(&shaped, e.initiatedEventID, e.startedEventID)
    case .signalExternalWorkflowExecutionInitiated(let e): shaped.name = e.signalName
    case .signalExternalWorkflowExecutionFailed(let e): began(&shaped, e.initiatedEventID)
    case .externalWorkflowExecutionSignaled(let e): began(&shaped, e.initiatedEventID)
    case .requestCancelExternalWorkflowExecutionInitiated(let e):
      shaped.name = e.execution?.workflowID ?? ""
    case .requestCancelExternalWorkflowExecutionFailed(let e): began(&shaped, e.initiatedEventID)
    case .externalWorkflowExecutionCancelRequested(let e): began(&shaped, e.initiatedEventID)
    default: break
    }
  }

  private func began(_ shaped: inout ShapedEvent, _ initiated: Int64) {
    shaped.initiatedEventID = number(initiated)
  }

  private func ended(_ shaped: inout ShapedEvent, _ initiated: Int64, _ started: Int64) {
    shaped.initiatedEventID = number(initiated)
    shaped.startedEventID = number(started)
  }
}

extension HistoryEvent {
  /// The parent's code goes on without its child, of which more may be recorded.
  fileprivate var isEarly: Bool {
    switch attributes {
    case .startChildWorkflowExecutionFailed(let failed): failed.early
    case .childWorkflowExecutionCanceled(let canceled): canceled.early
    default: false
    }
  }
}
