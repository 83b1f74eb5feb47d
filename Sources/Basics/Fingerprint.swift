/// A 128-bit hash that is the same in every process and on every machine.
///
/// Used where a hash outlives the process: checksums of stored bytes, keys of request ids, the
/// filter of known ids. (`Hasher` is seeded per process and must never be stored.) It is not meant
/// to withstand somebody who looks for collisions: peers are authorized by the kernel.
public struct Fingerprint: Hashable, Sendable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The fingerprint of `bytes`.
  public init(of bytes: UnsafeRawBufferPointer) {
    var mixer = Mixer()
    mixer.add(bytes)
    self = mixer.finish()
  }

  /// The fingerprint of `bytes`.
  public init(of bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { Fingerprint(of: $0) }
  }

  /// The fingerprint of a list of texts; the borders between them count.
  public init(of texts: String...) {
    var mixer = Mixer()
    for text in texts {
      var text = text
      text.withUTF8 { mixer.add(UnsafeRawBufferPointer($0)) }
    }
    self = mixer.finish()
  }
}

/// Two multiply-rotate lanes over 8-byte words, mixed at the end.
private struct Mixer {
  private var a: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var b: UInt64 = 0xC2B2_AE3D_27D4_EB4F

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + 8 <= bytes.count {
      word(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    var tail: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.count {
      tail |= UInt64(bytes[offset]) << shift
      shift += 8
      offset += 1
    }
    word(tail)
    // The length closes the part, so that "ab"+"c" and "a"+"bc" differ.
    word(UInt64(bytes.count) ^ 0xA5A5_A5A5_0000_0000)
  }

  private mutating func word(_ value: UInt64) {
    a = rotate(a ^ (value &* 0x87C3_7B91_1142_53D5), 31) &* 0x4CF5_AD43_2745_937F
    b = rotate(b &+ value ^ a, 29) &* 0x9FB2_1C65_1E98_DF25
  }

  func finish() -> Fingerprint {
    Fingerprint(high: avalanche(a ^ rotate(b, 17)), low: avalanche(b &+ a))
  }
}

private func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 { value << by | value >> (64 - by) }

private func avalanche(_ value: UInt64) -> UInt64 {
  var x = value
  x = (x ^ x >> 33) &* 0xFF51_AFD7_ED55_8CCD
  x = (x ^ x >> 33) &* 0xC4CE_B9FE_1A85_EC53
  return x ^ x >> 33
}
