/// What those who read a history of Temporal's take for granted: each rule is one that a history
/// which its own server writes keeps.
public struct ShapeRules: Sendable {
  /// What is wrong, in words; empty while nothing is.
  public private(set) var faults: [String] = []

  private enum Task {
    case none
    case scheduled(Int64)
    case started(Int64, scheduled: Int64)
  }

  /// Of an activity, a child, or what was sent to another workflow.
  private struct Pending {
    let kind: ShapedKind
    var started: Int64 = 0
    var hasEnded = false
  }

  private var last: Int64 = 0
  private var task = Task.none
  /// The completion behind which commands may stand.
  private var completion: Int64 = 0
  private var closing: Int64 = 0
  /// By the event that began it.
  private var pending: [Int64: Pending] = [:]

  public init() {}

  /// The faults of a whole history.
  public static func faults(in events: [ShapedEvent]) -> [String] {
    var rules = ShapeRules()
    for event in events { rules.check(event) }
    return rules.faults
  }

  public mutating func check(_ event: ShapedEvent) {
    if event.id != last + 1 { object(event, "stands behind event \(last)") }
    last = event.id
    if closing != 0 { object(event, "stands behind the end, event \(closing)") }
    if (event.id == 1) != (event.kind == .workflowExecutionStarted) {
      object(event, "is not the first event, or another one is")
    }
    switch event.kind {
    case .workflowTaskScheduled, .workflowTaskStarted, .workflowTaskCompleted,
      .workflowTaskTimedOut, .workflowTaskFailed:
      checkTask(event)
    default: checkPlace(event)
    }
    checkLinks(event)
    if event.kind.isClosing { closing = event.id }
  }

  private mutating func object(_ event: ShapedEvent, _ fault: String) {
    faults.append("event \(event.id), \(event.kind) of \(event.source), \(fault)")
  }

  // MARK: - Workflow tasks

  private mutating func checkTask(_ event: ShapedEvent) {
    completion = 0
    switch (event.kind, task) {
    case (.workflowTaskScheduled, .none): task = .scheduled(event.id)
    case (.workflowTaskStarted, .scheduled(let scheduled)):
      if event.scheduledEventID != scheduled { object(event, "starts another task") }
      task = .started(event.id, scheduled: scheduled)
    case (.workflowTaskTimedOut, .scheduled(let scheduled)):
      if event.scheduledEventID != scheduled { object(event, "ends another task") }
      task = .none
    case (_, .started(let started, let scheduled)):
      if event.scheduledEventID != scheduled || event.startedEventID != started {
        object(event, "ends another task")
      }
      task = .none
      if event.kind == .workflowTaskCompleted { completion = event.id }
    default: object(event, "comes to no task that waits for it")
    }
  }

  /// Commands stand directly behind their task, and nothing stands within one.
  private mutating func checkPlace(_ event: ShapedEvent) {
    if case .started = task { object(event, "stands within a workflow task") }
    guard event.kind.isCommand else {
      completion = 0
      return
    }
    if completion == 0 || event.workflowTaskCompletedEventID != completion {
      object(event, "does not stand behind its task, event \(event.workflowTaskCompletedEventID)")
    }
  }

  // MARK: - What belongs together

  private mutating func checkLinks(_ event: ShapedEvent) {
    switch event.kind {
    case .activityTaskScheduled, .timerStarted, .startChildWorkflowExecutionInitiated,
      .signalExternalWorkflowExecutionInitiated, .requestCancelExternalWorkflowExecutionInitiated,
      .workflowExecutionUpdateAccepted:
      pending[event.id] = Pending(kind: event.kind)
      if event.sequencingEventID >= event.id { object(event, "was asked for after it came") }
    case .activityTaskStarted:
      start(event, event.scheduledEventID, .activityTaskScheduled)
    case .childWorkflowExecutionStarted:
      start(event, event.initiatedEventID, .startChildWorkflowExecutionInitiated)
    case .activityTaskCancelRequested:
      if pending[event.scheduledEventID]?.kind != .activityTaskScheduled {
        object(event, "is about no activity")
      }
    case .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled:
      checkEndOfActivity(event)
    case .timerFired, .timerCanceled:
      _ = end(event, event.startedEventID, .timerStarted)
    case .workflowExecutionUpdateCompleted:
      _ = end(event, event.acceptedEventID, .workflowExecutionUpdateAccepted)
    default: checkOutside(event)
    }
  }

  private mutating func checkEndOfActivity(_ event: ShapedEvent) {
    guard let activity = end(event, event.scheduledEventID, .activityTaskScheduled) else { return }
    if activity.started != event.startedEventID { object(event, "names another start") }
    let mayNotHaveStarted =
      event.kind == .activityTaskTimedOut || event.kind == .activityTaskCanceled
    if activity.started == 0 && !mayNotHaveStarted { object(event, "ends what never started") }
    if event.kind == .activityTaskCanceled, event.latestCancelRequestedEventID == 0 {
      object(event, "was not asked for")
    }
  }

  private mutating func checkOutside(_ event: ShapedEvent) {
    switch event.kind {
    case .startChildWorkflowExecutionFailed:
      let child = end(event, event.initiatedEventID, .startChildWorkflowExecutionInitiated)
      if let child, child.started != 0 { object(event, "is of a child that has started") }
    case .childWorkflowExecutionCompleted, .childWorkflowExecutionFailed,
      .childWorkflowExecutionCanceled, .childWorkflowExecutionTimedOut,
      .childWorkflowExecutionTerminated:
      let child = end(event, event.initiatedEventID, .startChildWorkflowExecutionInitiated)
      if let child, child.started == 0 || child.started != event.startedEventID {
        object(event, "ends what never started")
      }
    case .signalExternalWorkflowExecutionFailed, .externalWorkflowExecutionSignaled:
      _ = end(event, event.initiatedEventID, .signalExternalWorkflowExecutionInitiated)
    case .requestCancelExternalWorkflowExecutionFailed, .externalWorkflowExecutionCancelRequested:
      _ = end(event, event.initiatedEventID, .requestCancelExternalWorkflowExecutionInitiated)
    default: break
    }
  }

  private mutating func start(_ event: ShapedEvent, _ beginning: Int64, _ kind: ShapedKind) {
    guard let found = pending[beginning], found.kind == kind, !found.hasEnded else {
      return object(event, "starts nothing that waits, event \(beginning)")
    }
    if found.started != 0 { object(event, "starts again what started with event \(found.started)") }
    pending[beginning]?.started = event.id
  }

  /// What ends by the event; nil when nothing does.
  private mutating func end(_ event: ShapedEvent, _ beginning: Int64, _ kind: ShapedKind)
    -> Pending?
  {
    guard let found = pending[beginning], found.kind == kind, !found.hasEnded else {
      object(event, "ends nothing that waits, event \(beginning)")
      return nil
    }
    pending[beginning]?.hasEnded = true
    return found
  }
}
