import Basics
import EngineCore
import Messages

/// I23: a run that a reset has made begins with its base's events, tells what it is, and has each
/// signal that came to its base after the point, once and in their order.
final class CopiesAreTrue: Checker {
  static let name = "I23 copies are true"

  func see(_ observation: Observation, _ scene: Scene) {
    guard case .committed(let writes) = observation else { return }
    for case .copyHistory(let from, let to, _, _, _) in writes {
      guard let base = scene.ledger.run(from), let run = scene.ledger.run(to) else { continue }
      check(run, of: base, scene)
    }
  }

  private func check(_ run: Ledger.Run, of base: Ledger.Run, _ scene: Scene) {
    guard let copy = run.copy,
      copy.baseExecution?.runID == base.hadFirst(before: copy.baseEventID)
    else {
      return scene.found("\(run.row.number) does not say that it is a copy of \(base.row.number)")
    }
    let length = Int(copy.baseEventID) - 1
    if run.events.prefix(length) != base.events.prefix(length) {
      scene.found("\(run.row.number) does not begin as \(base.row.number) up to event \(length)")
    }
    // Those of workflows have none: code that signals itself does so again.
    let later = base.events.dropFirst(length).compactMap { $0.signal?.requestID }
      .filter { !$0.isEmpty }
    let again = run.events.dropFirst(length).compactMap { $0.signal?.requestID }
    for id in later where again.count(where: { $0 == id }) != 1 {
      scene.found(
        "signal \(id) came to \(base.row.number) after the point; \(run.row.number) has it"
          + " \(again.count { $0 == id }) times")
    }
    if again.filter(later.contains) != later {
      scene.found("\(run.row.number) has the signals of \(base.row.number) in another order")
    }
  }
}

extension HistoryEvent {
  /// Where a run begins as a copy of another one: the run.
  var newRun: RunID? {
    if case .workflowTaskFailed(let failed) = attributes {
      failed.copy?.execution?.runID
    } else {
      nil
    }
  }
}

extension Ledger.Run {
  /// Set when the run began as a copy of another one.
  var copy: RunCopy? {
    for case .workflowTaskFailed(let failed) in events.lazy.compactMap(\.attributes) {
      if let copy = failed.copy, copy.execution?.runID == row.runID { return copy }
    }
    return nil
  }

  /// The run of its workflow that had the events before this one first.
  fileprivate func hadFirst(before point: Int64) -> RunID {
    for event in events where event.eventID > point {
      guard case .workflowTaskFailed(let failed) = event.attributes,
        let base = failed.copy?.baseExecution
      else { continue }
      return base.workflowID.utf8.elementsEqual(row.workflowID.utf8) ? base.runID : row.runID
    }
    return row.runID
  }

  /// The event is another run's, which this one has from there.
  func repeats(_ event: HistoryEvent) -> Bool {
    if event.eventID < copy?.baseEventID ?? 0 { return true }
    if case .workflowExecutionUpdateAdmitted = event.attributes { return true }
    return event.signal?.origin != nil
  }

  /// What the request did to another run went over to this one.
  func hasFromOthers(_ requestID: String) -> Bool {
    events.contains { event in
      guard repeats(event) else { return false }
      if case .workflowExecutionStarted(let started) = event.attributes {
        return started.requestID == requestID
      }
      return event.signal?.requestID == requestID
    }
  }
}
