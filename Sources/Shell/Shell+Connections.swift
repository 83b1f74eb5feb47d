import Basics
import EngineCore
import Messages
import Wire

/// Connections that come, speak and go.
extension Shell {
  /// A connection was accepted. False: no byte of it may be read; it is told `farewell` and closed.
  public mutating func connected(_ id: ConnectionID, _ peer: Peer) -> Bool {
    precondition(connections[id] == nil, "connection \(id.value) comes twice")
    guard refusal(of: peer) == nil else { return false }
    let user = users[peer.uid] ?? User(uid: peer.uid)
    user.connections += 1
    users[peer.uid] = user
    connections[id] = Connection(
      id: id, peer: peer, user: user, grants: configuration.access.grants(to: peer),
      frameBytesMax: configuration.limits.frameBytesMax)
    deadlines.set(
      .hello(id), at: clock.real + Span(ms: configuration.limits.helloMs),
      order: .init(Int64(bitPattern: id.value)))
    return true
  }

  /// What a refused peer is told: a GoAway that says why.
  public mutating func farewell(_ peer: Peer) -> [UInt8] {
    guard let (code, reason, message) = refusal(of: peer) else { return [] }
    var frame = Frame()
    frame.kind = .goAway(.saying(code, reason, message))
    var bytes: [UInt8] = []
    encoder.with { $0.append(frame, to: &bytes) }
    return bytes
  }

  private func refusal(of peer: Peer) -> (StatusCode, Reason, String)? {
    if configuration.access.grants(to: peer).any.isEmpty {
      return (
        .permissionDenied, .permission,
        "user \(peer.uid) has no role here: give it one in the configuration"
      )
    }
    if isDraining { return (.unavailable, .draining, "the engine is going away") }
    let limits = configuration.limits
    if connections.count >= limits.connectionsMax {
      return (.resourceExhausted, .overloaded, "\(limits.connectionsMax) connections are open")
    }
    if users[peer.uid]?.connections ?? 0 >= limits.connectionsPerUserMax {
      return (
        .resourceExhausted, .overloaded,
        "user \(peer.uid) has \(limits.connectionsPerUserMax) connections open"
      )
    }
    return nil
  }

