import SimKit
import Testing

/// The checkers are not blind: a world that is broken on purpose is seen by the one that is meant.
@Suite("Mutants") struct MutantTests {
  /// A seed of each mutant in which the meant checker comes first.
  private static let seeds: [(Options.Mutant, UInt64)] = [
    (.answersBeforeCommit, 1), (.syncsNothing, 1), (.forgetsRequestIDs, 7), (.losesEvents, 4),
    (.clockRunsAhead, 8),
  ]

  @Test(arguments: seeds)
  func aMutantIsKilledByTheCheckerThatIsMeant(_ mutant: Options.Mutant, _ seed: UInt64) throws {
    var options = Options.drawn(seed: seed)
    options.mutant = mutant
    let violation = try #require(SimRunner.run(options).outcome.violation)
    #expect(violation.checker == mutant.checker, "\(violation.what)")
  }

  @Test func everyMutantHasASeed() {
    #expect(Set(MutantTests.seeds.map(\.0)) == Set(Options.Mutant.allCases))
  }
}
