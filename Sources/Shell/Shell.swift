import Basics
import EngineCore
import Messages
import Wire

/// What the shell orders the outside to do, since the last time it was asked.
public struct ShellOutput: Sendable {
  /// A batch for the store; answered by `persisted`.
  public var commit: [Write]?
  /// The batch is small and the device quick: it may be committed before anything else is read.
  public var isCommitSmall = false
  public var loads: [Load] = []
  /// Connections with bytes to take (`takeOutgoing`).
  public var dirty: [ConnectionID] = []
  /// Connections to be closed once their bytes have left.
  public var closing: [ConnectionID] = []
  /// Connections to be closed at once; what waits to be read is lost.
  public var cut: [ConnectionID] = []
  /// `flush` wants to be called again after so many microseconds: a batch is held.
  public var holdUs: Int64?
  public var backup: BackupOrder?
  /// The engine drains, and nothing is staged, in flight or out any more: the process may end.
  public var isDrained = false

  public init() {}
}

/// Connections, streams, sessions, admission, the gate and the hold: everything between bytes and
/// the engine that decides something. It does no I/O; `Sidecar` and the simulator drive it.
public struct Shell {
  var engine: Engine
  var gate: Gate
  var clock = EngineClock()
  var connections: [ConnectionID: Connection] = [:]
  let configuration: ShellConfiguration
  let epoch: UInt64
  var startTime = Instant(ms: 0)
  var isDraining = false
  var isDiskFull = false
  var encoder = EncoderBox()
  /// Where a session's messages go.
  var sessions: [SessionID: (connection: Connection, stream: UInt64)] = [:]
  /// Requests with a deadline, connections without Hello, and those that are to be closed: at times
  /// of `clock.real`, since peers are owed them by the machine's clocks.
  var deadlines = DeadlineHeap<ShellDeadline>()
  var output = ShellOutput()
  var sleepers = Sleepers()
  /// What is durable when the time that was skipped is.
  var skippedIn = WriteSerial.none
  private var effects = Effects()
  private var followUps = Queue<Input>()
  private var watches: [ProcessIdentity] = []
  private var isStepping = false
  private var lastSession: UInt64 = 0
  var users: [UInt32: User] = [:]
  /// Of all connections: what they hold, and their requests under way.
  var heldBytes = 0
  var requestBytes = 0
  public var storeCounters: [(name: String, value: Int64)] = []
  var requests = 0
  /// The one that is under way.
  var backup: RunningBackup?

  enum ShellDeadline: Hashable, Sendable {
    case hello(ConnectionID)
    case ping(ConnectionID)
    case close(ConnectionID)
    case request(RequestID)
  }

  public init(_ configuration: ShellConfiguration, opened: OpenedStore, at reading: ClockReading) {
    self.configuration = configuration
    epoch = opened.epoch
    gate = Gate(holdOverrideUs: configuration.holdOverrideUs)
    var ofEngine = configuration.engine
    ofEngine.limits.unreadTaskBytesMax = min(
      ofEngine.limits.unreadTaskBytesMax, configuration.limits.roomBytes)
    engine = Engine(ofEngine, opened: opened)
    clock.read(reading)
    startTime = clock.real
    if let span = opened.skipped { clock.skip(by: span) }
    // From now on the file is one of which time has been skipped.
    if skipsTime { skippedIn = step(.timeSkipped(clock.skipped)) }
  }

  // MARK: - Time

  /// Must be called before the other inputs of a turn of the loop.
  public mutating func advance(_ reading: ClockReading) { clock.read(reading) }

  /// When `deadlineReached` is wanted, in milliseconds from the last reading; nil: never.
  public var nextDeadlineMs: Int64? {
    let waits = [
      engine.nextDeadline.map { $0 - clock.now }, deadlines.first.map { $0.time - clock.real },
      // One that is awake already waits for the store.
      sleepers.next.map { $0 - clock.now }.flatMap { $0 > .zero ? $0 : nil },
    ]
    return waits.compactMap { $0 }.min().map { max(0, $0.ms) }
  }

  public mutating func deadlineReached() {
    while let due = deadlines.popDue(clock.real) {
      switch due.key {
      case .hello(let id):
        fail(
          id, .unavailable, .handshakeTimeout, "no Hello within \(configuration.limits.helloMs) ms")
      case .ping(let id): pingDue(id)
      case .close(let id): cut(id)
      case .request(let id): requestDue(id)
      }
    }
    engineDue()
  }

  mutating func engineDue() {
    if let next = engine.nextDeadline, next <= clock.now { step(.deadlineReached) }
  }

  // MARK: - The store

  /// The batch given out last is durable; its commit took `us` microseconds.
  public mutating func persisted(us: Int64) {
    let (serial, sends, loads) = gate.persisted(syncUs: us)
    for send in sends { emit(send) }
    output.loads += loads
    step(.persisted(serial))
  }

  /// The engine's runs that can be compared with the store, while no write is on its way.
  package var auditable: [RunNumber] { gate.isIdle ? engine.auditable : [] }

