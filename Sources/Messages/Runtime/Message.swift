import Basics

/// A value type of the schema.
///
/// Unknown fields are dropped when a message is decoded; stored bytes that must survive are
/// therefore copied, never encoded again.
public protocol Message: Equatable, Sendable {
  init()
  /// The fields, for JSON and tests.
  static var table: MessageTable { get }
  /// Adds what the reader holds: the last scalar wins, lists grow, messages merge.
  mutating func decode(from reader: inout WireReader) throws(DecodeError)
  /// Writes the fields in the order of their numbers; zero values are left out.
  func encode(into writer: inout WireWriter)
}

extension Message {
  /// Decodes the whole of `buffer`, which must stay valid during the call only.
  public init(buffer: UnsafeRawBufferPointer) throws(DecodeError) {
    self.init()
    var reader = WireReader(buffer)
    try decode(from: &reader)
  }

  /// Decodes the whole of `bytes`.
  public init(bytes: [UInt8]) throws(DecodeError) {
    var result: Result<Self, DecodeError>
    result = bytes.withUnsafeBytes { buffer in
      do throws(DecodeError) {
        return .success(try Self(buffer: buffer))
      } catch { return .failure(error) }
    }
    self = try result.get()
  }

  /// The encoded message.
  public func serialized() -> [UInt8] {
    var writer = WireWriter()
    encode(into: &writer)
    return writer.bytes()
  }
}

/// An open enumeration: a number that this version does not know is kept.
public protocol WireEnum {
  init(rawValue: Int32)
  var rawValue: Int32 { get }
  static var names: [(number: Int32, name: String)] { get }
}

extension WireEnum {
  /// The value's name in the schema without its prefix; the number if this version has no name.
  public var name: String {
    Self.names.first { $0.number == rawValue }?.name ?? String(rawValue)
  }
}

/// Why bytes are not the message that they should be.
public enum DecodeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A value ends beyond the bytes that there are.
  case truncated(field: UInt32)
  /// A number of more than ten bytes, or beyond 64 bits.
  case overlongNumber(field: UInt32)
  /// Field number 0, or above 2^29 - 1.
  case invalidTag
  /// A wire type that proto3 does not have (groups among them).
  case invalidWireType(field: UInt32)
  case invalidUTF8(field: UInt32)
  /// A text holds NUL, which would cut it in C.
  case nulInText(field: UInt32)
  /// Not a UUID in its usual form.
  case invalidRunID(field: UInt32)

  public var description: String {
    switch self {
    case .truncated(let field): return "field \(field) is cut short"
    case .overlongNumber(let field): return "field \(field) holds an overlong number"
    case .invalidTag: return "a field number is out of range"
    case .invalidWireType(let field): return "field \(field) has an unknown wire type"
    case .invalidUTF8(let field): return "field \(field) is not valid UTF-8"
    case .nulInText(let field): return "field \(field) holds NUL"
    case .invalidRunID(let field): return "field \(field) is not a run id"
    }
  }

  /// The number of the field at fault; 0 when it is not known.
  public var field: UInt32 {
    switch self {
    case .truncated(let f), .overlongNumber(let f), .invalidWireType(let f), .invalidUTF8(let f),
      .nulInText(let f), .invalidRunID(let f):
      return f
    case .invalidTag: return 0
    }
  }
}
