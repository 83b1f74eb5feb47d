import Foundation
import SwiftProtobuf
import Testing

/// The rules that the schema keeps so that every codec agrees on it. The generator refuses what it
/// cannot make; this lint reads the descriptors themselves and also holds the rules of naming.
@Suite("The schema") struct SchemaLintTests {
  let files: [Google_Protobuf_FileDescriptorProto]

  init() throws {
    files = try Protoc.withTemporaryDirectory { directory in
      let path = directory.appending(path: "set").path
      let outcome = try Protoc.run(
        ["-I", Protoc.root.appending(path: "proto").path, "--descriptor_set_out=\(path)"]
          + Protoc.schema())
      #expect(outcome.status == 0, "\(outcome.errors)")
      let data = try Data(contentsOf: URL(filePath: path))
      return try Google_Protobuf_FileDescriptorSet(serializedBytes: data).file
    }
  }

  struct Place {
    let path: String
    let message: Google_Protobuf_DescriptorProto
  }

  private var messages: [Place] {
    func all(_ message: Google_Protobuf_DescriptorProto, _ outer: String) -> [Place] {
      let path = "\(outer).\(message.name)"
      return [Place(path: path, message: message)] + message.nestedType.flatMap { all($0, path) }
    }
    return files.flatMap { file in file.messageType.flatMap { all($0, file.package) } }
  }

  private var fields: [(place: String, field: Google_Protobuf_FieldDescriptorProto)] {
    messages.flatMap { place in
      place.message.field.map { ("\(place.path).\($0.name)", $0) }
    }
  }

  private var enums: [(place: String, type: Google_Protobuf_EnumDescriptorProto)] {
    files.flatMap { file in file.enumType.map { ("\(file.package).\($0.name)", $0) } }
      + messages.flatMap { place in
        place.message.enumType.map { ("\(place.path).\($0.name)", $0) }
      }
  }

  @Test func thereIsOne() {
    #expect(files.count >= 8 && messages.count > 50 && enums.count > 5)
  }

  @Test func isProto3WithoutOptionalMapsGroupsAndExtensions() {
    for file in files {
      #expect(file.syntax == "proto3", "\(file.name)")
      #expect(file.extension.isEmpty, "\(file.name)")
    }
    for place in messages {
      #expect(!place.message.options.mapEntry, "\(place.path): map")
      #expect(place.message.extensionRange.isEmpty && place.message.extension.isEmpty)
    }
    for (place, field) in fields { #expect(!field.proto3Optional, "\(place): optional") }
  }

  @Test func usesOnlyTypesThatEveryCodecHas() {
    let types: Set<Google_Protobuf_FieldDescriptorProto.TypeEnum> = [
      .string, .bytes, .bool, .int32, .int64, .uint32, .uint64, .double, .enum, .message,
    ]
    for (place, field) in fields { #expect(types.contains(field.type), "\(place): \(field.type)") }
  }

  @Test func hasNoRecursion() {
    let byName = Dictionary(
      uniqueKeysWithValues: messages.map { ("." + $0.path, $0.message) })
    func walk(_ name: String, _ path: [String]) {
      #expect(!path.contains(name), "recursion: \(path + [name])")
      guard !path.contains(name), let message = byName[name] else { return }
      for field in message.field where field.type == .message {
        walk(field.typeName, path + [name])
      }
    }
    for name in byName.keys { walk(name, []) }
  }

  @Test func numbersAndNamesAreUniqueAndReservedOnesUnused() {
    for place in messages {
      let numbers = place.message.field.map(\.number)
      #expect(Set(numbers).count == numbers.count, "\(place.path)")
      let jsonNames = place.message.field.map(\.jsonName)
      #expect(Set(jsonNames).count == jsonNames.count, "\(place.path)")
      for number in numbers {
        #expect(number >= 1 && !(19_000...19_999).contains(number), "\(place.path)")
        #expect(!place.message.reservedRange.contains { $0.start <= number && number < $0.end })
      }
    }
  }

  @Test func timesAreWholeMillisecondsWithTheUnitInTheName() {
    for (place, field) in fields {
      if field.name.hasSuffix("_ms") { #expect(field.type == .int64, "\(place)") }
      let looksLikeTime = ["_time", "_at", "_timeout", "_interval", "_delay", "_duration", "_ttl"]
        .contains { field.name.hasSuffix($0) }
      let isNumber = [.int32, .int64, .uint32, .uint64, .double].contains(field.type)
      #expect(!(looksLikeTime && isNumber), "\(place) lacks its unit")
      for unit in ["_seconds", "_secs", "_s", "_us", "_ns", "_millis", "_minutes", "_hours"] {
        #expect(!(isNumber && field.name.hasSuffix(unit)), "\(place): milliseconds only")
      }
    }
  }

  @Test func runIDsAreTexts() {
    for (place, field) in fields
    where field.name == "run_id" || field.name.hasSuffix("_run_id") || field.name == "run_ids" {
      #expect(field.type == .string, "\(place)")
    }
  }

  @Test func everyEnumerationBeginsWithUnspecifiedAndCarriesItsPrefix() {
    for (place, type) in enums {
      #expect(type.value.first?.number == 0, "\(place)")
      let prefix = screaming(type.name) + "_"
      let zero = type.value.first?.name ?? ""
      // gRPC's canonical codes begin with OK.
      #expect(zero == prefix + "UNSPECIFIED" || zero == "STATUS_CODE_OK", "\(place): \(zero)")
      for value in type.value {
        #expect(value.name.hasPrefix(prefix), "\(place): \(value.name)")
        #expect(value.number >= 0, "\(place): \(value.name) would take ten bytes")
      }
      #expect(!type.options.allowAlias, "\(place)")
    }
  }

  @Test func namesFollowTheStyleGuide() throws {
    let snake = try Regex("[a-z][a-z0-9]*(_[a-z0-9]+)*")
    let camel = try Regex("[A-Z][A-Za-z0-9]*")
    for (place, field) in fields { #expect(field.name.wholeMatch(of: snake) != nil, "\(place)") }
    for place in messages { #expect(place.message.name.wholeMatch(of: camel) != nil) }
    for file in files {
      #expect(file.name == "\(file.package.replacing(".", with: "/"))/\(lastPart(file.name))")
      for service in file.service {
        #expect(service.name.hasSuffix("Service"), "\(service.name)")
        for method in service.method {
          #expect(method.name.wholeMatch(of: camel) != nil, "\(method.name)")
        }
      }
    }
  }

  private func lastPart(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private func screaming(_ name: String) -> String {
    var result = ""
    for character in name {
      if character.isUppercase && !result.isEmpty { result += "_" }
      result += character.uppercased()
    }
    return result
  }
}
