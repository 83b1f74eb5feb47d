import Foundation
import Harness
import Messages
import Testing

/// Input that no client of ours sends, over a raw socket: each is refused with its code and reason,
/// and the engine goes on.
@Suite(.serialized) struct BadPeerTests {
  /// Bytes, and what the engine says before it closes the connection.
  struct Broken: Sendable, CustomTestStringConvertible {
    let name: String
    var isGreeted = true
    let bytes: [UInt8]
    let code: StatusCode
    let message: String

    var testDescription: String { name }
  }

  private static func frame(_ kind: Frame.Kind, stream: UInt64 = 0) -> [UInt8] {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    return RawPeer.framed(frame.serialized())
  }

  private static var open: Open {
    var open = Open()
    open.method = Method.workflowStartWorkflow.rawValue
    return open
  }

  static let broken = [
    Broken(
      name: "a length of 0", bytes: [0, 0, 0, 0], code: .resourceExhausted,
      message: "FRAME_TOO_LARGE: a frame of 0 bytes; 1 to 4194304 are allowed"),
    Broken(
      name: "a length over the limit", bytes: [0, 0x40, 0, 1], code: .resourceExhausted,
      message: "FRAME_TOO_LARGE: a frame of 4194305 bytes; 1 to 4194304 are allowed"),
    Broken(
      name: "the greatest length", bytes: [255, 255, 255, 255], code: .resourceExhausted,
      message: "FRAME_TOO_LARGE: a frame of 4294967295 bytes; 1 to 4194304 are allowed"),
    Broken(
      name: "HTTP", isGreeted: false, bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8),
      code: .resourceExhausted,
      message: "FRAME_TOO_LARGE: a frame of 1195725856 bytes; 1 to 4194304 are allowed"),
    Broken(
      name: "no protobuf", bytes: RawPeer.framed([0xFF, 0xFF, 0xFF]), code: .invalidArgument,
      message: "PROTOCOL_VIOLATION: a frame is malformed: "),
    Broken(
      name: "no Hello first", isGreeted: false, bytes: frame(.ping(Ping())),
      code: .failedPrecondition,
      message: "PROTOCOL_VIOLATION: the first frame must be Hello on stream 0"),
    Broken(
      name: "no version in common", isGreeted: false, bytes: frame(.hello(Hello())),
      code: .failedPrecondition,
      message: "PROTOCOL_VERSION: this engine speaks protocol version 1; the client offers []"),
    Broken(
      name: "a second Hello", bytes: frame(.hello(Hello())), code: .failedPrecondition,
      message: "PROTOCOL_VIOLATION: a second Hello"),
    Broken(
      name: "a frame of the engine's", bytes: frame(.welcome(Welcome())),
      code: .failedPrecondition,
      message: "PROTOCOL_VIOLATION: a frame that only the engine sends"),
    Broken(
      name: "a stream 0", bytes: frame(.open(open)), code: .failedPrecondition,
      message: "PROTOCOL_VIOLATION: stream 0 opens after stream 0; ids must grow"),
    Broken(
      name: "a stream id again",
      bytes: frame(.open(open), stream: .max) + frame(.open(open), stream: 7),
      code: .failedPrecondition,
      message: "PROTOCOL_VIOLATION: stream 7 opens after stream 18446744073709551615; ids must grow"
    ),
    Broken(
      name: "a message of no stream", bytes: frame(.message(StreamMessage()), stream: 9),
      code: .failedPrecondition,
      message: "PROTOCOL_VIOLATION: a message on stream 9, not open"),
  ]

  @Test(arguments: broken) func aBrokenConnectionIsToldWhyAndClosed(_ broken: Broken) async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let peer = try await RawPeer(engine.socket)
    if broken.isGreeted { try peer.hello() }
    peer.write(broken.bytes)
    var goAway: GoAway?
    while goAway == nil {
      // A stream that was opened before may have its end first.
      if case .goAway(let last) = try peer.next().kind { goAway = last }
    }
    #expect(goAway?.code == broken.code)
    #expect(goAway?.message.hasPrefix(broken.message) == true, "\(goAway?.message ?? "")")
    #expect(throws: RawPeer.Gone.self, "closed") { try peer.next() }
    #expect(try await RawPeer.probe(engine.socket))
  }

  /// A request, and its refusal.
  struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    var method = Method.workflowStartWorkflow.rawValue
    let message: [UInt8]
    var end = true
    let code: StatusCode
    let reason: Reason
    var field = ""

    var testDescription: String { name }
  }

  private static func start(_ change: (inout StartWorkflowRequest) -> Void) -> [UInt8] {
    var request = StartWorkflowRequest()
    request.workflowID = "w"
    request.workflowType = "T"
    request.taskQueue = "q"
    change(&request)
    return request.serialized()
  }

  private static let long = String(repeating: "ä", count: 501)

  static let refused = [
    Refused(
      name: "an unknown method", method: "holdfast.v1.WorkflowService/Nope", message: [],
      code: .unimplemented, reason: .unknownMethod),
    Refused(
      name: "no protobuf", message: [0x08], code: .invalidArgument, reason: .malformedRequest),
    Refused(
      name: "an id of another wire type, as unknown as any field", message: [0x10, 1],
      code: .invalidArgument, reason: .fieldMissing, field: "workflow_id"),
    Refused(
      name: "NUL in an id", message: start { _ in } + [0x12, 2, 0x61, 0],
      code: .invalidArgument, reason: .malformedRequest),
    Refused(
      name: "an id that is not UTF-8", message: start { _ in } + [0x12, 2, 0xC3, 0x28],
      code: .invalidArgument, reason: .malformedRequest),
    Refused(
      name: "no end", message: start { _ in }, end: false, code: .invalidArgument,
      reason: .protocolViolation),
    Refused(
      name: "no id", message: start { $0.workflowID = "" }, code: .invalidArgument,
      reason: .fieldMissing, field: "workflow_id"),
    Refused(
      name: "an id of 1,002 bytes", message: start { $0.workflowID = long },
      code: .invalidArgument, reason: .fieldInvalid, field: "workflow_id"),
    Refused(
      name: "a type of 1,002 bytes", message: start { $0.workflowType = long },
      code: .invalidArgument, reason: .fieldInvalid, field: "workflow_type"),
    Refused(
      name: "a payload over 2 MiB",
      message: start { $0.input = [.large(1), .large(2 << 20 + 1)] },
      code: .invalidArgument, reason: .payloadTooLarge, field: "input"),
    Refused(
      name: "payloads over 3 MiB in all",
      message: start { $0.input = [.large(3 << 19), .large(3 << 19 + 1)] },
      code: .invalidArgument, reason: .payloadTooLarge, field: "input"),
    Refused(
      name: "a negative timeout", message: start { $0.runTimeoutMs = .init(ms: -1) },
      code: .invalidArgument, reason: .fieldInvalid, field: "run_timeout_ms"),
    Refused(
      name: "an unknown policy", message: start { $0.idReusePolicy = .unrecognized(99) },
      code: .invalidArgument, reason: .fieldInvalid, field: "id_reuse_policy"),
    Refused(
      name: "an unknown namespace", message: start { $0.namespace = "n" }, code: .notFound,
      reason: .namespaceNotFound, field: "namespace"),
    Refused(
      name: "a worker that does not attach", method: Method.workerWork.rawValue,
      message: WorkRequest(messages: [WorkerMessage(.grant(Grant()))]).serialized(), end: false,
      code: .failedPrecondition, reason: .protocolViolation),
  ]

  @Test(arguments: refused) func aBadRequestIsRefusedAlone(_ refused: Refused) async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    let status = try peer.call(refused.method, refused.message, end: refused.end).status
    #expect(status?.code == refused.code, "\(status?.message ?? "accepted")")
    #expect(status?.reason == refused.reason)
    #expect(status?.field == refused.field, "\(status?.message ?? "")")
    // The connection goes on, others come, and nothing was made.
    let count = try peer.call(Method.workflowCountWorkflows.rawValue, [])
    #expect(count.status == nil)
    #expect(try CountWorkflowsResponse(bytes: count.message).count == 0)
    #expect(try await RawPeer.probe(engine.socket))
  }

  @Test func aSilentPeerIsClosedAfterFiveSeconds() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let peer = try await RawPeer(engine.socket)
    let began = Date()
    let goAway = try peer.goAway()
    #expect(goAway.code == .unavailable)
    #expect(goAway.message == "HANDSHAKE_TIMEOUT: no Hello within 5000 ms")
    #expect(Date().timeIntervalSince(began) > 4.9)
    #expect(try await RawPeer.probe(engine.socket))
  }

  /// Half frames of the largest size, and garbage, from peers that then go away.
  @Test func whatBrokenPeersHeldIsGivenBack() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    #expect(try await RawPeer.probe(engine.socket))
    let folder = "/proc/\(engine.process?.pid ?? 0)/fd"
    let descriptors = { try FileManager.default.contentsOfDirectory(atPath: folder).count }
    let figures = try #require(EngineFigures(engine.socket))
    try await until("one connection is left") { figures.counter("connections") == 1 }
    let before = try descriptors()
    for _ in 0..<20 {
      var peers: [RawPeer] = []
      for number in 0..<10 {
        let peer = try await RawPeer(engine.socket)
        try peer.hello()
        peer.write(number % 2 == 0 ? [0, 0x40, 0, 0] + [UInt8](repeating: 1, count: 1_000) : [9])
        peers.append(peer)
      }
    }
    try await until("one connection is left") { figures.counter("connections") == 1 }
    try await until("the descriptors are closed") { try descriptors() == before }
    #expect(try await RawPeer.probe(engine.socket))
  }

  @Test func theLargestPayloadIsTaken() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    let message = BadPeerTests.start { $0.input = [.large(2 << 20)] }
    let end = try peer.call(Method.workflowStartWorkflow.rawValue, message)
    #expect(end.status == nil)
    #expect(try StartWorkflowResponse(bytes: end.message).started)
  }
}

extension WorkRequest {
  init(messages: [WorkerMessage]) {
    self.init()
    self.messages = messages
  }
}

extension WorkerMessage {
  init(_ kind: Kind) {
    self.init()
    self.kind = kind
  }
}
