import Basics
import EngineCore
import Messages

/// I7: no timer fires, and no code begins, before its time, whatever the wall clock does. (That
/// each due one fires is seen by I15: the runs that wait for it end.)
final class TimersAreNotEarly: Checker {
  static let name = "I7 no timer is early"

  private struct Key: Hashable {
    let run: RunID
    let seq: UInt32
  }

  /// The runs of the workflow tasks that went out.
  private var runs: [[UInt8]: RunID] = [:]
  /// When the command that starts the timer came first: time as it truly passes.
  private var asked: [Key: Int64] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .toWorker(_, .activation(let activation)): runs[activation.token] = activation.runID
    case .fromWorker(_, .workflowTaskCompleted(let completed)):
      guard let run = runs[completed.token] else { return }
      for command in completed.commands {
        guard case .startTimer(let timer) = command.kind else { continue }
        let key = Key(run: run, seq: timer.seq)
        if asked[key] == nil { asked[key] = scene.us }
      }
    case .committed(let writes):
      for write in writes {
        guard case .appendHistory(let number, let first, let last, _) = write,
          let run = scene.ledger.run(number)
        else { continue }
        for id in first...last { look(at: id, run, scene) }
      }
    default: break
    }
  }

  private func look(at id: Int64, _ run: Ledger.Run, _ scene: Scene) {
    guard let event = run.event(id) else { return }
    if case .workflowTaskCompleted(let task) = event.attributes, run.isFirstTask(event) {
      look(at: task, run, scene)
    }
    guard case .timerFired(let fired) = event.attributes else { return }
    guard let start = run.event(fired.startedEventID),
      case .timerStarted(let timer) = start.attributes
    else { return scene.found("\(run.row.number): event \(id) fires a timer of no event") }
    if event.eventTimeMs < start.eventTimeMs + timer.startToFireTimeoutMs {
      scene.found("\(run.row.number): event \(id) fires early by the engine's own clock")
    }
    // The engine's time is in milliseconds: it may have begun one before the command came.
    let least = (timer.startToFireTimeoutMs.ms - 1) * 1_000
    if let began = asked[Key(run: run.row.runID, seq: timer.seq)], scene.us - began < least {
      scene.found("\(run.row.number): event \(id) fires early by \(least - scene.us + began) us")
    }
  }

  /// The first task of a run that was held back, unless something came that the code begins for.
  private func look(
    at task: WorkflowTaskCompletedEvent, _ run: Ledger.Run, _ scene: Scene
  ) {
    // The base of a copy has begun: it goes on, though the clock may have been set back since.
    guard run.copy == nil, let begun = run.started, let start = run.events.first?.eventTimeMs,
      begun.firstWorkflowTaskBackoffMs > .zero
    else { return }
    let isCalled = run.events.contains { event in
      switch event.attributes {
      case .workflowExecutionCancelRequested: true
      case .workflowExecutionSignaled:
        begun.initiator == .unspecified && begun.cronSchedule.isEmpty
      default: false
      }
    }
    if !isCalled && task.startedTimeMs < start + begun.firstWorkflowTaskBackoffMs {
      scene.found("\(run.row.number): its code begins early by the engine's own clock")
    }
  }
}

extension Ledger.Run {
  /// Later ones may begin earlier, once the clock was set back between two processes.
  fileprivate func isFirstTask(_ event: HistoryEvent) -> Bool {
    let first = events.first { event in
      if case .workflowTaskCompleted = event.attributes { true } else { false }
    }
    return first?.eventID == event.eventID
  }
}
