import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Writes the types of one schema file.
struct FileWriter {
  let file: FileDescriptor

  func write(to p: inout Printer) {
    p.header()
    p.line("import Basics")
    for type in file.enums {
      p.line()
      EnumWriter(type: type).write(to: &p)
    }
    for message in file.messages {
      p.line()
      MessageWriter(message: message).write(to: &p)
    }
  }
}

struct EnumWriter {
  let type: EnumDescriptor

  func write(to p: inout Printer) {
    p.comment(type.protoSourceComments(commentPrefix: ""))
    p.block("public enum \(type.name): Equatable, Hashable, Sendable, WireEnum") { p in
      for value in type.values {
        p.comment(value.protoSourceComments(commentPrefix: ""))
        p.line("case \(type.caseName(value).escaped)")
      }
      p.line("/// A number that this version does not know.")
      p.line("case unrecognized(Int32)")
      p.line()
      p.block("public init(rawValue: Int32)") { p in
        p.block("switch rawValue") { p in
          for value in type.values {
            p.line("case \(value.number): self = .\(type.caseName(value).escaped)")
          }
          p.line("default: self = .unrecognized(rawValue)")
        }
      }
      p.line()
      p.block("public var rawValue: Int32") { p in
        p.block("switch self") { p in
          for value in type.values {
            p.line("case .\(type.caseName(value).escaped): return \(value.number)")
          }
          p.line("case .unrecognized(let number): return number")
        }
      }
      p.line()
      p.line("public static let names: [(number: Int32, name: String)] = [")
      for value in type.values { p.line("  (\(value.number), \"\(type.shortName(value))\"),") }
      p.line("]")
    }
  }
}

/// Writes the services' methods, one case each.
struct MethodsWriter {
  let files: [FileDescriptor]

  func write(to p: inout Printer) {
    p.header()
    p.line("/// Every method of the protocol, by its path.")
    p.block("public enum Method: String, CaseIterable, Sendable") { p in
      for (service, method) in methods {
        p.line("case \(caseName(service, method)) = \"\(service.fullName)/\(method.name)\"")
      }
      p.line()
      p.line("/// The client sends any number of messages, not one.")
      flag("isClientStreaming", &p) { $0.clientStreaming }
      p.line()
      p.line("/// The engine sends any number of messages, not one.")
      flag("isServerStreaming", &p) { $0.serverStreaming }
    }
  }

  private var methods: [(ServiceDescriptor, MethodDescriptor)] {
    files.flatMap { $0.services }.flatMap { service in service.methods.map { (service, $0) } }
  }

  private func caseName(_ service: ServiceDescriptor, _ method: MethodDescriptor) -> String {
    let service = String(service.name.dropLast("Service".count))
    return service.prefix(1).lowercased() + service.dropFirst() + method.name
  }

  private func flag(
    _ name: String, _ p: inout Printer, _ isSet: (MethodDescriptor) -> Bool
  ) {
    let set = methods.filter { isSet($0.1) }.map { "." + caseName($0.0, $0.1) }
    p.block("public var \(name): Bool") { p in
      p.line("switch self {")
      if !set.isEmpty { p.line("case \(set.joined(separator: ", ")): return true") }
      p.line("default: return false")
      p.line("}")
    }
  }
}
