import EngineCore
import Messages

/// I2: a request id has one effect in the whole store, however often it was sent, and every answer
/// names the run that it had it in.
final class OneEffectPerRequest: Checker {
  static let name = "I2 one effect per request id"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .reopened, .finished: checkAll(scene)
    case .answered(let request, let answer, _):
      guard answer.isOK, let runID = request.runID(in: answer), runID != .none else { return }
      // The run that it went over to holds it too.
      if scene.ledger.run(runID)?.hasFromOthers(request.requestID) ?? false { return }
      for run in scene.ledger.runs(of: request.workflowID, request.runKind)
      where run.row.runID != runID
        && effects(run, scene).contains(where: { $0.id == request.requestID })
      {
        scene.found("\(request.name) is answered with run \(runID); it made \(run.row.runID)")
      }
    default: break
    }
  }

  private func checkAll(_ scene: Scene) {
    var seen: Set<String> = []
    for run in scene.ledger.runs {
      for effect in effects(run, scene) where !effect.id.isEmpty {
        let key = "\(effect.kind) \(effect.id)"
        if !seen.insert(key).inserted { scene.found("\(key) is in the store twice") }
      }
    }
  }

  private func effects(_ run: Ledger.Run, _ scene: Scene) -> [(kind: String, id: String)] {
    scene.ledger.ownEvents(of: run).compactMap { event in
      switch event.attributes {
      case .workflowExecutionStarted(let started): ("start", started.requestID)
      case .workflowExecutionSignaled(let signal): ("signal", signal.requestID)
      case .workflowExecutionCancelRequested(let cancel): ("cancel", cancel.requestID)
      case .activityTaskCancelRequested(let cancel): ("cancel of an activity", cancel.requestID)
      // The engine terminates too, for reasons of its own.
      case .workflowExecutionTerminated(let end) where Workload.isRequestID(end.reason):
        ("terminate", end.reason)
      default: nil
      }
    }
  }
}

extension Ledger {
  /// Without what the run took over from the one before it in its chain, or has from its base.
  func ownEvents(of run: Run) -> [HistoryEvent] {
    let takenOver = 1...takenOver(by: run).count + 1
    return run.events.filter { event in
      let isTakenOver = event.eventID > 1 && takenOver.contains(Int(event.eventID))
      return !isTakenOver && !run.repeats(event)
    }
  }
}
