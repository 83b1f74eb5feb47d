import EngineCore
import Messages

/// I3: a history is 1..n without gaps, begins with Started, holds one closing event at most and
/// nothing after it; the run's row says the same. An activity's run holds nothing of code.
final class HistoryIsWhole: Checker {
  static let name = "I3 history is whole"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for run in scene.ledger.runs(extendedBy: writes) { check(run, scene) }
      if let fault = scene.ledger.faults.first { scene.found(fault) }
    case .reopened:
      for run in scene.ledger.runs { check(run, scene) }
      if let fault = scene.ledger.faults.first { scene.found(fault) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    for (index, event) in run.events.enumerated() where event.eventID != Int64(index + 1) {
      return scene.found("\(run.row.number) holds event \(event.eventID) at place \(index + 1)")
    }
    guard case .workflowExecutionStarted(let started) = run.events.first?.attributes else {
      return scene.found("\(run.row.number) does not begin with Started")
    }
    let isOwn = started.runID == run.row.runID && started.workflowID == run.row.workflowID
    if run.copy == nil && !isOwn {
      scene.found("\(run.row.number): its first event is of another run")
    }
    if run.events.count(where: \.isStart) > 1 {
      scene.found("\(run.row.number) starts twice")
    }
    let closing = run.events.firstIndex { run.status(after: $0) != nil }
    if let closing, closing != run.events.count - 1 {
      scene.found("\(run.row.number) holds events after event \(closing + 1), which closed it")
    }
    if run.isOpen != (closing == nil) {
      scene.found("\(run.row.number): its row and its history differ on whether it has closed")
    }
    if run.isOfActivity, let event = run.events.first(where: { !$0.isOfActivityRun }) {
      scene.found("\(run.row.number) is of an activity, and event \(event.eventID) of code")
    }
    if !run.isOpen && run.row.historyLength != Int64(run.events.count) {
      scene.found("\(run.row.number): its row says \(run.row.historyLength) events")
    }
  }
}

extension HistoryEvent {
  /// The run of an activity without a workflow may hold it.
  fileprivate var isOfActivityRun: Bool {
    switch attributes {
    case .workflowExecutionStarted, .activityTaskScheduled, .activityTaskStarted,
      .activityTaskCancelRequested, .workflowExecutionTerminated:
      true
    default: activityStatus != nil
    }
  }

  fileprivate var isStart: Bool {
    if case .workflowExecutionStarted = attributes { true } else { false }
  }
}
