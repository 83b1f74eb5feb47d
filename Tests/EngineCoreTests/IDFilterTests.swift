import Basics
import EngineCore
import Testing

@Suite struct IDFilterTests {
  private func key(_ number: Int) -> Fingerprint {
    IDFilter.key(namespace: "default", workflowID: "order-\(number)")
  }

  /// Made for all keys at once, as at a start of the engine, or grown key by key.
  @Test(arguments: [100_000, 0]) func itForgetsNoneAndIsRarelyWrong(_ expected: Int) {
    var filter = IDFilter(expected: expected)
    for number in 0..<100_000 { filter.insert(key(number)) }
    #expect((0..<100_000).allSatisfy { filter.mayContain(key($0)) })
    let wrong = (100_000..<200_000).count { filter.mayContain(key($0)) }
    #expect(wrong < (expected == 0 ? 6_000 : 1_500), "of a hundred thousand")
    if expected > 0 { #expect(filter.byteCount <= 2 * expected) }
  }

  @Test func anIDThatIsUsedAgainTakesNoMoreRoom() {
    var filter = IDFilter()
    for _ in 0..<100_000 { filter.insert(key(1)) }
    #expect(filter.count == 1)
  }
}
