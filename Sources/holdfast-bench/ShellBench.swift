import Basics
import EngineCore
import Messages
import Shell
import Wire

/// The shell and the engine alone, in one process: bytes in, bytes out, batches durable at once.
///
/// For counts, not for times: run it under a profiler that counts instructions or allocations
/// (`valgrind --tool=callgrind holdfast-bench shell 2000`).
struct ShellBench {
  private var shell: Shell
  private let client = ConnectionID(1)
  private let worker = ConnectionID(2)
  private var decoders: [ConnectionID: FrameDecoder] = [:]
  private var encoder = BytesEncoder()
  private var output = ShellOutput()
  private var nextStream: UInt64 = 1
  private var started = 0
  private var finished = 0
  private let count: Int

  /// Bytes for each connection's next delivery.
  private var fromClient: [UInt8] = []
  private var fromWorker: [UInt8] = []

  init(count: Int) {
    self.count = count
    let configuration = ShellConfiguration(
      engine: EngineConfiguration(seed: 7), access: AccessRules(ownUID: 0), serverVersion: "bench",
      storePath: "")
    shell = Shell(
      configuration,
      opened: OpenedStore(epoch: 1, nextRun: RunNumber(1), deadlines: [], filter: IDFilter()),
      at: ClockReading(wallMs: 1_700_000_000_000, bootMs: 0, monotonicUs: 0))
    for id in [client, worker] {
      precondition(shell.connected(id, Peer(uid: 0, gid: 0, process: nil)))
      decoders[id] = FrameDecoder(frameBytesMax: 4 << 20)
    }
  }

  /// Runs `count` one-activity workflows, 64 in flight.
  mutating func run() {
    var hello = Hello()
    hello.protocolVersions = [1]
    encoder.append(.hello(hello), stream: 0, to: &fromClient)
    encoder.append(.hello(hello), stream: 0, to: &fromWorker)
    attach()
    for _ in 0..<min(64, count) { start() }
    while finished < count { turn() }
  }

  private mutating func attach() {
    var attach = Attach()
    attach.taskQueue = "bench"
    attach.workflowTypes = ["one"]
    attach.activityTypes = ["step"]
    var grant = Grant()
    grant.workflowSlots = 512
    grant.activitySlots = 512
    var open = Open()
    open.method = Method.workerWork.rawValue
    open.message = WorkRequest.of([.attach(attach), .grant(grant)]).serialized()
    encoder.append(.open(open), stream: 1, to: &fromWorker)
  }

  private mutating func start() {
    guard started < count else { return }
    started += 1
    var start = StartWorkflowRequest()
    start.workflowID = "b-\(started)"
    start.requestID = "00000000-0000-0000-0000-\(started)"
    start.workflowType = "one"
    start.taskQueue = "bench"
    start.input = [.number]
    call(.workflowStartWorkflow, start)
    var result = GetWorkflowResultRequest()
    var execution = WorkflowExecution()
    execution.workflowID = start.workflowID
    result.execution = execution
    call(.workflowGetWorkflowResult, result)
  }

  private mutating func call(_ method: Method, _ message: some Message) {
    var open = Open()
    open.method = method.rawValue
    open.message = message.serialized()
    open.end = true
    encoder.append(.open(open), stream: nextStream, to: &fromClient)
    nextStream += 1
  }

  /// One turn of the loop: both connections are read, then what left is answered.
  private mutating func turn() {
    fromClient.withUnsafeBytes { shell.received(client, $0) }
    fromClient.removeAll(keepingCapacity: true)
    fromWorker.withUnsafeBytes { shell.received(worker, $0) }
    fromWorker.removeAll(keepingCapacity: true)
    repeat {
      shell.flush(into: &output)
      for id in output.dirty { take(id) }
      // Ids that the filter is wrong about: the store knows none of them.
      for load in output.loads {
        shell.loaded(Loaded(id: load.id, content: .run(nil, request: nil)))
      }
      if output.commit != nil { shell.persisted(us: 100) }
    } while output.commit != nil || !output.loads.isEmpty
  }

  private mutating func take(_ id: ConnectionID) {
    let bytes = shell.takeOutgoing(id)
    shell.unread(id, bytes: 0)
    bytes.withUnsafeBytes { decoders[id]?.feed($0) }
    while let frame = try? decoders[id]?.next() {
      switch frame.kind {
      case .end(let end) where id == client:
        // Start is answered with an odd stream, the result with an even one.
        guard frame.stream % 2 == 0 else { continue }
        precondition(end.status == nil, "a workflow failed: \(end.status?.message ?? "")")
        finished += 1
        start()
      case .message(let message) where id == worker:
        guard let response = try? WorkResponse(bytes: message.body) else { continue }
        work(response.messages.compactMap(\.kind))
      default: continue
      }
    }
  }

  private mutating func work(_ messages: [EngineMessage.Kind]) {
    var answers: [WorkerMessage.Kind] = []
    var grant = Grant()
    for message in messages {
      switch message {
      case .activation(let activation):
        grant.workflowSlots += 1
        answers.append(.workflowTaskCompleted(ShellBench.answer(activation)))
      case .activityTask(let task):
        grant.activitySlots += 1
        var completed = ActivityCompleted()
        completed.token = task.token
        completed.result = [.number]
        answers.append(.activityCompleted(completed))
      default: continue
      }
    }
    guard !answers.isEmpty else { return }
    answers.append(.grant(grant))
    var message = StreamMessage()
    message.body = WorkRequest.of(answers).serialized()
    encoder.append(.message(message), stream: 1, to: &fromWorker)
  }

  private static func answer(_ activation: Activation) -> WorkflowTaskCompleted {
    var command = Command()
    if case .initializeWorkflow = activation.jobs.first?.kind {
      var schedule = ScheduleActivity()
      schedule.seq = 1
      schedule.activityType = "step"
      schedule.input = [.number]
      schedule.startToCloseTimeoutMs = Span(ms: 30_000)
      command.kind = .scheduleActivity(schedule)
    } else {
      var complete = CompleteWorkflow()
      complete.result = [.number]
      command.kind = .completeWorkflow(complete)
    }
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    completed.commands = [command]
    return completed
  }
}

/// Keeps the encoder, which cannot be copied, out of the struct that is.
private final class BytesEncoder {
  private var encoder = FrameEncoder()

  func append(_ kind: Frame.Kind, stream: UInt64, to bytes: inout [UInt8]) {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    encoder.append(frame, to: &bytes)
  }
}

extension WorkRequest {
  fileprivate static func of(_ kinds: [WorkerMessage.Kind]) -> WorkRequest {
    var request = WorkRequest()
    request.messages = kinds.map { kind in
      var message = WorkerMessage()
      message.kind = kind
      return message
    }
    return request
  }
}

extension Payload {
  fileprivate static var number: Payload {
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = [0x31]
    return payload
  }
}
