import EngineCore
import Messages

/// I15: without faults, all work that can be done is done within a bounded time: every request has
/// its answer, every run its end.
final class AllWorkEnds: Checker {
  static let name = "I15 all work ends"

  /// As long as the longest back-off of a task, and some.
  static let healUs: Int64 = 1_800_000_000

  func see(_ observation: Observation, _ scene: Scene) {
    guard case .waiting(let sinceUs, let requests) = observation,
      scene.us - sinceUs > AllWorkEnds.healUs
    else { return }
    scene.found(
      "after \(AllWorkEnds.healUs / 1_000_000) s without faults: open runs"
        + " \(scene.ledger.openRuns.map(\.row.number)), requests without an answer"
        + " \(requests.map(\.name))")
  }
}
