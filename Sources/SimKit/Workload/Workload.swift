import Messages

/// Draws the requests of the clients.
struct Workload {
  private let options: Options
  /// Requests so far.
  private(set) var made = 0
  private var numbers: Int64 = 0

  init(_ options: Options) { self.options = options }

  /// nil when the seed's number of requests has been made.
  mutating func next(_ dice: inout Dice) -> ClientRequest? {
    guard made < options.operations else { return nil }
    let workflowID = "w\(dice.int(1...options.workflowIDs))"
    let id = nextID()
    var request = ClientRequest(
      kind: kind(workflowID, id, &dice), requestID: id, workflowID: workflowID)
    if request.waits { request.timeoutMs = dice.pick([10, 1_000, 20_000]) }
    return request
  }

  private mutating func nextID() -> String {
    made += 1
    return "r\(options.firstName + made)"
  }

  private mutating func kind(_ workflowID: String, _ id: String, _ dice: inout Dice)
    -> ClientRequest.Kind
  {
    if options.schedulePercent > 0, dice.percent(options.schedulePercent) {
      return .schedule(ScheduleWorkload(options).call(id, &dice))
    }
    if options.namespacePercent > 0, dice.percent(options.namespacePercent) {
      return .namespace(.drawn(workflowID, id, &dice))
    }
    if options.activityPercent > 0, dice.percent(options.activityPercent) {
      return .activityRun(.drawn(workflowID, id, &dice))
    }
    let target = execution(workflowID)
    switch dice.int(0...99) {
    case 0...35: return .start(start(workflowID, id, &dice))
    case 36...42: return .update(update(workflowID, id, &dice))
    case 43: return updateWithStart(workflowID, id, &dice)
    case 44...58: return .signal(signalRequest(workflowID, id))
    case 59 where dice.percent(50):
      var request = DeleteWorkflowRequest()
      request.execution = target
      return .delete(request)
    case 59:
      var request = signalRequest(workflowID, id)
      if options.payloadBytesMax < 10_000 {
        request.input[0].data += [UInt8](repeating: 0x2E, count: options.payloadBytesMax)
      }
      return .signal(request)
    case 60...66:
      var request = SignalWithStartWorkflowRequest()
      request.start = start(workflowID, id, &dice)
      request.signalName = "go"
      request.signalInput = [Payload(text: id)]
      return .signalWithStart(request)
    case 67...72:
      var request = CancelWorkflowRequest()
      request.execution = target
      request.requestID = id
      return .cancel(request)
    case 73:
      var request = PauseWorkflowRequest()
      request.execution = target
      request.requestID = id
      return .pause(request)
    case 74: return .unpause(unpause(workflowID, id))
    case 75 where dice.percent(50): return .activity(.drawn(target, id, &dice))
    case 76: return .reset(reset(target, id, &dice))
    case 75:
      var request = TerminateWorkflowRequest()
      request.execution = target
      request.reason = id
      request.requestID = id
      return .terminate(request)
    case 77 where dice.percent(50): return .limit(limits(&dice))
    case 78 where dice.percent(50): return batch(id, &dice)
    case 79 where dice.percent(50): return .limitType(typeLimits(&dice))
    case 77...82:
      var request = QueryWorkflowRequest()
      request.execution = target
      request.queryType = "summary"
      return .query(request)
    default: return reading(target, &dice)
    }
  }

  private func reading(_ target: WorkflowExecution, _ dice: inout Dice) -> ClientRequest.Kind {
    switch dice.int(0...5) {
    case 0:
      var request = DescribeWorkflowRequest()
      request.execution = target
      return .describe(request)
    case 1, 2:
      var request = GetWorkflowResultRequest()
      request.execution = target
      return .result(request)
    case 3:
      var request = GetHistoryRequest()
      request.execution = target
      request.follow = dice.percent(50)
      return .history(request)
    case 4:
      var request = ListWorkflowsRequest()
      var selection = selection(&dice)
      if dice.percent(40) { selection.order = draw.order(&dice) }
      if dice.percent(30) || !selection.order.isEmpty { selection.limit = dice.pick([2, 1_000]) }
      request.query = selection.text(&dice)
      return .list(request, selection)
    default:
      var request = CountWorkflowsRequest()
      var selection = selection(&dice)
      if dice.percent(40) { selection.groups = draw.groups(&dice) }
      request.query = selection.text(&dice)
      return .count(request, selection)
    }
  }

  /// What is asked of lists: nothing that changes while a run is open.
  private var draw: SelectionDraw {
    SelectionDraw(
      ids: (1...options.workflowIDs).map { "w\($0)" }, types: [Program.type, "nothing"],
      queues: ["q", "nowhere"], runIDs: ["0"],
      times: [0, 500, 2_000, 10_000].map { SimClock.originMs + $0 },
      without: ["HistoryLength", "WaitingSince"],
      own: ["Amount": .int, "Customer": .keyword])
  }

