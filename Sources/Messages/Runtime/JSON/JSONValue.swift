/// A JSON text as a tree. Numbers keep their digits, so that 64-bit ones stay exact.
struct JSONValue {
  enum Kind {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, offset: Int, value: JSONValue)])
  }

  let kind: Kind
  /// Where the value begins in the text, in bytes.
  let offset: Int

  /// What the value is, in words.
  var noun: String {
    switch kind {
    case .null: return "null"
    case .bool: return "a boolean"
    case .number: return "a number"
    case .string: return "a text"
    case .array: return "a list"
    case .object: return "an object"
    }
  }
}

/// A fault at a place in the text, before the place is counted in lines.
struct JSONFault: Error {
  let code: JSONError.Code
  let offset: Int
  let message: String

  init(_ code: JSONError.Code, _ offset: Int, _ message: String) {
    self.code = code
    self.offset = offset
    self.message = message
  }

  func placed(in text: [UInt8]) -> JSONError {
    let before = text.prefix(offset)
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    return JSONError(code: code, line: line, column: offset - lineStart + 1, message: message)
  }
}
