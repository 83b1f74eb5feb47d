import SQLiteStore

/// I18: the engine and a model of the semantics take the same random walk, and are compared after
/// each step.
public enum Oracle {
  public static let name = "I18 the oracle agrees"

  /// Walks; the same seed and steps make the same walk. `engineMutant`: a fault of the engine, by
  /// its name.
  public static func walk(
    seed: UInt64, steps: Int, mutant: Mutant? = nil, engineMutant: String? = nil,
    tell: ((String) -> Void)? = nil
  ) -> OracleReport {
    Mutants.choose(engineMutant)
    do throws(StoreError) {
      var walk = try OracleWalk(seed: seed, mutant: mutant, tell: tell)
      return try walk.run(steps: steps)
    } catch { preconditionFailure("the store in memory fails: \(error)") }
  }

  /// Errors that the model makes on purpose, to see that a walk finds them.
  public enum Mutant: String, CaseIterable, Sendable {
    /// A start is allowed whatever the last run's end was.
    case allowsEveryReuse
    /// A request id has never been seen.
    case forgetsRequestIDs
    /// Timers fire a millisecond late.
    case firesLate
    /// The code may close a run although it has not seen a signal.
    case overlooksSignals
    /// A start is allowed on a full disk.
    case startsOnFullDisk
    /// No worker keeps its leases over a start of the engine.
    case forgetsLeases
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