  private func selection(_ dice: inout Dice) -> ModelSelection {
    var selection = ModelSelection()
    switch dice.int(0...3) {
    case 0: break
    case 1: selection.filter = .compare("ExecutionStatus", "=", .text("RUNNING"))
    default: selection.filter = draw.filter(&dice)
    }
    return selection
  }

  private mutating func start(_ workflowID: String, _ id: String, _ dice: inout Dice)
    -> StartWorkflowRequest
  {
    numbers += 1
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = Program.type
    start.taskQueue = "q"
    start.input = [Payload(numbers: [Program.firstWithLocals + dice.int64(0...Int64(1) << 40)])]
    start.requestID = id
    start.taskTimeoutMs = .init(ms: options.taskTimeoutMs)
    start.idConflictPolicy = dice.pick([.unspecified, .fail, .useExisting, .terminateExisting])
    start.idReusePolicy = dice.pick([
      .unspecified, .allowDuplicate, .allowDuplicateFailedOnly, .rejectDuplicate,
    ])
    if dice.percent(5) { start.runTimeoutMs = .init(ms: dice.pick([50, 2_000])) }
    if dice.percent(10) {
      var policy = RetryPolicy()
      policy.initialIntervalMs = .init(ms: dice.pick([1, 1_500]))
      policy.maximumAttempts = dice.pick([2, 3])
      start.retryPolicy = policy
    }
    start.memo = DetailsDraw.memo(&dice)
    start.searchAttributes = attributes(&dice)
    start.priority = priority(&dice)
    start.concurrencyKey = dice.pick(["", "", "ann", "bob"])
    if dice.percent(5) { start.startDelayMs = .init(ms: dice.pick([1, 800, 4_000])) }
    return start
  }

  private func priority(_ dice: inout Dice) -> WorkPriority? {
    guard dice.percent(40) else { return nil }
    var priority = WorkPriority()
    priority.priorityKey = Int32(dice.int(0...5))
    priority.fairnessKey = dice.pick(["", "ann", "bob"])
    priority.fairnessWeight = dice.pick([0, 0.1, 5])
    return priority
  }

  /// Not so low that the work would not end in time.
  private func limits(_ dice: inout Dice) -> SetTaskQueueLimitsRequest {
    var request = SetTaskQueueLimitsRequest()
    request.taskQueue = "q"
    guard dice.percent(70) else { return request }
    var limits = TaskQueueLimits()
    limits.activitiesPerSecond = dice.pick([0, 8, 50])
    limits.activitiesPerSecondOfKey = dice.pick([0, 5, 20])
    request.limits = limits
    return request
  }

  /// Low enough that runs wait; parents and children may keep each other waiting.
  private func typeLimits(_ dice: inout Dice) -> SetWorkflowTypeLimitsRequest {
    var limits = WorkflowTypeLimits()
    limits.running = dice.pick([0, 2, 4, 8])
    limits.runningOfKey = dice.pick([0, 1, 2])
    return Workload.limiting(dice.percent(60) ? limits : nil)
  }

  static func limiting(_ limits: WorkflowTypeLimits?) -> SetWorkflowTypeLimitsRequest {
    var request = SetWorkflowTypeLimitsRequest()
    request.workflowType = Program.type
    request.limits = limits
    return request
  }

  /// Those that no program changes.
  private func attributes(_ dice: inout Dice) -> SearchAttributes? {
    guard dice.percent(50) else { return nil }
    var attributes = SearchAttributes()
    attributes.fields = [
      DetailsDraw.attribute("Amount", .int, &dice),
      DetailsDraw.attribute("Customer", .keyword, &dice),
    ]
    return attributes
  }

  private func reset(_ target: WorkflowExecution, _ id: String, _ dice: inout Dice)
    -> ResetWorkflowRequest
  {
    var request = ResetWorkflowRequest()
    request.execution = target
    request.point = WorkflowPoint()
    request.point?.kind = dice.pick([.firstWorkflowTask, .lastWorkflowTask, .event])
    // It is one at times.
    request.point?.eventID = dice.int64(2...12)
    request.reason = "it goes on anew"
    request.requestID = id
    return request
  }

  /// A signal to some of the runs, or their end; its mark tells what it has done.
  private func batch(_ id: String, _ dice: inout Dice) -> ClientRequest.Kind {
    var selection = selection(&dice)
    var operation = BatchOperation()
    if dice.percent(80) {
      var signal = SignalWorkflowRequest()
      signal.signalName = "go"
      signal.input = [Payload(text: Workload.batchMark(id))]
      operation.operation = .signalWorkflow(signal)
    } else {
      selection.filter = .compare("WorkflowId", "=", .text("w\(dice.int(1...options.workflowIDs))"))
      operation.operation = .terminateWorkflow(TerminateWorkflowRequest())
    }
    var request = StartBatchRequest()
    request.batchID = id
    request.query = selection.text(&dice)
    request.operation = operation
    request.ratePerSecond = dice.pick([5, 50, 1_000])
    request.reason = Workload.batchMark(id)
    return .batch(request, selection.filter)
  }

