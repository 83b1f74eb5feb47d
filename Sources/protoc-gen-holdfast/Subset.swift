import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What of proto3 the schema may use; each refusal names the place.
enum Subset {
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  static func check(_ files: [FileDescriptor]) throws {
    for file in files {
      guard file.edition == .proto3 else { throw refuse(file.name, "only proto3 is supported") }
      guard file.extensions.isEmpty else { throw refuse(file.name, "extensions") }
      for message in file.messages { try check(message, path: []) }
      for value in file.enums { try check(value) }
    }
  }

  private static func refuse(_ place: String, _ what: String) -> Refusal {
    Refusal(description: "\(place): not in the supported subset of proto3: \(what)")
  }

  private static func check(_ message: Descriptor, path: [String]) throws {
    if path.contains(message.fullName) { throw refuse(message.fullName, "recursion") }
    for field in message.fields {
      try check(field)
      if let type = field.messageType { try check(type, path: path + [message.fullName]) }
    }
    for oneof in message.oneofs {
      let numbers = oneof.fields.map(\.number).sorted()
      let others = message.fields.filter { $0.containingOneof == nil }.map(\.number)
      let span = numbers[0]...numbers[numbers.count - 1]
      if others.contains(where: span.contains) {
        throw refuse(
          "\(message.fullName).\(oneof.name)", "another field's number between its members")
      }
    }
    var names: Set<String> = []
    for name in message.fields.filter({ $0.containingOneof == nil }).map(\.swiftName)
      + message.oneofs.map({ $0.name.camel })
    where !names.insert(name).inserted {
      throw refuse(message.fullName, "two fields called '\(name)' in Swift")
    }
    for nested in message.messages { try check(nested, path: path) }
    for nested in message.enums { try check(nested) }
  }

  private static func check(_ field: FieldDescriptor) throws {
    let place = "\(field.containingType.fullName).\(field.name)"
    if field.containingOneof?.name.hasPrefix("_") ?? false { throw refuse(place, "optional") }
    if field.isMap { throw refuse(place, "map") }
    switch field.type {
    case .string, .bytes, .bool, .int32, .int64, .uint32, .uint64, .double, .enum, .message: break
    default: throw refuse(place, "type \(field.type)")
    }
  }

  private static func check(_ type: EnumDescriptor) throws {
    var names: Set<String> = []
    for value in type.values {
      if !names.insert(type.caseName(value)).inserted {
        throw refuse(type.fullName, "two values called '\(type.caseName(value))' in Swift")
      }
    }
    guard let zero = type.values.first, zero.number == 0 else {
      throw refuse(type.fullName, "a first value other than 0")
    }
  }
}
