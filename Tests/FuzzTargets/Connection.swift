import Basics
import EngineCore
import Messages
import Shell
import Wire

/// A shell with its engine and an empty store: each byte says what happens next, on one of four
/// connections. At the end another peer must be served.
func fuzzConnection(_ input: inout FuzzInput) {
  var world = FuzzShell()
  while !input.isAtEnd {
    let id = ConnectionID(UInt64(input.byte() % 4) + 1)
    switch input.byte() % 6 {
    case 0: world.feed(id, input.piece())
    case 1: world.send(id, stream: UInt64(input.byte()), .message(message(input.piece())))
    case 2:
      let stream = UInt64(input.byte())
      world.call(id, stream: stream, input.pick(Method.allCases), input.piece())
    case 3: world.send(id, stream: UInt64(input.byte()), .end(End()))
    case 4: world.advance(Int64(input.byte()) * 400)
    default: world.disconnect(id)
    }
  }
  world.checkHealth()
}

private func message(_ bytes: [UInt8]) -> StreamMessage {
  var message = StreamMessage()
  message.body = bytes
  return message
}

/// A shell whose batches are durable at once and whose store finds nothing.
private struct FuzzShell {
  private var shell: Shell
  private static let watcher = ConnectionID(99)
  private var ms: Int64 = 1_700_000_000_000
  private var open: Set<ConnectionID> = []
  /// What the last turn sent.
  private var sent: [ConnectionID: [UInt8]] = [:]

  init() {
    // The peers may not drain the engine: at the end it must serve another one.
    let rule = AccessRules.Rule(uid: 1_000, gid: nil, roles: [.client, .worker])
    let configuration = ShellConfiguration(
      engine: EngineConfiguration(seed: 7), access: AccessRules(ownUID: 0, rules: [rule]),
      serverVersion: "fuzz", storePath: ":memory:")
    shell = Shell(
      configuration,
      opened: OpenedStore(epoch: 1, nextRun: RunNumber(1), deadlines: [], filter: IDFilter()),
      at: FuzzShell.reading(ms))
  }

  private static func reading(_ ms: Int64) -> ClockReading {
    ClockReading(wallMs: ms, bootMs: ms, monotonicUs: ms * 1_000)
  }

  mutating func feed(_ id: ConnectionID, _ bytes: [UInt8]) {
    if open.insert(id).inserted {
      let peer = Peer(uid: id == FuzzShell.watcher ? 0 : 1_000, gid: 0, process: nil)
      precondition(shell.connected(id, peer), "a peer is refused")
    }
    bytes.withUnsafeBytes { shell.received(id, $0) }
    settle()
  }

  mutating func send(_ id: ConnectionID, stream: UInt64 = 0, _ kind: Frame.Kind) {
    if !open.contains(id) { greet(id) }
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(frame, to: &bytes)
    feed(id, bytes)
  }

  private mutating func greet(_ id: ConnectionID) {
    feed(id, [])
    var hello = Hello()
    hello.protocolVersions = [1]
    send(id, .hello(hello))
  }

  mutating func call(_ id: ConnectionID, stream: UInt64, _ method: Method, _ request: [UInt8]) {
    var open = Open()
    open.method = method.rawValue
    open.message = request
    open.end = method != .workerWork
    send(id, stream: stream, .open(open))
  }

  mutating func advance(_ span: Int64) {
    let end = ms + span
    while let wait = shell.nextDeadlineMs, ms + wait <= end {
      ms += wait
      shell.advance(FuzzShell.reading(ms))
      shell.deadlineReached()
      settle()
    }
    ms = end
    shell.advance(FuzzShell.reading(ms))
  }

  mutating func disconnect(_ id: ConnectionID) {
    guard open.remove(id) != nil else { return }
    shell.disconnected(id)
    settle()
  }

  private mutating func settle() {
    sent = [:]
    var output = ShellOutput()
    var isDone = false
    while !isDone {
      shell.flush(into: &output)
      for id in output.dirty { sent[id, default: []] += shell.takeOutgoing(id) }
      for id in output.closing + output.cut where open.remove(id) != nil { shell.disconnected(id) }
      isDone = output.commit == nil && output.loads.isEmpty
      for load in output.loads { shell.loaded(Loaded(id: load.id, content: nothing(load))) }
      if output.commit != nil { shell.persisted(us: 100) }
    }
    for id in sent.keys { _ = frames(to: id) }
  }

  /// What the engine sends are whole frames.
  private func frames(to id: ConnectionID) -> [Frame] {
    var decoder = FrameDecoder(frameBytesMax: ShellLimits().frameBytesMax)
    sent[id, default: []].withUnsafeBytes { decoder.feed($0) }
    var frames: [Frame] = []
    do {
      while let frame = try decoder.next() { frames.append(frame) }
    } catch { preconditionFailure("the engine sent no frame to \(id): \(error)") }
    precondition(decoder.pendingBytes == 0, "the engine sent half a frame to \(id)")
    return frames
  }

  private func nothing(_ load: Load) -> Loaded.Content {
    switch load.subject {
    case .workflow, .runNamed, .run: .run(nil, request: nil)
    case .history: .history([], more: false)
    case .rows: .rows([])
    case .deadlines: .deadlines([])
    case .lifetimes: .lifetimes([])
    case .letters: .letters([], more: false)
    case .zone: .zone(nil)
    }
  }

  mutating func checkHealth() {
    let id = FuzzShell.watcher
    greet(id)
    call(id, stream: 1, .operatorHealth, [])
    guard case .end(let end) = frames(to: id).last?.kind, end.status == nil else {
      preconditionFailure("a new peer is not served")
    }
  }
}