  static func batchMark(_ batchID: String) -> String { "batch \(batchID)" }

  private func unpause(_ workflowID: String, _ id: String) -> UnpauseWorkflowRequest {
    var request = UnpauseWorkflowRequest()
    request.execution = execution(workflowID)
    request.requestID = id
    return request
  }

  private func update(_ workflowID: String, _ id: String, _ dice: inout Dice)
    -> UpdateWorkflowRequest
  {
    var request = updateContent(id, &dice)
    request.execution = execution(workflowID)
    return request
  }

  private func updateContent(_ id: String, _ dice: inout Dice) -> UpdateWorkflowRequest {
    var request = UpdateWorkflowRequest()
    request.updateID = id
    request.updateName = "change"
    request.args = [Payload(text: id)]
    request.waitFor = dice.pick([.accepted, .completed])
    return request
  }

  private mutating func updateWithStart(_ workflowID: String, _ id: String, _ dice: inout Dice)
    -> ClientRequest.Kind
  {
    var request = UpdateWithStartWorkflowRequest()
    request.start = start(workflowID, "", &dice)
    request.start?.startDelayMs = .zero
    request.update = updateContent(id, &dice)
    return .updateWithStart(request)
  }

  private func signalRequest(_ workflowID: String, _ id: String) -> SignalWorkflowRequest {
    var request = SignalWorkflowRequest()
    request.execution = execution(workflowID)
    request.signalName = "go"
    request.input = [Payload(text: id)]
    request.requestID = id
    return request
  }

  /// The result of an attempt that its worker does not bring.
  mutating func completion(_ token: [UInt8], mark: String) -> ClientRequest {
    let id = nextID()
    var request = CompleteActivityRequest()
    var activity = ActivityReference()
    activity.token = token
    request.activity = activity
    request.result = [Payload(text: mark)]
    request.requestID = id
    return ClientRequest(kind: .complete(request), requestID: id, workflowID: "")
  }

  static func isRequestID(_ text: String) -> Bool {
    text.first == "r" && text.dropFirst().allSatisfy(\.isNumber)
  }

  /// A signal beyond those that were drawn.
  mutating func signal(_ workflowID: String) -> ClientRequest {
    let id = nextID()
    return ClientRequest(
      kind: .signal(signalRequest(workflowID, id)), requestID: id, workflowID: workflowID)
  }

  /// Lets a run go on that was paused.
  mutating func unpausing(_ workflowID: String) -> ClientRequest {
    let id = nextID()
    return ClientRequest(
      kind: .unpause(unpause(workflowID, id)), requestID: id, workflowID: workflowID)
  }

  /// Lets a run's activities go on that were paused.
  mutating func unpausingActivities(_ workflowID: String) -> ClientRequest {
    let id = nextID()
    return ClientRequest(
      kind: .activity(.unpause(ActivityCall.unpausing(execution(workflowID), id))), requestID: id,
      workflowID: workflowID)
  }

  /// Fails an activity whose attempts are used up.
  mutating func failing(_ activityID: String, of workflowID: String) -> ClientRequest {
    let id = nextID()
    return ClientRequest(
      kind: .activity(.failing(execution(workflowID), activityID, id)), requestID: id,
      workflowID: workflowID)
  }

  /// Lets all run that wait, after which nobody waits for somebody who does.
  mutating func unlimiting() -> ClientRequest {
    ClientRequest(kind: .limitType(Workload.limiting(nil)), requestID: nextID(), workflowID: "")
  }

  /// Ends a run that asks for more than a limit allows.
  mutating func termination(_ workflowID: String) -> ClientRequest {
    let id = nextID()
    var request = TerminateWorkflowRequest()
    request.execution = execution(workflowID)
    request.reason = id
    request.requestID = id
    return ClientRequest(kind: .terminate(request), requestID: id, workflowID: workflowID)
  }

  /// The same in another namespace, where nobody works.
  mutating func termination(_ workflowID: String, in namespace: String) -> ClientRequest {
    let id = nextID()
    return ClientRequest(
      kind: .namespace(.terminate(workflowID, namespace, id)), requestID: id,
      workflowID: workflowID)
  }

  /// Whether a namespace is still found.
  mutating func description(of namespace: String) -> ClientRequest {
    var request = DescribeNamespaceRequest()
    request.namespace = namespace
    return ClientRequest(kind: .namespace(.describe(request)), requestID: nextID(), workflowID: "")
  }

  private func execution(_ workflowID: String) -> WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    return execution
  }
}
