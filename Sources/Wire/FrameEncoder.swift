import Messages

/// Appends frames to a connection's outgoing bytes. The message is written once, from the back, and
/// its envelopes in front of it, so that it is copied once.
public struct FrameEncoder: ~Copyable {
  private var writer = WireWriter(capacity: 4_096)

  // Tags of Frame, StreamMessage and End; a test compares them with the schema's tables.
  private static let stream: UInt32 = 1 << 3
  private static let message: UInt32 = 6 << 3 | 2
  private static let end: UInt32 = 7 << 3 | 2
  private static let body: UInt32 = 1 << 3 | 2
  private static let endMessage: UInt32 = 2 << 3 | 2

  public init() {}

  /// Any frame.
  public mutating func append(_ frame: Frame, to out: inout [UInt8]) {
    writer.reset()
    frame.encode(into: &writer)
    finish(&out)
  }

  /// A message of a stream.
  public mutating func append<M: Message>(
    stream: UInt64, body message: M, to out: inout [UInt8]
  ) {
    writer.reset()
    message.encode(into: &writer)
    wrapBody(stream, &out)
  }

  /// A message of a stream that is encoded already.
  public mutating func append(stream: UInt64, bytes: [UInt8], to out: inout [UInt8]) {
    writer.reset()
    bytes.withUnsafeBytes { writer.raw($0) }
    wrapBody(stream, &out)
  }

  private mutating func wrapBody(_ stream: UInt64, _ out: inout [UInt8]) {
    writer.close(since: 0, tag: FrameEncoder.body)
    writer.close(since: 0, tag: FrameEncoder.message)
    writer.uint64(stream, tag: FrameEncoder.stream)
    finish(&out)
  }

  /// The end of a unary stream, with its answer.
  public mutating func appendEnd<M: Message>(
    stream: UInt64, message: M, to out: inout [UInt8]
  ) {
    writer.reset()
    message.encode(into: &writer)
    writer.close(since: 0, tag: FrameEncoder.endMessage)
    writer.close(since: 0, tag: FrameEncoder.end)
    writer.uint64(stream, tag: FrameEncoder.stream)
    finish(&out)
  }

  private mutating func finish(_ out: inout [UInt8]) {
    let count = UInt32(writer.count)
    withUnsafeBytes(of: count.bigEndian) { writer.raw($0) }
    writer.withBytes { out.append(contentsOf: $0) }
  }
}