  package func difference(from stored: StoredRun) -> String? { engine.difference(from: stored) }

  /// What is wrong with the engine's own accounts; nil when nothing is.
  package var engineFault: String? { engine.fault }

  public mutating func loaded(_ loaded: Loaded) { step(.loaded(loaded)) }

  /// The disk is full: the store tries the same batch again until there is space.
  public mutating func diskFull(_ isFull: Bool) {
    isDiskFull = isFull
    step(.diskFull(isFull))
  }

  // MARK: - The engine

  /// Takes the input, and then what carrying out its effects asked for. The newest write after it.
  @discardableResult
  mutating func step(_ input: Input) -> WriteSerial {
    followUps.append(input)
    // Else the outer call takes it, after its own effects.
    guard !isStepping else { return effects.serial }
    isStepping = true
    while let next = followUps.popFirst() { carryOut(next) }
    isStepping = false
    return effects.serial
  }

  private mutating func carryOut(_ input: Input) {
    engine.step(input, now: clock.now, into: &effects)
    gate.stage(&effects, us: clock.us)
    let wrote = !effects.writes.isEmpty
    watches += effects.watches
    for index in effects.loads.indices where gate.admits(effects.loads[index]) {
      output.loads.append(effects.loads[index].load)
    }
    for index in effects.sends.indices {
      let gated = effects.sends[index]
      if gate.admits(gated) { emit(gated.send) }
      if gated.after == .none, case .worker(let session, let message) = gated.send,
        case .activation(let activation) = message.kind
      {
        gate.activated(activation.token, session, wrote: wrote, us: clock.us)
      }
    }
  }

  mutating func openSession(_ attach: Attach, _ connection: Connection, _ stream: UInt64) {
    lastSession += 1
    let session = SessionID(lastSession)
    sessions[session] = (connection, stream)
    connection.streams[stream]?.stream = .work(session: session)
    armPing(connection.id)
    step(.sessionOpened(session, attach, connection.peer.process))
  }

  /// The worker has ended its stream, or its connection is gone.
  mutating func closeSession(_ session: SessionID) {
    sessions.removeValue(forKey: session)
    gate.sessionEnded(session)
    step(.sessionClosed(session))
  }

  public mutating func processGone(_ process: ProcessIdentity) { step(.processGone(process)) }

  public mutating func drain() {
    guard !isDraining else { return }
    isDraining = true
    step(.drain)
    endBackup(.of(.unavailable, .draining, "the engine is going away"))
    for connection in connections.values.sorted(by: { $0.id < $1.id }) {
      var goAway = GoAway()
      goAway.message = "the engine is going away"
      goAway.lastStream = connection.lastStream
      send(.goAway(goAway), to: connection)
    }
  }

  // MARK: - Output

  /// Ends a turn of the loop: decides on a commit and says what there is to do. `into` is replaced.
  public mutating func flush(into result: inout ShellOutput) {
    passTime()
    orderDirty()
    // By index: to write to one may cut it, which answers others.
    var place = 0
    while place < output.dirty.count {
      let connection = connections[output.dirty[place]]
      if let connection { writeWork(connection) }
      connection?.isDirty = false
      place += 1
    }
    switch gate.verdict(us: clock.us) {
    case .wait: break
    case .hold(let us): output.holdUs = us
    case .commit(let writes, let isSmall):
      output.commit = writes
      output.isCommitSmall = isSmall
    }
    output.isDrained =
      isDraining && gate.isIdle && engine.statistics.tasksOut == 0 && backup == nil
    result = output
    output = ShellOutput()
  }

  /// What was told after `flush` has made more to do: it wants to be called again.
  public var hasOutput: Bool {
    !(output.loads.isEmpty && output.dirty.isEmpty && output.closing.isEmpty
      && output.cut.isEmpty && output.backup == nil)
  }

  /// Processes whose end must be told by `processGone`, at once if they are gone already; asked for
  /// before `flush`, in each turn.
  public mutating func takeWatches() -> [ProcessIdentity] {
    defer { watches.removeAll() }
    return watches
  }

  /// Moves a connection's outgoing bytes to the caller, who tells by `unread` what becomes of them.
  public mutating func takeOutgoing(_ id: ConnectionID) -> [UInt8] {
    guard let connection = connections[id] else { return [] }
    defer { connection.outgoing = [] }
    connection.unreadBytes += connection.outgoing.count
    return connection.outgoing
  }

  private mutating func markDirty(_ connection: Connection) {
    guard !connection.isDirty else { return }
    connection.isDirty = true
    output.dirty.append(connection.id)
  }

  /// Whoever is written to may take the processor from us at once: first those who get a task to
  /// begin, then those who wait for an answer, last those who are only told what was recorded.
  private mutating func orderDirty() {
    guard output.dirty.count > 1 else { return }
    let ranked = output.dirty.map { (news: connections[$0]?.news ?? .record, id: $0) }
    output.dirty = ranked.sorted { ($0.news, $0.id) < ($1.news, $1.id) }.map(\.id)
  }

