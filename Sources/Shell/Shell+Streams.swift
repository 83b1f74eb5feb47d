import Basics
import EngineCore
import Messages
import Wire

/// Streams: requests, their deadlines, credit, and the Work stream.
extension Shell {
  mutating func open(_ connection: Connection, _ stream: UInt64, _ open: Open) {
    guard stream > connection.lastStream else {
      return fail(
        connection.id, .failedPrecondition, .protocolViolation,
        "stream \(stream) opens after stream \(connection.lastStream); ids must grow")
    }
    connection.lastStream = stream
    if let status = refusal(connection) { return end(connection, stream, status) }
    guard let method = Method(rawValue: open.method) else {
      return end(
        connection, stream,
        .of(
          .unimplemented, .unknownMethod,
          "no method '\(open.method.prefix(200))'; see proto/README.md"))
    }
    guard connection.grants.any.contains(method.role) else {
      return end(connection, stream, .notPermitted(connection.peer, "call \(open.method)"))
    }
    if open.timeoutMs.ms < 0 {
      return end(
        connection, stream,
        .of(.invalidArgument, .fieldInvalid, "timeout_ms is negative", "timeout_ms"))
    }
    begin(connection, stream, method, open)
  }

  /// Why no stream can be opened now.
  private func refusal(_ connection: Connection) -> Status? {
    if isDraining {
      return .of(.unavailable, .draining, "the engine is going away", retryAfterMs: 1_000)
    }
    if connection.streams.count >= configuration.limits.streamsMax {
      return .of(
        .resourceExhausted, .overloaded,
        "\(configuration.limits.streamsMax) streams are open on this connection", retryAfterMs: 100)
    }
    return nil
  }

  /// Set when the peer has the role, but not in the namespace of the request.
  private func refusal(_ connection: Connection, _ method: Method, _ call: Call) -> Status? {
    let roles: Roles
    let place: String
    switch call {
    case .work: return nil  // Attach says where.
    case .replay: return nil  // It touches no namespace.
    case .engine(.namespace(let request)) where request.namespace == nil:
      roles = connection.grants.everywhere
      place = " of the whole engine"
    case .engine(let request):
      roles = connection.grants.roles(in: request.namespace)
      place = " in namespace '\(request.namespace.isEmpty ? "default" : request.namespace)'"
    case .health, .describe, .drain, .time, .backup:
      roles = connection.grants.everywhere
      place = " of the whole engine"
    }
    if roles.contains(method.role) { return nil }
    return .notPermitted(connection.peer, "call \(method.rawValue)\(place)")
  }

  private mutating func begin(
    _ connection: Connection, _ stream: UInt64, _ method: Method, _ open: Open
  ) {
    guard open.end || method.isClientStreaming else {
      return end(
        connection, stream,
        .of(.invalidArgument, .protocolViolation, "a request of one message must carry `end`"))
    }
    let messageMax = configuration.limits.messageBytesMax
    guard method.isClientStreaming || open.message.count <= messageMax else {
      return end(
        connection, stream,
        .of(
          .invalidArgument, .payloadTooLarge,
          "a request of \(open.message.count) bytes; \(messageMax) are allowed"))
    }
    let call: Call
    do throws(DecodeError) {
      call = try Call(method, open.message)
    } catch {
      return end(
        connection, stream,
        .of(.invalidArgument, .malformedRequest, "the request cannot be read: \(error)"))
    }
    if let status = refusal(connection, method, call) { return end(connection, stream, status) }
    requests += 1
    let request = RequestID(connection: connection.id.value, stream: stream)
    switch call {
    case .work:
      guard admit(connection, stream, .work(session: nil), method, 0) else {
        return
      }
      if !open.message.isEmpty { takeWork(open.message, connection, stream) }
      if open.end { cancel(connection, stream) }
    case .replay:
      guard admit(connection, stream, .replay, method, 0) else { return }
      setDeadline(of: request, open)
      if !open.message.isEmpty { takeReplay(open.message, connection, stream) }
      if open.end { cancel(connection, stream) }
    case .engine(let decoded):
      let kind: Connection.Stream =
        method.isServerStreaming
        ? .reading(credit: configuration.limits.initialCredit, isWanted: true) : .unary
      guard admit(connection, stream, kind, method, open.message.count) else { return }
      setDeadline(of: request, open)
      step(.request(request, decoded))
    case .health: answer(connection, stream, health)
    case .describe: answer(connection, stream, description)
    case .drain:
      answer(connection, stream, DrainResponse())
      drain()
    case .time(let wanted): take(wanted, connection, stream, method, open)
    case .backup(let wanted):
      if let status = refusal(of: wanted) { return end(connection, stream, status) }
      let kind = Connection.Stream.backup(credit: configuration.limits.initialCredit)
      guard admit(connection, stream, kind, method, open.message.count) else { return }
      setDeadline(of: request, open)
      beginBackup(wanted, request)
    }
  }

