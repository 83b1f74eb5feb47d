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
    let target = execution(workflowID)
    switch dice.int(0...99) {
    case 0...39: return .start(start(workflowID, id, &dice))
    case 40...58: return .signal(signalRequest(workflowID, id))
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
    case 73...76:
      var request = TerminateWorkflowRequest()
      request.execution = target
      request.reason = id
      request.requestID = id
      return .terminate(request)
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
      request.query = dice.pick(["", Workload.running])
      return .list(request)
    default:
      var request = CountWorkflowsRequest()
      request.query = dice.pick(["", Workload.running])
      return .count(request)
    }
  }

  private static let running = "ExecutionStatus = 'Running'"

  private mutating func start(_ workflowID: String, _ id: String, _ dice: inout Dice)
    -> StartWorkflowRequest
  {
    numbers += 1
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = Program.type
    start.taskQueue = "q"
    start.input = [Payload(numbers: [dice.int64(0...Int64(1) << 40)])]
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
    if dice.percent(5) { start.startDelayMs = .init(ms: dice.pick([1, 800, 4_000])) }
    return start
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

  /// Ends a run that asks for more than a limit allows.
  mutating func termination(_ workflowID: String) -> ClientRequest {
    let id = nextID()
    var request = TerminateWorkflowRequest()
    request.execution = execution(workflowID)
    request.reason = id
    request.requestID = id
    return ClientRequest(kind: .terminate(request), requestID: id, workflowID: workflowID)
  }

  private func execution(_ workflowID: String) -> WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    return execution
  }
}
