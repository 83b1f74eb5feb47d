import SimKit
import Testing

/// The checkers are not blind: a world that is broken on purpose is seen by the one that is meant.
@Suite("Mutants") struct MutantTests {
  private static let seeds: ClosedRange<UInt64> = 1...24

  /// Others may come first in a seed, since one fault has many signs; in some seed it is the one.
  @Test(arguments: Mutants.world)
  func aMutantIsKilledByTheCheckerThatIsMeant(_ mutant: NamedMutant) {
    let killed = MutantTests.seeds.contains { seed in
      var options = Options.drawn(seed: seed)
      options.mutant = mutant.name
      options.limit(operations: 250)
      return SimRunner.run(options).violation?.checker == mutant.checker
    }
    #expect(killed, "\(mutant.checker) sees nothing")
  }
}
