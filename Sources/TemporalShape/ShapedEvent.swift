import Messages

/// An event as Temporal's history has it: its type and number, and the events that it names. What
/// it says beside that is the event's of which it was made.
public struct ShapedEvent: Equatable, Sendable {
  public let id: Int64
  public let kind: ShapedKind
  /// The event of our history that it shows; three show a WorkflowTaskCompleted.
  public let source: Int64
  /// An activity's, a timer's, a child's or an update's id; a signal's or a marker's name.
  public var name = ""
  /// Of an activity or a workflow task.
  public var scheduledEventID: Int64 = 0
  /// Of an activity, a workflow task, a timer or a child.
  public var startedEventID: Int64 = 0
  /// The workflow task whose command it records.
  public var workflowTaskCompletedEventID: Int64 = 0
  /// Of a child, or of what was sent to another workflow.
  public var initiatedEventID: Int64 = 0
  /// Of an update that ends.
  public var acceptedEventID: Int64 = 0
  /// Of an activity that was cancelled.
  public var latestCancelRequestedEventID: Int64 = 0
  /// Of an update: the last event when the request came.
  public var sequencingEventID: Int64 = 0

  public init(id: Int64, kind: ShapedKind, source: Int64) {
    self.id = id
    self.kind = kind
    self.source = source
  }
}

/// Temporal's event types, by their numbers.
public enum ShapedKind: Int, Sendable, CaseIterable {
  case workflowExecutionStarted = 1
  case workflowExecutionCompleted = 2
  case workflowExecutionFailed = 3
  case workflowExecutionTimedOut = 4
  case workflowTaskScheduled = 5
  case workflowTaskStarted = 6
  case workflowTaskCompleted = 7
  case workflowTaskTimedOut = 8
  case workflowTaskFailed = 9
  case activityTaskScheduled = 10
  case activityTaskStarted = 11
  case activityTaskCompleted = 12
  case activityTaskFailed = 13
  case activityTaskTimedOut = 14
  case activityTaskCancelRequested = 15
  case activityTaskCanceled = 16
  case timerStarted = 17
  case timerFired = 18
  case timerCanceled = 19
  case workflowExecutionCancelRequested = 20
  case workflowExecutionCanceled = 21
  case requestCancelExternalWorkflowExecutionInitiated = 22
  case requestCancelExternalWorkflowExecutionFailed = 23
  case externalWorkflowExecutionCancelRequested = 24
  case markerRecorded = 25
  case workflowExecutionSignaled = 26
  case workflowExecutionTerminated = 27
  case workflowExecutionContinuedAsNew = 28
  case startChildWorkflowExecutionInitiated = 29
  case startChildWorkflowExecutionFailed = 30
  case childWorkflowExecutionStarted = 31
  case childWorkflowExecutionCompleted = 32
  case childWorkflowExecutionFailed = 33
  case childWorkflowExecutionCanceled = 34
  case childWorkflowExecutionTimedOut = 35
  case childWorkflowExecutionTerminated = 36
  case signalExternalWorkflowExecutionInitiated = 37
  case signalExternalWorkflowExecutionFailed = 38
  case externalWorkflowExecutionSignaled = 39
  case upsertWorkflowSearchAttributes = 40
  case workflowExecutionUpdateAccepted = 41
  case workflowExecutionUpdateCompleted = 43
  case workflowPropertiesModified = 46
  case workflowExecutionUpdateAdmitted = 47
  case workflowExecutionPaused = 58
  case workflowExecutionUnpaused = 59
}

extension ShapedKind {
  /// Recorded for a command of the code.
  public var isCommand: Bool {
    switch self {
    case .activityTaskScheduled, .activityTaskCancelRequested, .timerStarted, .timerCanceled,
      .markerRecorded, .requestCancelExternalWorkflowExecutionInitiated,
      .startChildWorkflowExecutionInitiated, .signalExternalWorkflowExecutionInitiated,
      .upsertWorkflowSearchAttributes, .workflowPropertiesModified,
      .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted:
      true
    default: isClosingCommand
    }
  }

  var isClosingCommand: Bool {
    switch self {
    case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionCanceled,
      .workflowExecutionContinuedAsNew:
      true
    default: false
    }
  }

