import Basics
import EngineCore
import Messages

/// I9 over a chain: where a run says that another follows it, that one is there with it, and
/// begins with the signals and the cancel request that the code has not seen, in their order.
final class ChainIsWhole: Checker {
  static let name = "I9 nothing is lost over a chain"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for case .closeRun(let number, _, _, _, _) in writes {
        if let run = scene.ledger.run(number) { check(run, scene) }
      }
    case .reopened: for run in scene.ledger.runs where !run.isOpen { check(run, scene) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    guard run.nextRunID != .none else { return }
    guard let next = scene.ledger.run(run.nextRunID), let begun = next.started,
      let started = run.started
    else { return scene.found("\(run.row.number) goes on in \(run.nextRunID), which is not there") }
    let number = next.row.number
    if begun.continuedRunID != run.row.runID || begun.firstRunID != started.firstRunID
      || next.row.workflowID != run.row.workflowID
    {
      scene.found("\(number) does not say that it follows \(run.row.number)")
    }
    if begun.executionExpirationTimeMs != started.executionExpirationTimeMs {
      scene.found("\(number) has another time for the whole chain than \(run.row.number)")
    }
    let unseen = run.unseenRequests.map { $0.attributes?.withoutOrigin }
    let takenOver = next.events.dropFirst().prefix(unseen.count)
      .map { $0.attributes?.withoutOrigin }
    if takenOver != unseen {
      scene.found(
        "\(run.row.number) leaves \(unseen.count) signals and cancel requests that its code has"
          + " not seen; \(number) does not begin with them")
    }
  }
}

extension Ledger.Run {
  var started: WorkflowExecutionStarted? {
    if case .workflowExecutionStarted(let started) = events.first?.attributes {
      started
    } else {
      nil
    }
  }

  /// The run that follows it in its chain.
  var nextRunID: RunID {
    switch events.last?.attributes {
    case .workflowExecutionContinuedAsNew(let end): end.newRunID
    case .workflowExecutionCompleted(let end): end.newRunID
    case .workflowExecutionFailed(let end): end.newRunID
    case .workflowExecutionTimedOut(let end): end.newRunID
    default: .none
    }
  }

  /// Signals and cancel requests that no completed task has shown to the code.
  var unseenRequests: [HistoryEvent] {
    var through: Int64 = 0
    for case .workflowTaskCompleted(let task) in events.lazy.reversed().compactMap(\.attributes) {
      through = task.throughEventID
      break
    }
    return events.filter { $0.eventID > through && $0.isRequest }
  }
}

extension HistoryEvent.Attributes {
  /// The same in another run.
  fileprivate var withoutOrigin: HistoryEvent.Attributes {
    guard case .workflowExecutionSignaled(var signal) = self else { return self }
    signal.origin = nil
    return .workflowExecutionSignaled(signal)
  }
}

extension HistoryEvent {
  /// A signal or a cancel request.
  var isRequest: Bool {
    switch attributes {
    case .workflowExecutionSignaled, .workflowExecutionCancelRequested: true
    default: false
    }
  }
}

extension Ledger {
  /// What the run has from the one before it in its chain, right after its first event.
  func takenOver(by run: Run) -> [HistoryEvent] {
    guard let before = run.started.flatMap({ self.run($0.continuedRunID) }) else { return [] }
    return Array(run.events.dropFirst().prefix(before.unseenRequests.count).prefix { $0.isRequest })
  }
}
