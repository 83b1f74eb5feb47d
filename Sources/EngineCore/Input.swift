import Basics
import Messages

/// Everything that the engine can be told.
public enum Input: Sendable {
  /// A request on a stream of its own. Answered by `Send.reply`, or, for GetHistory and
  /// ListWorkflows, by `Send.part` for each `readMore` and at last `Send.end`.
  case request(RequestID, Request)
  /// The next message on a stream that replays a history. Answered by `Send.part`, each a
  /// `ReplayResponse`, and at last `Send.end`.
  case replay(RequestID, ReplayRequest)
  /// The client gave the request up, or its deadline passed, or its connection is gone.
  case requestAbandoned(RequestID)
  /// The client can take another part of a streamed answer.
  case readMore(RequestID)
  /// A worker opened a Work stream and sent its Attach.
  case sessionOpened(SessionID, Attach, ProcessIdentity?)
  case workerMessage(SessionID, WorkerMessage)
  /// Messages that came together, in their order.
  case workerMessages(SessionID, [WorkerMessage])
  /// The stream or its connection ended; the worker may come back and name its leases.
  case sessionClosed(SessionID)
  /// The worker has not answered two pings (`true`), or is heard again (`false`).
  case sessionSilent(SessionID, Bool)
  /// The worker has read what it was sent before `Send.awaitRoom`, or most of it.
  case sessionHasRoom(SessionID)
  /// The kernel says that the process is gone.
  case processGone(ProcessIdentity)
  case loaded(Loaded)
  /// All writes up to this serial are durable.
  case persisted(WriteSerial)
  /// `nextDeadline` has come.
  case deadlineReached
  /// `now` is ahead of the machine's clocks, by so much in all: the store is told, so that the next
  /// start of the engine does not go back.
  case timeSkipped(Span)
  /// No new starts from now on; no new tasks go out.
  case drain
  /// The disk is full (`true`) or has space again (`false`): starts are refused meanwhile.
  case diskFull(Bool)
  /// A letter that has waited; only the engine itself makes these.
  case letter(PostedLetter)
  /// What a schedule orders; only the engine itself makes these.
  case scheduled(ScheduleOrder)
  /// A batch job goes on: the engine's own, as above.
  case batchJob(BatchJobNumber)
}

/// A request that waits for its answer.
public struct RequestID: Hashable, Comparable, Sendable {
  public let connection: UInt64
  public let stream: UInt64

  public init(connection: UInt64, stream: UInt64) {
    self.connection = connection
    self.stream = stream
  }

  public static func < (a: RequestID, b: RequestID) -> Bool {
    a.connection != b.connection ? a.connection < b.connection : a.stream < b.stream
  }
}

/// A worker's attachment over one connection; numbers are never given again within an epoch.
public struct SessionID: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
  public static func < (a: SessionID, b: SessionID) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.sessionsInHashOrder) { return a != b && Set([a, b]).first == a }
    #endif
    return a.value < b.value
  }
  public var description: String { "session-\(value)" }
}

/// A process of this machine, told apart from any later one with the same pid.
public struct ProcessIdentity: Hashable, Sendable {
  public let bootID: String
  public let process: Int64
  /// Clock ticks since boot at which it started.
  public let start: Int64

  public init(bootID: String, process: Int64, start: Int64) {
    self.bootID = bootID
    self.process = process
    self.start = start
  }
}

/// The number of a step that wrote; writes become durable in its order.
public struct WriteSerial: Hashable, Comparable, Sendable {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
  /// Depends on no write: a send that may leave at once.
  public static let none = WriteSerial(0)
  public static func < (a: WriteSerial, b: WriteSerial) -> Bool { a.value < b.value }
  var next: WriteSerial { WriteSerial(value + 1) }
}

