import SQLiteStore

/// I18: the engine and a model of the semantics take the same random walk, and are compared after
/// each step.
public enum Oracle {
  /// Walks; the same seed and steps make the same walk.
  public static func walk(
    seed: UInt64, steps: Int, mutant: Mutant? = nil, tell: ((String) -> Void)? = nil
  ) -> OracleReport {
    do throws(StoreError) {
      var walk = try OracleWalk(seed: seed, mutant: mutant, tell: tell)
      return try walk.run(steps: steps)
    } catch { preconditionFailure("the store in memory fails: \(error)") }
  }

  /// Errors that the model is given on purpose, to see that they are found.
  public enum Mutant: String, CaseIterable, Sendable {
    /// A start is allowed whatever the last run's end was.
    case allowsEveryReuse
    /// The interval between attempts does not grow.
    case retriesEvenly
    /// A firing that was cancelled unseen is shown to the code.
    case showsVoidFirings
    /// A request id is not remembered.
    case forgetsRequestIDs
  }
}

/// What a walk came to.
public struct OracleReport: Sendable {
  public let seed: UInt64
  /// Steps taken; the last one differs if there is a difference.
  public let steps: Int
  public let runs: Int
  public let events: Int
  public let answers: Int
  public let hash: UInt64
  /// The request, and what only the engine or only the model did.
  public let difference: String?
}
