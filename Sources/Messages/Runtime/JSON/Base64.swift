/// Reads RFC 4648's base64 with padding: how JSON holds bytes.
package enum Base64 {
  /// nil unless the text is what `JSONWriter.base64` makes of some bytes.
  package static func decode(_ text: String) -> [UInt8]? {
    let text = Array(text.utf8)
    guard text.count % 4 == 0 else { return nil }
    let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var word = 0
    for (index, byte) in text.dropLast(padding).enumerated() {
      guard let value = value(byte) else { return nil }
      word = word << 6 | value
      let bits = index % 4 * 2
      // The first of four letters ends no byte; the others leave 4, 2 and 0 bits over.
      if bits > 0 {
        let rest = 6 - bits
        bytes.append(UInt8(truncatingIfNeeded: word >> rest))
        word &= 1 << rest - 1
      }
    }
    return word == 0 || padding == 0 ? bytes : nil
  }

  private static func value(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): return Int(byte) - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): return Int(byte) - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return Int(byte) + 4
    case UInt8(ascii: "+"): return 62
    case UInt8(ascii: "/"): return 63
    default: return nil
    }
  }
}
