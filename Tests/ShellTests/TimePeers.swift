import Basics
import EngineCore
import Messages

@testable import Shell

/// Peers of an engine that skips time: two clients, `a` and `b`, and a worker.
struct TimePeers {
  var peers: Peers
  let a: ConnectionID
  let b: ConnectionID
  private(set) var worker = ConnectionID(3)
  private var stream: UInt64 = 100
  static let day: Int64 = 86_400_000

  init(skipsTime: Bool = true) {
    peers = Peers {
      $0.engine.skipsTime = skipsTime
      // There is no store that could bring a run back.
      $0.engine.times.residency = .longest
      $0.engine.times.retention = .zero
      // Nor does the time pass that a batch would wait for an answer.
      $0.holdOverrideUs = 0
    }
    a = peers.greeted(1)
    b = peers.greeted(2)
  }

  // MARK: - Time

  private mutating func nextStream() -> UInt64 {
    stream += 1
    return stream
  }

  /// The stream of the request.
  @discardableResult
  mutating func call(
    _ id: ConnectionID, _ method: Method, _ message: some Message, timeoutMs: Int64 = 0
  ) -> UInt64 {
    let stream = nextStream()
    peers.call(id, stream, method, message, timeoutMs: timeoutMs)
    return stream
  }

  /// The status of a request that is answered at once; nil: OK.
  mutating func status(_ id: ConnectionID, _ method: Method, _ message: some Message) -> Status? {
    _ = peers.take(id)
    call(id, method, message)
    return peers.take(id).last?.status
  }

  /// By a connection of its own, which wants nothing of time.
  mutating func look() -> GetTimeResponse? {
    let id = peers.greeted(nextStream())
    peers.call(id, 1, .operatorGetTime, GetTimeRequest())
    defer { peers.disconnect(id) }
    guard case .end(let end) = peers.take(id).last?.kind else { return nil }
    return try? GetTimeResponse(bytes: end.message)
  }

  /// How far time has been skipped, in milliseconds.
  mutating func skippedMs() -> Int64? { look()?.skippedMs.ms }

  mutating func lock(_ id: ConnectionID) { call(id, .operatorLockTime, LockTimeRequest()) }

  mutating func unlock(_ id: ConnectionID, whileWaiting: Bool = false) {
    var request = UnlockTimeRequest()
    request.whileWaiting = whileWaiting
    call(id, .operatorUnlockTime, request)
  }

  @discardableResult
  mutating func sleep(
    _ id: ConnectionID, _ ms: Int64, unlock: Bool, timeoutMs: Int64 = 0
  ) -> UInt64 {
    var request = SleepRequest()
    request.durationMs = Span(ms: ms)
    request.unlock = unlock
    return call(id, .operatorSleep, request, timeoutMs: timeoutMs)
  }

  @discardableResult
  mutating func awaitResult(
    _ id: ConnectionID, _ workflowID: String, timeoutMs: Int64 = 0
  ) -> UInt64 {
    var request = GetWorkflowResultRequest()
    request.execution = WorkflowExecution.named(workflowID)
    return call(id, .workflowGetWorkflowResult, request, timeoutMs: timeoutMs)
  }

  mutating func awaitActivityResult(_ id: ConnectionID, _ activityID: String) {
    var request = GetActivityResultRequest()
    request.activityID = activityID
    call(id, .activityGetActivityResult, request)
  }

  // MARK: - Work

  /// An activity without a workflow, which nobody may begin before so long.
  mutating func startActivity(_ activityID: String, delayMs: Int64) {
    var start = StartActivityRequest()
    start.activityID = activityID
    start.activityType = "charge"
    start.options = ActivityTaskOptions()
    start.options?.taskQueue = "q"
    start.options?.startToCloseTimeoutMs = Span(ms: 10_000)
    start.startDelayMs = Span(ms: delayMs)
    call(b, .activityStartActivity, start)
  }

  /// A workflow whose code begins after so long: nothing is to do before.
  mutating func start(_ workflowID: String, delayMs: Int64 = 0) {
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = "order"
    start.taskQueue = "q"
    start.startDelayMs = Span(ms: delayMs)
    call(b, .workflowStartWorkflow, start)
  }

  mutating func attach(connection: UInt64 = 3) {
    worker = peers.greeted(connection)
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["order"]
    attach.activityTypes = ["charge"]
    attach.resumeToken = Array("resume-token-of-16-bytes".utf8)
    var grant = Grant()
    grant.workflowSlots = 10_000
    grant.activitySlots = 100
    var open = Open()
    open.method = Method.workerWork.rawValue
    open.message = TimePeers.work([.attach(attach), .grant(grant)])
    peers.send(worker, stream: 1, .open(open))
  }

  private static func work(_ kinds: [WorkerMessage.Kind]) -> [UInt8] {
    var request = WorkRequest()
    request.messages = kinds.map { kind in
      var message = WorkerMessage()
      message.kind = kind
      return message
    }
    return request.serialized()
  }

  private mutating func tell(_ kind: WorkerMessage.Kind) {
    var message = StreamMessage()
    message.body = TimePeers.work([kind])
    peers.send(worker, stream: 1, .message(message))
  }

  mutating func activations() -> [Activation] {
    peers.takeWork(worker).compactMap { kind in
      if case .activation(let activation) = kind { activation } else { nil }
    }
  }

  mutating func activation() -> Activation? { activations().first }

  mutating func activity() -> ActivityTask? {
    for case .activityTask(let task) in peers.takeWork(worker) { return task }
    return nil
  }

  mutating func answer(_ activation: Activation, _ kinds: Command.Kind...) {
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    completed.commands = kinds.map { kind in
      var command = Command()
      command.kind = kind
      return command
    }
    tell(.workflowTaskCompleted(completed))
  }

  mutating func fail(_ task: ActivityTask) {
    var failed = ActivityFailed()
    failed.token = task.token
    tell(.activityFailed(failed))
  }

  static func timer(_ seq: UInt32, days: Int64) -> Command.Kind {
    var timer = StartTimer()
    timer.seq = seq
    timer.startToFireTimeoutMs = Span(ms: days * day)
    return .startTimer(timer)
  }

  static func charge(_ seq: UInt32, retryAfterMs: Int64 = 1_000) -> Command.Kind {
    var schedule = ScheduleActivity()
    schedule.seq = seq
    schedule.activityType = "charge"
    schedule.startToCloseTimeoutMs = Span(ms: 60_000)
    var policy = RetryPolicy()
    policy.initialIntervalMs = Span(ms: retryAfterMs)
    schedule.retryPolicy = policy
    return .scheduleActivity(schedule)
  }
}
