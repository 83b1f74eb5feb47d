/// The id of a run: a UUID of version 7, so that ids sort by the time of their making.
public struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let high: UInt64
  public let low: UInt64

  /// No run; an empty text on the wire.
  public static let none = RunID(high: 0, low: 0)

  /// Bytes of the text form.
  public static let textLength = 36

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A new id: 48 bits of time, 74 random ones.
  public init(at time: Instant, random: (UInt64, UInt64)) {
    let milliseconds = UInt64(bitPattern: time.ms) & 0xFFFF_FFFF_FFFF
    high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
    low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
  }

  public static func < (a: RunID, b: RunID) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }

  /// The text form: 8-4-4-4-12 hexadecimal digits, either case; nil for anything else.
  public init?(parsing text: UnsafeRawBufferPointer) {
    guard text.count == RunID.textLength else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for (index, byte) in text.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = RunID.digit(byte) else { return nil }
      if digits < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
      digits += 1
    }
    self.init(high: words.0, low: words.1)
  }

  public init?(parsing text: String) {
    var text = text
    guard let id = text.withUTF8({ RunID(parsing: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = id
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return UInt64(byte - UInt8(ascii: "A") + 10)
    default: return nil
    }
  }

  /// Writes the text form, lower case; `target` holds exactly `textLength` bytes.
  public func write(to target: UnsafeMutableRawBufferPointer) {
    precondition(target.count == RunID.textLength)
    var place = 0
    for index in 0..<32 {
      if index == 8 || index == 12 || index == 16 || index == 20 {
        target[place] = UInt8(ascii: "-")
        place += 1
      }
      let word = index < 16 ? high : low
      let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15)) & 15)
      target[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
      place += 1
    }
  }

  public var description: String {
    String(unsafeUninitializedCapacity: RunID.textLength) { buffer in
      write(
        to: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: RunID.textLength))
      return RunID.textLength
    }
  }
}
