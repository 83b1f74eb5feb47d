import Basics

extension Message {
  /// Reads what `json` writes, and proto3's texts for 64-bit integers.
  ///
  /// Stricter than proto3's JSON where leniency hides a mistake: keys are the fields' JSON or
  /// schema names, each once; unknown keys and names, and two members of one oneof, are refused.
  /// null is unset.
  public init(json text: String) throws(JSONError) {
    let bytes = Array(text.utf8)
    var writer = WireWriter()
    do throws(JSONFault) {
      let value = try JSONParser.parse(bytes)
      try JSONReader.encode(value, Self.table, into: &writer)
    } catch { throw error.placed(in: bytes) }
    do throws(DecodeError) {
      try self.init(bytes: writer.bytes())
    } catch {
      preconditionFailure("our own encoding cannot be read: \(error)")
    }
  }
}

/// Turns a tree of JSON into wire bytes by the fields' tables.
enum JSONReader {
  static func encode(
    _ value: JSONValue, _ table: MessageTable, into writer: inout WireWriter
  ) throws(JSONFault) {
    guard case .object(let members) = value.kind else {
      throw JSONFault(
        .wrongType, value.offset, "\(table.name) is an object, this is \(value.noun)")
    }
    var values: [(field: FieldTable, value: JSONValue)] = []
    var oneofs: [String: String] = [:]
    for member in members {
      guard let field = table.field(named: member.key) else {
        throw JSONFault(
          .unknownField, member.offset, "\(table.name) has no field '\(member.key)'")
      }
      if case .null = member.value.kind { continue }
      if values.contains(where: { $0.field.number == field.number }) {
        throw JSONFault(.duplicateKey, member.offset, "'\(field.jsonName)' stands here twice")
      }
      if let oneof = field.oneof, let other = oneofs.updateValue(field.jsonName, forKey: oneof) {
        throw JSONFault(
          .secondMember, member.offset, "only one of '\(other)' and '\(field.jsonName)' can be set")
      }
      values.append((field, member.value))
    }
    // The writer goes from the back to the front.
    values.sort { $0.field.number > $1.field.number }
    for (field, value) in values { try encode(value, field, into: &writer) }
  }

  private static func encode(
    _ value: JSONValue, _ field: FieldTable, into writer: inout WireWriter
  ) throws(JSONFault) {
    let tag = field.number << 3 | field.kind.wireType
    guard field.isRepeated else { return try encode(value, field, tag: tag, into: &writer) }
    guard case .array(let values) = value.kind else { throw wrong(value, field, "a list") }
    if field.kind.wireType == 2 {
      for value in values.reversed() { try encode(value, field, tag: tag, into: &writer) }
    } else if !values.isEmpty {
      let before = writer.count
      for value in values.reversed() { try encode(value, field, tag: nil, into: &writer) }
      writer.close(since: before, tag: field.number << 3 | 2)
    }
  }

  private static func encode(
    _ value: JSONValue, _ field: FieldTable, tag: UInt32?, into writer: inout WireWriter
  ) throws(JSONFault) {
    switch field.kind {
    case .string: writer.string(try text(value, field), tag: field.number << 3 | 2)
    case .runID: writer.runID(try runID(value, field), tag: field.number << 3 | 2)
    case .bytes:
      guard let bytes = Base64.decode(try text(value, field)) else {
        throw JSONFault(.invalidBase64, value.offset, "'\(field.jsonName)' is not base64")
      }
      writer.bytes(bytes, tag: field.number << 3 | 2)
    case .message(let table):
      let before = writer.count
      try encode(value, table(), into: &writer)
      writer.close(since: before, tag: field.number << 3 | 2)
    case .double:
      writer.double(try double(value, field))
      if let tag { writer.uint32(tag) }
    case .bool, .int32, .int64, .uint32, .uint64, .enumeration:
      writer.uint64(try varint(value, field))
      if let tag { writer.uint32(tag) }
    }
  }

  /// The varint's 64 bits of a value whose wire type is 0.
  private static func varint(
    _ value: JSONValue, _ field: FieldTable
  ) throws(JSONFault) -> UInt64 {
    switch field.kind {
    case .bool:
      guard case .bool(let bool) = value.kind else { throw wrong(value, field, "a boolean") }
      return bool ? 1 : 0
    case .int32:
      let number: Int32 = try integer(value, field)
      return UInt64(bitPattern: Int64(number))
    case .int64:
      let number: Int64 = try integer(value, field)
      return UInt64(bitPattern: number)
    case .uint32:
      let number: UInt32 = try integer(value, field)
      return UInt64(number)
    case .uint64: return try integer(value, field)
    case .enumeration(let names):
      guard case .string(let name) = value.kind else {
        let number: Int32 = try integer(value, field)
        return UInt64(bitPattern: Int64(number))
      }
      guard let number = names.first(where: { $0.name == name })?.number else {
        let known = names.map(\.name).joined(separator: ", ")
        throw JSONFault(
          .unknownName, value.offset, "'\(field.jsonName)' is one of \(known), not '\(name)'")
      }
      return UInt64(bitPattern: Int64(number))
    case .string, .bytes, .double, .runID, .message:
      preconditionFailure("not a varint")
    }
  }

  private static func wrong(
    _ value: JSONValue, _ field: FieldTable, _ noun: String
  ) -> JSONFault {
    JSONFault(
      .wrongType, value.offset, "'\(field.jsonName)' is \(noun), this is \(value.noun)")
  }

  private static func text(_ value: JSONValue, _ field: FieldTable) throws(JSONFault) -> String {
    guard case .string(let text) = value.kind else { throw wrong(value, field, "a text") }
    if text.utf8.contains(0) {
      throw JSONFault(.nulInText, value.offset, "'\(field.jsonName)' holds NUL")
    }
    return text
  }

  private static func runID(_ value: JSONValue, _ field: FieldTable) throws(JSONFault) -> RunID {
    let text = try text(value, field)
    if text.isEmpty { return .none }
    guard let id = RunID(parsing: text) else {
      throw JSONFault(.invalidRunID, value.offset, "'\(field.jsonName)' is not a run id")
    }
    return id
  }

  private static func integer<I: FixedWidthInteger>(
    _ value: JSONValue, _ field: FieldTable
  ) throws(JSONFault) -> I {
    let digits: String
    switch value.kind {
    case .number(let text), .string(let text): digits = text
    default: throw wrong(value, field, "a whole number")
    }
    if let number = I(digits), !digits.hasPrefix("+") { return number }
    let magnitude = digits.utf8.drop { $0 == UInt8(ascii: "-") }
    let isWhole =
      !magnitude.isEmpty
      && magnitude.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    throw JSONFault(
      isWhole ? .outOfRange : .wrongType, value.offset,
      isWhole
        ? "'\(field.jsonName)' is from \(I.min) to \(I.max)"
        : "'\(field.jsonName)' is a whole number")
  }

  private static func double(_ value: JSONValue, _ field: FieldTable) throws(JSONFault) -> Double {
    switch value.kind {
    case .number(let text):
      guard let number = Double(text), number.isFinite else {
        throw JSONFault(.outOfRange, value.offset, "'\(field.jsonName)' is too large")
      }
      return number
    case .string("NaN"): return .nan
    case .string("Infinity"): return .infinity
    case .string("-Infinity"): return -.infinity
    default: throw wrong(value, field, "a number")
    }
  }
}
