import Basics
import EngineCore
import Messages
import SQLiteStore

/// What clients ask.
extension OracleWalk {
  /// Shorter than every token.
  static let tokenBytesMin = 8

  static let ids = ["a", "b", "c", "e\u{301}", "\u{E9}"]
  static let tooLong = String(repeating: "x", count: 1_001)

  mutating func act() throws(StoreError) {
    switch dice.int(0...99) {
    case 0..<28: try ask(drawRequest())
    case 28..<80: try work()
    case 80..<89: try passTime()
    case 89..<97: try attachOrLeave()
    case 97: try changeEngine()
    case 98: try commit()
    default:
      guard !requests.isEmpty else { return }
      try play(.requestAbandoned(requests.remove(at: dice.int(0...requests.count - 1))))
    }
  }

  /// One that drains does so until it is started again.
  private mutating func changeEngine() throws(StoreError) {
    switch dice.int(0...9) {
    case 0..<2 where !model.isDraining: try play(.drain)
    case 2..<6: try play(.diskFull(!model.isDiskFull))
    default: try restart()
    }
  }

  /// To the next deadline, a little beyond it, or over all that are due in some time.
  private mutating func passTime() throws(StoreError) {
    let next = engine.nextDeadline ?? engine.now
    switch dice.int(0...9) {
    case 0..<5: engine.advance(to: next)
    case 5: engine.advance(to: next + Span(ms: dice.int64(1...400)))
    default:
      try pass(Span(ms: dice.pick([1, 99, 500, 1_000, 3_000, 30_000])))
    }
  }

  /// What becomes due before the end happens in its time.
  mutating func pass(_ span: Span) throws(StoreError) {
    let end = engine.now + span
    while let next = engine.nextDeadline, next < end, !hasDiffered {
      engine.advance(to: next)
      try settle()
    }
    engine.advance(to: end)
  }

  mutating func drawRequest() -> Request {
    switch dice.int(0...99) {
    case 0..<18: .startWorkflow(drawStart())
    case 18..<22: .activityRun(drawActivityRun())
    case 22..<33: .signalWorkflow(drawSignal())
    case 33: .pauseWorkflow(drawPause())
    case 34..<36: .unpauseWorkflow(drawUnpause())
    case 36..<42: .updateWorkflow(drawUpdate())
    case 42..<44: .updateWithStartWorkflow(drawUpdateWithStart())
    case 44..<46: .pollUpdate(drawPoll())
    case 46..<54: .signalWithStartWorkflow(drawSignalWithStart())
    case 54..<58: .cancelWorkflow(drawCancel())
    case 58..<60 where dice.percent(70): .resetWorkflow(drawReset())
    case 58..<60: .forkWorkflow(drawFork())
    case 60: .terminateWorkflow(drawTerminate())
    case 61: .deleteWorkflow(drawDelete())
    case 62..<66: .getWorkflowResult(drawResult())
    case 66..<69: .describeWorkflow(drawDescribe())
    case 69..<73: .getHistory(drawHistory())
    case 73..<78: .queryWorkflow(drawQuery())
    case 78..<82: .listWorkflows(drawList())
    case 82: .countWorkflows(drawCount())
    case 83: .activityRun(drawActivityRun())
    case 84 where dice.percent(40): .setTaskQueueLimits(drawLimits())
    case 84: .describeTaskQueue(drawQueue())
    case 85 where dice.percent(60): .attribute(drawAttributeRequest())
    case 85: .workflowType(drawTypeRequest())
    case 86: .batch(drawBatchRequest())
    case 87..<92: .schedule(drawScheduleRequest())
    case 92..<95: drawActivityRequest()
    default: drawReport()
    }
  }

  // MARK: - Fields

  mutating func drawID() -> String {
    isWrong() ? dice.pick(["", OracleWalk.tooLong, "unknown"]) : dice.pick(OracleWalk.ids)
  }

