import Basics
import Messages
import Wire

/// The peer's side of a link: frames in and out.
struct PeerConnection {
  let link: Link
  private var decoder = FrameDecoder(frameBytesMax: 4 << 20)
  private let encoder = Encoder()
  private var nextStream: UInt64 = 1
  private(set) var isWelcome = false

  init(_ link: Link) { self.link = link }

  /// The frames that have come whole; nil: the engine sent something that is no frame.
  mutating func take(_ bytes: [UInt8]) -> [Frame]? {
    bytes.withUnsafeBytes { decoder.feed($0) }
    var frames: [Frame] = []
    do throws(FrameFault) {
      while let frame = try decoder.next() {
        if case .welcome = frame.kind { isWelcome = true }
        frames.append(frame)
      }
    } catch { return nil }
    return frames
  }

  mutating func openStream() -> UInt64 {
    defer { nextStream += 1 }
    return nextStream
  }

  func bytes(_ kind: Frame.Kind, stream: UInt64 = 0) -> [UInt8] {
    encoder.bytes(kind, stream: stream)
  }

  func hello(_ identity: String) -> [UInt8] {
    var hello = Hello()
    hello.protocolVersions = [1]
    hello.identity = identity
    return bytes(.hello(hello))
  }

  func pong(_ ping: Ping) -> [UInt8] {
    var pong = Pong()
    pong.id = ping.id
    return bytes(.pong(pong))
  }

  func request(_ method: Method, _ message: [UInt8], stream: UInt64, timeoutMs: Int64) -> [UInt8] {
    var open = Open()
    open.method = method.rawValue
    open.message = message
    open.end = !method.isClientStreaming
    open.timeoutMs = Span(ms: timeoutMs)
    return bytes(.open(open), stream: stream)
  }

  func message(_ kinds: [WorkerMessage.Kind], stream: UInt64) -> [UInt8] {
    var message = StreamMessage()
    message.body = WorkRequest.of(kinds).serialized()
    return bytes(.message(message), stream: stream)
  }

  /// Keeps the encoder, which cannot be copied, out of the struct that is.
  private final class Encoder {
    private var encoder = FrameEncoder()

    func bytes(_ kind: Frame.Kind, stream: UInt64) -> [UInt8] {
      var frame = Frame()
      frame.stream = stream
      frame.kind = kind
      var bytes: [UInt8] = []
      encoder.append(frame, to: &bytes)
      return bytes
    }
  }
}

extension WorkRequest {
  static func of(_ kinds: [WorkerMessage.Kind]) -> WorkRequest {
    var request = WorkRequest()
    request.messages = kinds.map { kind in
      var message = WorkerMessage()
      message.kind = kind
      return message
    }
    return request
  }
}
