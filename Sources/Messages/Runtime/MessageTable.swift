/// The fields of a message, for JSON and for tests that walk the schema.
public struct MessageTable: Sendable {
  public let name: String
  /// By number.
  public let fields: [FieldTable]

  public init(name: String, fields: [FieldTable]) {
    self.name = name
    self.fields = fields
  }

  public func field(number: UInt32) -> FieldTable? { fields.first { $0.number == number } }
  public func field(named name: String) -> FieldTable? {
    fields.first { $0.jsonName == name || $0.name == name }
  }
}

public struct FieldTable: Sendable {
  public enum Kind: Sendable {
    case string, bytes, bool, int32, int64, uint32, uint64, double
    /// A text that holds a run id.
    case runID
    case enumeration([(number: Int32, name: String)])
    case message(@Sendable () -> MessageTable)
  }

  public let number: UInt32
  /// As in the schema: `start_to_close_timeout_ms`.
  public let name: String
  /// As in JSON: `startToCloseTimeoutMs`.
  public let jsonName: String
  public let kind: Kind
  public let isRepeated: Bool
  /// The oneof that it is a member of.
  public let oneof: String?

  public init(
    _ number: UInt32, _ name: String, _ kind: Kind, isRepeated: Bool = false, oneof: String? = nil
  ) {
    self.number = number
    self.name = name
    self.kind = kind
    self.isRepeated = isRepeated
    self.oneof = oneof
    var json = ""
    var raise = false
    for character in name {
      if character == "_" {
        raise = true
      } else {
        json += raise ? character.uppercased() : String(character)
        raise = false
      }
    }
    jsonName = json
  }
}

extension FieldTable.Kind {
  /// The wire type of one value that is not packed.
  var wireType: UInt32 {
    switch self {
    case .double: return 1
    case .bool, .int32, .int64, .uint32, .uint64, .enumeration: return 0
    case .string, .bytes, .runID, .message: return 2
    }
  }
}
