import Basics
import EngineCore
import FuzzTargets
import Messages

/// What the corpus begins with: a workflow's life, as the bytes that each target takes.
///
/// Written into the corpus by `RECORD=1 swift test --filter SeedTests`; what the fuzzer adds lies
/// beside them.
struct Seeds {
  private(set) var inputs: [FuzzTarget: [[UInt8]]] = [:]
  private var engine = FuzzEngine(nextRun: 1, filter: IDFilter()) { subject in
    switch subject {
    case .deadlines: .deadlines([])
    case .lifetimes: .lifetimes([])
    case .zone: .zone(nil)
    case .history: .history([], more: false)
    case .rows: .rows([])
    default: .run(nil, request: nil)
    }
  }
  private var dialogue = FuzzOutput()
  private var frames = FuzzOutput()
  private let session = SessionID(1)
  private var seen = 0
  private var state: (through: Int64, bytes: [UInt8])?
  private var batches: [(last: Int64, bytes: [UInt8])] = []
  private var rows: [Int64: [UInt8]] = [:]

  init() {
    live()
    add(.connection, dialogue.bytes)
    add(.frames, frames.bytes)
    for filter in [
      "", "WorkflowType = 'order' AND ExecutionStatus = 'Running'", "WorkflowId STARTS_WITH 'eu-'",
      "StartTime >= '2023-11-14T22:13:20.001Z' AND CloseTime < '2026-01-01T00:00:00+02:00'",
      "WorkflowId != 'us''2' AND TaskQueue = \"q\"",
      "NOT (RunId <= 'f' OR ExecutionStatus IN ('failed', 'TimedOut')) AND CloseTime IS NOT NULL",
      "HistoryLength NOT BETWEEN 1 AND 4 or ExecutionDuration > '1h30m'",
      "`WorkflowId` NOT STARTS_WITH 'é' ORDER BY CloseTime DESC, WorkflowId LIMIT 2",
      "CloseTime IS NULL GROUP BY ExecutionStatus, TaskQueue",
    ] { add(.filter, Array(filter.utf8)) }
  }

  private mutating func add(_ target: FuzzTarget, _ bytes: [UInt8]) {
    if !inputs[target, default: []].contains(bytes) { inputs[target, default: []].append(bytes) }
  }

  // MARK: - The life

  private mutating func live() {
    attach()
    start()
    report(activity("charge", 1), timer(2, 60_000), activity("mark", 3))
    failActivities()
    engine.advance(1_500)
    heartbeat()
    complete()
    signal("approve")
    report(timer(4, 1_000))
    engine.advance(30_000)
    keep()
    report(cancelTimer(2), activity("charge", 5), activity("mark", 6))
    cancel()
    complete()
    report(end())
    keep()
    replay()
  }

  private mutating func attach() {
    call(.workerWork, stream: 3, [])
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["order"]
    attach.activityTypes = ["charge", "mark"]
    attach.cachedRunsMax = 10
    tell(.attach(attach))
    engine.step(.sessionOpened(session, attach, nil))
    var grant = Grant()
    grant.workflowSlots = 10
    grant.activitySlots = 10
    step(.grant(grant))
  }

  private mutating func replay() {
    var part = HistoryPart()
    part.form = .json
    let started = "{\"workflowType\":\"t\"}"
    part.data = Array("{\"eventId\":1,\"workflowExecutionStarted\":\(started)}\n".utf8)
    var request = ReplayRequest()
    request.kind = .history(part)
    call(.workerReplay, stream: 90, request.serialized())
  }

  private mutating func start() {
    var start = StartWorkflowRequest()
    start.workflowID = "w"
    start.workflowType = "order"
    start.taskQueue = "q"
    start.requestID = "r"
    start.input = [Seeds.payload("{\"n\": 1}")]
    start.runTimeoutMs = Span(ms: 600_000)
    var metadata = UserMetadata()
    metadata.summary = "an order"
    start.userMetadata = metadata
    request(.startWorkflow(start), .workflowStartWorkflow, start)
  }

  private mutating func signal(_ name: String) {
    var signal = SignalWorkflowRequest()
    signal.execution = Seeds.execution
    signal.signalName = name
    signal.input = [Seeds.payload("true")]
    request(.signalWorkflow(signal), .workflowSignalWorkflow, signal)
  }

  private mutating func cancel() {
    var cancel = CancelWorkflowRequest()
    cancel.execution = Seeds.execution
    cancel.reason = "no more"
    request(.cancelWorkflow(cancel), .workflowCancelWorkflow, cancel)
  }

  /// Answers the task that is out with these commands.
  private mutating func report(_ commands: Command.Kind...) {
    for message in taken() {
      guard case .activation(let activation) = message.kind else { continue }
      var completed = WorkflowTaskCompleted()
      completed.token = activation.token
      completed.commands = commands.map { kind in
        var command = Command()
        command.kind = kind
        command.location = "order.swift:7"
        return command
      }
      step(.workflowTaskCompleted(completed))
    }
    keep()
  }

  private mutating func failActivities() {
    for token in activityTokens() {
      var failed = ActivityFailed()
      failed.token = token
      var failure = Failure()
      var info = FailureInfo()
      info.message = "the card is declined"
      failure.info = info
      failed.failure = failure
      step(.activityFailed(failed))
    }
    keep()
  }

  private mutating func heartbeat() {
    pending = activityTokens()
    for token in pending {
      var heartbeat = Heartbeat()
      heartbeat.token = token
      heartbeat.details = [Seeds.payload("50")]
      step(.heartbeat(heartbeat))
    }
    keep()
  }

