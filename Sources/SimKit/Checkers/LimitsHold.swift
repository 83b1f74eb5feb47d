import EngineCore
import Messages
import Shell

/// I16: no run has more signals, events, pending activities or bytes in a payload than is allowed,
/// and no peer makes the engine keep more than a frame of what it sends (FRM-003) and than it may
/// leave unread (CRD-004).
final class LimitsHold: Checker {
  static let name = "I16 limits hold"

  private let limits: EngineLimits
  private let shell: ShellLimits
  /// The events of one task may pass the limit of the history before it is looked at.
  private static let taskEvents = 20

  init(_ limits: EngineLimits, _ shell: ShellLimits) {
    self.limits = limits
    self.shell = shell
  }

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for case .appendHistory(let number, let first, _, _) in writes {
        if let run = scene.ledger.run(number) { check(run, from: first, scene) }
      }
    case .held(let id, let received, let unread):
      // A frame less its last byte, and its length.
      if received >= shell.frameBytesMax + 4 {
        scene.found("\(received) bytes of a frame are kept for connection \(id.value)")
      }
      if unread > shell.outgoingBytesMax {
        scene.found("\(unread) bytes wait to be read on connection \(id.value)")
      }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, from first: Int64, _ scene: Scene) {
    let number = run.row.number
    let signals = run.events.count { $0.signal != nil }
    if signals > limits.signalsPerRunMax { scene.found("\(number) has taken \(signals) signals") }
    if run.events.count > Int(limits.historyEventsMax) + LimitsHold.taskEvents {
      scene.found("\(number) has \(run.events.count) events")
    }
    let pending = run.pendingActivities.count
    if pending > limits.pendingActivitiesMax {
      scene.found("\(number) has \(pending) pending activities")
    }
    for event in run.events where event.eventID >= first {
      let bytes = event.signal?.input.map(\.data.count).max() ?? 0
      if bytes > limits.payloadBytesMax {
        scene.found("\(number): event \(event.eventID) holds a payload of \(bytes) bytes")
      }
    }
  }
}

extension Ledger.Run {
  /// Its task is failing; where a limit is small, its code may ask for more than that, and go on to
  /// do so. (Of a streak of failures, the history holds the first one only.)
  var isFailing: Bool {
    for event in events.reversed() {
      switch event.attributes {
      case .workflowTaskFailed: return true
      case .workflowTaskCompleted: return false
      default: continue
      }
    }
    return false
  }

  /// The events that scheduled what has not ended yet.
  var pendingActivities: Set<Int64> {
    guard isOpen else { return [] }
    return events.reduce(into: []) { pending, event in
      switch event.attributes {
      case .activityTaskScheduled: pending.insert(event.eventID)
      case .activityTaskCompleted(let end): pending.remove(end.scheduledEventID)
      case .activityTaskFailed(let end): pending.remove(end.scheduledEventID)
      case .activityTaskTimedOut(let end): pending.remove(end.scheduledEventID)
      case .activityTaskCanceled(let end): pending.remove(end.scheduledEventID)
      default: break
      }
    }
  }
}
