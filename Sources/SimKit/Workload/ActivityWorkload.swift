import Basics
import Messages

/// What operators ask of pending activities.
enum ActivityCall {
  case pause(PauseActivityRequest)
  case unpause(UnpauseActivityRequest)
  case reset(ResetActivityRequest)
  case options(UpdateActivityOptionsRequest)
  case fail(FailActivityRequest)

  var method: Method {
    switch self {
    case .pause: .activityPauseActivity
    case .unpause: .activityUnpauseActivity
    case .reset: .activityResetActivity
    case .options: .activityUpdateActivityOptions
    case .fail: .activityFailActivity
    }
  }

  var bytes: [UInt8] {
    switch self {
    case .pause(let m): m.serialized()
    case .unpause(let m): m.serialized()
    case .reset(let m): m.serialized()
    case .options(let m): m.serialized()
    case .fail(let m): m.serialized()
    }
  }

  /// Any of them, of some or all activities of the run.
  static func drawn(_ execution: WorkflowExecution, _ id: String, _ dice: inout Dice)
    -> ActivityCall
  {
    let which = ActivitySelection(
      dice.percent(50) ? .all(true) : .activityID("\(dice.int(1...6))"))
    switch dice.int(0...9) {
    case 0...3:
      var request = PauseActivityRequest()
      request.execution = execution
      request.activities = which
      request.requestID = id
      return .pause(request)
    case 4, 5:
      var request = unpausing(execution, id)
      request.activities = which
      request.resetAttempts = dice.percent(50)
      request.resetHeartbeat = dice.percent(50)
      return .unpause(request)
    case 6, 7:
      var request = ResetActivityRequest()
      request.execution = execution
      request.activities = which
      request.requestID = id
      request.keepPaused = dice.percent(50)
      request.resetHeartbeat = dice.percent(50)
      request.restoreOriginalOptions = dice.percent(30)
      return .reset(request)
    default:
      var request = UpdateActivityOptionsRequest()
      request.execution = execution
      request.activities = which
      request.requestID = id
      var policy = RetryPolicy()
      policy.initialIntervalMs = Span(ms: dice.pick([1, 200]))
      policy.maximumIntervalMs = Span(ms: 1_000)
      // Some activities fail as long as they are tried.
      policy.maximumAttempts = 5
      var options = ActivityTaskOptions()
      options.retryPolicy = policy
      request.options = options
      return .options(request)
    }
  }

  /// All activities of the run go on.
  static func unpausing(_ execution: WorkflowExecution, _ id: String) -> UnpauseActivityRequest {
    var request = UnpauseActivityRequest()
    request.execution = execution
    request.activities = ActivitySelection(.all(true))
    request.requestID = id
    return request
  }

  /// An activity that is held fails for good.
  static func failing(_ execution: WorkflowExecution, _ activityID: String, _ id: String)
    -> ActivityCall
  {
    var reference = ActivityReference()
    reference.execution = execution
    reference.activityID = activityID
    var request = FailActivityRequest()
    request.activity = reference
    request.failure = .application(id, isNonRetryable: true)
    request.requestID = id
    return .fail(request)
  }
}

extension ActivitySelection {
  init(_ which: Which) {
    self.init()
    self.which = which
  }
}
