import Basics
import EngineCore
import Messages

/// I21: what one run says to another counts once: a child that a run began has one chain of runs,
/// and its end stands in the parent's history as it was; a signal that arrived, or may have, is in
/// the history of the run that it was for.
final class LettersCountOnce: Checker {
  static let name = "I21 letters count once"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for run in scene.ledger.runs(extendedBy: writes) { checkEnds(run, scene) }
    case .reopened, .finished:
      checkChildren(scene)
      checkSignals(scene)
    default: break
    }
  }

  // MARK: - Children

  private struct Birth: Hashable {
    let parent: RunID
    let event: Int64
  }

  /// Each first run of a child's chain has its own event in its parent's history.
  private func checkChildren(_ scene: Scene) {
    var seen: Set<Birth> = []
    for run in scene.ledger.runs {
      guard let started = run.started, let parent = started.parent, run.copy == nil,
        started.continuedRunID == .none
      else { continue }
      let birth = Birth(parent: parent.runID, event: started.parentInitiatedEventID)
      if !seen.insert(birth).inserted {
        scene.found("\(run.row.number) is the second child of event \(birth.event) of its parent")
      }
      guard let mother = scene.ledger.run(parent.runID) else { continue }
      guard
        case .startChildWorkflowExecutionInitiated(let begun)? = mother.event(birth.event)?
          .attributes
      else {
        scene.found("\(run.row.number) is a child of an event that begins none")
        continue
      }
      if begun.workflowID != run.row.workflowID {
        scene.found("\(run.row.number) has another workflow id than its parent gave")
      }
    }
  }

  /// What a parent is told of an end is how the run that it names has ended.
  private func checkEnds(_ parent: Ledger.Run, _ scene: Scene) {
    for event in parent.events {
      guard let end = event.childEnd, let child = scene.ledger.run(end.run) else { continue }
      // A reset asks for what nobody can tell any more.
      if event.isOfNobody && scene.ledger.removed[end.run] != nil { continue }
      if child.row.status != end.status {
        scene.found(
          "\(parent.row.number) is told that \(child.row.number) is \(end.status.name); it is"
            + " \(child.row.status.name)")
      }
      if let result = end.result, let own = child.completion, result != own {
        scene.found("\(parent.row.number) is told another result than \(child.row.number) gave")
      }
    }
  }

  // MARK: - Signals

  private struct Way: Hashable {
    let from: RunID
    let to: RunID
  }

  private func checkSignals(_ scene: Scene) {
    var arrived: [Way: Int] = [:]
    var told: [Way: Int] = [:]
    var sent: [RunID: Int] = [:]
    var arrivals: [RunID: Int] = [:]
    for run in scene.ledger.runs {
      let own = run.events.dropFirst(1 + scene.ledger.takenOver(by: run).count)
      // What a copy has asked for is from its point on.
      let point = run.copy?.baseEventID ?? 0
      for signal in own.filter({ !run.repeats($0) }).compactMap(\.signal) {
        guard let from = signal.externalExecution?.runID else { continue }
        arrived[Way(from: from, to: run.row.runID), default: 0] += 1
        arrivals[from, default: 0] += 1
      }
      for event in run.events {
        switch event.attributes {
        case .externalWorkflowExecutionSignaled(let m) where m.initiatedEventID >= point:
          told[Way(from: run.row.runID, to: m.execution?.runID ?? .none), default: 0] += 1
        case .signalExternalWorkflowExecutionInitiated where event.eventID >= point:
          sent[run.row.runID, default: 0] += 1
        case .signalExternalWorkflowExecutionFailed(let m) where m.initiatedEventID >= point:
          sent[run.row.runID, default: 0] -= 1
        default: break
        }
      }
    }
    for (way, count) in told where scene.ledger.removed[way.to] == nil {
      guard arrived[way, default: 0] < count else { continue }
      scene.found("run \(way.from) is told of \(count) signals to \(way.to), which has fewer")
    }
    for (from, count) in arrivals {
      guard scene.ledger.removed[from] == nil, sent[from, default: 0] < count else { continue }
      scene.found("\(count) signals of run \(from) have arrived, which sent fewer")
    }
  }
}

extension HistoryEvent {
  /// The engine's own word in place of a child's.
  fileprivate var isOfNobody: Bool {
    guard case .childWorkflowExecutionFailed(let m) = attributes,
      case .server = m.failure?.info?.kind
    else { return false }
    return true
  }

  /// How a child ended that ran.
  fileprivate var childEnd: (run: RunID, status: WorkflowStatus, result: [Payload]?)? {
    switch attributes {
    case .childWorkflowExecutionCompleted(let m):
      (m.execution?.runID ?? .none, .completed, m.result)
    case .childWorkflowExecutionFailed(let m): (m.execution?.runID ?? .none, .failed, nil)
    // One that is early is the parent's own word.
    case .childWorkflowExecutionCanceled(let m) where !m.early:
      (m.execution?.runID ?? .none, .canceled, nil)
    case .childWorkflowExecutionTimedOut(let m): (m.execution?.runID ?? .none, .timedOut, nil)
    case .childWorkflowExecutionTerminated(let m):
      (m.execution?.runID ?? .none, .terminated, nil)
    default: nil
    }
  }
}

extension Ledger.Run {
  fileprivate var completion: [Payload]? {
    if case .workflowExecutionCompleted(let end) = events.last?.attributes { return end.result }
    return nil
  }
}