  private mutating func writeWork(_ connection: Connection) {
    guard !connection.work.isEmpty else { return }
    let work = connection.work
    connection.work = []
    for (stream, messages) in work { write(messages[...], connection, stream) }
  }

  /// Messages of a tick share a frame, unless they are more than one may hold (FRM-002).
  private mutating func write(
    _ messages: ArraySlice<EngineMessage>, _ connection: Connection, _ stream: UInt64
  ) {
    var response = WorkResponse()
    response.messages = Array(messages)
    let before = connection.outgoing.count
    withOutgoing(connection) { $0.append(stream: stream, body: response, to: &$1) }
    let bytes = connection.outgoing.count - before - 4  // Without the length itself.
    guard bytes > configuration.limits.frameBytesMax, messages.count > 1 else { return }
    connection.outgoing.removeSubrange(before...)
    let middle = messages.startIndex + messages.count / 2
    write(messages[..<middle], connection, stream)
    write(messages[middle...], connection, stream)
  }

  mutating func withOutgoing(
    _ connection: Connection, _ body: (inout FrameEncoder, inout [UInt8]) -> Void
  ) {
    guard !connection.isGone else { return }
    encoder.with { encoder in body(&encoder, &connection.outgoing) }
    markDirty(connection)
    weigh(connection)
  }

  mutating func send(_ kind: Frame.Kind, stream: UInt64 = 0, to connection: Connection) {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    withOutgoing(connection) { $0.append(frame, to: &$1) }
  }

  /// Carries out a send of the engine; what its peer has given up goes nowhere.
  private mutating func emit(_ send: Send) {
    switch send {
    case .reply(let request, let reply):
      guard let connection = endStream(request) else { return }
      answer(connection, request.stream, reply)
    case .part(let request, let bytes): emitPart(request, bytes)
    case .end(let request, let status):
      guard let connection = endStream(request) else { return }
      withOutgoing(connection) { $0.append(end: status, stream: request.stream, to: &$1) }
    case .worker(let session, let message):
      guard let place = sessions[session] else { return }
      place.connection.add(message, stream: place.stream)
      markDirty(place.connection)
    case .awaitRoom(let session): sessions[session]?.connection.full.append(session)
    case .endSession(let session, let status):
      guard let (connection, stream) = sessions.removeValue(forKey: session) else { return }
      gate.sessionEnded(session)
      writeWork(connection)
      guard endStream(connection, stream) else { return }
      withOutgoing(connection) { $0.append(end: status, stream: stream, to: &$1) }
    }
  }

  /// A long answer to a peer that has not read enough of those before is refused: it may ask again.
  private mutating func answer(_ connection: Connection, _ stream: UInt64, _ reply: Reply) {
    let max = configuration.limits.unreadBytesMax
    withOutgoing(connection) { encoder, outgoing in
      let before = outgoing.count
      encoder.append(reply, stream: stream, to: &outgoing)
      let bytes = outgoing.count - before
      guard bytes > 4_096, before + connection.unreadBytes + bytes > max, before > 0 else { return }
      outgoing.removeSubrange(before...)
      encoder.append(
        end: .of(
          .resourceExhausted, .overloaded, "earlier answers wait to be read", retryAfterMs: 100),
        stream: stream, to: &outgoing)
    }
  }

  private mutating func emitPart(_ request: RequestID, _ bytes: [UInt8]) {
    guard let connection = connections[ConnectionID(request.connection)],
      let kind = connection.stream(request.stream)
    else { return }
    withOutgoing(connection) { $0.append(stream: request.stream, bytes: bytes, to: &$1) }
    guard case .reading(let credit, _) = kind else { return }  // It answers as it is asked.
    let left = credit - 1
    connection.streams[request.stream]?.stream = .reading(credit: left, isWanted: left > 0)
    guard left > 0 else { return }
    if connection.waitingBytes < configuration.limits.unreadBytesMax {
      step(.readMore(request))
    } else {
      connection.paused.append(request.stream)
    }
  }

  /// The connection of the request's stream, if it was open.
  private mutating func endStream(_ request: RequestID) -> Connection? {
    guard let connection = connections[ConnectionID(request.connection)],
      endStream(connection, request.stream)
    else { return nil }
    return connection
  }

  /// True if the stream was open.
  mutating func endStream(_ connection: Connection, _ stream: UInt64) -> Bool {
    let request = RequestID(connection: connection.id.value, stream: stream)
    let ended = connection.streams.removeValue(forKey: stream)
    forget(request, ended, connection)
    return ended != nil
  }

  mutating func forget(
    _ request: RequestID, _ ended: Connection.OpenStream?, _ connection: Connection
  ) {
    deadlines.remove(.request(request))
    guard let ended else { return }
    if skipsTime { sleepers.remove(request) }
    connection.count(ended.awaited, -1)
    requestEnded(connection, bytes: ended.requestBytes)
  }
}

/// Keeps the one encoder; a class, because a struct that cannot be copied would make the shell so.
final class EncoderBox {
  private var encoder = FrameEncoder()
  func with(_ body: (inout FrameEncoder) -> Void) { body(&encoder) }
}