/// The requests that the engine itself answers.
public enum Request: Sendable {
  case startWorkflow(StartWorkflowRequest)
  case signalWorkflow(SignalWorkflowRequest)
  case signalWithStartWorkflow(SignalWithStartWorkflowRequest)
  case queryWorkflow(QueryWorkflowRequest)
  case updateWorkflow(UpdateWorkflowRequest)
  case updateWithStartWorkflow(UpdateWithStartWorkflowRequest)
  case pollUpdate(PollUpdateRequest)
  case cancelWorkflow(CancelWorkflowRequest)
  case terminateWorkflow(TerminateWorkflowRequest)
  case deleteWorkflow(DeleteWorkflowRequest)
  case pauseWorkflow(PauseWorkflowRequest)
  case unpauseWorkflow(UnpauseWorkflowRequest)
  case resetWorkflow(ResetWorkflowRequest)
  case forkWorkflow(ForkWorkflowRequest)
  case describeWorkflow(DescribeWorkflowRequest)
  case getWorkflowResult(GetWorkflowResultRequest)
  case getHistory(GetHistoryRequest)
  case listWorkflows(ListWorkflowsRequest)
  case countWorkflows(CountWorkflowsRequest)
  case completeActivity(CompleteActivityRequest)
  case failActivity(FailActivityRequest)
  case reportActivityCancelled(ReportActivityCancelledRequest)
  case heartbeatActivity(HeartbeatActivityRequest)
  case pauseActivity(PauseActivityRequest)
  case unpauseActivity(UnpauseActivityRequest)
  case resetActivity(ResetActivityRequest)
  case updateActivityOptions(UpdateActivityOptionsRequest)
  case describeTaskQueue(DescribeTaskQueueRequest)
  case setTaskQueueLimits(SetTaskQueueLimitsRequest)
  case workflowType(WorkflowTypeRequest)
  case schedule(ScheduleRequest)
  case attribute(AttributeRequest)
  case namespace(NamespaceRequest)
  case batch(BatchRequest)
  case activityRun(ActivityRunRequest)
}

/// The requests about activities without a workflow.
public enum ActivityRunRequest: Sendable {
  case start(StartActivityRequest)
  case describe(DescribeActivityRequest)
  case result(GetActivityResultRequest)
  case list(ListActivitiesRequest)
  case count(CountActivitiesRequest)
  case cancel(RequestCancelActivityRequest)
  case terminate(TerminateActivityRequest)
  case delete(DeleteActivityRequest)

  var namespace: String {
    switch self {
    case .start(let r): r.namespace
    case .describe(let r): r.namespace
    case .result(let r): r.namespace
    case .list(let r): r.namespace
    case .count(let r): r.namespace
    case .cancel(let r): r.namespace
    case .terminate(let r): r.namespace
    case .delete(let r): r.namespace
    }
  }
}

/// The requests of BatchService.
public enum BatchRequest: Sendable {
  case start(StartBatchRequest)
  case describe(DescribeBatchRequest)
  case list(ListBatchesRequest)
  case stop(StopBatchRequest)

  var namespace: String {
    switch self {
    case .start(let r): r.namespace
    case .describe(let r): r.namespace
    case .list(let r): r.namespace
    case .stop(let r): r.namespace
    }
  }
}

/// The requests about the limits of workflow types.
public enum WorkflowTypeRequest: Sendable {
  case setLimits(SetWorkflowTypeLimitsRequest)
  case describe(DescribeWorkflowTypeRequest)
  case list(ListWorkflowTypesRequest)

  var namespace: String {
    switch self {
    case .setLimits(let r): r.namespace
    case .describe(let r): r.namespace
    case .list(let r): r.namespace
    }
  }
}

/// The requests of ScheduleService.
public enum ScheduleRequest: Sendable {
  case create(CreateScheduleRequest)
  case describe(DescribeScheduleRequest)
  case list(ListSchedulesRequest)
  case update(UpdateScheduleRequest)
  case delete(DeleteScheduleRequest)
  case pause(PauseScheduleRequest)
  case unpause(UnpauseScheduleRequest)
  case trigger(TriggerScheduleRequest)
  case backfill(BackfillScheduleRequest)
  case matchingTimes(ListScheduleMatchingTimesRequest)
}

/// The requests about the names of search attributes.
public enum AttributeRequest: Sendable {
  case add(AddSearchAttributeRequest)
  case list(ListSearchAttributesRequest)
  case remove(RemoveSearchAttributeRequest)

  var namespace: String {
    switch self {
    case .add(let r): r.namespace
    case .list(let r): r.namespace
    case .remove(let r): r.namespace
    }
  }
}

/// The requests about namespaces.
public enum NamespaceRequest: Sendable {
  case create(CreateNamespaceRequest)
  case describe(DescribeNamespaceRequest)
  case list(ListNamespacesRequest)
  case update(UpdateNamespaceRequest)
  case delete(DeleteNamespaceRequest)

  /// The one that it is about; nil: all, or which there are.
  public var namespace: String? {
    switch self {
    case .describe(let r): r.namespace
    case .update(let r): r.namespace
    case .create, .list, .delete: nil
    }
  }
}

