import Basics
import EngineCore
import Messages
import Wire

@testable import Shell

/// A shell with an empty store, and peers that speak to it in frames.
struct Peers {
  private(set) var shell: Shell
  private var ms: Int64 = 1_700_000_000_000
  private var decoders: [ConnectionID: FrameDecoder] = [:]
  /// What each connection was sent and has not been taken out yet.
  private(set) var received: [ConnectionID: [Frame]] = [:]
  private(set) var closed: Set<ConnectionID> = []
  /// Answers the loads; without it they stay with the store, until `answerLoads`.
  var loader: ((Load) -> Loaded.Content)?
  private var unanswered: [Load] = []
  /// Sees each batch as it becomes durable.
  var onCommit: ([Write]) -> Void = { _ in }
  /// How much of so many bytes the kernel takes at once; the peer sees them all the same.
  var kernelTakes: (Int) -> Int = { $0 }
  /// Batches stay with the store until `persist`.
  var isStoreBusy = false
  /// Connections that are to be closed stay: their peers do not read.
  var closesWait = false
  /// Connections that were to be closed at once.
  private(set) var cut: [ConnectionID] = []
  private(set) var isDrained = false
  /// What the store was told of backups.
  private(set) var backupOrders: [BackupOrder] = []
  /// Bytes that the engine sent and that are no frames.
  private(set) var brokenBytes = 0

  init(_ change: (inout ShellConfiguration) -> Void = { _ in }) {
    var configuration = ShellConfiguration(
      engine: EngineConfiguration(seed: 7), access: AccessRules(ownUID: 0), serverVersion: "test",
      storePath: ":memory:")
    change(&configuration)
    shell = Shell(
      configuration,
      opened: OpenedStore(
        epoch: 1, nextRun: RunNumber(1), deadlines: [], filter: IDFilter()),
      at: ClockReading(wallMs: ms, bootMs: ms, monotonicUs: ms * 1_000))
  }

  /// Lets time pass, deadline by deadline.
  mutating func advance(_ span: Int64) {
    let end = ms + span
    while let wait = shell.nextDeadlineMs, ms + wait <= end {
      read(ms + wait)
      shell.deadlineReached()
      settle()
    }
    read(end)
  }

  private mutating func read(_ time: Int64) {
    ms = time
    shell.advance(ClockReading(wallMs: ms, bootMs: ms, monotonicUs: ms * 1_000))
  }

  /// Whether the shell takes a connection of this user.
  mutating func isAccepted(_ id: ConnectionID, uid: UInt32 = 0) -> Bool {
    shell.connected(id, Peer(uid: uid, gid: 0, process: nil))
  }

  mutating func connect(_ number: UInt64, uid: UInt32 = 0) -> ConnectionID {
    let id = ConnectionID(number)
    precondition(isAccepted(id, uid: uid), "connection \(number) was refused")
    decoders[id] = FrameDecoder(frameBytesMax: 4 << 20)
    return id
  }

  mutating func greet(_ id: ConnectionID) {
    var hello = Hello()
    hello.protocolVersions = [1]
    send(id, .hello(hello))
  }

  mutating func send(_ id: ConnectionID, stream: UInt64 = 0, _ kind: Frame.Kind) {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(frame, to: &bytes)
    send(id, bytes)
  }

  mutating func send(_ id: ConnectionID, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { shell.received(id, $0) }
    settle()
  }

  /// Ends turns until nothing is left to do: batches become durable at once.
  private mutating func settle() {
    var output = ShellOutput()
    while true {
      shell.flush(into: &output)
      for id in output.dirty { deliver(id) }
      for id in output.closing {
        closed.insert(id)
        if !closesWait { shell.disconnected(id) }
      }
      cut += output.cut
      isDrained = output.isDrained
      if let order = output.backup { backupOrders.append(order) }
      var isDone = true
      for load in output.loads {
        guard let loader else {
          unanswered.append(load)
          continue
        }
        shell.loaded(Loaded(id: load.id, content: loader(load)))
        isDone = false
      }
      if let writes = output.commit, !isStoreBusy {
        onCommit(writes)
        shell.persisted(us: 100)
        isDone = false
      }
      if isDone && !shell.hasOutput { return }
    }
  }

