import Basics
import Messages

/// Everything that one step orders the world to do. The buffer is the caller's and is reused.
public struct Effects: Sendable {
  /// Applied as a whole and in order; durable before any send that depends on them.
  public var writes: [Write] = []
  /// The serial of `writes`; of the last step that wrote when this one did not.
  public var serial = WriteSerial.none
  public var loads: [GatedLoad] = []
  public var sends: [GatedSend] = []
  /// Processes that hold leases from before this start of the engine: `processGone` is wanted when
  /// they end, or at once if they have ended.
  public var watches: [ProcessIdentity] = []

  public init() {}

  public mutating func removeAll() {
    writes.removeAll(keepingCapacity: true)
    loads.removeAll(keepingCapacity: true)
    sends.removeAll(keepingCapacity: true)
    watches.removeAll(keepingCapacity: true)
  }
}

/// A send, and the write that must be durable before it leaves.
public struct GatedSend: Sendable {
  public var after: WriteSerial
  public var send: Send

  public init(after: WriteSerial, send: Send) {
    self.after = after
    self.send = send
  }
}

/// A load, and the write that must be durable before it is served.
public struct GatedLoad: Sendable {
  public var after: WriteSerial
  public var load: Load
}

/// What leaves the engine for its peers. Each is moved several times on its way, so the large ones
/// are boxed.
public enum Send: Sendable {
  /// The answer to a unary request; ends its stream.
  indirect case reply(RequestID, Reply)
  /// A message of a streamed answer, as the bytes of the method's response message.
  case part(RequestID, [UInt8])
  /// The end of a streamed answer.
  indirect case end(RequestID, Status)
  indirect case worker(SessionID, EngineMessage)
  /// The session gets no more tasks: `sessionHasRoom` is wanted once it has read those before this.
  case awaitRoom(SessionID)
  /// Ends a Work stream; nothing follows.
  indirect case endSession(SessionID, Status)
}

public enum Reply: Sendable {
  case failure(Status)
  case startWorkflow(StartWorkflowResponse)
  case signalWorkflow(SignalWorkflowResponse)
  case queryWorkflow(QueryWorkflowResponse)
  case updateWorkflow(UpdateWorkflowResponse)
  case cancelWorkflow(CancelWorkflowResponse)
  case terminateWorkflow(TerminateWorkflowResponse)
  case deleteWorkflow(DeleteWorkflowResponse)
  case pauseWorkflow(PauseWorkflowResponse)
  case unpauseWorkflow(UnpauseWorkflowResponse)
  case resetWorkflow(ResetWorkflowResponse)
  case forkWorkflow(ForkWorkflowResponse)
  case describeWorkflow(DescribeWorkflowResponse)
  case getWorkflowResult(GetWorkflowResultResponse)
  case countWorkflows(CountWorkflowsResponse)
  case completeActivity(CompleteActivityResponse)
  case failActivity(FailActivityResponse)
  case reportActivityCancelled(ReportActivityCancelledResponse)
  case heartbeatActivity(HeartbeatActivityResponse)
  case pauseActivity(PauseActivityResponse)
  case unpauseActivity(UnpauseActivityResponse)
  case resetActivity(ResetActivityResponse)
  case updateActivityOptions(UpdateActivityOptionsResponse)
  case describeTaskQueue(DescribeTaskQueueResponse)
  case setTaskQueueLimits(SetTaskQueueLimitsResponse)
  case workflowType(WorkflowTypeReply)
  case schedule(ScheduleReply)
  case attribute(AttributeReply)
  case namespace(NamespaceReply)
  case batch(BatchReply)
  case activityRun(ActivityRunReply)
}

/// The answers about activities without a workflow.
public enum ActivityRunReply: Sendable {
  case start(StartActivityResponse)
  case describe(DescribeActivityResponse)
  case result(GetActivityResultResponse)
  case count(CountActivitiesResponse)
  case cancel(RequestCancelActivityResponse)
  case terminate(TerminateActivityResponse)
  case delete(DeleteActivityResponse)
}

/// The answers of BatchService.
public enum BatchReply: Sendable {
  case start(StartBatchResponse)
  case describe(DescribeBatchResponse)
  case list(ListBatchesResponse)
  case stop(StopBatchResponse)
}

/// The answers about the limits of workflow types.
public enum WorkflowTypeReply: Sendable {
  case setLimits(SetWorkflowTypeLimitsResponse)
  case describe(DescribeWorkflowTypeResponse)
  case list(ListWorkflowTypesResponse)
}

/// The answers about the names of search attributes.
public enum AttributeReply: Sendable {
  case add(AddSearchAttributeResponse)
  case list(ListSearchAttributesResponse)
  case remove(RemoveSearchAttributeResponse)
}

/// The answers about namespaces.
public enum NamespaceReply: Sendable {
  case create(CreateNamespaceResponse)
  case describe(DescribeNamespaceResponse)
  case list(ListNamespacesResponse)
  case update(UpdateNamespaceResponse)
  case delete(DeleteNamespaceResponse)
}

/// The answers of ScheduleService.
public enum ScheduleReply: Sendable {
  case create(CreateScheduleResponse)
  case describe(DescribeScheduleResponse)
  case list(ListSchedulesResponse)
  case update(UpdateScheduleResponse)
  case delete(DeleteScheduleResponse)
  case pause(PauseScheduleResponse)
  case unpause(UnpauseScheduleResponse)
  case trigger(TriggerScheduleResponse)
  case backfill(BackfillScheduleResponse)
  case matchingTimes(ListScheduleMatchingTimesResponse)
}
