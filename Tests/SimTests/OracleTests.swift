import SimKit
import Testing

/// I18: the engine does what a model of the semantics does, step by step. `make oracle` walks on.
@Suite("Oracle") struct OracleTests {
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func theEngineDoesWhatTheModelDoes(_ seed: UInt64) {
    print("oracle seed \(seed)")
    let report = Oracle.walk(seed: seed, steps: 1_000)
    #expect(report.difference == nil, "\(report.difference ?? "")")
    #expect(report.steps == 1_000)
  }

  /// Two tasks that backed off came in one step, while a run that waited outside had its turn: the
  /// first one joined the queue with a new key and was next, and the second one overtook both.
  @Test func nobodyOvertakesAKeyThatIsNew() {
    let report = Oracle.walk(seed: 198, steps: 400)
    #expect(report.difference == nil, "\(report.difference ?? "")")
  }

  /// The comparison is not blind: a model that is wrong on purpose differs, and says where.
  @Test(arguments: Oracle.Mutant.allCases)
  func aWrongModelIsFound(_ mutant: Oracle.Mutant) throws {
    let reports = (1...20).lazy.map { Oracle.walk(seed: $0, steps: 1_500, mutant: mutant) }
    let difference = try #require(reports.compactMap(\.difference).first, "\(mutant) is not seen")
    #expect(difference.contains("step"))
    #expect(difference.contains("- model:") || difference.contains("+ engine:"))
  }

  @Test func theSameSeedIsTheSameWalk() {
    let first = Oracle.walk(seed: 3, steps: 500)
    #expect(first.hash == Oracle.walk(seed: 3, steps: 500).hash)
    #expect(first.hash != Oracle.walk(seed: 4, steps: 500).hash)
  }
}
