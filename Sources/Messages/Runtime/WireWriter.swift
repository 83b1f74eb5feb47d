import Basics

/// Writes protobuf's wire format from the back of a buffer to its front, so that the length of a
/// message is known when its head is written. The buffer is reused after `reset`.
///
/// Invariant of the unsafe part: `0 <= position <= capacity`, and the bytes from `position` on are
/// initialized.
public struct WireWriter: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  /// Where the written bytes begin.
  private var position: Int

  public init(capacity: Int = 1_024) {
    base = .allocate(capacity: capacity)
    self.capacity = capacity
    position = capacity
  }

  deinit { base.deallocate() }

  /// Forgets what was written.
  public mutating func reset() { position = capacity }

  public var count: Int { capacity - position }

  /// The written bytes; valid during the call.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    body(UnsafeRawBufferPointer(start: base + position, count: count))
  }

  public func bytes() -> [UInt8] { withBytes { Array($0) } }

  @inline(__always)
  private mutating func reserve(_ count: Int) {
    if position < count { grow(count) }
    position -= count
  }

  @inline(never)
  private mutating func grow(_ count: Int) {
    let written = capacity - position
    var larger = max(64, capacity * 2)
    while larger - written < count { larger *= 2 }
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    (fresh + larger - written).update(from: base + position, count: written)
    base.deallocate()
    base = fresh
    capacity = larger
    position = larger - written
  }

  @inline(__always)
  private mutating func varint(_ value: UInt64) {
    if value < 0x80 {
      reserve(1)
      base[position] = UInt8(truncatingIfNeeded: value)
    } else if value < 0x4000 {
      reserve(2)
      base[position] = UInt8(truncatingIfNeeded: value | 0x80)
      base[position + 1] = UInt8(truncatingIfNeeded: value >> 7)
    } else {
      longVarint(value)
    }
  }

  /// A tag is known when the code is compiled; so is then the branch.
  @inline(__always)
  private mutating func head(_ tag: UInt32) { varint(UInt64(tag)) }

  @inline(never)
  private mutating func longVarint(_ value: UInt64) {
    let length = (70 - value.leadingZeroBitCount) / 7
    reserve(length)
    var rest = value
    for index in 0..<length - 1 {
      base[position + index] = UInt8(truncatingIfNeeded: rest & 0x7F | 0x80)
      rest >>= 7
    }
    base[position + length - 1] = UInt8(truncatingIfNeeded: rest)
  }

  /// Raw bytes in front of what was written.
  public mutating func raw(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    reserve(bytes.count)
    UnsafeMutableRawPointer(base + position).copyMemory(from: source, byteCount: bytes.count)
  }

  /// Writes length and tag of what was written since there were `before` bytes.
  @inline(__always)
  public mutating func close(since before: Int, tag: UInt32) {
    varint(UInt64(count - before))
    head(tag)
  }

  // MARK: - Values without a tag, for packed lists

  @inline(__always)
  public mutating func uint64(_ value: UInt64) { varint(value) }
  @inline(__always)
  public mutating func int64(_ value: Int64) { varint(UInt64(bitPattern: value)) }
  @inline(__always)
  public mutating func uint32(_ value: UInt32) { varint(UInt64(value)) }
  @inline(__always)
  public mutating func int32(_ value: Int32) { varint(UInt64(bitPattern: Int64(value))) }
  @inline(__always)
  public mutating func bool(_ value: Bool) { varint(value ? 1 : 0) }
  public mutating func instant(_ value: Instant) { int64(value.ms) }
  public mutating func span(_ value: Span) { int64(value.ms) }
  public mutating func enumeration(_ value: some WireEnum) { int32(value.rawValue) }

  @inline(__always)
  public mutating func double(_ value: Double) {
    reserve(8)
    UnsafeMutableRawPointer(base + position).storeBytes(
      of: value.bitPattern.littleEndian, as: UInt64.self)
  }

  // MARK: - Fields

  @inline(__always)
  public mutating func uint64(_ value: UInt64, tag: UInt32) {
    uint64(value)
    head(tag)
  }

  @inline(__always)
  public mutating func int64(_ value: Int64, tag: UInt32) {
    int64(value)
    head(tag)
  }

  @inline(__always)
  public mutating func uint32(_ value: UInt32, tag: UInt32) {
    uint32(value)
    head(tag)
  }

  @inline(__always)
  public mutating func int32(_ value: Int32, tag: UInt32) {
    int32(value)
    head(tag)
  }

  @inline(__always)
  public mutating func bool(_ value: Bool, tag: UInt32) {
    bool(value)
    head(tag)
  }

  public mutating func instant(_ value: Instant, tag: UInt32) { int64(value.ms, tag: tag) }
  public mutating func span(_ value: Span, tag: UInt32) { int64(value.ms, tag: tag) }

  public mutating func enumeration(_ value: some WireEnum, tag: UInt32) {
    int32(value.rawValue, tag: tag)
  }

  @inline(__always)
  public mutating func double(_ value: Double, tag: UInt32) {
    double(value)
    head(tag)
  }

  public mutating func string(_ value: String, tag: UInt32) {
    var value = value
    let count = value.withUTF8 { bytes in
      raw(UnsafeRawBufferPointer(bytes))
      return bytes.count
    }
    varint(UInt64(count))
    head(tag)
  }

  public mutating func bytes(_ value: [UInt8], tag: UInt32) {
    value.withUnsafeBytes { raw($0) }
    varint(UInt64(value.count))
    head(tag)
  }

  public mutating func runID(_ value: RunID, tag: UInt32) {
    if value == .none {
      varint(0)
    } else {
      reserve(RunID.textLength)
      value.write(
        to: UnsafeMutableRawBufferPointer(start: base + position, count: RunID.textLength))
      varint(UInt64(RunID.textLength))
    }
    head(tag)
  }

  @inline(__always)
  public mutating func message<M: Message>(_ value: M, tag: UInt32) {
    let before = count
    value.encode(into: &self)
    close(since: before, tag: tag)
  }
}
