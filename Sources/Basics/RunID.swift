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
    for index in 0..<RunID.textLength {
      let byte = text[index]
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
    let number = byte &- UInt8(ascii: "0")
    if number < 10 { return UInt64(number) }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? UInt64(letter) + 10 : nil
  }

  /// Writes the text form, lower case; `target` holds exactly `textLength` bytes.
  public func write(to target: UnsafeMutableRawBufferPointer) {
    precondition(target.count == RunID.textLength)
    let digits = (
      RunID.digits(UInt32(truncatingIfNeeded: high >> 32)),
      RunID.digits(UInt32(truncatingIfNeeded: high)),
      RunID.digits(UInt32(truncatingIfNeeded: low >> 32)),
      RunID.digits(UInt32(truncatingIfNeeded: low))
    )
    func put(_ digits: some FixedWidthInteger, at place: Int) {
      withUnsafeBytes(of: digits.littleEndian) { bytes in
        UnsafeMutableRawBufferPointer(rebasing: target[place..<place + bytes.count])
          .copyMemory(from: bytes)
      }
    }
    put(digits.0, at: 0)
    put(UInt32(truncatingIfNeeded: digits.1), at: 9)
    put(UInt32(truncatingIfNeeded: digits.1 >> 32), at: 14)
    put(UInt32(truncatingIfNeeded: digits.2), at: 19)
    put(UInt32(truncatingIfNeeded: digits.2 >> 32), at: 24)
    put(digits.3, at: 28)
    for place in [8, 13, 18, 23] { target[place] = UInt8(ascii: "-") }
  }

  /// The eight hexadecimal digits of a word, the first one in the lowest byte.
  private static func digits(_ word: UInt32) -> UInt64 {
    // Spreads the nibbles over eight bytes, then turns all eight into digits at once.
    var x = UInt64(word.byteSwapped)
    x = (x | x << 16) & 0x0000_FFFF_0000_FFFF
    x = (x | x << 8) & 0x00FF_00FF_00FF_00FF
    x = (x >> 4 & 0x000F_000F_000F_000F) | (x & 0x000F_000F_000F_000F) << 8
    let isLetter = (x + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return x + 0x3030_3030_3030_3030 + isLetter * 0x27
  }

  public var description: String {
    String(unsafeUninitializedCapacity: RunID.textLength) { buffer in
      write(
        to: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: RunID.textLength))
      return RunID.textLength
    }
  }
}
