import SimKit
import Testing

/// Seeds that every change is held to; `make sim` runs as many more as one likes.
@Suite("Seeds") struct SeedTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func aQuietWorldComesToItsEnd(_ seed: UInt64) {
    let outcome = SimRunner.run(.quiet(seed: seed).with(operations: 60))
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
    #expect(outcome.answers >= 60)
    #expect(outcome.lives == 1)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func everyCheckerHolds(_ seed: UInt64) {
    let outcome = SimRunner.run(.drawn(seed: seed).with(operations: 100))
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
  }

  /// Each found a bug, which has a test of its own too: a change of the simulator makes another
  /// world of a seed.
  @Test(
    arguments: [
      27, 40, 63, 147, 152, 173, 444, 479, 573, 584, 640, 973, 1189, 1231, 2252, 13_002,
    ] as [UInt64])
  func whatASeedFoundStaysMended(_ seed: UInt64) {
    let outcome = SimRunner.run(.drawn(seed: seed).with(operations: 250))
    #expect(outcome.violation == nil, "\(String(describing: outcome.violation))")
  }

  @Test func seedsAreUnlike() {
    let hashes = [1, 2].map { SimRunner.once(.quiet(seed: $0).with(operations: 20)).hash }
    #expect(hashes[0] != hashes[1])
  }
}

extension Options {
  /// Fewer requests than `make sim` makes, for the time that a test may take.
  fileprivate func with(operations: Int) -> Options {
    var options = self
    options.limit(operations: operations)
    return options
  }
}
