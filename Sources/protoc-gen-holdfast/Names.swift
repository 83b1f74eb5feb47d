import SwiftProtobuf
import SwiftProtobufPluginLibrary

extension String {
  /// snake_case as camelCase; `id` and `sdk` parts as Swift writes abbreviations.
  var camel: String {
    var result = ""
    for (index, part) in split(separator: "_").enumerated() {
      let part = String(part)
      if index == 0 {
        result += part
      } else if part == "id" {
        result += "ID"
      } else if part == "ids" {
        result += "IDs"
      } else {
        result += part.prefix(1).uppercased() + part.dropFirst()
      }
    }
    return result
  }

  /// The name, in backticks if Swift reserves it.
  var escaped: String { reserved.contains(self) ? "`\(self)`" : self }

  /// As the name of a type: the first letter raised.
  var raised: String { prefix(1).uppercased() + dropFirst() }
}

private let reserved: Set<String> = [
  "Any", "Protocol", "Self", "Type", "as", "associatedtype", "break", "case", "catch", "class",
  "continue", "default", "defer", "deinit", "do", "else", "enum", "extension", "fallthrough",
  "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init", "inout", "internal",
  "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public", "repeat",
  "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch", "throw",
  "throws", "true", "try", "typealias", "var", "where", "while",
]

extension Descriptor {
  /// The type's name in Swift, with the types that it is nested in.
  var swiftType: String {
    var names = [name]
    var outer = containingType
    while let type = outer {
      names.insert(type.name, at: 0)
      outer = type.containingType
    }
    return names.joined(separator: ".")
  }
}

extension EnumDescriptor {
  var swiftType: String {
    var names = [name]
    var outer = containingType
    while let type = outer {
      names.insert(type.name, at: 0)
      outer = type.containingType
    }
    return names.joined(separator: ".")
  }

  /// The prefix that all values share: WORKFLOW_STATUS_ of WorkflowStatus.
  private var prefix: String {
    var result = ""
    for character in name {
      if character.isUppercase && !result.isEmpty { result += "_" }
      result += character.uppercased()
    }
    return result + "_"
  }

  /// The value's name without the prefix: RUNNING.
  func shortName(_ value: EnumValueDescriptor) -> String {
    value.name.hasPrefix(prefix) ? String(value.name.dropFirst(prefix.count)) : value.name
  }

  func caseName(_ value: EnumValueDescriptor) -> String { shortName(value).lowercased().camel }
}

extension FieldDescriptor {
  var swiftName: String { name.camel }
  var memberName: String { swiftName.escaped }

  /// Types that follow from a field's name.
  enum Special {
    case runID, instant, span
  }

  var special: Special? {
    switch type {
    case .string where name == "run_id" || name.hasSuffix("_run_id") || name == "run_ids":
      return .runID
    case .int64 where name.hasSuffix("_time_ms") || name.hasSuffix("_at_ms"): return .instant
    case .int64 where name.hasSuffix("_ms"): return .span
    default: return nil
    }
  }

  /// The Swift type of one value.
  var elementType: String {
    switch special {
    case .runID: return "RunID"
    case .instant: return "Instant"
    case .span: return "Span"
    case nil: break
    }
    switch type {
    case .string: return "String"
    case .bytes: return "[UInt8]"
    case .bool: return "Bool"
    case .int32: return "Int32"
    case .int64: return "Int64"
    case .uint32: return "UInt32"
    case .uint64: return "UInt64"
    case .double: return "Double"
    case .enum: return enumType.swiftType
    default: return messageType.swiftType
    }
  }

  var isMessage: Bool { type == .message }

  var declaration: String {
    if isRepeated { return "[\(elementType)] = []" }
    if isMessage { return "\(elementType)?" }
    return "\(elementType) = \(zero)"
  }

  private var zero: String {
    switch special {
    case .runID: return "RunID.none"
    case .instant: return "Instant(ms: 0)"
    case .span: return "Span(ms: 0)"
    case nil: break
    }
    switch type {
    case .string: return "\"\""
    case .bytes: return "[]"
    case .bool: return "false"
    case .enum: return ".\(enumType.caseName(enumType.values[0]).escaped)"
    default: return "0"
    }
  }

  /// True for the value that is not written.
  func isZero(_ value: String) -> String {
    switch special {
    case .runID: return "\(value) == RunID.none"
    case .instant, .span: return "\(value).ms == 0"
    case nil: break
    }
    switch type {
    case .string, .bytes: return "\(value).isEmpty"
    case .bool: return "!\(value)"
    case .enum: return "\(value).rawValue == 0"
    case .double: return "\(value).bitPattern == 0"
    default: return "\(value) == 0"
    }
  }

  /// The reader's and writer's method for one value.
  var codec: String {
    switch special {
    case .runID: return "runID"
    case .instant: return "instant"
    case .span: return "span"
    case nil: break
    }
    switch type {
    case .string: return "string"
    case .bytes: return "bytes"
    case .bool: return "bool"
    case .int32: return "int32"
    case .int64: return "int64"
    case .uint32: return "uint32"
    case .uint64: return "uint64"
    case .double: return "double"
    case .enum: return "enumeration"
    default: return "message"
    }
  }

  var wireType: Int {
    switch type {
    case .string, .bytes, .message: return 2
    case .double: return 1
    default: return 0
    }
  }

  var tag: Int { Int(number) << 3 | wireType }
  var packedTag: Int { Int(number) << 3 | 2 }
  var isPackedScalar: Bool { isRepeated && wireType != 2 }

  /// About how many bytes a value takes inline; decides which oneof members are boxed.
  func inlineSize(depth: Int = 0) -> Int {
    if isRepeated { return 8 }
    switch type {
    case .string where special == nil: return 16
    case .string: return 16
    case .bool: return 1
    case .bytes: return 8
    case .int32, .uint32: return 4
    case .enum: return 5
    case .message: return depth > 6 ? 128 : messageType.inlineSize(depth: depth + 1) + 1
    default: return 8
    }
  }
}

extension Descriptor {
  func inlineSize(depth: Int = 0) -> Int {
    let plain = fields.filter { $0.containingOneof == nil }
      .reduce(0) { $0 + $1.inlineSize(depth: depth) }
    let choices = oneofs.map { oneof in
      (oneof.fields.map { $0.isBoxed(depth: depth) ? 8 : $0.inlineSize(depth: depth) }.max() ?? 0)
        + 1
    }
    return plain + choices.reduce(0, +)
  }
}

extension FieldDescriptor {
  /// A large member of a oneof lives in a box, so that the others stay small. A field outside a
  /// oneof stays inline however large it is: it costs its own message only.
  func isBoxed(depth: Int = 0) -> Bool { isMessage && inlineSize(depth: depth) > 64 }
}
