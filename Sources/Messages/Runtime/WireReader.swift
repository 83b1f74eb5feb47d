import Basics

/// Reads protobuf's wire format from a raw buffer, every access bounds-checked.
///
/// Invariant of the unsafe part: `position <= end`, and the bytes between them are readable for as
/// long as the caller of the initializer keeps the buffer alive.
public struct WireReader {
  private var position: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  /// The field that is being read, for errors.
  private var field: UInt32 = 0

  /// The buffer must outlive the reader.
  public init(_ buffer: UnsafeRawBufferPointer) {
    if let base = buffer.baseAddress {
      position = base.assumingMemoryBound(to: UInt8.self)
      end = position + buffer.count
    } else {
      position = WireReader.nowhere
      end = WireReader.nowhere
    }
  }

  private init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, field: UInt32) {
    position = start
    self.end = end
    self.field = field
  }

  /// Never read: an empty buffer has no address.
  private static var nowhere: UnsafePointer<UInt8> {
    UnsafePointer(bitPattern: 1).unsafelyUnwrapped
  }

  public var isAtEnd: Bool { position == end }

  /// The next field's tag (number << 3 | wire type); nil at the end.
  @inline(__always)
  public mutating func nextTag() throws(DecodeError) -> UInt32? {
    guard position < end else { return nil }
    let first = position.pointee
    if first < 0x80 {
      position += 1
      guard first >= 8 else { throw DecodeError(.invalidTag, field: 0) }
      field = UInt32(first >> 3)
      return UInt32(first)
    }
    return try longTag()
  }

  /// A tag of more than one byte; of more than five it is refused, as by every other codec.
  private mutating func longTag() throws(DecodeError) -> UInt32 {
    field = 0
    let start = position
    let tag = try longVarint()
    guard tag >= 8, tag <= UInt64(UInt32.max), position - start <= 5 else {
      throw DecodeError(.invalidTag, field: 0)
    }
    field = UInt32(tag >> 3)
    return UInt32(tag)
  }

  /// Passes over a field that this version does not know.
  public mutating func skip(_ tag: UInt32) throws(DecodeError) {
    switch tag & 7 {
    case 0: _ = try varint()
    case 1: try advance(8)
    case 2: _ = try block()
    case 5: try advance(4)
    default: throw DecodeError(.invalidWireType, field: field)
    }
  }

  private mutating func advance(_ count: Int) throws(DecodeError) {
    guard end - position >= count else { throw DecodeError(.truncated, field: field) }
    position += count
  }

  @inline(__always)
  private mutating func varint() throws(DecodeError) -> UInt64 {
    guard position < end else { throw DecodeError(.truncated, field: field) }
    let first = position.pointee
    if first < 0x80 {
      position += 1
      return UInt64(first)
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(DecodeError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = position.pointee
      position += 1
      if shift == 63 && byte > 1 { throw DecodeError(.overlongNumber, field: field) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw DecodeError(.truncated, field: field)
  }

  /// The bytes of a length-delimited value.
  @inline(__always)
  private mutating func block() throws(DecodeError) -> UnsafeBufferPointer<UInt8> {
    let length = try varint()
    guard length <= UInt64(end - position) else { throw DecodeError(.truncated, field: field) }
    let block = UnsafeBufferPointer(start: position, count: Int(length))
    position += Int(length)
    return block
  }

  // MARK: - Values

  public mutating func uint64() throws(DecodeError) -> UInt64 { try varint() }
  public mutating func int64() throws(DecodeError) -> Int64 {
    Int64(bitPattern: try varint())
  }
  public mutating func uint32() throws(DecodeError) -> UInt32 {
    UInt32(truncatingIfNeeded: try varint())
  }
  public mutating func int32() throws(DecodeError) -> Int32 {
    Int32(truncatingIfNeeded: try varint())
  }
  public mutating func bool() throws(DecodeError) -> Bool { try varint() != 0 }
  public mutating func instant() throws(DecodeError) -> Instant { Instant(ms: try int64()) }
  public mutating func span() throws(DecodeError) -> Span { Span(ms: try int64()) }

  public mutating func enumeration<E: WireEnum>() throws(DecodeError) -> E {
    E(rawValue: try int32())
  }

  public mutating func double() throws(DecodeError) -> Double {
    guard end - position >= 8 else { throw DecodeError(.truncated, field: field) }
    let bits = UnsafeRawPointer(position).loadUnaligned(as: UInt64.self)
    position += 8
    return Double(bitPattern: UInt64(littleEndian: bits))
  }

  public mutating func string() throws(DecodeError) -> String {
    let bytes = try block()
    if bytes.isEmpty { return "" }
    // `String(validating:as:)` is not specialized in the standard library: it looks up metadata at
    // each call, which costs more than the rest of this function.
    let span = bytes.span
    if WireReader.isPlain(bytes) {
      return String(copying: unsafe UTF8Span(unchecked: span, isKnownASCII: true))
    }
    for byte in bytes where byte == 0 { throw DecodeError(.nulInText, field: field) }
    do {
      return String(copying: try UTF8Span(validating: span))
    } catch {
      throw DecodeError(.invalidUTF8, field: field)
    }
  }

  /// Every byte is in 1...127, looked at eight at a time.
  private static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let low: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    let raw = UnsafeRawBufferPointer(bytes)
    var offset = 0
    while offset + 8 <= raw.count {
      let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      // A byte of 0 borrows into its high bit; a byte of 128 and more has it.
      if (word | (word &- low)) & high != 0 { return false }
      offset += 8
    }
    while offset < raw.count {
      if raw[offset] &- 1 >= 0x7F { return false }
      offset += 1
    }
    return true
  }

  public mutating func bytes() throws(DecodeError) -> [UInt8] { Array(try block()) }

  public mutating func runID() throws(DecodeError) -> RunID {
    let bytes = try block()
    if bytes.isEmpty { return .none }
    guard let id = RunID(parsing: UnsafeRawBufferPointer(bytes)) else {
      throw DecodeError(.invalidRunID, field: field)
    }
    return id
  }

  public mutating func message<M: Message>() throws(DecodeError) -> M {
    var value = M()
    try merge(into: &value)
    return value
  }

  public mutating func merge<M: Message>(into value: inout M) throws(DecodeError) {
    var inner = try packed()
    do throws(DecodeError) {
      try value.decode(from: &inner)
    } catch { throw error.located(in: M.self) }
  }

  public mutating func merge<M: Message>(into value: inout M?) throws(DecodeError) {
    var merged = value ?? M()
    try merge(into: &merged)
    value = merged
  }

  /// A reader of the length-delimited value that comes next.
  public mutating func packed() throws(DecodeError) -> WireReader {
    let inner = try block()
    guard let start = inner.baseAddress else { return WireReader(position, position, field: field) }
    return WireReader(start, start + inner.count, field: field)
  }
}