  mutating func setDeadline(of request: RequestID, _ open: Open) {
    guard open.timeoutMs > .zero else { return }
    setDeadline(of: request, after: open.timeoutMs)
  }

  private mutating func setDeadline(of request: RequestID, after span: Span) {
    deadlines.set(
      .request(request), at: clock.real + span,
      order: .init(Int64(bitPattern: request.connection), Int64(bitPattern: request.stream)))
  }

  /// Keeps the stream open for the request, unless too many bytes of requests are under way.
  mutating func admit(
    _ connection: Connection, _ stream: UInt64, _ kind: Connection.Stream, _ method: Method,
    _ messageBytes: Int, awaited: Connection.Awaited = .nothing
  ) -> Bool {
    let bytes = messageBytes + configuration.limits.requestOverheadBytes
    if let status = refusal(connection, bytes: bytes, isReport: method.isReport) {
      end(connection, stream, status)
      return false
    }
    let awaited = method.awaitsWorkflow ? .workflow : awaited
    connection.streams[stream] = .init(stream: kind, requestBytes: bytes, awaited: awaited)
    connection.count(awaited, 1)
    requestBegan(connection, bytes: bytes)
    return true
  }

  mutating func answer(
    _ connection: Connection, _ stream: UInt64, _ message: some Message
  ) {
    withOutgoing(connection) { $0.appendEnd(stream: stream, message: message, to: &$1) }
  }

  mutating func end(_ connection: Connection, _ stream: UInt64, _ status: Status) {
    _ = endStream(connection, stream)
    withOutgoing(connection) { $0.append(end: status, stream: stream, to: &$1) }
  }

  /// The request's time is up. What only waits is dropped; what has begun gets its true answer.
  mutating func requestDue(_ request: RequestID) {
    guard let connection = connections[ConnectionID(request.connection)],
      connection.streams[request.stream] != nil
    else { return }
    let late = Status.of(
      .deadlineExceeded, .timedOut, "the request's timeout_ms has passed")
    if case .backup = connection.stream(request.stream) {
      abandonBackup(request)
      return end(connection, request.stream, late)
    }
    // One whose client has sent nothing yet is not known to the engine.
    let isReplay = if case .replay = connection.stream(request.stream) { true } else { false }
    guard isReplay || engine.isWaiting(request) || sleepers.contains(request) else {
      // Its answer is on its way to the store, or it is itself, and may come to wait only then.
      return setDeadline(of: request, after: Span(ms: configuration.limits.overdueMs))
    }
    step(.requestAbandoned(request))
    end(connection, request.stream, late)
  }

  mutating func cancel(_ connection: Connection, _ stream: UInt64) {
    guard let kind = connection.stream(stream) else { return }  // It has just ended.
    switch kind {
    case .work(let session):
      end(connection, stream, .of(.cancelled, .unspecified, "the worker ended the stream"))
      if let session { closeSession(session) }
    case .unary, .reading, .replay:
      step(.requestAbandoned(RequestID(connection: connection.id.value, stream: stream)))
      end(connection, stream, .of(.cancelled, .unspecified, "the client cancelled the request"))
    case .backup:
      abandonBackup(RequestID(connection: connection.id.value, stream: stream))
      end(connection, stream, .of(.cancelled, .unspecified, "the client cancelled the request"))
    }
  }

  mutating func add(_ credit: Credit, _ connection: Connection, _ stream: UInt64) {
    if case .backup(let left) = connection.stream(stream) {
      let (sum, overflow) = left.addingReportingOverflow(credit.messages)
      connection.streams[stream]?.stream = .backup(credit: overflow ? .max : sum)
    }
    guard case .reading(let left, let isWanted) = connection.stream(stream) else { return }
    let (sum, overflow) = left.addingReportingOverflow(credit.messages)
    connection.streams[stream]?.stream = .reading(
      credit: overflow ? .max : sum, isWanted: sum > 0)
    if !isWanted && sum > 0 {
      step(.readMore(RequestID(connection: connection.id.value, stream: stream)))
    }
  }

  // MARK: - Work

