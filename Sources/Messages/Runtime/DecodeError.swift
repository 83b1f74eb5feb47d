/// Why bytes are not the message that they should be, and where: in the innermost message that was
/// being read.
public struct DecodeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong; the numbers are stable.
  public enum Code: UInt8, Sendable, CaseIterable {
    /// A value ends beyond the bytes that there are.
    case truncated = 1
    /// A number of more than ten bytes, or beyond 64 bits.
    case overlongNumber = 2
    /// Field number 0, or above 2^29 - 1; or more bytes than a tag has.
    case invalidTag = 3
    /// A wire type that proto3 does not have (groups among them).
    case invalidWireType = 4
    case invalidUTF8 = 5
    /// A text holds NUL, which would cut it in C.
    case nulInText = 6
    /// Not a UUID in its usual form.
    case invalidRunID = 7
  }

  public let code: Code
  /// The number of the field at fault; 0 when it is not known.
  public let field: UInt32
  /// The full name of the message that holds the field.
  public private(set) var message: String

  init(_ code: Code, field: UInt32) {
    self.code = code
    self.field = field
    message = ""
  }

  /// Names the message, unless a message inside it did so.
  func located<M: Message>(in type: M.Type) -> DecodeError {
    guard message.isEmpty else { return self }
    var located = self
    located.message = M.table.name
    return located
  }

  public var description: String {
    let place = message.isEmpty ? "field \(field)" : "\(message): field \(field)"
    switch code {
    case .truncated: return "\(place) is cut short"
    case .overlongNumber: return "\(place) holds an overlong number"
    case .invalidTag: return message.isEmpty ? "a bad tag" : "\(message): a bad tag"
    case .invalidWireType: return "\(place) has an unknown wire type"
    case .invalidUTF8: return "\(place) is not valid UTF-8"
    case .nulInText: return "\(place) holds NUL"
    case .invalidRunID: return "\(place) is not a run id"
    }
  }
}
