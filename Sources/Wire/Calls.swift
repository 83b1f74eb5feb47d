import EngineCore
import Messages

/// What a method's request is for.
public enum Call: Sendable {
  case engine(Request)
  case health(HealthRequest)
  case describe(DescribeRequest)
  case drain(DrainRequest)
  case time(TimeRequest)
  case backup(BackupRequest)
  /// The Work stream: messages follow.
  case work
  /// A history is replayed: messages follow.
  case replay

  /// Decodes the request of a method.
  public init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .workflowStartWorkflow: self = .engine(.startWorkflow(try .init(bytes: bytes)))
    case .workflowSignalWorkflow: self = .engine(.signalWorkflow(try .init(bytes: bytes)))
    case .workflowSignalWithStartWorkflow:
      self = .engine(.signalWithStartWorkflow(try .init(bytes: bytes)))
    case .workflowQueryWorkflow: self = .engine(.queryWorkflow(try .init(bytes: bytes)))
    case .workflowUpdateWorkflow: self = .engine(.updateWorkflow(try .init(bytes: bytes)))
    case .workflowUpdateWithStartWorkflow:
      self = .engine(.updateWithStartWorkflow(try .init(bytes: bytes)))
    case .workflowPollUpdate: self = .engine(.pollUpdate(try .init(bytes: bytes)))
    case .workflowCancelWorkflow: self = .engine(.cancelWorkflow(try .init(bytes: bytes)))
    case .workflowDeleteWorkflow: self = .engine(.deleteWorkflow(try .init(bytes: bytes)))
    case .workflowTerminateWorkflow: self = .engine(.terminateWorkflow(try .init(bytes: bytes)))
    case .workflowPauseWorkflow: self = .engine(.pauseWorkflow(try .init(bytes: bytes)))
    case .workflowUnpauseWorkflow: self = .engine(.unpauseWorkflow(try .init(bytes: bytes)))
    case .workflowResetWorkflow: self = .engine(.resetWorkflow(try .init(bytes: bytes)))
    case .workflowForkWorkflow: self = .engine(.forkWorkflow(try .init(bytes: bytes)))
    case .workflowDescribeWorkflow: self = .engine(.describeWorkflow(try .init(bytes: bytes)))
    case .workflowGetWorkflowResult: self = .engine(.getWorkflowResult(try .init(bytes: bytes)))
    case .workflowGetHistory: self = .engine(.getHistory(try .init(bytes: bytes)))
    case .workflowListWorkflows: self = .engine(.listWorkflows(try .init(bytes: bytes)))
    case .workflowCountWorkflows: self = .engine(.countWorkflows(try .init(bytes: bytes)))
    case .activityCompleteActivity: self = .engine(.completeActivity(try .init(bytes: bytes)))
    case .activityFailActivity: self = .engine(.failActivity(try .init(bytes: bytes)))
    case .activityReportActivityCancelled:
      self = .engine(.reportActivityCancelled(try .init(bytes: bytes)))
    case .activityHeartbeatActivity: self = .engine(.heartbeatActivity(try .init(bytes: bytes)))
    case .activityPauseActivity: self = .engine(.pauseActivity(try .init(bytes: bytes)))
    case .activityUnpauseActivity: self = .engine(.unpauseActivity(try .init(bytes: bytes)))
    case .activityResetActivity: self = .engine(.resetActivity(try .init(bytes: bytes)))
    case .activityUpdateActivityOptions:
      self = .engine(.updateActivityOptions(try .init(bytes: bytes)))
    case .activityStartActivity, .activityDescribeActivity, .activityGetActivityResult,
      .activityListActivities, .activityCountActivities, .activityRequestCancelActivity,
      .activityTerminateActivity, .activityDeleteActivity:
      self = .engine(.activityRun(try ActivityRunRequest(method, bytes)))
    case .operatorSetTaskQueueLimits: self = .engine(.setTaskQueueLimits(try .init(bytes: bytes)))
    case .operatorDescribeTaskQueue: self = .engine(.describeTaskQueue(try .init(bytes: bytes)))
    case .scheduleCreateSchedule, .scheduleDescribeSchedule, .scheduleListSchedules,
      .scheduleUpdateSchedule, .scheduleDeleteSchedule, .schedulePauseSchedule,
      .scheduleUnpauseSchedule, .scheduleTriggerSchedule, .scheduleBackfillSchedule,
      .scheduleListScheduleMatchingTimes:
      self = .engine(.schedule(try ScheduleRequest(method, bytes)))
    case .operatorSetWorkflowTypeLimits, .operatorDescribeWorkflowType,
      .operatorListWorkflowTypes:
      self = .engine(.workflowType(try WorkflowTypeRequest(method, bytes)))
    case .operatorAddSearchAttribute:
      self = .engine(.attribute(.add(try .init(bytes: bytes))))
    case .operatorListSearchAttributes:
      self = .engine(.attribute(.list(try .init(bytes: bytes))))
    case .operatorRemoveSearchAttribute:
      self = .engine(.attribute(.remove(try .init(bytes: bytes))))
    case .operatorCreateNamespace, .operatorDescribeNamespace, .operatorListNamespaces,
      .operatorUpdateNamespace, .operatorDeleteNamespace:
      self = .engine(.namespace(try NamespaceRequest(method, bytes)))
    case .batchStartBatch, .batchDescribeBatch, .batchListBatches, .batchStopBatch:
      self = .engine(.batch(try BatchRequest(method, bytes)))
    case .operatorHealth: self = .health(try .init(bytes: bytes))
    case .operatorDescribe: self = .describe(try .init(bytes: bytes))
    case .operatorDrain: self = .drain(try .init(bytes: bytes))
    case .operatorGetTime, .operatorLockTime, .operatorUnlockTime, .operatorSleep,
      .operatorAdvanceTime:
      self = .time(try TimeRequest(method, bytes))
    case .operatorBackup: self = .backup(try .init(bytes: bytes))
    case .workerWork: self = .work
    case .workerReplay: self = .replay
    }
  }
}

