import Testing

@testable import SimKit

@Suite("Outcomes") struct OutcomeTests {
  private static func outcome(hash: UInt64, _ violation: Violation? = nil) -> Outcome {
    Outcome(
      hash: hash, violation: violation, operations: 1, events: 2, answers: 3, runs: 4, lives: 5,
      kills: 6, powerLosses: 7, virtualMs: 8)
  }

  private static let lost = Violation(checker: "I1 acknowledged", what: "a run is gone", us: 7)

  @Test(arguments: [nil, lost]) func aLineTellsAllOfAnOutcome(_ violation: Violation?) {
    let outcome = OutcomeTests.outcome(hash: .max, violation)
    #expect(Outcome(line: outcome.line) == outcome)
  }

  @Test func aViolationOfSeveralLinesIsToldInOne() {
    let violation = Violation(checker: "I1", what: "one\ntwo\tthree", us: 7)
    let line = OutcomeTests.outcome(hash: 1, violation).line
    #expect(Outcome(line: line)?.violation?.what == "one two three")
  }

  @Test(arguments: [
    "", "1", "1\t2\t3\t4\t5\t6\t7\t8", "x\t1\t2\t3\t4\t5\t6\t7\t8", "1\t2\t3\t4\t5\t6\t7\t8\tx",
  ])
  func anythingElseIsNoOutcome(_ line: String) { #expect(Outcome(line: line) == nil) }

  @Test func anotherTraceIsSeen() {
    let first = OutcomeTests.outcome(hash: 1)
    #expect(SameTrace.compare(first, first) == first)
    let seen = SameTrace.compare(first, OutcomeTests.outcome(hash: 2)).violation
    #expect(seen?.checker == SameTrace.name)
  }

  @Test func whatTheFirstRunFoundComesFirst() {
    let first = OutcomeTests.outcome(hash: 1, OutcomeTests.lost)
    #expect(SameTrace.compare(first, OutcomeTests.outcome(hash: 2)) == first)
  }
}
