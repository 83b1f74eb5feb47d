import SimKit
import Testing

/// Seeds that every change is held to; `make sim` runs as many more as one likes.
@Suite("Seeds") struct SeedTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func aQuietWorldComesToItsEnd(_ seed: UInt64) {
    let outcome = SimRunner.run(.quiet(seed: seed)).outcome
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
    #expect(outcome.answers >= 60)
    #expect(outcome.lives == 1)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func everyCheckerHolds(_ seed: UInt64) {
    let outcome = SimRunner.run(.drawn(seed: seed)).outcome
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
  }

  /// Each found a bug, which has a test of its own too: a change of the simulator makes another
  /// world of a seed.
  @Test(arguments: [27, 40, 63, 147, 152, 173, 573, 584, 1189, 1231] as [UInt64])
  func whatASeedFoundStaysMended(_ seed: UInt64) {
    let outcome = SimRunner.run(.drawn(seed: seed)).outcome
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
  }

  @Test func seedsAreUnlike() {
    #expect(
      SimRunner.run(.drawn(seed: 1)).outcome.hash != SimRunner.run(.drawn(seed: 2)).outcome.hash)
  }
}
