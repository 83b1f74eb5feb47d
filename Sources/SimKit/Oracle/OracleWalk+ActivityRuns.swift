import Basics
import EngineCore
import Messages

/// What clients ask of activities without a workflow. Their ids are those of workflows, too.
extension OracleWalk {
  mutating func drawActivityRun() -> ActivityRunRequest {
    switch dice.int(0...19) {
    case 0..<9: return .start(drawStartOfActivity())
    case 9..<11:
      var describe = DescribeActivityRequest()
      describe.namespace = drawNamespace()
      (describe.activityID, describe.runID) = drawActivityRunIDs()
      return .describe(describe)
    case 11..<14:
      var result = GetActivityResultRequest()
      result.namespace = drawNamespace()
      (result.activityID, result.runID) = drawActivityRunIDs()
      return .result(result)
    case 14: return .list(drawListOfActivities())
    case 15:
      var count = CountActivitiesRequest()
      count.namespace = drawNamespace()
      count.query = drawQueryOfActivities { selection, draw, dice in
        if dice.percent(50) { selection.groups = draw.groups(&dice) }
      }
      return .count(count)
    case 16..<18:
      var cancel = RequestCancelActivityRequest()
      cancel.namespace = drawNamespace()
      (cancel.activityID, cancel.runID) = drawActivityRunIDs()
      cancel.reason = dice.pick(["", "sold out"])
      cancel.requestID = drawRequestID()
      cancel.identity = drawIdentity()
      return .cancel(cancel)
    case 18:
      var terminate = TerminateActivityRequest()
      terminate.namespace = drawNamespace()
      (terminate.activityID, terminate.runID) = drawActivityRunIDs()
      terminate.reason = dice.pick(["", "fraud"])
      terminate.requestID = drawRequestID()
      terminate.identity = drawIdentity()
      return .terminate(terminate)
    default:
      var delete = DeleteActivityRequest()
      delete.namespace = drawNamespace()
      (delete.activityID, delete.runID) = drawActivityRunIDs()
      delete.reason = dice.pick(["", "a test"])
      return .delete(delete)
    }
  }

  private mutating func drawActivityRunIDs() -> (String, RunID) {
    let id = drawID()
    if dice.percent(85) || model.runs.isEmpty { return (id, .none) }
    // At times that of a workflow, which is not found.
    let run = dice.pick(Array(model.runs.suffix(8)))
    return (run.workflowID, isWrong() ? RunID(high: 1, low: 1) : run.id)
  }

  private mutating func drawStartOfActivity() -> StartActivityRequest {
    var start = StartActivityRequest()
    start.namespace = drawNamespace()
    start.activityID = drawID()
    start.activityType = isWrong() ? "" : dice.pick(["charge", "charge", "pack"])
    var options = ActivityTaskOptions()
    options.taskQueue = isWrong() ? "" : dice.pick(["q", "q", "q", "dock"])
    options.startToCloseTimeoutMs = isWrong() ? .zero : Span(ms: dice.pick([2_000, 30_000]))
    if options.startToCloseTimeoutMs != .zero {
      if dice.percent(20) { options.scheduleToCloseTimeoutMs = Span(ms: dice.pick([900, 90_000])) }
      if dice.percent(20) { options.scheduleToStartTimeoutMs = Span(ms: dice.pick([400, 30_000])) }
      if dice.percent(30) { options.heartbeatTimeoutMs = Span(ms: dice.pick([800, 9_000])) }
      if isWrong() { options.heartbeatTimeoutMs = Span(ms: -1) }
    }
    if dice.percent(60) { options.retryPolicy = drawPolicy() }
    start.options = options
    start.input = drawPayloads()
    if dice.percent(20) { start.onExhausted = .pause }
    start.requestID = drawRequestID()
    start.identity = drawIdentity()
    start.userMetadata = drawMetadata()
    start.memo = drawMemo()
    start.searchAttributes = drawAttributes()
    start.priority = drawPriority()
    if dice.percent(15) { start.startDelayMs = Span(ms: dice.pick([1, 2_000, 40_000])) }
    if dice.percent(5), start.startDelayMs == .zero {
      start.startAtTimeMs = engine.now + Span(ms: dice.pick([-5, 0, 7_000]))
    }
    if isWrong() {
      start.startDelayMs = Span(ms: 1)
      start.startAtTimeMs = Instant(ms: 1)
    }
    start.idReusePolicy = WorkflowIdReusePolicy(rawValue: Int32(dice.int(0...3)))
    start.idConflictPolicy = WorkflowIdConflictPolicy(rawValue: Int32(dice.int(0...3)))
    if isWrong() { start.idReusePolicy = .unrecognized(9) }
    return start
  }

  private mutating func drawListOfActivities() -> ListActivitiesRequest {
    var list = ListActivitiesRequest()
    list.namespace = drawNamespace()
    list.query = drawQueryOfActivities { selection, draw, dice in
      guard dice.percent(30) else { return }
      selection.order = draw.order(&dice)
      selection.limit = dice.pick([1, 2, 5, 100])
    }
    list.limit = isWrong() ? -1 : dice.pick([0, 0, 1, 3])
    return list
  }

  /// The attributes that workflows have, by the names that they have here.
  private mutating func drawQueryOfActivities(
    _ change: (inout ModelSelection, SelectionDraw, inout Dice) -> Void
  ) -> String {
    // None that is drawn for workflows, too.
    if isWrong() { return dice.pick(["WorkflowId = 'nobody'", "HistoryLength = 987"]) }
    let runs = model.runs.suffix(20)
    let draw = SelectionDraw(
      ids: OracleWalk.ids, types: ["charge", "pack", "it's"], queues: ["q", "dock"],
      runIDs: runs.map { "\($0.id)" } + ["0"],
      times: runs.flatMap { [$0.startTime.ms, $0.closeTime.ms] } + [engine.now.ms],
      without: ["HistoryLength"], own: model.names)
    var selection = ModelSelection()
    if dice.percent(70) { selection.filter = draw.filter(&dice) }
    change(&selection, draw, &dice)
    selection.names = model.names.filter { selection.uses($0.key) }
    let text = selection.text(&dice).replacing("WorkflowId", with: "ActivityId")
      .replacing("WorkflowType", with: "ActivityType")
    model.selections[text] = selection
    return text
  }
}