extension FrameEncoder {
  /// The end of a unary stream.
  public mutating func append(_ reply: Reply, stream: UInt64, to out: inout [UInt8]) {
    switch reply {
    case .failure(let status): append(end: status, stream: stream, to: &out)
    case .startWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .signalWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .queryWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .updateWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .cancelWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .deleteWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .terminateWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .pauseWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .unpauseWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .resetWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .forkWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .describeWorkflow(let m): appendEnd(stream: stream, message: m, to: &out)
    case .getWorkflowResult(let m): appendEnd(stream: stream, message: m, to: &out)
    case .countWorkflows(let m): appendEnd(stream: stream, message: m, to: &out)
    case .completeActivity(let m): appendEnd(stream: stream, message: m, to: &out)
    case .failActivity(let m): appendEnd(stream: stream, message: m, to: &out)
    case .reportActivityCancelled(let m): appendEnd(stream: stream, message: m, to: &out)
    case .heartbeatActivity(let m): appendEnd(stream: stream, message: m, to: &out)
    case .pauseActivity(let m): appendEnd(stream: stream, message: m, to: &out)
    case .unpauseActivity(let m): appendEnd(stream: stream, message: m, to: &out)
    case .resetActivity(let m): appendEnd(stream: stream, message: m, to: &out)
    case .updateActivityOptions(let m): appendEnd(stream: stream, message: m, to: &out)
    case .describeTaskQueue(let m): appendEnd(stream: stream, message: m, to: &out)
    case .setTaskQueueLimits(let m): appendEnd(stream: stream, message: m, to: &out)
    case .schedule(let reply): append(reply, stream: stream, to: &out)
    case .workflowType(.setLimits(let m)): appendEnd(stream: stream, message: m, to: &out)
    case .workflowType(.describe(let m)): appendEnd(stream: stream, message: m, to: &out)
    case .workflowType(.list(let m)): appendEnd(stream: stream, message: m, to: &out)
    case .attribute(.add(let m)): appendEnd(stream: stream, message: m, to: &out)
    case .attribute(.list(let m)): appendEnd(stream: stream, message: m, to: &out)
    case .attribute(.remove(let m)): appendEnd(stream: stream, message: m, to: &out)
    case .namespace(let reply): append(reply, stream: stream, to: &out)
    case .batch(let reply): append(reply, stream: stream, to: &out)
    case .activityRun(let reply): append(reply, stream: stream, to: &out)
    }
  }

  /// The end of a stream without an answer.
  public mutating func append(end status: Status, stream: UInt64, to out: inout [UInt8]) {
    var end = End()
    if status.code != .ok { end.status = status }
    var frame = Frame()
    frame.stream = stream
    frame.kind = .end(end)
    append(frame, to: &out)
  }
}

extension WorkflowTypeRequest {
  /// Decodes the request of a method about workflow types.
  fileprivate init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .operatorSetWorkflowTypeLimits: self = .setLimits(try .init(bytes: bytes))
    case .operatorDescribeWorkflowType: self = .describe(try .init(bytes: bytes))
    case .operatorListWorkflowTypes: self = .list(try .init(bytes: bytes))
    default: preconditionFailure("\(method.rawValue) is not about workflow types")
    }
  }
}