  mutating func drawRequestID() -> String {
    if isWrong() { return OracleWalk.tooLong }
    return dice.percent(60) ? "" : dice.pick(["r1", "r2", "r3", "r4", "r5", "r6"])
  }

  mutating func drawNamespace() -> String {
    isWrong() ? "elsewhere" : dice.pick(["", "default"])
  }

  mutating func drawPayloads() -> [Payload] {
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = isWrong() ? [UInt8](repeating: 49, count: 1_001) : [dice.pick([49, 50])]
    return dice.percent(60) ? [] : [payload]
  }

  mutating func drawIdentity() -> String { dice.pick(["", "shop", "boss"]) }

  mutating func drawMetadata() -> UserMetadata? {
    guard dice.percent(20) else { return nil }
    var metadata = UserMetadata()
    metadata.summary = "two books"
    return metadata
  }

  mutating func drawExecution() -> WorkflowExecution? {
    if isWrong() { return nil }
    if dice.percent(85) || model.runs.isEmpty { return .of(drawID()) }
    let run = dice.pick(Array(model.runs.suffix(8)))
    return .of(dice.percent(95) ? run.workflowID : "a", isWrong() ? RunID(high: 1, low: 1) : run.id)
  }

  // MARK: - Requests

  private mutating func drawStart() -> StartWorkflowRequest {
    var start = StartWorkflowRequest()
    start.namespace = drawNamespace()
    start.workflowID = drawID()
    start.workflowType = isWrong() ? "" : dice.pick(["order", "order", "ship"])
    start.taskQueue = isWrong() ? "" : dice.pick(["q", "q", "q", "dock"])
    start.input = drawPayloads()
    start.requestID = drawRequestID()
    start.identity = drawIdentity()
    start.userMetadata = drawMetadata()
    start.memo = drawMemo()
    start.searchAttributes = drawAttributes()
    start.priority = drawPriority()
    start.concurrencyKey = drawConcurrencyKey()
    if dice.percent(20) { start.runTimeoutMs = Span(ms: dice.pick([1, 5_000, 60_000])) }
    if dice.percent(10) { start.executionTimeoutMs = Span(ms: dice.pick([3_000, 90_000])) }
    if dice.percent(20) { start.taskTimeoutMs = Span(ms: dice.pick([500, 5_000, 120_000])) }
    if dice.percent(20) { start.retryPolicy = drawPolicy() }
    if dice.percent(10) { start.startDelayMs = Span(ms: dice.pick([1, 2_000, 40_000])) }
    if dice.percent(5), start.startDelayMs == .zero {
      start.startAtTimeMs = engine.now + Span(ms: dice.pick([-5, 0, 7_000]))
    }
    if dice.percent(8) {
      start.cronSchedule = drawCron()
      start.cronTimeZone = drawZone()
      start.startDelayMs = isWrong() ? Span(ms: 1) : .zero
      start.startAtTimeMs = .epoch
    } else if isWrong() {
      start.startDelayMs = Span(ms: 1)
      start.startAtTimeMs = Instant(ms: 1)
    }
    if isWrong() { start.runTimeoutMs = Span(ms: -1) }
    if isWrong() { start.taskTimeoutMs = Span(ms: 120_001) }
    start.idReusePolicy = WorkflowIdReusePolicy(rawValue: Int32(dice.int(0...3)))
    start.idConflictPolicy = WorkflowIdConflictPolicy(
      rawValue: dice.percent(40) ? 2 : Int32(dice.int(0...3)))
    if isWrong() { start.idReusePolicy = .unrecognized(9) }
    if isWrong() { start.idConflictPolicy = .unrecognized(9) }
    return start
  }

  private mutating func drawSignal() -> SignalWorkflowRequest {
    var signal = SignalWorkflowRequest()
    signal.namespace = drawNamespace()
    signal.execution = drawExecution()
    signal.signalName = isWrong() ? "" : dice.pick(["go", "stop"])
    signal.input = drawPayloads()
    signal.requestID = drawRequestID()
    signal.identity = drawIdentity()
    return signal
  }

