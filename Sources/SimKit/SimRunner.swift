/// Runs seeds: each twice, and the second run must leave the same trace.
public enum SimRunner {
  /// What two runs of a seed came to.
  public struct Report: Sendable {
    public let options: Options
    public let outcome: Outcome
  }

  /// Runs the seed; `tell` is given the lines of the first run's trace.
  public static func run(_ options: Options, tell: ((String) -> Void)? = nil) -> Report {
    let first = once(options, tell)
    let second = once(options, nil)
    guard first.violation == nil, first.hash != second.hash else {
      return Report(options: options, outcome: first)
    }
    let violation = Violation(
      checker: "I17 same seed, same trace",
      what: "two runs differ: \(first.hash) and \(second.hash)", us: 0)
    return Report(options: options, outcome: first.with(violation))
  }

  private static func once(_ options: Options, _ tell: ((String) -> Void)?) -> Outcome {
    Simulation(options, tell: tell).run()
  }
}

extension Outcome {
  fileprivate func with(_ violation: Violation) -> Outcome {
    Outcome(
      hash: hash, violation: violation, events: events, answers: answers, runs: runs,
      lives: lives, virtualMs: virtualMs)
  }
}
