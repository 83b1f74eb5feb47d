/// The fuzzer's bytes, taken from the front; what is not there any more reads as 0.
struct FuzzInput {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }

  mutating func byte() -> UInt8 {
    guard at < bytes.count else { return 0 }
    at += 1
    return bytes[at - 1]
  }

  mutating func pick<T>(_ list: [T]) -> T { list[Int(byte()) % list.count] }

  /// As many bytes as two bytes say, or all that are left.
  mutating func piece() -> [UInt8] {
    let count = min(Int(byte()) << 8 | Int(byte()), bytes.count - at)
    at += count
    return Array(bytes[at - count..<at])
  }

  mutating func rest() -> [UInt8] {
    defer { at = bytes.count }
    return Array(bytes[at...])
  }
}

/// Writes what `FuzzInput` reads: for the inputs that the corpus begins with.
public struct FuzzOutput {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func byte(_ value: Int) { bytes.append(UInt8(value)) }

  public mutating func piece(_ piece: [UInt8]) {
    bytes += [UInt8(piece.count >> 8), UInt8(piece.count & 255)] + piece
  }

  public mutating func rest(_ rest: [UInt8]) { bytes += rest }
}