  private mutating func drawUpdate() -> UpdateWorkflowRequest {
    var update = drawUpdateContent()
    update.namespace = drawNamespace()
    update.execution = drawExecution()
    return update
  }

  private mutating func drawUpdateContent() -> UpdateWorkflowRequest {
    var update = UpdateWorkflowRequest()
    update.updateID = isWrong() ? "" : dice.pick(["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"])
    update.updateName = isWrong() ? "" : "change"
    update.args = drawPayloads()
    update.identity = drawIdentity()
    update.waitFor = isWrong() ? .rejected : dice.pick([.unspecified, .accepted, .completed])
    return update
  }

  private mutating func drawUpdateWithStart() -> UpdateWithStartWorkflowRequest {
    var request = UpdateWithStartWorkflowRequest()
    request.start = drawStart()
    request.start?.startDelayMs = .zero
    request.start?.startAtTimeMs = .epoch
    request.start?.cronSchedule = ""
    request.start?.cronTimeZone = ""
    request.update = drawUpdateContent()
    return request
  }

  private mutating func drawReset() -> ResetWorkflowRequest {
    var reset = ResetWorkflowRequest()
    reset.namespace = drawNamespace()
    reset.execution = drawExecution()
    reset.point = drawPoint(of: reset.execution)
    reset.reason = dice.pick(["", "a better code"])
    reset.requestID = drawRequestID()
    reset.identity = drawIdentity()
    reset.reapplyExclude = drawExclusion()
    return reset
  }

  private mutating func drawFork() -> ForkWorkflowRequest {
    var fork = ForkWorkflowRequest()
    fork.namespace = drawNamespace()
    fork.execution = drawExecution()
    fork.point = drawPoint(of: fork.execution)
    fork.workflowID = drawID()
    fork.requestID = drawRequestID()
    fork.identity = drawIdentity()
    fork.reapplyExclude = drawExclusion()
    fork.idReusePolicy = WorkflowIdReusePolicy(rawValue: Int32(dice.int(0...3)))
    fork.idConflictPolicy = WorkflowIdConflictPolicy(rawValue: Int32(dice.int(0...3)))
    return fork
  }

  private mutating func drawExclusion() -> [ReapplyExclude] {
    if isWrong() { return [.unspecified] }
    return dice.percent(70) ? [] : dice.pick([[.signals], [.updates], [.signals, .updates]])
  }

  private mutating func drawPoint(of execution: WorkflowExecution?) -> WorkflowPoint? {
    if isWrong() { return nil }
    var point = WorkflowPoint()
    point.kind = WorkflowPointKind(rawValue: isWrong() ? 9 : Int32(dice.int(1...4)))
    point.activityType = isWrong() ? "" : dice.pick(["charge", "pack"])
    guard case .run(let run) = model.find(execution), dice.percent(90) else {
      point.eventID = dice.int64(0...30)
      return point
    }
    let tasks = run.events.filter { event in
      if case .workflowTaskCompleted = event.attributes { true } else { false }
    }
    point.eventID = tasks.isEmpty ? 1 : dice.pick(tasks).eventID
    return point
  }

  private mutating func drawPause() -> PauseWorkflowRequest {
    var pause = PauseWorkflowRequest()
    pause.namespace = drawNamespace()
    pause.execution = drawExecution()
    pause.requestID = drawRequestID()
    pause.identity = drawIdentity()
    return pause
  }

  private mutating func drawUnpause() -> UnpauseWorkflowRequest {
    var unpause = UnpauseWorkflowRequest()
    unpause.namespace = drawNamespace()
    unpause.execution = drawExecution()
    unpause.requestID = drawRequestID()
    unpause.identity = drawIdentity()
    return unpause
  }

  private mutating func drawPoll() -> PollUpdateRequest {
    var poll = PollUpdateRequest()
    poll.execution = drawExecution()
    poll.updateID = isWrong() ? "" : dice.pick(["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"])
    poll.waitFor = dice.pick([.unspecified, .accepted, .completed])
    return poll
  }

