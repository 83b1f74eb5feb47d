import EngineCore
import Messages

/// I8: a workflow id has one open run at most, and so has the id of an activity without a workflow.
final class OneOpenRun: Checker {
  static let name = "I8 one open run per workflow id"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed, .reopened:
      var open: Set<String> = []
      for run in scene.ledger.openRuns
      where !open.insert("\(run.row.kind) \(run.row.workflowID)").inserted {
        scene.found("'\(run.row.workflowID)' has two open runs, one is \(run.row.number)")
      }
    default: break
    }
  }
}
