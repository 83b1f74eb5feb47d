/// Parses JSON as RFC 8259 has it, nothing beyond; duplicate keys are refused.
struct JSONParser {
  private let text: [UInt8]
  private let depthMax: Int
  private var offset = 0

  private init(_ text: [UInt8], depthMax: Int) {
    self.text = text
    self.depthMax = depthMax
  }

  /// The schema has no recursion: no message comes near a depth of 64.
  static func parse(_ text: [UInt8], depthMax: Int = 64) throws(JSONFault) -> JSONValue {
    var parser = JSONParser(text, depthMax: depthMax)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.offset == text.count else { throw parser.fault("text after the value") }
    return value
  }

  private func fault(_ message: String) -> JSONFault { JSONFault(.syntax, offset, message) }

  private var byte: UInt8? { offset < text.count ? text[offset] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard byte == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
    guard depth < depthMax else {
      throw JSONFault(.tooDeep, offset, "nested deeper than \(depthMax)")
    }
    skipSpace()
    let start = offset
    let kind: JSONValue.Kind
    guard let byte else { throw fault("the text ends where a value should be") }
    switch byte {
    case UInt8(ascii: "{"): kind = .object(try object(depth: depth))
    case UInt8(ascii: "["): kind = .array(try array(depth: depth))
    case UInt8(ascii: "\""): kind = .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): kind = .number(try number())
    case UInt8(ascii: "t"): kind = try word("true", .bool(true))
    case UInt8(ascii: "f"): kind = try word("false", .bool(false))
    case UInt8(ascii: "n"): kind = try word("null", .null)
    default: throw fault("a value should be here")
    }
    return JSONValue(kind: kind, offset: start)
  }

  private mutating func word(_ word: String, _ kind: JSONValue.Kind)
    throws(JSONFault) -> JSONValue.Kind
  {
    guard text[offset...].starts(with: word.utf8) else { throw fault("a value should be here") }
    offset += word.utf8.count
    return kind
  }

  private mutating func array(depth: Int) throws(JSONFault) -> [JSONValue] {
    offset += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return values }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return values }
      guard take(",") else { throw fault("',' or ']' should be here") }
    }
  }

  private mutating func object(depth: Int)
    throws(JSONFault) -> [(key: String, offset: Int, value: JSONValue)]
  {
    offset += 1
    var members: [(key: String, offset: Int, value: JSONValue)] = []
    var keys: Set<String> = []
    skipSpace()
    if take("}") { return members }
    while true {
      skipSpace()
      let start = offset
      guard byte == UInt8(ascii: "\"") else { throw fault("a key should be here") }
      let key = try string()
      guard keys.insert(key).inserted else {
        throw JSONFault(.duplicateKey, start, "'\(key)' stands here twice")
      }
      skipSpace()
      guard take(":") else { throw fault("':' should be here") }
      members.append((key, start, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return members }
      guard take(",") else { throw fault("',' or '}' should be here") }
    }
  }

  // MARK: - Numbers

  private mutating func number() throws(JSONFault) -> String {
    let start = offset
    _ = take("-")
    let first = byte
    let count = digits()
    guard count > 0 else { throw fault("a digit should be here") }
    if first == UInt8(ascii: "0") && count > 1 {
      throw JSONFault(.syntax, start, "a number does not begin with 0")
    }
    if take("."), digits() == 0 { throw fault("a digit should be here") }
    if take("e") || take("E") {
      if !take("-") { _ = take("+") }
      guard digits() > 0 else { throw fault("a digit should be here") }
    }
    return String(decoding: text[start..<offset], as: UTF8.self)
  }

  private mutating func digits() -> Int {
    let start = offset
    while let byte, byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") { offset += 1 }
    return offset - start
  }

  // MARK: - Texts

  private mutating func string() throws(JSONFault) -> String {
    let start = offset
    offset += 1
    var bytes: [UInt8] = []
    while true {
      guard let byte else { throw JSONFault(.syntax, start, "a text without an end") }
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw JSONFault(.syntax, start, "a text that is not valid UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): bytes.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw fault("a control character that is not escaped")
      default:
        bytes.append(byte)
        offset += 1
      }
    }
  }

  private mutating func escape() throws(JSONFault) -> Character {
    offset += 1
    guard let byte else { throw fault("the text ends in an escape") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return Character(try unicode())
    default:
      offset -= 1
      throw fault("an unknown escape")
    }
  }

  private mutating func unicode() throws(JSONFault) -> Unicode.Scalar {
    let start = offset - 2
    var code = try hexadecimal()
    if code >= 0xD800 && code < 0xDC00, take("\\"), take("u") {
      let low = try hexadecimal()
      guard low >= 0xDC00 && low < 0xE000 else {
        throw JSONFault(.syntax, start, "half of a surrogate pair")
      }
      code = 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw JSONFault(.syntax, start, "half of a surrogate pair")
    }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("four hexadecimal digits should be here")
      }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }
}
