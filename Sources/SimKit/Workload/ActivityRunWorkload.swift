import Basics
import Messages

/// What clients ask of activities without a workflow. Their ids are those of workflows, too.
enum ActivityRunCall {
  case start(StartActivityRequest)
  case describe(DescribeActivityRequest)
  case result(GetActivityResultRequest)
  case list(ListActivitiesRequest)
  case cancel(RequestCancelActivityRequest)
  case terminate(TerminateActivityRequest)

  var method: Method {
    switch self {
    case .start: .activityStartActivity
    case .describe: .activityDescribeActivity
    case .result: .activityGetActivityResult
    case .list: .activityListActivities
    case .cancel: .activityRequestCancelActivity
    case .terminate: .activityTerminateActivity
    }
  }

  var bytes: [UInt8] {
    switch self {
    case .start(let m): m.serialized()
    case .describe(let m): m.serialized()
    case .result(let m): m.serialized()
    case .list(let m): m.serialized()
    case .cancel(let m): m.serialized()
    case .terminate(let m): m.serialized()
    }
  }

  static func drawn(_ activityID: String, _ id: String, _ dice: inout Dice) -> ActivityRunCall {
    switch dice.int(0...9) {
    case 0...4: return .start(drawnStart(activityID, id, &dice))
    case 5:
      var request = DescribeActivityRequest()
      request.activityID = activityID
      return .describe(request)
    case 6, 7:
      var request = GetActivityResultRequest()
      request.activityID = activityID
      return .result(request)
    case 8 where dice.percent(50): return .list(ListActivitiesRequest())
    case 8:
      var request = TerminateActivityRequest()
      request.activityID = activityID
      request.reason = id
      request.requestID = id
      return .terminate(request)
    default:
      var request = RequestCancelActivityRequest()
      request.activityID = activityID
      request.requestID = id
      return .cancel(request)
    }
  }

  private static func drawnStart(_ activityID: String, _ id: String, _ dice: inout Dice)
    -> StartActivityRequest
  {
    let command = ActivityPlan.drawn(&dice).command(seq: 0)
    var start = StartActivityRequest()
    start.activityID = activityID
    start.activityType = command.activityType
    start.input = command.input
    var options = ActivityTaskOptions()
    options.taskQueue = "q"
    options.startToCloseTimeoutMs = command.startToCloseTimeoutMs
    options.heartbeatTimeoutMs = command.heartbeatTimeoutMs
    options.retryPolicy = command.retryPolicy
    start.options = options
    start.requestID = id
    start.idConflictPolicy = dice.pick([.unspecified, .fail, .useExisting, .terminateExisting])
    start.idReusePolicy = dice.pick([
      .unspecified, .allowDuplicate, .allowDuplicateFailedOnly, .rejectDuplicate,
    ])
    if dice.percent(20) { start.startDelayMs = Span(ms: dice.pick([1, 800, 4_000])) }
    return start
  }
}

extension ActivityPlan {
  /// What the end of an activity without a workflow says that its plan does not; nil: nothing.
  func fault(of run: Ledger.Run) -> String? {
    let isCancelled = run.events.contains {
      if case .activityTaskCancelRequested = $0.attributes { true } else { false }
    }
    switch run.row.status {
    case .completed: return outcome == .fails ? "completes, and its plan is to fail" : nil
    case .failed, .timedOut:
      return outcome == .succeeds && !isCancelled ? "fails, and its plan is to succeed" : nil
    case .canceled: return isCancelled ? nil : "is cancelled, and nobody has asked for it"
    default: return nil
    }
  }
}
