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
/// one frame; and next to nothing is kept between frames.
public struct FrameDecoder: Sendable {
  /// Room that stays when no bytes wait.
  private static let keptBytesMax = 16 << 10
  private let frameBytesMax: Int
  private var buffer: [UInt8] = []
  private var head = 0

  public init(frameBytesMax: Int) { self.frameBytesMax = frameBytesMax }

  /// Bytes that wait for the rest of their frame.
  public var pendingBytes: Int { buffer.count - head }

  /// Adds what was read; the bytes are copied.
  public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if head > 1 << 16 {
      buffer.removeFirst(head)
      head = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Forgets what waits: nothing more is read.
  public mutating func clear() {
    buffer = []
    head = 0
  }

  /// Gives back the room of frames that were taken.
  private mutating func release() {
    buffer.removeAll(keepingCapacity: buffer.capacity <= FrameDecoder.keptBytesMax)
    head = 0
  }

  /// Makes room for a whole frame at once: growing by doubling, a large one would be moved again
  /// and again, and at last hold up to twice its size.
  private mutating func reserve(_ frameBytes: Int) {
    guard frameBytes > FrameDecoder.keptBytesMax, buffer.capacity < head + frameBytes else {
      return
    }
    var larger: [UInt8] = []
    larger.reserveCapacity(frameBytes + FrameDecoder.keptBytesMax)
    larger += buffer[head...]
    buffer = larger
    head = 0
  }

  /// The next whole frame; nil until more has been fed.
  public mutating func next() throws(FrameFault) -> Frame? {
    guard buffer.count - head >= 4 else {
      if head == buffer.count { release() }
      return nil
    }
    let length =
      UInt32(buffer[head]) << 24 | UInt32(buffer[head + 1]) << 16
      | UInt32(buffer[head + 2]) << 8 | UInt32(buffer[head + 3])
    guard length >= 1, length <= UInt32(frameBytesMax) else {
      throw .length(length, max: frameBytesMax)
    }
    let end = head + 4 + Int(length)
    guard buffer.count >= end else {
      reserve(4 + Int(length))
      return nil
    }
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
