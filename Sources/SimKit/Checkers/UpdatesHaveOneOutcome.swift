import EngineCore
import Messages

/// I9 of updates: an update id is accepted at most once and has at most one outcome; what a client
/// was told of it is in the history before it is told, and for ever; of one that was rejected
/// nothing is. A program that came to its end has taken them on in the order of its history.
final class UpdatesHaveOneOutcome: Checker {
  static let name = "I9 updates have one outcome"

  private var told: [(request: ClientRequest, response: UpdateWorkflowResponse)] = []

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .answerLeaves(let request, let answer):
      if let response = request.updateResponse(answer) { check(request, response, scene) }
    case .answered(let request, let answer, _):
      guard let response = request.updateResponse(answer) else { return }
      told.append((request, response))
    case .reopened, .finished:
      for (request, response) in told { check(request, response, scene) }
      checkAll(scene)
    default: break
    }
  }

  private func check(
    _ request: ClientRequest, _ response: UpdateWorkflowResponse, _ scene: Scene
  ) {
    let id = request.requestID
    let runs = scene.ledger.everyRun(of: request.workflowID)
    let holding = runs.filter { $0.holds(id) }
    if response.stage == .rejected {
      // After a reset the code may think otherwise.
      if let run = holding.first, !holding.contains(where: { $0.hasAdmitted(id) }) {
        scene.found("update \(id) was rejected; \(run.row.number) has accepted it")
      }
      return
    }
    guard let run = holding.first(where: { $0.row.runID == response.runID }) else {
      return scene.found("update \(id) is told of; run \(response.runID) has not accepted it")
    }
    guard response.stage == .completed else { return }
    if let outcome = run.outcome(of: id) {
      if outcome != response.outcome {
        scene.found("update \(id) is told another outcome than \(run.row.number) holds")
      }
    } else if run.isOpen {
      scene.found("update \(id) is told an outcome that \(run.row.number) does not hold")
    } else if case .failed = response.outcome?.result {
      return
    } else {
      scene.found("update \(id) is told to have succeeded; \(run.row.number) closed before")
    }
  }

  private func checkAll(_ scene: Scene) {
    var accepted: Set<String> = []
    for run in scene.ledger.runs {
      var ended: Set<String> = []
      for event in run.events {
        switch event.attributes {
        case .workflowExecutionUpdateAccepted(let m)
        where !run.repeats(event) && !run.hasAdmitted(m.updateID):
          if !accepted.insert(m.updateID).inserted {
            scene.found("update \(m.updateID) is accepted twice")
          }
        case .workflowExecutionUpdateCompleted(let m):
          if !ended.insert(m.updateID).inserted {
            scene.found("update \(m.updateID) has two outcomes")
          }
        default: break
        }
      }
      checkSeen(run, scene)
    }
  }

  private func checkSeen(_ run: Ledger.Run, _ scene: Scene) {
    let parts = run.summary?.split(separator: "|", omittingEmptySubsequences: false) ?? []
    guard parts.count > 2 else { return }
    let taken = run.events.compactMap(\.acceptedUpdate).joined(separator: ",")
    if parts[2] != taken {
      scene.found("\(run.row.number) took on '\(parts[2])'; its updates are '\(taken)'")
    }
  }
}

extension ClientRequest {
  /// What the client is told of its update; nil for other requests, and refusals.
  fileprivate func updateResponse(_ answer: Answer) -> UpdateWorkflowResponse? {
    switch kind {
    case .update, .updateWithStart:
      answer.isOK ? try? UpdateWorkflowResponse(bytes: answer.message) : nil
    default: nil
    }
  }
}

extension Ledger.Run {
  fileprivate func holds(_ id: String) -> Bool {
    hasAdmitted(id) || events.contains { $0.acceptedUpdate == id }
  }

  /// It has the update from an earlier run.
  fileprivate func hasAdmitted(_ id: String) -> Bool {
    events.contains { event in
      if case .workflowExecutionUpdateAdmitted(let m) = event.attributes {
        m.updateID == id
      } else {
        false
      }
    }
  }

  fileprivate func outcome(of id: String) -> UpdateOutcome? {
    for event in events {
      if case .workflowExecutionUpdateCompleted(let m) = event.attributes, m.updateID == id {
        return m.outcome
      }
    }
    return nil
  }
}

extension HistoryEvent {
  /// The id of the update that it accepts.
  fileprivate var acceptedUpdate: String? {
    if case .workflowExecutionUpdateAccepted(let m) = attributes { m.updateID } else { nil }
  }
}