  private var pending: [[UInt8]] = []

  private mutating func complete() {
    for token in pending + activityTokens() {
      var completed = ActivityCompleted()
      completed.token = token
      completed.result = [Seeds.payload("\"paid\"")]
      step(.activityCompleted(completed))
    }
    pending = []
    keep()
  }

  private var messagesTaken: [EngineMessage] = []

  /// Looks at what the worker was sent and leaves what is not wanted.
  private mutating func taken() -> [EngineMessage] {
    for send in engine.takeSends() {
      guard case .worker(_, let message) = send else { continue }
      messagesTaken.append(message)
      add(.messages, [2] + message.serialized())
    }
    defer { messagesTaken.removeAll { if case .activation = $0.kind { true } else { false } } }
    return messagesTaken
  }

  private mutating func activityTokens() -> [[UInt8]] {
    _ = taken().count
    let tokens = messagesTaken.compactMap { message -> [UInt8]? in
      if case .activityTask(let task) = message.kind { task.token } else { nil }
    }
    messagesTaken.removeAll { if case .activityTask = $0.kind { true } else { false } }
    return tokens
  }

  // MARK: - Saying it

  private mutating func step(_ kind: WorkerMessage.Kind) {
    tell(kind)
    var message = WorkerMessage()
    message.kind = kind
    engine.step(.workerMessage(session, message))
  }

  /// A worker's message on stream 3 of connection 1.
  private mutating func tell(_ kind: WorkerMessage.Kind) {
    var message = WorkerMessage()
    message.kind = kind
    let bytes = message.serialized()
    add(.messages, [1] + bytes)
    dialogue.byte(0)
    dialogue.byte(1)
    dialogue.byte(3)
    dialogue.piece(bytes)
  }

  private var streams = 10

  private mutating func request(_ request: Request, _ method: Method, _ message: some Message) {
    streams += 2
    call(method, stream: streams + 1, message.serialized())
    engine.request(request)
    keep()
  }

  private mutating func call(_ method: Method, stream: Int, _ bytes: [UInt8]) {
    let index = Method.allCases.firstIndex(of: method)!
    add(.messages, [UInt8(7 + index)] + bytes)
    dialogue.byte(0)
    dialogue.byte(2)
    dialogue.byte(stream)
    dialogue.byte(index)
    dialogue.piece(bytes)
    var open = Open()
    open.method = method.rawValue
    open.message = bytes
    open.end = true
    var frame = Frame()
    frame.stream = UInt64(stream)
    frame.kind = .open(open)
    let body = frame.serialized()
    add(.messages, [0] + body)
    let whole = [0, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    frames.piece(Array(whole.prefix(5)))
    frames.piece(Array(whole.dropFirst(5)))
  }

  // MARK: - What is stored

  /// The run as the store has it now, as an input of the history target.
  private mutating func keep() {
    for write in engine.writes[seen...] { take(write) }
    seen = engine.writes.count
    let isOpen = !engine.writes.contains { if case .closeRun = $0 { true } else { false } }
    let through = isOpen ? state?.through ?? 0 : 0
    var tail = batches.filter { $0.last > through }
    if !isOpen, let first = tail.first, let last = tail.last { tail = [first, last] }
    var output = FuzzOutput()
    output.byte((isOpen ? 0 : 1) | (isOpen && state != nil ? 2 : 0))
    if isOpen, let state { output.piece(state.bytes) }
    output.byte(tail.count)
    for batch in tail { output.piece(batch.bytes) }
    for (event, bytes) in rows.sorted(by: { $0.key < $1.key }) where isOpen {
      output.byte(Int(event))
      output.piece(bytes)
    }
    if tail.count < 16 { add(.history, output.bytes) }
  }

  private mutating func take(_ write: Write) {
    switch write {
    case .appendHistory(_, _, let last, let bytes):
      batches.append((last, bytes))
      add(.messages, [3] + bytes)
    case .saveState(_, let through, let bytes, _):
      state = (through, bytes)
      add(.messages, [4] + bytes)
    case .putActivity(_, let event, let bytes):
      rows[event] = bytes
      add(.messages, [5] + bytes)
    case .deleteActivity(_, let event): rows[event] = nil
    default: break
    }
  }

  // MARK: - Values

  private static func payload(_ json: String) -> Payload {
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = Array(json.utf8)
    return payload
  }

  private static let execution: WorkflowExecution = {
    var execution = WorkflowExecution()
    execution.workflowID = "w"
    return execution
  }()

  private func activity(_ type: String, _ seq: UInt32) -> Command.Kind {
    var schedule = ScheduleActivity()
    schedule.seq = seq
    schedule.activityType = type
    schedule.input = [Seeds.payload("[1, 2]")]
    schedule.startToCloseTimeoutMs = Span(ms: 60_000)
    schedule.heartbeatTimeoutMs = Span(ms: 30_000)
    return .scheduleActivity(schedule)
  }

  private func timer(_ seq: UInt32, _ ms: Int64) -> Command.Kind {
    var start = StartTimer()
    start.seq = seq
    start.startToFireTimeoutMs = Span(ms: ms)
    return .startTimer(start)
  }

  private func cancelTimer(_ seq: UInt32) -> Command.Kind {
    var cancel = CancelTimer()
    cancel.seq = seq
    return .cancelTimer(cancel)
  }

  private func end() -> Command.Kind {
    var complete = CompleteWorkflow()
    complete.result = [Seeds.payload("\"done\"")]
    return .completeWorkflow(complete)
  }
}
