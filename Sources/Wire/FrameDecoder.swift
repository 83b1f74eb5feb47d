import Messages

/// What is wrong with what a peer sent; the connection cannot go on.
public enum FrameFault: Error, Equatable, Sendable {
  /// A length of 0, or over the limit.
  case length(UInt32, max: Int)
  /// The bytes are not a `Frame`.
  case malformed(DecodeError)
}

/// Cuts a byte stream into frames: a 4-byte big-endian length, then one `Frame`.
///
/// A length is checked before anything is kept for it, so a peer cannot make it allocate more than
/// one frame.
public struct FrameDecoder: Sendable {
  private let frameBytesMax: Int
  private var buffer: [UInt8] = []
  private var head = 0

  public init(frameBytesMax: Int) { self.frameBytesMax = frameBytesMax }

  /// Bytes that wait for the rest of their frame.
  public var pendingBytes: Int { buffer.count - head }

  /// Adds what was read; the bytes are copied.
  public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if head == buffer.count {
      buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 18)
      head = 0
    } else if head > 1 << 16 {
      buffer.removeFirst(head)
      head = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame; nil until more has been fed.
  public mutating func next() throws(FrameFault) -> Frame? {
    guard buffer.count - head >= 4 else { return nil }
    let length =
      UInt32(buffer[head]) << 24 | UInt32(buffer[head + 1]) << 16
      | UInt32(buffer[head + 2]) << 8 | UInt32(buffer[head + 3])
    guard length >= 1, length <= UInt32(frameBytesMax) else {
      throw .length(length, max: frameBytesMax)
    }
    let end = head + 4 + Int(length)
    guard buffer.count >= end else { return nil }
    let result = buffer.withUnsafeBytes { bytes -> Result<Frame, DecodeError> in
      do throws(DecodeError) {
        return .success(
          try Frame(buffer: UnsafeRawBufferPointer(rebasing: bytes[head + 4..<end])))
      } catch { return .failure(error) }
    }
    head = end
    switch result {
    case .success(let frame): return frame
    case .failure(let error): throw .malformed(error)
    }
  }
}
