import Basics
import Messages
import EngineCore

/// Requests of operators about pending activities.
extension OracleWalk {
  mutating func drawActivityRequest() -> Request {
    switch dice.int(0...9) {
    case 0..<3:
      var pause = PauseActivityRequest()
      pause.namespace = drawNamespace()
      (pause.execution, pause.activities) = drawActivities()
      pause.reason = dice.pick(["", "the bank is down"])
      pause.identity = drawIdentity()
      pause.requestID = drawRequestID()
      return .pauseActivity(pause)
    case 3..<6:
      var unpause = UnpauseActivityRequest()
      unpause.namespace = drawNamespace()
      (unpause.execution, unpause.activities) = drawActivities()
      unpause.identity = drawIdentity()
      unpause.requestID = drawRequestID()
      unpause.resetAttempts = dice.percent(50)
      unpause.resetHeartbeat = dice.percent(50)
      return .unpauseActivity(unpause)
    case 6..<8:
      var reset = ResetActivityRequest()
      reset.namespace = drawNamespace()
      (reset.execution, reset.activities) = drawActivities()
      reset.identity = drawIdentity()
      reset.requestID = drawRequestID()
      reset.resetHeartbeat = dice.percent(50)
      reset.keepPaused = dice.percent(50)
      reset.restoreOriginalOptions = dice.percent(50)
      return .resetActivity(reset)
    default: return .updateActivityOptions(drawOptions())
    }
  }

  /// Those of a workflow, or one without a workflow.
  private mutating func drawActivities() -> (WorkflowExecution?, ActivitySelection?) {
    guard dice.percent(25) else { return (drawExecution(), drawSelectionOfActivities()) }
    let id = dice.pick(OracleWalk.ids)
    let run = model.newest(id, ofActivity: true)
    return (
      dice.percent(30) ? run.map { .of("", $0.id) } : nil, ActivitySelection(.activityID(id))
    )
  }

  private mutating func drawSelectionOfActivities() -> ActivitySelection? {
    if isWrong() { return dice.percent(50) ? nil : ActivitySelection() }
    let ids = model.runs.filter(\.isOpen).flatMap(\.activities).map(\.scheduled.activityID)
    switch dice.int(0...9) {
    case 0..<6: return ActivitySelection(.all(!isWrong()))
    case 6: return ActivitySelection(.activityType(dice.pick(["charge", "pack"])))
    default:
      let id = ids.isEmpty || isWrong() ? "none" : dice.pick(ids)
      return ActivitySelection(.activityID(id))
    }
  }

  private mutating func drawOptions() -> UpdateActivityOptionsRequest {
    var update = UpdateActivityOptionsRequest()
    update.namespace = drawNamespace()
    (update.execution, update.activities) = drawActivities()
    update.identity = drawIdentity()
    update.requestID = drawRequestID()
    update.restoreOriginal = dice.percent(20)
    var options = ActivityTaskOptions()
    if dice.percent(30) { options.taskQueue = dice.pick(["q", "dock"]) }
    if dice.percent(40) { options.retryPolicy = drawPolicy() }
    if dice.percent(30) { options.scheduleToCloseTimeoutMs = Span(ms: dice.pick([900, 90_000])) }
    if dice.percent(30) { options.scheduleToStartTimeoutMs = Span(ms: dice.pick([400, 30_000])) }
    if dice.percent(30) { options.startToCloseTimeoutMs = Span(ms: dice.pick([2_000, 30_000])) }
    if dice.percent(30) { options.heartbeatTimeoutMs = Span(ms: dice.pick([800, 9_000])) }
    if isWrong() { options.heartbeatTimeoutMs = Span(ms: -1) }
    if !isWrong() { update.options = options }
    let names = [
      "task_queue", "schedule_to_close_timeout_ms", "schedule_to_start_timeout_ms",
      "start_to_close_timeout_ms", "heartbeat_timeout_ms", "retry_policy",
      "retry_policy.maximum_attempts", "retry_policy.initial_interval_ms",
    ]
    if dice.percent(40) { update.updateMask = names.filter { _ in dice.percent(40) } }
    if isWrong() { update.updateMask.append("nothing") }
    return update
  }
}