  private mutating func drawSignalWithStart() -> SignalWithStartWorkflowRequest {
    var request = SignalWithStartWorkflowRequest()
    if !isWrong() { request.start = drawStart() }
    request.signalName = isWrong() ? "" : dice.pick(["go", "stop"])
    request.signalInput = drawPayloads()
    return request
  }

  private mutating func drawCancel() -> CancelWorkflowRequest {
    var cancel = CancelWorkflowRequest()
    cancel.namespace = drawNamespace()
    cancel.execution = drawExecution()
    cancel.reason = dice.pick(["", "sold out"])
    cancel.requestID = drawRequestID()
    cancel.identity = drawIdentity()
    return cancel
  }

  private mutating func drawDelete() -> DeleteWorkflowRequest {
    var delete = DeleteWorkflowRequest()
    delete.namespace = drawNamespace()
    delete.execution = drawExecution()
    delete.identity = drawIdentity()
    delete.reason = dice.pick(["", "a test"])
    return delete
  }

  private mutating func drawTerminate() -> TerminateWorkflowRequest {
    var terminate = TerminateWorkflowRequest()
    terminate.namespace = drawNamespace()
    terminate.execution = drawExecution()
    terminate.reason = dice.pick(["", "fraud"])
    terminate.details = drawPayloads()
    terminate.requestID = drawRequestID()
    terminate.identity = drawIdentity()
    return terminate
  }

  private mutating func drawResult() -> GetWorkflowResultRequest {
    var result = GetWorkflowResultRequest()
    result.namespace = drawNamespace()
    result.execution = drawExecution()
    result.thisRunOnly = dice.percent(20)
    return result
  }

  private mutating func drawQuery() -> QueryWorkflowRequest {
    var query = QueryWorkflowRequest()
    query.namespace = drawNamespace()
    query.execution = drawExecution()
    query.queryType = isWrong() ? "" : dice.pick(["total", "items"])
    query.args = drawPayloads()
    return query
  }

  private mutating func drawDescribe() -> DescribeWorkflowRequest {
    var describe = DescribeWorkflowRequest()
    describe.namespace = drawNamespace()
    describe.execution = drawExecution()
    return describe
  }

  private mutating func drawHistory() -> GetHistoryRequest {
    var history = GetHistoryRequest()
    history.namespace = drawNamespace()
    history.execution = drawExecution()
    history.firstEventID = isWrong() ? -1 : dice.pick([0, 1, 3, 20])
    history.follow = dice.percent(40)
    return history
  }

  /// A query that means something, or one of those that do not.
  private mutating func drawSelection(
    _ change: (inout ModelSelection, SelectionDraw, inout Dice) -> Void
  ) -> String {
    if isWrong() {
      return dice.pick(["Nothing = 'x'", "WorkflowId ~ 'a'", "NOT", "(RunId = 'x'"])
    }
    let runs = model.runs.suffix(20)
    let draw = SelectionDraw(
      ids: OracleWalk.ids, types: ["order", "ship", "it's"], queues: ["q", "dock"],
      runIDs: runs.map { "\($0.id)" } + ["0"],
      times: runs.flatMap { [$0.startTime.ms, $0.closeTime.ms] } + [engine.now.ms],
      own: model.names)
    var selection = ModelSelection()
    if dice.percent(85) { selection.filter = draw.filter(&dice) }
    change(&selection, draw, &dice)
    selection.names = model.names.filter { selection.uses($0.key) }
    let text = selection.text(&dice)
    model.selections[text] = selection
    return text
  }

