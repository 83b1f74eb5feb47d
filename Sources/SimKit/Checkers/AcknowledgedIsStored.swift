import Basics
import EngineCore
import Messages

/// I1: what was acknowledged to a client or a worker is in the store, after any crash too.
final class AcknowledgedIsStored: Checker {
  static let name = "I1 acknowledged is stored"

  private var requests: [(request: ClientRequest, runID: RunID)] = []
  private var results: [(token: [UInt8], mark: String)] = []

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .answered(let request, let answer, _):
      guard answer.isOK, let runID = request.runID(in: answer) else { return }
      requests.append((request, runID))
      check(request, runID, scene)
    case .activityRecorded(let token, let mark, let answer):
      guard case .activityCompleted = answer else { return }
      results.append((token, mark))
      check(mark, scene)
    case .reopened, .finished:
      for (request, runID) in requests { check(request, runID, scene) }
      for (_, mark) in results { check(mark, scene) }
    default: break
    }
  }

  private func check(_ request: ClientRequest, _ runID: RunID, _ scene: Scene) {
    if let what = request.missing(from: scene.ledger, runID) {
      scene.found("\(request.name) was acknowledged, but \(what)")
    }
  }

  private func check(_ mark: String, _ scene: Scene) {
    let isThere = scene.ledger.holds(result: mark)
    if !isThere { scene.found("result \(mark) was recorded, but is in no history") }
  }
}

extension ClientRequest {
  /// The run that the answer names, `none` where it names none; nil for requests without effect.
  func runID(in answer: Answer) -> RunID? {
    switch kind {
    case .start, .signalWithStart:
      guard let response = try? StartWorkflowResponse(bytes: answer.message) else { return nil }
      return response.runID
    case .reset: return (try? ResetWorkflowResponse(bytes: answer.message))?.runID
    case .signal: return (try? SignalWorkflowResponse(bytes: answer.message))?.runID
    case .activityRun(.start):
      return (try? StartActivityResponse(bytes: answer.message))?.runID
    case .cancel, .terminate, .complete, .batch, .activityRun(.cancel), .activityRun(.terminate):
      return RunID.none
    case .delete, .pause, .unpause, .query, .update, .updateWithStart, .describe, .result, .history,
      .list, .count, .schedule, .activity, .limit, .limitType, .namespace, .activityRun:
      return nil
    }
  }

  /// What of the request's effect the store does not hold; nil if it is all there.
  func missing(from ledger: Ledger, _ runID: RunID) -> String? {
    switch kind {
    case .start, .reset, .activityRun(.start):
      return ledger.run(runID) == nil ? "run \(runID) is not there" : nil
    case .signal, .signalWithStart:
      guard let run = ledger.run(runID) else { return "run \(runID) is not there" }
      let isThere = run.events.contains { $0.signal?.requestID == requestID }
      return isThere ? nil : "run \(runID) does not hold the signal"
    case .cancel:
      let isThere = ledger.everyRun(of: workflowID).contains { run in
        run.events.contains {
          if case .workflowExecutionCancelRequested = $0.attributes { true } else { false }
        }
      }
      return isThere ? nil : "no run holds a cancel request"
    case .activityRun(.cancel):
      let isThere = ledger.everyRun(of: workflowID, .activity).contains { run in
        run.events.contains {
          if case .activityTaskCancelRequested = $0.attributes { true } else { false }
        }
      }
      return isThere ? nil : "no run holds a cancel request"
    case .terminate, .activityRun(.terminate):
      let isThere = ledger.everyRun(of: workflowID, runKind).contains { run in
        guard case .workflowExecutionTerminated(let end) = run.events.last?.attributes else {
          return false
        }
        return end.reason == requestID
      }
      return isThere ? nil : "no run was terminated by it"
    case .complete(let completion):
      let mark = completion.result.first?.text ?? ""
      return ledger.holds(result: mark) ? nil : "result \(mark) is in no history"
    case .batch: return ledger.batch(requestID) == nil ? "its batch is not there" : nil
    case .delete, .pause, .unpause, .query, .update, .updateWithStart, .describe, .result, .history,
      .list, .count, .schedule, .activity, .limit, .limitType, .namespace, .activityRun:
      return nil
    }
  }
}

extension HistoryEvent {
  var signal: WorkflowExecutionSignaled? {
    if case .workflowExecutionSignaled(let signal) = attributes { signal } else { nil }
  }
}
