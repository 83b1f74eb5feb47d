import Basics

/// Writes messages as JSON, from their wire form and their table.
///
/// Names are those of proto3's JSON (`startToCloseTimeoutMs`). 64-bit integers are written as
/// numbers, not as strings: no value of the schema needs more than 53 bits. Bytes are base64,
/// enumerations their short names; fields without a value are left out.
public struct JSONWriter {
  private var out = ""
  private let isPretty: Bool
  private var depth = 0

  private init(isPretty: Bool) { self.isPretty = isPretty }

  static func text(_ message: some Message, isPretty: Bool) -> String {
    var writer = JSONWriter(isPretty: isPretty)
    let table = type(of: message).table
    let bytes = message.serialized()
    bytes.withUnsafeBytes { buffer in
      var reader = WireReader(buffer)
      do throws(DecodeError) {
        try writer.object(table, &reader)
      } catch {
        preconditionFailure("an encoded message cannot be read: \(error)")
      }
    }
    return writer.out
  }

  // MARK: - Structure

  private mutating func newLine() {
    guard isPretty else { return }
    out += "\n" + String(repeating: "  ", count: depth)
  }

  private mutating func key(_ name: String, isFirst: Bool) {
    if !isFirst { out += "," }
    newLine()
    JSONWriter.quote(name, into: &out)
    out += isPretty ? ": " : ":"
  }

  private mutating func object(_ table: MessageTable, _ reader: inout WireReader)
    throws(DecodeError)
  {
    out += "{"
    depth += 1
    var isFirst = true
    var open: UInt32 = 0  // The repeated field whose list is open: its values follow each other.
    while let tag = try reader.nextTag() {
      guard let field = table.field(number: tag >> 3) else {
        try reader.skip(tag)
        continue
      }
      if open != 0, open != field.number {
        closeList()
        open = 0
      }
      if open == field.number {
        out += ","
        newLine()
      } else {
        key(field.jsonName, isFirst: isFirst)
        isFirst = false
        if field.isRepeated { openList(&open, field.number) }
      }
      try values(field, tag, &reader)
    }
    if open != 0 { closeList() }
    depth -= 1
    if !isFirst { newLine() }
    out += "}"
  }

  private mutating func openList(_ open: inout UInt32, _ number: UInt32) {
    open = number
    out += "["
    depth += 1
    newLine()
  }

  private mutating func closeList() {
    depth -= 1
    newLine()
    out += "]"
  }

  // MARK: - Values

  /// One value, or those of a packed list.
  private mutating func values(_ field: FieldTable, _ tag: UInt32, _ reader: inout WireReader)
    throws(DecodeError)
  {
    guard field.isRepeated, tag & 7 == 2, field.isScalar else {
      return try value(field, &reader)
    }
    var packed = try reader.packed()
    var isFirst = true
    while !packed.isAtEnd {
      if !isFirst {
        out += ","
        newLine()
      }
      isFirst = false
      try value(field, &packed)
    }
  }

  private mutating func value(_ field: FieldTable, _ reader: inout WireReader) throws(DecodeError) {
    switch field.kind {
    case .string, .runID: JSONWriter.quote(try reader.string(), into: &out)
    case .bytes: out += "\"\(JSONWriter.base64(try reader.bytes()))\""
    case .bool: out += try reader.bool() ? "true" : "false"
    case .int32: out += String(try reader.int32())
    case .int64: out += String(try reader.int64())
    case .uint32: out += String(try reader.uint32())
    case .uint64: out += String(try reader.uint64())
    case .double: out += JSONWriter.number(try reader.double())
    case .enumeration(let names):
      let number = try reader.int32()
      if let name = names.first(where: { $0.number == number })?.name {
        out += "\"\(name)\""
      } else {
        out += String(number)
      }
    case .message(let table):
      var inner = try reader.packed()
      try object(table(), &inner)
    }
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "\"NaN\"" }
    if value.isInfinite { return value > 0 ? "\"Infinity\"" : "\"-Infinity\"" }
    let text = String(value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Appends the text as a JSON string.
  public static func quote(_ text: String, into out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      default:
        if scalar.value < 0x20 {
          let hex = String(scalar.value, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    out += "\""
  }

  public static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let word =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      out.append(alphabet[Int(word >> 18)])
      out.append(alphabet[Int(word >> 12 & 63)])
      out.append(left > 1 ? alphabet[Int(word >> 6 & 63)] : UInt8(ascii: "="))
      out.append(left > 2 ? alphabet[Int(word & 63)] : UInt8(ascii: "="))
      index += 3
    }
    return String(decoding: out, as: UTF8.self)
  }
}

extension FieldTable {
  /// A kind whose lists are packed.
  var isScalar: Bool { kind.wireType != 2 }
}

extension Message {
  /// The message as JSON; with line breaks for people if `pretty`.
  public func json(pretty: Bool = false) -> String { JSONWriter.text(self, isPretty: pretty) }
}