  /// Bytes came; they are valid during the call.
  public mutating func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
    guard let connection = connections[id], !connection.isClosing else { return }
    if connection.pings > 0 { heard(connection) }
    connection.decoder.feed(bytes)
    while !connection.isClosing {
      do throws(FrameFault) {
        guard let frame = try connection.decoder.next() else { break }
        if connection.unreadBytes == 0 { connection.held.sinceUs = clock.us }
        take(frame, connection)
      } catch {
        fail(id, error)
      }
    }
    weigh(connection)
  }

  /// The connection is gone, by either side.
  public mutating func disconnected(_ id: ConnectionID) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    connection.phase = .closing
    connection.isGone = true
    weigh(connection)
    abandon(connection)
    connection.user.connections -= 1
    if connection.user.connections == 0 { users.removeValue(forKey: connection.user.uid) }
  }

  /// Nothing is owed to the peer any more, and nothing comes from it.
  private mutating func abandon(_ connection: Connection) {
    let id = connection.id
    let streams = connection.streams
    connection.streams = [:]
    deadlines.remove(.hello(id))
    deadlines.remove(.ping(id))
    deadlines.remove(.close(id))
    for stream in streams.keys.sorted() {
      let request = RequestID(connection: id.value, stream: stream)
      forget(request, streams[stream], connection)
      switch streams[stream]?.stream {
      case .work(let session?):
        closeSession(session)
      case .work(nil), nil: break
      case .unary, .reading, .replay: step(.requestAbandoned(request))
      case .backup: abandonBackup(request)
      }
    }
  }

  /// Closes the connection though its peer has not read everything.
  mutating func cut(_ id: ConnectionID) {
    guard connections[id] != nil else { return }
    output.cut.append(id)
    disconnected(id)
  }

  // MARK: - Pings

  /// Watches a connection that has a worker.
  mutating func armPing(_ id: ConnectionID) {
    deadlines.set(
      .ping(id), at: clock.real + Span(ms: configuration.limits.pingMs),
      order: .init(Int64(bitPattern: id.value)))
  }

  mutating func pingDue(_ id: ConnectionID) {
    guard let connection = connections[id] else { return }
    if connection.pings == 2 { tellSessions(of: connection, areSilent: true) }
    connection.pings += 1
    var ping = Ping()
    ping.id = connection.pings
    send(.ping(ping), to: connection)
    armPing(id)
  }

  /// Bytes came from a peer that had been pinged.
  private mutating func heard(_ connection: Connection) {
    let wasSilent = connection.pings > 2
    connection.pings = 0
    if wasSilent { tellSessions(of: connection, areSilent: false) }
  }

  private mutating func tellSessions(of connection: Connection, areSilent: Bool) {
    for stream in connection.streams.keys.sorted() {
      guard case .work(let session?) = connection.stream(stream) else { continue }
      step(.sessionSilent(session, areSilent))
    }
  }

  // MARK: - Faults

  private mutating func fail(_ id: ConnectionID, _ fault: FrameFault) {
    switch fault {
    case .length(let length, let max):
      fail(
        id, .resourceExhausted, .frameTooLarge,
        "a frame of \(length) bytes; 1 to \(max) are allowed")
    case .malformed(let error):
      fail(id, .invalidArgument, .protocolViolation, "a frame is malformed: \(error)")
    }
  }

  /// Ends the connection, saying why: the last frame. Its streams end now and not with the close,
  /// which waits for the peer to read.
  mutating func fail(
    _ id: ConnectionID, _ code: StatusCode, _ reason: Reason, _ message: String
  ) {
    guard let connection = connections[id], !connection.isClosing else { return }
    connection.decoder.clear()
    var goAway = GoAway.saying(code, reason, message)
    goAway.lastStream = connection.lastStream
    send(.goAway(goAway), to: connection)
    guard !connection.isGone else { return }  // It left too much unread before.
    connection.phase = .closing
    output.closing.append(id)
    abandon(connection)
    deadlines.set(
      .close(id), at: clock.real + Span(ms: configuration.limits.closeMs),
      order: .init(Int64(bitPattern: id.value)))
  }

  // MARK: - Frames

  private mutating func take(_ frame: Frame, _ connection: Connection) {
    let id = connection.id
    if case .awaitingHello = connection.phase {
      guard case .hello(let hello) = frame.kind, frame.stream == 0 else {
        return fail(
          id, .failedPrecondition, .protocolViolation, "the first frame must be Hello on stream 0")
      }
      return greet(connection, hello)
    }
    switch frame.kind {
    case .hello: fail(id, .failedPrecondition, .protocolViolation, "a second Hello")
    case .open(let open): self.open(connection, frame.stream, open)
    case .message(let message): take(message, connection, frame.stream)
    case .cancel: cancel(connection, frame.stream)
    case .credit(let credit): add(credit, connection, frame.stream)
    case .ping(let ping):
      var pong = Pong()
      pong.id = ping.id
      send(.pong(pong), to: connection)
    case .pong, .goAway: break
    case .welcome, .end:
      fail(id, .failedPrecondition, .protocolViolation, "a frame that only the engine sends")
    case nil: break  // A kind of a later version: not a fault.
    }
  }

  private mutating func greet(_ connection: Connection, _ hello: Hello) {
    deadlines.remove(.hello(connection.id))
    guard hello.protocolVersions.contains(1) else {
      return fail(
        connection.id, .failedPrecondition, .protocolVersion,
        "this engine speaks protocol version 1; the client offers"
          + " \(Array(hello.protocolVersions.prefix(16)))")
    }
    connection.phase = .ready
    connection.identity = hello.identity
    var limits = Limits()
    limits.frameBytesMax = UInt64(configuration.limits.frameBytesMax)
    limits.payloadBytesMax = UInt64(configuration.engine.limits.payloadBytesMax)
    limits.requestPayloadBytesMax = UInt64(configuration.engine.limits.requestPayloadBytesMax)
    limits.streamsMax = UInt32(configuration.limits.streamsMax)
    limits.initialCredit = configuration.limits.initialCredit
    limits.idBytesMax = UInt32(configuration.engine.limits.idBytesMax)
    var welcome = Welcome()
    welcome.protocolVersion = 1
    welcome.serverVersion = configuration.serverVersion
    welcome.epoch = epoch
    welcome.limits = limits
    send(.welcome(welcome), to: connection)
  }
}

extension GoAway {
  fileprivate static func saying(_ code: StatusCode, _ reason: Reason, _ message: String)
    -> GoAway
  {
    var goAway = GoAway()
    goAway.code = code
    goAway.message = "\(reason.name): \(message)"
    return goAway
  }
}
