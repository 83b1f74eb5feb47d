import Basics
import EngineCore
import Messages

/// What is left when the engine has ended and is started again: what it wrote.
extension Model {
  /// Nobody is attached and nobody waits for an answer any more. What the runs' events and their
  /// activities' attempts say goes on.
  mutating func restart() {
    sessions = []
    queues.restart()
    isDiskFull = false
    isDraining = false
    for run in runs {
      run.waiting = []
      run.followers = []
      for case .letter(let letter) in run.parked { mail.append(letter) }
      run.parked = []
      run.queries = []
      run.updates = run.isOpen ? run.unseen.compactMap(\.admittedAndWaiting) : []
      run.outcomeWaiting = []
      run.isRedo = false
      run.task = run.taskByHistory
      if run.isOpen && run.task.attempt > 1 { offer(run) }
      for event in run.activities.map(\.event) { loseConnection(run, event) }
    }
    settle()
    touched = schedules
    meetDeadlines()
    deliverMail()
    settle()
    restartBatches()
    meetBatchesThatAreDue()
  }

  /// A task that backed off is tried at once: whoever made it fail is gone.
  private func offer(_ run: ModelRun) {
    run.task.state = .waiting(notBefore: now)
    run.task.scheduledTime = now
  }

  /// Its worker may come back for the lease; one without a resume token cannot.
  private mutating func loseConnection(_ run: ModelRun, _ event: Int64) {
    guard let place = run.activities.firstIndex(where: { $0.event == event }) else { return }
    if run.activities[place].state == .scheduled { run.activities[place].queue(at: now) }
    guard run.activities[place].state == .started, !run.activities[place].isElsewhere
    else { return }
    run.activities[place].holder = nil
    if run.activities[place].isLocal {
      loseWorker(run, place, evidence: "it does not have the run any more")
    } else if run.activities[place].resumeToken.isEmpty || mutant == .forgetsLeases {
      loseWorker(run, place, evidence: "the engine was started again")
    } else {
      run.activities[place].orphanUntil = now + times.resumeWindow
      if let process = run.activities[place].process { facts.append(.watched(process)) }
    }
  }
}

extension HistoryEvent {
  fileprivate var admittedAndWaiting: ModelUpdate? {
    var waiting = admitted?.waiting
    waiting?.after = eventID
    return waiting
  }
}

extension ModelRun {
  /// The task as the last streak of failures left it: its event tells the first of them.
  fileprivate var taskByHistory: ModelTask {
    var task = ModelTask()
    guard isOpen else { return task }
    for event in events {
      switch event.attributes {
      case .workflowTaskCompleted: task = ModelTask()
      case .workflowTaskFailed(let failed) where failed.copy != nil: task = ModelTask()
      case .workflowTaskFailed(let failed):
        task.attempt = failed.attempt + 1
        task.isFailureRecorded = true
        task.lastFailure = failed.failure
        task.lastCause = failed.cause
        task.lastDiff = failed.diff
      default: break
      }
    }
    return task
  }
}
