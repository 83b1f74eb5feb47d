import Basics
import Messages

/// What a history says about its run, event by event.
///
/// Live, an event is recorded and applied here in one call; after a load the same function is fed
/// from the state row and the events after it. Nothing else changes these fields.
struct Fold: Equatable {
  /// Event 1 without what is in `details`; its input only where the run that may follow needs it.
  private(set) var started = WorkflowExecutionStarted()
  private(set) var startTime = Instant(ms: 0)
  private(set) var userMetadata: UserMetadata?
  /// Memo, search attributes and current details as they are now. Not in the state row: the store
  /// has them in a row of their own, which lists read too.
  private(set) var details = RunDetails()
  private(set) var status = WorkflowStatus.running
  private(set) var closeTime: Instant?
  private(set) var lastEventID: Int64 = 0
  private(set) var historyBytes: Int64 = 0
  /// When the first task may go out; nil: at once, or it has.
  private(set) var firstTaskTime: Instant?
  /// The last event that a completed task showed to the code.
  private(set) var through: Int64 = 0
  /// now() of the last completed task: the code's time never goes back.
  private(set) var activationTime = Instant(ms: 0)
  /// The last `WorkflowTaskCompleted`; 0 before the first.
  private(set) var lastTaskCompleted: Int64 = 0
  /// The last seq that the code gave to a command.
  private(set) var lastSeq: UInt32 = 0
  private(set) var cancelRequested = false
  private(set) var signals: Int64 = 0
  /// Updates that are accepted and have no outcome.
  private(set) var updates: [PendingUpdate] = []
  private(set) var updatesAccepted: Int64 = 0
  /// Set while the run is paused.
  private(set) var pause: PauseInfo?
  /// That have not come to their end, by the ids of the events that started them.
  private(set) var children: [StartedChild] = []
  /// Signals and cancel requests to others that have not been answered.
  private(set) var sent: [SentRequest] = []
  private(set) var unseen = Inbound()
  /// By scheduled event id, which only grows.
  var activities: [Activity] = []
  /// How many of them are local.
  private(set) var localActivities = 0
  /// Of the pending activities.
  private(set) var inputBytes = 0
  /// By started event id, which only grows.
  private(set) var timers: [PendingTimerState] = []
  /// The terminal event, once there is one.
  private(set) var closing: HistoryEvent?
  /// A streak of failed tasks is recorded once; cleared by the next completed task.
  private(set) var taskFailure: WorkflowTaskFailed?
  /// Of a run that a reset or a fork began: where it comes from.
  private(set) var copy: RunCopy?
  /// Of an activity's run: the attempt by which it ended.
  private(set) var lastAttempt: Boxed<ActivityTaskStarted>?

  var isOpen: Bool { status == .running }

  /// The run is that of an activity without a workflow: nothing is ever shown to any code.
  var isOfActivity: Bool { started.isActivity }

  /// As lists and descriptions show it.
  var shownStatus: WorkflowStatus { pause == nil ? status : .paused }

  /// The run that follows this one in its chain; `none` for an open run and at the end of a chain.
  var nextRunID: RunID {
    switch closing?.attributes {
    case .workflowExecutionContinuedAsNew(let end): end.newRunID
    case .workflowExecutionCompleted(let end): end.newRunID
    case .workflowExecutionFailed(let end): end.newRunID
    case .workflowExecutionTimedOut(let end): end.newRunID
    case .workflowExecutionTerminated(let end): end.newRunID
    default: .none
    }
  }

  /// When the code begins, or began: the run's timeout counts from here.
  var beginning: Instant { startTime + started.firstWorkflowTaskBackoffMs }

