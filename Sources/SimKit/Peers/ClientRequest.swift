import Basics
import EngineCore
import Messages

/// A request of a client, as it is sent, and sent again.
struct ClientRequest {
  enum Kind {
    case start(StartWorkflowRequest)
    case signal(SignalWorkflowRequest)
    case signalWithStart(SignalWithStartWorkflowRequest)
    case cancel(CancelWorkflowRequest)
    case terminate(TerminateWorkflowRequest)
    case reset(ResetWorkflowRequest)
    case delete(DeleteWorkflowRequest)
    case pause(PauseWorkflowRequest)
    case unpause(UnpauseWorkflowRequest)
    case query(QueryWorkflowRequest)
    case update(UpdateWorkflowRequest)
    case updateWithStart(UpdateWithStartWorkflowRequest)
    case describe(DescribeWorkflowRequest)
    case result(GetWorkflowResultRequest)
    case history(GetHistoryRequest)
    case list(ListWorkflowsRequest, ModelSelection)
    case count(CountWorkflowsRequest, ModelSelection)
    case complete(CompleteActivityRequest)
    case activity(ActivityCall)
    case activityRun(ActivityRunCall)
    case schedule(ScheduleCall)
    case limit(SetTaskQueueLimitsRequest)
    case batch(StartBatchRequest, ModelFilter)
    case limitType(SetWorkflowTypeLimitsRequest)
    case namespace(NamespaceCall)
  }

  let kind: Kind
  let requestID: String
  let workflowID: String
  var timeoutMs: Int64 = 0
  /// When it was sent for the first time.
  var firstSentUs: Int64 = -1
  /// When it was sent last.
  var sentUs: Int64 = -1

  /// Its answer may be long in coming.
  var waits: Bool {
    switch kind {
    case .result, .update, .updateWithStart, .activityRun(.result): true
    case .history(let history): history.follow
    default: false
    }
  }

  var method: Method {
    switch kind {
    case .start: .workflowStartWorkflow
    case .signal: .workflowSignalWorkflow
    case .signalWithStart: .workflowSignalWithStartWorkflow
    case .cancel: .workflowCancelWorkflow
    case .terminate: .workflowTerminateWorkflow
    case .reset: .workflowResetWorkflow
    case .delete: .workflowDeleteWorkflow
    case .pause: .workflowPauseWorkflow
    case .unpause: .workflowUnpauseWorkflow
    case .query: .workflowQueryWorkflow
    case .update: .workflowUpdateWorkflow
    case .updateWithStart: .workflowUpdateWithStartWorkflow
    case .describe: .workflowDescribeWorkflow
    case .result: .workflowGetWorkflowResult
    case .history: .workflowGetHistory
    case .list: .workflowListWorkflows
    case .count: .workflowCountWorkflows
    case .complete: .activityCompleteActivity
    case .activity(let call): call.method
    case .activityRun(let call): call.method
    case .schedule(let call): call.method
    case .limit: .operatorSetTaskQueueLimits
    case .batch: .batchStartBatch
    case .limitType: .operatorSetWorkflowTypeLimits
    case .namespace(let call): call.method
    }
  }

  var bytes: [UInt8] {
    switch kind {
    case .start(let m): m.serialized()
    case .signal(let m): m.serialized()
    case .signalWithStart(let m): m.serialized()
    case .cancel(let m): m.serialized()
    case .terminate(let m): m.serialized()
    case .reset(let m): m.serialized()
    case .delete(let m): m.serialized()
    case .pause(let m): m.serialized()
    case .unpause(let m): m.serialized()
    case .query(let m): m.serialized()
    case .update(let m): m.serialized()
    case .updateWithStart(let m): m.serialized()
    case .describe(let m): m.serialized()
    case .result(let m): m.serialized()
    case .history(let m): m.serialized()
    case .list(let m, _): m.serialized()
    case .count(let m, _): m.serialized()
    case .complete(let m): m.serialized()
    case .activity(let call): call.bytes
    case .activityRun(let call): call.bytes
    case .schedule(let call): call.bytes
    case .limit(let m): m.serialized()
    case .batch(let m, _): m.serialized()
    case .limitType(let m): m.serialized()
    case .namespace(let call): call.bytes
    }
  }

  /// Of what the ids are that it names.
  var runKind: RunKind {
    if case .activityRun = kind { .activity } else { .workflow }
  }

  var name: String {
    let parts = method.rawValue.split(separator: "/")
    return "\(parts.last ?? "?") \(workflowID) \(requestID)"
  }
}

/// The answer to a request, as its last frame tells it.
struct Answer {
  let status: Status?
  let message: [UInt8]

  init(_ end: End) {
    status = end.status
    message = end.message
  }

  var isOK: Bool { status == nil || status?.code == .ok }

  /// The engine has not decided: the same request is to be sent again.
  var isToBeRepeated: Bool {
    guard let status else { return false }
    switch status.reason {
    case .noWorker, .limitReached, .workflowTaskFailing, .workflowNotBegun: return false
    default: break
    }
    return status.code == .unavailable || status.code == .resourceExhausted
  }
}