  mutating func take(_ message: StreamMessage, _ connection: Connection, _ stream: UInt64) {
    switch connection.stream(stream) {
    case .work:
      takeWork(message.body, connection, stream)
      if message.end { cancel(connection, stream) }
    case .replay:
      takeReplay(message.body, connection, stream)
      if message.end { cancel(connection, stream) }
    case .unary, .reading, .backup:
      cancel(connection, stream)
    case nil:
      guard stream > connection.lastStream else { return }  // It has just ended.
      fail(
        connection.id, .failedPrecondition, .protocolViolation,
        "a message on stream \(stream), not open")
    }
  }

  private mutating func takeWork(_ bytes: [UInt8], _ connection: Connection, _ stream: UInt64) {
    let request: WorkRequest
    do throws(DecodeError) {
      request = try WorkRequest(bytes: bytes)
    } catch {
      return endWork(
        connection, stream, .of(.invalidArgument, .malformedRequest, "a worker message: \(error)"))
    }
    for (index, message) in request.messages.enumerated() {
      guard case .work(let session) = connection.stream(stream) else { return }
      if let session {
        return take(index == 0 ? request.messages : Array(request.messages[index...]), of: session)
      } else if case .attach(let attach) = message.kind {
        guard connection.grants.roles(in: attach.namespace).contains(.worker) else {
          let namespace = attach.namespace.isEmpty ? "default" : attach.namespace
          return endWork(
            connection, stream,
            .notPermitted(connection.peer, "attach a worker in namespace '\(namespace)'"))
        }
        // It is kept for as long as the session.
        if let status = refusal(connection, bytes: bytes.count, isReport: false) {
          return endWork(connection, stream, status)
        }
        connection.streams[stream]?.requestBytes += bytes.count
        requestBegan(connection, bytes: bytes.count)
        openSession(attach, connection, stream)
      } else {
        return endWork(
          connection, stream,
          .of(.failedPrecondition, .protocolViolation, "the first worker message must be Attach"))
      }
    }
  }

  /// What came in one frame is one step: several results are then shown to the code together.
  private mutating func take(_ messages: [WorkerMessage], of session: SessionID) {
    for message in messages {
      if case .workflowTaskCompleted(let completed) = message.kind {
        gate.answered(completed.token, us: clock.us)
      }
    }
    step(.workerMessages(session, messages))
  }

  private mutating func takeReplay(_ bytes: [UInt8], _ connection: Connection, _ stream: UInt64) {
    let request = RequestID(connection: connection.id.value, stream: stream)
    do throws(DecodeError) {
      let message = try ReplayRequest(bytes: bytes)
      if case .history(let part) = message.kind, !part.taskQueue.isEmpty,
        !connection.grants.roles(in: part.namespace).contains(.worker)
      {
        step(.requestAbandoned(request))
        let what = "ask a worker in namespace '\(part.namespace)'"
        return end(connection, stream, .notPermitted(connection.peer, what))
      }
      step(.replay(request, message))
    } catch {
      step(.requestAbandoned(request))
      end(
        connection, stream,
        .of(.invalidArgument, .malformedRequest, "a message of a replay: \(error)"))
    }
  }

  private mutating func endWork(_ connection: Connection, _ stream: UInt64, _ status: Status) {
    guard case .work(let session) = connection.stream(stream) else { return }
    end(connection, stream, status)
    if let session { closeSession(session) }
  }
}

extension Method {
  /// Tells how an activity goes: what is under way comes before what is new.
  fileprivate var isReport: Bool {
    switch self {
    case .activityCompleteActivity, .activityFailActivity, .activityReportActivityCancelled,
      .activityHeartbeatActivity:
      true
    default: false
    }
  }

  /// The role that a peer needs.
  var role: Roles {
    if rawValue.hasPrefix("holdfast.v1.WorkerService/") { return .worker }
    if rawValue.hasPrefix("holdfast.v1.OperatorService/") { return .operator }
    return .client
  }
}

extension Status {
  fileprivate static func notPermitted(_ peer: Peer, _ what: String) -> Status {
    of(
      .permissionDenied, .permission,
      "user \(peer.uid) may not \(what): give it the role in the configuration")
  }

  static func of(
    _ code: StatusCode, _ reason: Reason, _ message: String, _ field: String = "",
    retryAfterMs: Int64 = 0
  ) -> Status {
    var status = Status()
    status.code = code
    status.reason = reason
    status.message = message
    status.field = field
    status.retryAfterMs = Span(ms: retryAfterMs)
    return status
  }
}