  /// Answers what has been loaded so far, and everything from now on.
  mutating func answerLoads(_ loader: @escaping (Load) -> Loaded.Content) {
    self.loader = loader
    for load in unanswered {
      shell.loaded(Loaded(id: load.id, content: loader(load)))
    }
    unanswered = []
    settle()
  }

  /// The batch that the busy store has been given is durable.
  mutating func persist() {
    isStoreBusy = false
    shell.persisted(us: 100)
    settle()
  }

  /// The store tells of its backup.
  mutating func tell(_ news: BackupNews) {
    shell.backup(news)
    settle()
  }

  mutating func diskFull(_ isFull: Bool) {
    shell.diskFull(isFull)
    settle()
  }

  mutating func drain() {
    shell.drain()
    settle()
  }

  /// The kernel has not taken so many bytes of what was sent.
  mutating func unread(_ id: ConnectionID, bytes: Int) {
    shell.unread(id, bytes: bytes)
    settle()
  }

  mutating func disconnect(_ id: ConnectionID) {
    shell.disconnected(id)
    settle()
  }

  private mutating func deliver(_ id: ConnectionID) {
    let bytes = shell.takeOutgoing(id)
    shell.unread(id, bytes: bytes.count - kernelTakes(bytes.count))
    bytes.withUnsafeBytes { decoders[id]?.feed($0) }
    do {
      while let frame = try decoders[id]?.next() { received[id, default: []].append(frame) }
    } catch { brokenBytes += bytes.count }
  }

  func isConnected(_ id: ConnectionID) -> Bool { shell.connections[id] != nil }

  /// Everything that the connection was sent since it was last asked.
  mutating func take(_ id: ConnectionID) -> [Frame] { received.removeValue(forKey: id) ?? [] }

  /// Messages of Work streams, taken out.
  mutating func takeWork(_ id: ConnectionID) -> [EngineMessage.Kind] {
    take(id).flatMap { frame -> [EngineMessage.Kind] in
      guard case .message(let message) = frame.kind,
        let response = try? WorkResponse(bytes: message.body)
      else { return [] }
      return response.messages.compactMap(\.kind)
    }
  }

  /// Opens a Work stream on stream 1 and attaches.
  mutating func attach(_ id: ConnectionID, stream: UInt64 = 1, slots: UInt32 = 10) {
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["order"]
    var grant = Grant()
    grant.workflowSlots = slots
    var open = Open()
    open.method = Method.workerWork.rawValue
    open.message = work(.attach(attach), .grant(grant))
    send(id, stream: stream, .open(open))
  }

  private func work(_ kinds: WorkerMessage.Kind...) -> [UInt8] {
    var request = WorkRequest()
    request.messages = kinds.map { kind in
      var message = WorkerMessage()
      message.kind = kind
      return message
    }
    return request.serialized()
  }

  /// A unary request, sent; the answer comes as an End of its stream.
  mutating func call(
    _ id: ConnectionID, _ stream: UInt64, _ method: Method, _ message: some Message,
    timeoutMs: Int64 = 0
  ) {
    var open = Open()
    open.method = method.rawValue
    open.message = message.serialized()
    open.end = true
    open.timeoutMs = Span(ms: timeoutMs)
    send(id, stream: stream, .open(open))
  }

  mutating func start(
    _ id: ConnectionID, _ stream: UInt64, _ workflowID: String, bytes: Int = 0
  ) {
    call(id, stream, .workflowStartWorkflow, Peers.start(workflowID, bytes: bytes))
  }

  /// A start with an input of so many bytes.
  static func start(_ workflowID: String, bytes: Int) -> StartWorkflowRequest {
    var payload = Payload()
    payload.data = [UInt8](repeating: 1, count: bytes)
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = "order"
    start.taskQueue = "q"
    if bytes > 0 { start.input = [payload] }
    return start
  }
}