  func activityIndex(scheduledEvent: Int64) -> Int? {
    var low = 0
    var high = activities.count
    while low < high {
      let middle = (low + high) / 2
      if activities[middle].scheduledEvent < scheduledEvent {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < activities.count && activities[low].scheduledEvent == scheduledEvent ? low : nil
  }

  func activityIndex(seq: UInt32) -> Int? { activities.firstIndex { $0.scheduled.seq == seq } }

  func child(initiatedEvent event: Int64) -> StartedChild? {
    childIndex(event).map { children[$0] }
  }

  func child(seq: UInt32) -> StartedChild? { children.first { $0.seq == seq } }

  private func childIndex(_ initiatedEvent: Int64) -> Int? {
    children.firstIndex { $0.initiatedEventID == initiatedEvent }
  }

  func update(_ id: String) -> PendingUpdate? { updates.first { $0.updateID == id } }

  func timer(seq: UInt32) -> PendingTimerState? { timers.first { $0.seq == seq } }

  /// What the store says of them is newer than the events that have been applied.
  mutating func restore(_ details: RunDetails) { self.details = details }

  mutating func addHistoryBytes(_ count: Int) { historyBytes += Int64(count) }

  /// Why an event cannot be the next one; nil when it can. What the engine records always can; what
  /// it reads is asked about first.
  func fault(of event: HistoryEvent) -> String? {
    guard event.eventID == lastEventID + 1 else { return "it follows event \(lastEventID)" }
    if closing != nil { return "the run has ended before it" }
    switch event.attributes {
    case nil: return "it has no attributes"
    case .workflowExecutionStarted: return lastEventID == 0 ? nil : "the run starts twice"
    case .activityTaskCompleted(let e): return activityFault(e.scheduledEventID)
    case .activityTaskFailed(let e): return activityFault(e.scheduledEventID)
    case .activityTaskTimedOut(let e): return activityFault(e.scheduledEventID)
    case .activityTaskCanceled(let e): return activityFault(e.scheduledEventID)
    case .workflowExecutionUpdateCompleted(let e):
      return update(e.updateID) == nil ? "no update '\(e.updateID)' is pending" : nil
    case .startChildWorkflowExecutionFailed(let e): return childFault(e.initiatedEventID)
    case .childWorkflowExecutionStarted(let e): return childFault(e.initiatedEventID)
    case .childWorkflowExecutionCompleted(let e): return childFault(e.initiatedEventID)
    case .childWorkflowExecutionFailed(let e): return childFault(e.initiatedEventID)
    case .childWorkflowExecutionCanceled(let e): return childFault(e.initiatedEventID)
    case .childWorkflowExecutionTimedOut(let e): return childFault(e.initiatedEventID)
    case .childWorkflowExecutionTerminated(let e): return childFault(e.initiatedEventID)
    default: return lastEventID == 0 ? "the run has not started" : nil
    }
  }

  private func activityFault(_ scheduledEvent: Int64) -> String? {
    activityIndex(scheduledEvent: scheduledEvent) == nil
      ? "no activity \(scheduledEvent) is pending" : nil
  }

  private func childFault(_ initiatedEvent: Int64) -> String? {
    childIndex(initiatedEvent) == nil ? "no child of event \(initiatedEvent) is pending" : nil
  }

  /// Applies the next event; what was read must have no fault.
  mutating func apply(_ event: HistoryEvent) {
    precondition(
      event.eventID == lastEventID + 1, "event \(event.eventID) after event \(lastEventID)")
    precondition(closing == nil, "event \(event.eventID) after the end of the run")
    lastEventID = event.eventID
    if !isOfActivity { unseen.apply(event) }
    switch event.attributes {
    case .workflowExecutionStarted(let started):
      startTime = event.eventTimeMs
      userMetadata = event.userMetadata
      begin(started)
    case .workflowTaskCompleted(let e): complete(e, event.eventID)
    case .workflowTaskFailed(let failed):
      if let copy = failed.copy { begin(copy, at: event.eventTimeMs) } else { taskFailure = failed }
    case .activityTaskStarted(let e): if isOfActivity { lastAttempt = .value(e) }
    case .workflowTaskTimedOut: break
    case .workflowPropertiesModified(let e): details.change(e.upsertedMemo)
    case .upsertWorkflowSearchAttributes(let e): details.change(e.searchAttributes)
    case .markerRecorded(let marker): lastSeq = max(lastSeq, marker.seq)
    case .activityTaskScheduled(let scheduled):
      lastSeq = max(lastSeq, scheduled.seq)
      inputBytes += scheduled.input.bytes
      if scheduled.local { localActivities += 1 }
      activities.append(activity(scheduled, by: event))
    case .activityTaskCancelRequested(let requested):
      guard let index = activityIndex(scheduledEvent: requested.scheduledEventID) else { break }
      activities[index].cancelRequested = true
    case .activityTaskCompleted(let e): end(e.scheduledEventID, .completed, event)
    case .activityTaskFailed(let e): end(e.scheduledEventID, .failed, event)
    case .activityTaskTimedOut(let e): end(e.scheduledEventID, .timedOut, event)
    case .activityTaskCanceled(let e): end(e.scheduledEventID, .canceled, event)
    case .timerStarted(let e):
      lastSeq = max(lastSeq, e.seq)
      timers.append(
        PendingTimerState(
          startedEvent: event.eventID, seq: e.seq, timerID: e.timerID,
          fireTime: event.eventTimeMs + e.startToFireTimeoutMs))
    case .timerFired(let e):
      #if MUTANTS
        if Mutant.isOn(.timerStays) { break }
      #endif
      timers.removeAll { $0.seq == e.seq }
    case .timerCanceled(let e): timers.removeAll { $0.seq == e.seq }
    case .workflowExecutionCancelRequested:
      cancelRequested = true
      firstTaskTime = nil
    case .workflowExecutionSignaled:
      signals += 1
      // A start delay is over with the first signal; the pause between two runs is not, nor the
      // wait for a cron time.
      if started.initiator == .unspecified && started.cronSchedule.isEmpty { firstTaskTime = nil }
    case .workflowExecutionUpdateAccepted(let e):
      updates.append(PendingUpdate(e.updateID, acceptedBy: event.eventID))
      updatesAccepted += 1
    case .workflowExecutionUpdateCompleted(let e): updates.removeAll { $0.updateID == e.updateID }
    case .workflowExecutionPaused(let e): pause = PauseInfo(e, at: event.eventTimeMs)
    case .workflowExecutionUnpaused: pause = nil
    case .workflowExecutionCompleted: close(event, .completed)
    case .workflowExecutionFailed: close(event, .failed)
    case .workflowExecutionTimedOut: close(event, .timedOut)
    case .workflowExecutionCanceled: close(event, .canceled)
    case .workflowExecutionTerminated: close(event, .terminated)
    case .workflowExecutionContinuedAsNew: close(event, .continuedAsNew)
    default: applyOutside(event)
    }
  }

  private mutating func complete(_ completed: WorkflowTaskCompletedEvent, _ event: Int64) {
    through = completed.throughEventID
    activationTime = completed.activationTimeMs
    lastTaskCompleted = event
    firstTaskTime = nil
    taskFailure = nil
    if let current = completed.currentDetails { details.currentDetails = current.text }
  }

  private mutating func begin(_ begun: WorkflowExecutionStarted) {
    started = begun
    details.change(begun.memo)
    details.change(begun.searchAttributes)
    started.memo = nil
    started.searchAttributes = nil
    firstTaskTime =
      begun.firstWorkflowTaskBackoffMs > .zero && !begun.isActivity ? beginning : nil
    if begun.isActivity { unseen = Inbound() }
    if begun.retryPolicy == nil && begun.cronSchedule.isEmpty { started.input = [] }
  }

  /// What concerns other runs.
  private mutating func applyOutside(_ event: HistoryEvent) {
    switch event.attributes {
    case .startChildWorkflowExecutionInitiated(let e):
      lastSeq = max(lastSeq, e.seq)
      children.append(StartedChild(e, by: event.eventID))
    case .childWorkflowExecutionStarted(let e):
      guard let index = childIndex(e.initiatedEventID) else { break }
      children[index].startedEventID = event.eventID
      children[index].runID = e.execution?.runID ?? .none
    case .startChildWorkflowExecutionFailed(let e): endChild(e.initiatedEventID, early: e.early)
    case .childWorkflowExecutionCompleted(let e): removeChild(e.initiatedEventID)
    case .childWorkflowExecutionFailed(let e): removeChild(e.initiatedEventID)
    case .childWorkflowExecutionCanceled(let e): endChild(e.initiatedEventID, early: e.early)
    case .childWorkflowExecutionTimedOut(let e): removeChild(e.initiatedEventID)
    case .childWorkflowExecutionTerminated(let e): removeChild(e.initiatedEventID)
    case .signalExternalWorkflowExecutionInitiated(let e):
      lastSeq = max(lastSeq, e.seq)
      sent.append(SentRequest(event.eventID, e.seq, isCancel: false))
    case .requestCancelExternalWorkflowExecutionInitiated(let e):
      lastSeq = max(lastSeq, e.seq)
      requestCancel(e, event.eventID)
    case .signalExternalWorkflowExecutionFailed(let e): removeSent(e.initiatedEventID)
    case .externalWorkflowExecutionSignaled(let e): removeSent(e.initiatedEventID)
    case .requestCancelExternalWorkflowExecutionFailed(let e): removeSent(e.initiatedEventID)
    case .externalWorkflowExecutionCancelRequested(let e): removeSent(e.initiatedEventID)
    default: break
    }
  }

  /// From here on the events are those of the copy, a run of its own: its time and that of what is
  /// pending begin anew, but timers keep theirs.
  private mutating func begin(_ copy: RunCopy, at time: Instant) {
    self.copy = copy
    started.runID = copy.execution?.runID ?? .none
    started.firstWorkflowTaskBackoffMs = .zero
    started.executionExpirationTimeMs =
      started.executionTimeoutMs == .zero ? .epoch : time + started.executionTimeoutMs
    #if MUTANTS
      let parent = Mutant.isOn(.forkKeepsParent) ? started.parent : nil
      defer { started.parent = parent ?? started.parent }
    #endif
    // Of a closed run only the last copy is read.
    if copy.ofFork {
      started.workflowID = copy.execution?.workflowID ?? ""
      started.firstRunID = copy.firstRunID
      started.continuedRunID = .none
      started.parent = nil
      started.parentInitiatedEventID = 0
      started.root = nil
      started.scheduleID = ""
      started.scheduledTimeMs = .epoch
    }
    startTime = time
    firstTaskTime = nil
    taskFailure = nil
    #if MUTANTS
      if !Mutant.isOn(.resetKeepsPause) { pause = nil }
    #else
      pause = nil
    #endif
    activities = activities.map { $0.begunAgain(at: time) }
    let base = copy.baseExecution?.runID ?? .none
    for index in children.indices where children[index].baseRunID == .none {
      children[index].baseRunID = base
    }
    for index in sent.indices where sent[index].baseRunID == .none {
      sent[index].baseRunID = base
    }
  }

  private mutating func close(_ event: HistoryEvent, _ end: WorkflowStatus) {
    status = end
    closeTime = event.eventTimeMs
    closing = event
    activities = []
    localActivities = 0
    inputBytes = 0
    timers = []
    updates = []
    children = []
    sent = []
    pause = nil
    firstTaskTime = nil
    unseen = Inbound()
  }

  private mutating func requestCancel(
    _ e: RequestCancelExternalWorkflowExecutionInitiated, _ event: Int64
  ) {
    let child = e.childSeq == 0 ? nil : children.firstIndex { $0.seq == e.childSeq }
    if let child { children[child].cancelRequested = true }
    // Without an execution nobody was asked.
    guard e.execution != nil else { return }
    var request = SentRequest(event, e.seq, isCancel: true)
    request.childInitiatedEventID = child.map { children[$0].initiatedEventID } ?? 0
    sent.append(request)
  }

  private mutating func removeChild(_ initiatedEvent: Int64) {
    if let index = childIndex(initiatedEvent) { children.remove(at: index) }
  }

  private mutating func endChild(_ initiatedEvent: Int64, early: Bool) {
    guard early else { return removeChild(initiatedEvent) }
    if let index = childIndex(initiatedEvent) { children[index].left = true }
  }

  private mutating func removeSent(_ initiatedEvent: Int64) {
    sent.removeAll { $0.initiatedEventID == initiatedEvent }
  }

  /// A run's only activity waits until the run begins, and its time counts from then.
  private func activity(_ scheduled: ActivityTaskScheduled, by event: HistoryEvent) -> Activity {
    let time = isOfActivity ? beginning : event.eventTimeMs
    var activity = Activity(scheduledEvent: event.eventID, scheduledTime: time, scheduled)
    #if MUTANTS
      if Mutant.isOn(.activityBeginsEarly) { return activity }
    #endif
    if time > event.eventTimeMs { activity.row.retryTimeMs = time }
    return activity
  }

  /// An activity has ended, and with it the run that is its own.
  private mutating func end(
    _ scheduledEvent: Int64, _ status: WorkflowStatus, _ event: HistoryEvent
  ) {
    #if MUTANTS
      if Mutant.isOn(.activityLeavesItsRun) { return removeActivity(scheduledEvent) }
    #endif
    if isOfActivity { close(event, status) } else { removeActivity(scheduledEvent) }
  }

  private mutating func removeActivity(_ scheduledEvent: Int64) {
    #if MUTANTS
      if Mutant.isOn(.activityStays), lastEventID % 2 == 0 { return }
    #endif
    guard let index = activityIndex(scheduledEvent: scheduledEvent) else { return }
    let activity = activities.remove(at: index)
    inputBytes -= activity.scheduled.input.bytes
    if activity.isLocal { localActivities -= 1 }
  }
}

extension HistoryEvent.Attributes {
  /// What the run says of itself is another after it.
  var changesDetails: Bool {
    switch self {
    case .upsertWorkflowSearchAttributes, .workflowPropertiesModified: true
    case .workflowTaskCompleted(let completed): completed.currentDetails != nil
    default: false
    }
  }
}

extension HistoryEvent {
  /// Nothing may follow it.
  var endsItsRun: Bool {
    switch attributes {
    case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
      .workflowExecutionCanceled, .workflowExecutionTerminated, .workflowExecutionContinuedAsNew:
      true
    default: false
    }
  }
}

extension HistoryEvent {
  /// Nothing follows it in the run of an activity without a workflow.
  var endsItsActivity: Bool {
    switch attributes {
    case .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled:
      true
    default: false
    }
  }
}

extension PauseInfo {
  fileprivate init(_ paused: WorkflowExecutionPaused, at time: Instant) {
    self.init()
    pausedTimeMs = time
    reason = paused.reason
    identity = paused.identity
  }
}

extension StartedChild {
  fileprivate init(_ e: StartChildWorkflowExecutionInitiated, by event: Int64) {
    self.init()
    initiatedEventID = event
    seq = e.seq
    workflowID = e.workflowID
    workflowType = e.workflowType
    parentClosePolicy = e.parentClosePolicy
    cancellationType = e.cancellationType
  }
}

extension SentRequest {
  fileprivate init(_ event: Int64, _ seq: UInt32, isCancel: Bool) {
    self.init()
    initiatedEventID = event
    self.seq = seq
    self.isCancel = isCancel
  }
}

extension PendingUpdate {
  init(_ id: String, acceptedBy event: Int64) {
    self.init()
    updateID = id
    acceptedEventID = event
  }
}

/// What few runs have: only a pointer of it is in each.
indirect enum Boxed<Value: Sendable & Equatable>: Sendable, Equatable {
  case value(Value)

  var value: Value {
    switch self {
    case .value(let value): value
    }
  }
}

struct PendingTimerState: Equatable {
  let startedEvent: Int64
  let seq: UInt32
  let timerID: String
  let fireTime: Instant
}

// MARK: - The state row

extension Fold {
  /// True when the state row can stand for the events so far: nothing waits to be shown. The few
  /// events of an activity's run need none.
  var canBeSaved: Bool { unseen.isEmpty && isOpen && !isOfActivity }

  func saved() -> RunState {
    precondition(canBeSaved, "a run with unseen events or an end has no state row")
    var state = RunState()
    state.started = started
    state.startTimeMs = startTime
    state.userMetadata = userMetadata
    state.lastEventID = lastEventID
    state.historySizeBytes = historyBytes
    state.throughEventID = through
    state.activationTimeMs = activationTime
    state.lastTaskCompletedEventID = lastTaskCompleted
    state.lastSeq = lastSeq
    state.cancelRequested = cancelRequested
    state.signals = signals
    state.updates = updates
    state.updatesAccepted = updatesAccepted
    state.pause = pause
    state.children = children
    state.sent = sent
    state.taskFailure = taskFailure
    state.copy = copy
    state.activities = activities.map { activity in
      var saved = ScheduledActivity()
      saved.scheduledEventID = activity.scheduledEvent
      saved.scheduledTimeMs = activity.scheduledTime
      saved.scheduled = activity.scheduled
      saved.cancelRequested = activity.cancelRequested
      return saved
    }
    #if MUTANTS
      if Mutant.isOn(.stateForgetsCancel) { state.cancelRequested = false }
      if Mutant.isOn(.stateForgetsSignals) { state.signals = 0 }
    #endif
    state.timers = timers.map { timer in
      var saved = StartedTimer()
      saved.startedEventID = timer.startedEvent
      saved.seq = timer.seq
      saved.timerID = timer.timerID
      saved.fireTimeMs = timer.fireTime
      return saved
    }
    return state
  }

  /// Why a state row cannot stand for a run; nil when it can.
  static func fault(of state: RunState) -> String? {
    let last = state.lastEventID
    let scheduled = [0] + state.activities.map(\.scheduledEventID)
    let begun = [0] + state.timers.map(\.startedEventID)
    if last < 1 || state.started == nil { return "it has not started" }
    if !(0...last).contains(state.throughEventID) { return "the code has seen what is not there" }
    for ids in [scheduled, begun] where !(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }) {
      return "its activities or timers are not in order"
    }
    if max(scheduled.last!, begun.last!) > last { return "something is pending from a later event" }
    return nil
  }

  /// From a row without fault.
  init(_ state: RunState) {
    started = state.started ?? WorkflowExecutionStarted()
    startTime = state.startTimeMs
    userMetadata = state.userMetadata
    lastEventID = state.lastEventID
    historyBytes = state.historySizeBytes
    through = state.throughEventID
    activationTime = state.activationTimeMs
    lastTaskCompleted = state.lastTaskCompletedEventID
    lastSeq = state.lastSeq
    cancelRequested = state.cancelRequested
    signals = state.signals
    updates = state.updates
    updatesAccepted = state.updatesAccepted
    pause = state.pause
    children = state.children
    sent = state.sent
    taskFailure = state.taskFailure
    copy = state.copy
    activities = state.activities.map { saved in
      var activity = Activity(
        scheduledEvent: saved.scheduledEventID, scheduledTime: saved.scheduledTimeMs,
        saved.scheduled ?? ActivityTaskScheduled())
      activity.cancelRequested = saved.cancelRequested
      return activity
    }
    inputBytes = activities.reduce(0) { $0 + $1.scheduled.input.bytes }
    localActivities = activities.count(where: \.isLocal)
    timers = state.timers.map {
      PendingTimerState(
        startedEvent: $0.startedEventID, seq: $0.seq, timerID: $0.timerID, fireTime: $0.fireTimeMs)
    }
  }

  /// A fold that only knows the borders of a closed run: event 1, one between them if there is one
  /// that matters, and the last one. What matters is what made the run a copy of another, and the
  /// last attempt of an activity's run.
  static func closed(
    first: HistoryEvent, between: HistoryEvent?, last: HistoryEvent, historyBytes: Int64
  ) -> Fold {
    var fold = Fold()
    fold.apply(first)
    if let between {
      fold.lastEventID = between.eventID - 1
      fold.apply(between)
    }
    fold.lastEventID = last.eventID - 1
    fold.historyBytes = historyBytes
    fold.through = last.eventID
    fold.apply(last)
    return fold
  }
}
