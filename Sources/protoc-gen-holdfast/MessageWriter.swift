import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Writes one message: its fields, its decoder, its encoder and its table.
struct MessageWriter {
  let message: Descriptor

  private var plain: [FieldDescriptor] { message.fields.filter { $0.containingOneof == nil } }

  func write(to p: inout Printer) {
    p.comment(message.protoSourceComments(commentPrefix: ""))
    p.block("public struct \(message.name): Message") { p in
      declarations(&p)
      p.line("public init() {}")
      p.line()
      decoder(&p)
      p.line()
      encoder(&p)
      p.line()
      table(&p)
      for type in message.enums {
        p.line()
        EnumWriter(type: type).write(to: &p)
      }
      for nested in message.messages {
        p.line()
        MessageWriter(message: nested).write(to: &p)
      }
    }
  }

  private func declarations(_ p: inout Printer) {
    for field in plain {
      p.comment(field.protoSourceComments(commentPrefix: ""))
      p.line("public var \(field.memberName): \(field.declaration)")
    }
    for oneof in message.oneofs {
      p.line("public var \(oneof.name.camel.escaped): \(typeName(oneof))?")
    }
    for oneof in message.oneofs {
      p.line()
      p.block("public enum \(typeName(oneof)): Equatable, Sendable") { p in
        for field in oneof.fields {
          p.comment(field.protoSourceComments(commentPrefix: ""))
          p.line(
            "\(field.isBoxed() ? "indirect " : "")case \(field.memberName)(\(field.elementType))")
        }
      }
    }
    p.line()
  }

  private func typeName(_ oneof: OneofDescriptor) -> String { oneof.name.camel.raised }

  // MARK: - Decoding

  private func decoder(_ p: inout Printer) {
    p.block("public mutating func decode(from reader: inout WireReader) throws(DecodeError)") { p in
      p.block("while let tag = try reader.nextTag()") { p in
        p.line("switch tag {")
        for field in message.fields { decode(field, &p) }
        p.line("default: try reader.skip(tag)")
        p.line("}")
      }
    }
  }

  private func decode(_ field: FieldDescriptor, _ p: inout Printer) {
    let name = field.memberName
    if let oneof = field.containingOneof {
      let kind = oneof.name.camel.escaped
      guard field.isMessage else {
        p.line("case \(field.tag): \(kind) = .\(name)(try reader.\(field.codec)())")
        return
      }
      p.line("case \(field.tag):")
      p.line("  var value = \(field.elementType)()")
      p.line("  if case .\(name)(let earlier)? = \(kind) { value = earlier }")
      p.line("  try reader.merge(into: &value)")
      p.line("  \(kind) = .\(name)(value)")
    } else if field.isRepeated {
      p.line("case \(field.tag): \(name).append(try reader.\(field.codec)())")
      if field.isPackedScalar {
        p.line("case \(field.packedTag):")
        p.line("  var packed = try reader.packed()")
        p.line("  while !packed.isAtEnd { \(name).append(try packed.\(field.codec)()) }")
      }
    } else if field.isMessage {
      p.line("case \(field.tag): try reader.merge(into: &\(name))")
    } else {
      p.line("case \(field.tag): \(name) = try reader.\(field.codec)()")
    }
  }

  // MARK: - Encoding, from the last field to the first

  private func encoder(_ p: inout Printer) {
    p.block("public func encode(into writer: inout WireWriter)") { p in
      var written: Set<String> = []
      for field in message.fields.sorted(by: { $0.number > $1.number }) {
        if let oneof = field.containingOneof {
          if written.insert(oneof.name).inserted { encode(oneof, &p) }
        } else {
          encode(field, &p)
        }
      }
    }
  }

  private func encode(_ oneof: OneofDescriptor, _ p: inout Printer) {
    p.line("switch \(oneof.name.camel.escaped) {")
    for field in oneof.fields {
      p.line(
        "case .\(field.memberName)(let value)?: writer.\(field.codec)(value, tag: \(field.tag))")
    }
    p.line("case nil: break")
    p.line("}")
  }

  private func encode(_ field: FieldDescriptor, _ p: inout Printer) {
    let name = field.memberName
    if field.isPackedScalar {
      p.block("if !\(name).isEmpty") { p in
        p.line("let before = writer.count")
        p.line("for value in \(name).reversed() { writer.\(field.codec)(value) }")
        p.line("writer.close(since: before, tag: \(field.packedTag))")
      }
    } else if field.isRepeated {
      p.line(
        "for value in \(name).reversed() { writer.\(field.codec)(value, tag: \(field.tag)) }")
    } else if field.isMessage {
      p.line("if let value = \(name) { writer.message(value, tag: \(field.tag)) }")
    } else {
      p.line(
        "if !(\(field.isZero(name))) { writer.\(field.codec)(\(name), tag: \(field.tag)) }")
    }
  }

  // MARK: - Table

  private func table(_ p: inout Printer) {
    p.line("public static let table = MessageTable(")
    p.line("  name: \"\(message.fullName)\",")
    p.line("  fields: [")
    for field in message.fields.sorted(by: { $0.number < $1.number }) {
      var kind = ".\(tableKind(field))"
      if field.isMessage { kind = ".message { \(field.elementType).table }" }
      if field.type == .enum { kind = ".enumeration(\(field.elementType).names)" }
      var line = "    FieldTable(\(field.number), \"\(field.name)\", \(kind)"
      if field.isRepeated { line += ", isRepeated: true" }
      if let oneof = field.containingOneof { line += ", oneof: \"\(oneof.name)\"" }
      p.line(line + "),")
    }
    p.line("  ])")
  }

  private func tableKind(_ field: FieldDescriptor) -> String {
    field.special == .runID ? "runID" : "\(field.type)".components(after: ".")
  }
}

extension String {
  fileprivate func components(after separator: Character) -> String {
    split(separator: separator).last.map(String.init) ?? self
  }
}
