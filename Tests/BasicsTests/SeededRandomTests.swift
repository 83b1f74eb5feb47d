import Basics
import Testing

@Suite("The seeded generator") struct SeededRandomTests {
  private func numbers(_ seed: UInt64, _ count: Int) -> [UInt64] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in random.next() }
  }

  /// From the reference code of xoshiro256** with a state from SplitMix64: seeds that were printed
  /// must stay good.
  @Test func itsNumbersAreFixed() {
    #expect(
      numbers(0, 4) == [
        0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A,
        0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C,
      ])
    #expect(
      numbers(42, 4) == [
        0x1578_0B2E_0C2E_C716, 0x6104_D986_6D11_3A7E,
        0xAE17_5332_39E4_99A1, 0xECB8_AD47_03B3_60A1,
      ])
    #expect(
      numbers(.max, 4) == [
        0x8F55_20D5_2A7E_AD08, 0xC476_A018_CAA1_802D,
        0x81DE_31C0_D260_469E, 0xBF65_8D7E_065F_3C2F,
      ])
  }

  @Test func aCopyGoesOnAlike() {
    var random = SeededRandom(seed: 7)
    _ = random.next()
    var copy = random
    #expect((0..<10).map { _ in random.next() } == (0..<10).map { _ in copy.next() })
  }

  @Test func nearSeedsGiveUnlikeSequences() {
    var seen: Set<UInt64> = []
    for seed in 0..<1_000 as Range<UInt64> { seen.formUnion(numbers(seed, 4)) }
    #expect(seen.count == 4_000)
  }
}