  /// The run ends with it.
  public var isClosing: Bool {
    isClosingCommand || self == .workflowExecutionTimedOut || self == .workflowExecutionTerminated
  }

  /// The type's number is what our schema adds 100 to.
  init?(_ event: HistoryEvent) {
    switch event.attributes {
    case .workflowExecutionStarted: self = .workflowExecutionStarted
    case .workflowExecutionCompleted: self = .workflowExecutionCompleted
    case .workflowExecutionFailed: self = .workflowExecutionFailed
    case .workflowExecutionTimedOut: self = .workflowExecutionTimedOut
    case .workflowTaskCompleted: self = .workflowTaskCompleted
    case .workflowTaskTimedOut: self = .workflowTaskTimedOut
    case .workflowTaskFailed: self = .workflowTaskFailed
    case .activityTaskScheduled: self = .activityTaskScheduled
    case .activityTaskStarted: self = .activityTaskStarted
    case .activityTaskCompleted: self = .activityTaskCompleted
    case .activityTaskFailed: self = .activityTaskFailed
    case .activityTaskTimedOut: self = .activityTaskTimedOut
    case .activityTaskCancelRequested: self = .activityTaskCancelRequested
    case .activityTaskCanceled: self = .activityTaskCanceled
    case .timerStarted: self = .timerStarted
    case .timerFired: self = .timerFired
    case .timerCanceled: self = .timerCanceled
    case .workflowExecutionCancelRequested: self = .workflowExecutionCancelRequested
    case .workflowExecutionCanceled: self = .workflowExecutionCanceled
    case .markerRecorded: self = .markerRecorded
    case .workflowExecutionSignaled: self = .workflowExecutionSignaled
    case .workflowExecutionTerminated: self = .workflowExecutionTerminated
    case .workflowExecutionContinuedAsNew: self = .workflowExecutionContinuedAsNew
    case .upsertWorkflowSearchAttributes: self = .upsertWorkflowSearchAttributes
    case .workflowExecutionUpdateAccepted: self = .workflowExecutionUpdateAccepted
    case .workflowExecutionUpdateCompleted: self = .workflowExecutionUpdateCompleted
    case .workflowPropertiesModified: self = .workflowPropertiesModified
    case .workflowExecutionUpdateAdmitted: self = .workflowExecutionUpdateAdmitted
    case .workflowExecutionPaused: self = .workflowExecutionPaused
    case .workflowExecutionUnpaused: self = .workflowExecutionUnpaused
    default:
      guard let kind = ShapedKind(outside: event) else { return nil }
      self = kind
    }
  }

  /// About other workflows.
  private init?(outside event: HistoryEvent) {
    switch event.attributes {
    case .requestCancelExternalWorkflowExecutionInitiated:
      self = .requestCancelExternalWorkflowExecutionInitiated
    case .requestCancelExternalWorkflowExecutionFailed:
      self = .requestCancelExternalWorkflowExecutionFailed
    case .externalWorkflowExecutionCancelRequested: self = .externalWorkflowExecutionCancelRequested
    case .startChildWorkflowExecutionInitiated: self = .startChildWorkflowExecutionInitiated
    case .startChildWorkflowExecutionFailed: self = .startChildWorkflowExecutionFailed
    case .childWorkflowExecutionStarted: self = .childWorkflowExecutionStarted
    case .childWorkflowExecutionCompleted: self = .childWorkflowExecutionCompleted
    case .childWorkflowExecutionFailed: self = .childWorkflowExecutionFailed
    case .childWorkflowExecutionCanceled: self = .childWorkflowExecutionCanceled
    case .childWorkflowExecutionTimedOut: self = .childWorkflowExecutionTimedOut
    case .childWorkflowExecutionTerminated: self = .childWorkflowExecutionTerminated
    case .signalExternalWorkflowExecutionInitiated: self = .signalExternalWorkflowExecutionInitiated
    case .signalExternalWorkflowExecutionFailed: self = .signalExternalWorkflowExecutionFailed
    case .externalWorkflowExecutionSignaled: self = .externalWorkflowExecutionSignaled
    default: return nil
    }
  }
}
