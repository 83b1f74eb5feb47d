/// I17: two runs of a seed leave the same trace, also in processes in which Swift's sets and
/// dictionaries have other orders.
public enum SameTrace {
  public static let name = "I17 same seed, same trace"

  /// The first run's outcome, with what there is to say about the second.
  public static func compare(_ first: Outcome, _ second: Outcome) -> Outcome {
    guard first.violation == nil, first != second else { return first }
    var outcome = first
    outcome.violation = Violation(
      checker: name, what: "two runs differ: \(first.line) and \(second.line)", us: 0)
    return outcome
  }
}
