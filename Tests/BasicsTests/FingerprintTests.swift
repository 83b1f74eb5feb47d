import Basics
import Testing

@Suite("Fingerprints") struct FingerprintTests {
  /// They are stored: another result is another format of the store.
  @Test func theyAreFixed() {
    #expect(
      Fingerprint(of: [UInt8]())
        == Fingerprint(
          high: 0xFDAA_FFCD_0E01_EE44, low: 0x96E6_68DA_14F7_AEB7))
    #expect(
      Fingerprint(of: Array("abc".utf8))
        == Fingerprint(
          high: 0x3E19_C1E0_8AAC_7380, low: 0x3189_0053_B217_F94E))
    #expect(
      Fingerprint(of: [UInt8](0..<100))
        == Fingerprint(
          high: 0x51C9_843E_24E6_602D, low: 0x2962_53C8_A35F_E565))
    #expect(
      Fingerprint(of: "default", "order", "id")
        == Fingerprint(
          high: 0x9357_EC6B_A9B7_D416, low: 0x732A_525E_1493_A6EE))
  }

  @Test func theBordersBetweenTextsCount() {
    #expect(Fingerprint(of: "ab", "c") != Fingerprint(of: "a", "bc"))
    #expect(Fingerprint(of: "abc") != Fingerprint(of: "abc", ""))
    #expect(Fingerprint(of: "abc") != Fingerprint(of: "", "abc"))
    #expect(Fingerprint(of: "abc") == Fingerprint(of: Array("abc".utf8)))
  }

  @Test func trailingZerosCount() {
    let all = (0...40).map { Fingerprint(of: [UInt8](repeating: 0, count: $0)) }
    #expect(Set(all).count == 41)
  }

  @Test func everyBitOfTheInputChangesBothHalves() {
    let bytes = (0..<37).map { UInt8($0 &* 7) }
    let plain = Fingerprint(of: bytes)
    for bit in 0..<bytes.count * 8 {
      var changed = bytes
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let other = Fingerprint(of: changed)
      #expect(other.high != plain.high && other.low != plain.low, "bit \(bit)")
    }
  }

  /// The bytes are read in words from wherever they lie.
  @Test func whereTheBytesLieDoesNotMatter() {
    let bytes = (0..<64).map { UInt8($0) }
    for offset in 0..<8 {
      let padded = [UInt8](repeating: 0xFF, count: offset) + bytes
      let there = padded.withUnsafeBytes {
        Fingerprint(of: UnsafeRawBufferPointer(rebasing: $0[offset...]))
      }
      #expect(there == Fingerprint(of: bytes))
    }
  }
}
