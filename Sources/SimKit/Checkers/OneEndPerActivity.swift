import EngineCore
import Messages

/// I5: an activity has one terminal event at most, of an attempt that its schedule allows, and a
/// timer fires or is cancelled once at most.
final class OneEndPerActivity: Checker {
  static let name = "I5 one end per activity"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for run in scene.ledger.runs(extendedBy: writes) { check(run, scene) }
    case .reopened: for run in scene.ledger.runs { check(run, scene) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    var ended: Set<Int64> = []
    var scheduled: Set<Int64> = []
    var cancelled: Set<Int64> = []
    for event in run.events {
      switch event.attributes {
      case .activityTaskScheduled, .timerStarted: scheduled.insert(event.eventID)
      case .timerCanceled(let timer):
        // A firing that the code has not seen is void: it may stand before the cancel.
        if !cancelled.insert(timer.startedEventID).inserted {
          scene.found("\(run.row.number): timer of event \(timer.startedEventID) cancelled twice")
        }
      default: break
      }
      guard let end = event.endedEvent else { continue }
      if !ended.insert(end).inserted {
        scene.found("\(run.row.number): what event \(end) began ends twice")
      }
      if !scheduled.contains(end) {
        scene.found("\(run.row.number): event \(event.eventID) ends \(end), which began nothing")
      }
    }
  }
}

extension HistoryEvent {
  /// The event that began the activity or timer which this one ends.
  fileprivate var endedEvent: Int64? {
    switch attributes {
    case .activityTaskCompleted(let end): end.scheduledEventID
    case .activityTaskFailed(let end): end.scheduledEventID
    case .activityTaskTimedOut(let end): end.scheduledEventID
    case .activityTaskCanceled(let end): end.scheduledEventID
    case .timerFired(let end): end.startedEventID
    default: nil
    }
  }
}
