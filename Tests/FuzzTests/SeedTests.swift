import FuzzTargets
import Glibc
import Testing

@Suite struct SeedTests {
  /// With RECORD set, writes them.
  @Test(arguments: FuzzTarget.allCases) func theCorpusHoldsTheSeeds(_ target: FuzzTarget) throws {
    let seeds = Seeds().inputs[target] ?? []
    #expect(!seeds.isEmpty)
    for (index, seed) in seeds.enumerated() {
      let path = Corpus.path(target) + "/seed-\(index)"
      if getenv("RECORD") != nil { try Corpus.write(seed, path) }
      #expect(
        try Corpus.read(path) == seed, "\(path) is old: RECORD=1 swift test --filter SeedTests")
    }
  }
}