extension Input {
  /// About how much memory the input holds while it waits.
  var approximateBytes: Int {
    guard case .request(_, let request) = self else { return 256 }
    switch request {
    case .startWorkflow(let r): return r.approximateBytes
    case .signalWorkflow(let r): return 256 + r.input.bytes
    case .signalWithStartWorkflow(let r):
      return (r.start?.approximateBytes ?? 256) + r.signalInput.bytes
    case .queryWorkflow(let r): return 256 + r.args.bytes
    case .updateWorkflow(let r): return 256 + r.args.bytes
    case .updateWithStartWorkflow(let r):
      return (r.start?.approximateBytes ?? 256) + (r.update?.args.bytes ?? 0)
    case .completeActivity(let r): return 256 + r.result.bytes
    case .failActivity(let r): return 256 + (r.failure?.approximateBytes ?? 0)
    case .heartbeatActivity(let r): return 256 + r.details.bytes
    case .reportActivityCancelled(let r): return 256 + r.details.bytes
    case .cancelWorkflow, .terminateWorkflow, .deleteWorkflow, .pauseWorkflow, .unpauseWorkflow,
      .resetWorkflow, .forkWorkflow,
      .describeWorkflow, .getWorkflowResult, .getHistory, .listWorkflows, .countWorkflows,
      .describeTaskQueue, .pollUpdate, .pauseActivity, .unpauseActivity, .resetActivity,
      .updateActivityOptions, .workflowType, .attribute, .namespace, .batch:
      return 256
    case .activityRun(.start(let r)): return 256 + r.input.bytes + (r.memo?.bytes ?? 0)
    case .activityRun: return 256
    case .setTaskQueueLimits(let r): return 256 + 128 * (r.limits?.keyRates.count ?? 0)
    case .schedule(.create(let r)): return 256 + (r.schedule?.serialized().count ?? 0)
    case .schedule(.update(let r)): return 256 + (r.schedule?.serialized().count ?? 0)
    case .schedule: return 256
    }
  }
}

extension StartWorkflowRequest {
  fileprivate var approximateBytes: Int { 256 + input.bytes + (memo?.bytes ?? 0) }
}

extension Request {
  /// As the client gave it: empty for `default`.
  public var namespace: String {
    switch self {
    case .startWorkflow(let r): r.namespace
    case .signalWorkflow(let r): r.namespace
    case .signalWithStartWorkflow(let r): r.start?.namespace ?? ""
    case .queryWorkflow(let r): r.namespace
    case .updateWorkflow(let r): r.namespace
    case .updateWithStartWorkflow(let r): r.start?.namespace ?? ""
    case .pollUpdate(let r): r.namespace
    case .cancelWorkflow(let r): r.namespace
    case .terminateWorkflow(let r): r.namespace
    case .deleteWorkflow(let r): r.namespace
    case .pauseWorkflow(let r): r.namespace
    case .unpauseWorkflow(let r): r.namespace
    case .resetWorkflow(let r): r.namespace
    case .forkWorkflow(let r): r.namespace
    case .describeWorkflow(let r): r.namespace
    case .getWorkflowResult(let r): r.namespace
    case .getHistory(let r): r.namespace
    case .listWorkflows(let r): r.namespace
    case .countWorkflows(let r): r.namespace
    case .completeActivity(let r): r.namespace
    case .failActivity(let r): r.namespace
    case .reportActivityCancelled(let r): r.namespace
    case .heartbeatActivity(let r): r.namespace
    case .pauseActivity(let r): r.namespace
    case .unpauseActivity(let r): r.namespace
    case .resetActivity(let r): r.namespace
    case .updateActivityOptions(let r): r.namespace
    case .describeTaskQueue(let r): r.namespace
    case .setTaskQueueLimits(let r): r.namespace
    case .workflowType(let r): r.namespace
    case .schedule(let r): r.namespace
    case .attribute(let r): r.namespace
    case .namespace(let r): r.namespace ?? ""
    case .batch(let r): r.namespace
    case .activityRun(let r): r.namespace
    }
  }
}

extension ScheduleRequest {
  fileprivate var namespace: String {
    switch self {
    case .create(let r): r.namespace
    case .describe(let r): r.namespace
    case .list(let r): r.namespace
    case .update(let r): r.namespace
    case .delete(let r): r.namespace
    case .pause(let r): r.namespace
    case .unpause(let r): r.namespace
    case .trigger(let r): r.namespace
    case .backfill(let r): r.namespace
    case .matchingTimes(let r): r.namespace
    }
  }
}