  private mutating func drawList() -> ListWorkflowsRequest {
    if dice.percent(40), !pages.isEmpty {
      var next = pages.remove(at: dice.int(0...pages.count - 1))
      if isOutdated(next.query) { return ListWorkflowsRequest() }
      if isWrong() {
        model.selections[next.query + " "] = model.selections[next.query]
        next.query += " "
      }
      return next
    }
    var list = ListWorkflowsRequest()
    list.namespace = drawNamespace()
    list.query = drawSelection { selection, draw, dice in
      if dice.percent(50) { selection.order = draw.order(&dice) }
      if dice.percent(30) { selection.limit = dice.pick([1, 2, 5, 100]) }
    }
    list.limit = isWrong() ? -1 : dice.pick([0, 0, 1, 3, 1_000])
    list.pageSize = isWrong() ? 1_001 : dice.pick([0, 1, 2, 7])
    return list
  }

  private mutating func drawCount() -> CountWorkflowsRequest {
    var count = CountWorkflowsRequest()
    count.namespace = drawNamespace()
    count.query = drawSelection { selection, draw, dice in
      if dice.percent(50) { selection.groups = draw.groups(&dice) }
    }
    return count
  }

  private mutating func drawQueue() -> DescribeTaskQueueRequest {
    var queue = DescribeTaskQueueRequest()
    queue.namespace = drawNamespace()
    queue.taskQueue = isWrong() ? "" : dice.pick(["q", "q", "dock", "nowhere"])
    return queue
  }

  // MARK: - Activities from elsewhere

  private mutating func drawReference() -> ActivityReference? {
    if isWrong() { return dice.percent(50) ? nil : ActivityReference() }
    var reference = ActivityReference()
    if isWrong() {
      reference.token = [1, 2, 3]
    } else if dice.percent(50), let task = drawLease() {
      reference.token = task.token
    } else if dice.percent(20) {
      reference.activityID = dice.pick(OracleWalk.ids)
      let run = model.newest(reference.activityID, ofActivity: true)
      if let run, dice.percent(30) { reference.execution = .of("", run.id) }
    } else {
      reference.execution = drawExecution()
      reference.activityID = dice.pick(["1", "2", "3", "x", "y"])
    }
    return reference
  }

  private mutating func drawLease() -> ActivityTask? {
    let all = dice.percent(70) && !leases.isEmpty ? leases.map(\.task) : oldLeases
    return all.isEmpty ? nil : dice.pick(all)
  }

  private mutating func drawReport() -> Request {
    let reference = drawReference()
    switch dice.int(0...9) {
    case 0..<3:
      var complete = CompleteActivityRequest()
      complete.namespace = drawNamespace()
      complete.activity = reference
      complete.result = drawPayloads()
      complete.identity = drawIdentity()
      complete.requestID = drawRequestID()
      return .completeActivity(complete)
    case 3..<5:
      var fail = FailActivityRequest()
      fail.namespace = drawNamespace()
      fail.activity = reference
      fail.failure = isWrong() ? nil : drawFailure()
      if dice.percent(20) { fail.lastHeartbeatDetails = drawDetails() }
      fail.identity = drawIdentity()
      fail.requestID = drawRequestID()
      return .failActivity(fail)
    case 5..<7:
      var report = ReportActivityCancelledRequest()
      report.namespace = drawNamespace()
      report.activity = reference
      report.details = drawPayloads()
      report.identity = drawIdentity()
      report.requestID = drawRequestID()
      return .reportActivityCancelled(report)
    default:
      var heartbeat = HeartbeatActivityRequest()
      heartbeat.namespace = drawNamespace()
      heartbeat.activity = reference
      heartbeat.details = drawDetails()
      return .heartbeatActivity(heartbeat)
    }
  }

  mutating func drawDetails() -> [Payload] {
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = [dice.pick([48, 49])]
    return dice.percent(30) ? [] : [payload]
  }

  mutating func drawFailure() -> Failure {
    var application = ApplicationFailure()
    application.type = dice.pick(["Busy", "Busy", "Declined"])
    application.nonRetryable = dice.percent(15)
    if dice.percent(15) { application.nextRetryDelayMs = Span(ms: dice.pick([1, 7_000])) }
    return .of("it says so", .application(application))
  }
}
