import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What of proto3 the schema may use; each refusal names the file and the place in it.
enum Subset {
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  static func check(_ files: [FileDescriptor]) throws {
    // All files share one module, beside the runtime's own types.
    var types = runtimeTypes
    for file in files {
      guard file.edition == .proto3 else { throw refuse(file, file.name, "only proto3") }
      guard file.extensions.isEmpty else { throw refuse(file, file.name, "extensions") }
      for name in file.messages.map(\.name) + file.enums.map(\.name)
      where !types.insert(name).inserted {
        throw refuse(file, name, "another type of this name")
      }
      for message in file.messages { try check(message) }
      for type in file.enums { try check(type) }
    }
  }

  /// Names that generated code uses for something else.
  private static let runtimeTypes: Set<String> = [
    "Array", "Bool", "DecodeError", "Double", "FieldTable", "Instant", "Int32", "Int64", "Message",
    "MessageTable", "Method", "Optional", "RunID", "Span", "String", "UInt32", "UInt64", "UInt8",
    "WireEnum", "WireReader", "WireWriter",
  ]

  private static func refuse(_ file: FileDescriptor, _ place: String, _ what: String) -> Refusal {
    Refusal(description: "\(file.name): \(place): not in the supported subset of proto3: \(what)")
  }

  // MARK: - Messages

  private static func check(_ message: Descriptor) throws {
    let file: FileDescriptor = message.file
    guard message.extensions.isEmpty else {
      throw refuse(file, message.fullName, "extensions")
    }
    for field in message.fields {
      try check(field)
      guard let type = field.messageType else { continue }
      try checkRecursion(type, from: field, path: [message.fullName])
    }
    for oneof in message.oneofs { try check(oneof, of: message) }
    try checkNames(message)
    for nested in message.messages { try check(nested) }
    for nested in message.enums { try check(nested) }
  }

  /// A codec that follows a peer's nesting can be made to exhaust its stack.
  private static func checkRecursion(
    _ type: Descriptor, from field: FieldDescriptor, path: [String]
  ) throws {
    guard !path.contains(type.fullName) else {
      let place = "\(field.containingType.fullName).\(field.name)"
      throw refuse(
        field.file, place, "recursion (\((path + [type.fullName]).joined(separator: " > ")))")
    }
    for field in type.fields {
      guard let inner = field.messageType else { continue }
      try checkRecursion(inner, from: field, path: path + [type.fullName])
    }
  }

  /// The encoder writes a oneof where its members' numbers are: no other field's may be among them.
  private static func check(_ oneof: OneofDescriptor, of message: Descriptor) throws {
    let numbers = oneof.fields.map(\.number).sorted()
    let span = numbers[0]...numbers[numbers.count - 1]
    let others = message.fields.filter { $0.containingOneof !== oneof }.map(\.number)
    if others.contains(where: span.contains) {
      throw refuse(
        message.file, "\(message.fullName).\(oneof.name)",
        "another field's number between its members")
    }
  }

  private static func checkNames(_ message: Descriptor) throws {
    func unique(_ names: [String], _ what: String) throws {
      var seen: Set<String> = []
      for name in names where !seen.insert(name).inserted {
        throw refuse(message.file, message.fullName, "two \(what) called '\(name)' in Swift")
      }
    }
    let plain = message.fields.filter { $0.containingOneof == nil }.map(\.swiftName)
    try unique(plain + message.oneofs.map(\.name.camel), "fields")
    for oneof in message.oneofs { try unique(oneof.fields.map(\.swiftName), "members") }
    let nested = message.messages.map(\.name) + message.enums.map(\.name)
    try unique(nested + message.oneofs.map(\.name.camel.raised), "types")
    for name in nested + message.oneofs.map(\.name.camel.raised)
    where runtimeTypes.contains(name) {
      throw refuse(message.file, "\(message.fullName).\(name)", "another type of this name")
    }
  }

  // MARK: - Fields and enumerations

  private static func check(_ field: FieldDescriptor) throws {
    func refuse(_ what: String) -> Refusal {
      Subset.refuse(field.file, "\(field.containingType.fullName).\(field.name)", what)
    }
    if field.containingOneof != nil && field.realContainingOneof == nil { throw refuse("optional") }
    if field.isMap { throw refuse("map") }
    if field.isPackedScalar && !field.isPacked { throw refuse("packed = false") }
    switch field.type {
    case .string, .bytes, .bool, .int32, .int64, .uint32, .uint64, .double, .enum, .message: break
    default: throw refuse("type \(field.type)")
    }
  }

  private static func check(_ type: EnumDescriptor) throws {
    if type.options.allowAlias { throw refuse(type.file, type.fullName, "allow_alias") }
    var names: Set<String> = ["unrecognized"]
    for value in type.values where !names.insert(type.caseName(value)).inserted {
      throw refuse(
        type.file, "\(type.fullName).\(value.name)",
        "two values called '\(type.caseName(value))' in Swift")
    }
    guard let zero = type.values.first, zero.number == 0 else {
      throw refuse(type.file, type.fullName, "a first value other than 0")
    }
  }
}
