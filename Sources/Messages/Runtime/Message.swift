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
    do throws(DecodeError) {
      try decode(from: &reader)
    } catch { throw error.located(in: Self.self) }
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
