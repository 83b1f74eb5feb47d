import EngineCore
import Messages

/// What the store says of a run's memo, search attributes and details is what its history makes of
/// them, also when the run has closed; a query of the workflow's own attributes is understood once
/// a run has them.
final class DetailsAreKept: Checker {
  static let name = "Details are kept"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes): check(scene.ledger.runs(extendedBy: writes), scene)
    case .reopened, .finished: check(scene.ledger.runs, scene)
    case .answered(let request, let answer, _):
      guard case .list(_, let selection) = request.kind,
        answer.status?.reason == .filterInvalid
      else { return }
      check(request, selection, scene)
    default: break
    }
  }

  /// Of runs that began before the request, which gave the names their types.
  private var began: [String: Int64] = [:]

  private func check(_ runs: [Ledger.Run], _ scene: Scene) {
    for run in runs {
      guard case .workflowExecutionStarted(let started) = run.events.first?.attributes else {
        continue
      }
      for field in started.searchAttributes?.fields ?? [] where began[field.name] == nil {
        began[field.name] = scene.us
      }
      let model = ModelRun(started, at: run.row.startTime, metadata: nil)
      model.events = run.events
      if run.row.details != model.details {
        scene.found(
          "\(run.row.number): the store says \(run.row.details.json()), its history"
            + " \(model.details.json())")
      }
    }
  }

  private func check(_ request: ClientRequest, _ selection: ModelSelection, _ scene: Scene) {
    let own = ["Amount", "Customer"].filter(selection.uses)
    if !own.isEmpty, own.allSatisfy({ (began[$0] ?? .max) < request.sentUs }) {
      scene.found("\(request.name) asks for \(own), which runs have, and is refused")
    }
  }
}
