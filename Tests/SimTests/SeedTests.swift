import SimKit
import Testing

/// Seeds that every change is held to.
@Suite("Seeds") struct SeedTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func aQuietWorldComesToItsEnd(_ seed: UInt64) {
    let outcome = SimRunner.run(.quiet(seed: seed)).outcome
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
    #expect(outcome.answers >= 60)
    #expect(outcome.lives == 1)
  }
}
