/// Why a JSON text is not the message that it should be, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong; the numbers are stable.
  public enum Code: UInt8, Sendable, CaseIterable {
    /// Not JSON at all.
    case syntax = 1
    /// Nested deeper than any message is.
    case tooDeep = 2
    /// The same key twice in one object.
    case duplicateKey = 3
    /// A key that the message has no field for.
    case unknownField = 4
    /// A value of another type than the field's.
    case wrongType = 5
    /// A number beyond the field's range.
    case outOfRange = 6
    /// A name that the enumeration does not have.
    case unknownName = 7
    case invalidBase64 = 8
    case invalidRunID = 9
    /// A text holds NUL.
    case nulInText = 10
    /// Two members of one oneof.
    case secondMember = 11
  }

  public let code: Code
  /// From 1.
  public let line: Int
  /// Counted in bytes, from 1.
  public let column: Int
  /// A sentence without the place.
  public let message: String

  public var description: String { "line \(line), column \(column): \(message)" }
}
