import Basics
import Messages

/// What can be due; at most one entry for each.
enum Deadline: Hashable, Sendable {
  case timer(RunNumber, UInt32)
  /// The next timeout, retry or end of the resume window of an activity.
  case activity(LeaseKey)
  /// The workflow task times out, or its back-off ends.
  case task(RunNumber)
  case runTimeout(RunNumber)
  /// The first task of a run that was held back may go out.
  case beginning(RunNumber)
  /// The session that caches the run has been waited for.
  case sticky(RunNumber)
  /// The run that rests longest has rested for long enough.
  case residency
  /// Closed runs may have been kept for long enough.
  case retention
  /// Heartbeats must become durable.
  case heartbeats
  /// Letters wait that a step had no room for.
  case mail
  /// An action's time comes, or something else for which a schedule must be looked at.
  case schedule(ScheduleNumber)
  /// A batch job may do its next operation.
  case batchJob(BatchJobNumber)
  /// A worker that was asked for a replay, or its client, has been waited for.
  case sentReplay(RequestID)
  /// The rate of a queue allows another activity.
  case pace(QueueKey)
}

extension Engine {
  /// Handles what is due, a bounded number; the rest keeps `nextDeadline` in the past.
  mutating func deadlineReached() {
    var left = limits.deadlinesPerStepMax
    while left > 0, let entry = deadlines.popDue(now) {
      left -= 1
      meet(entry.key)
    }
    wakeDormant()
  }

  mutating func meet(_ deadline: Deadline) {
    switch deadline {
    case .timer(let number, let seq): timerDue(number, seq)
    case .activity(let key): activityDue(key)
    case .task(let number): taskDue(number)
    case .runTimeout(let number): runTimedOut(number)
    case .beginning(let number): beginningDue(number)
    case .sticky(let number): stickyDue(number)
    case .residency: residencyDue()
    case .retention: retentionDue()
    case .heartbeats: flushHeartbeats()
    case .mail: break  // The step itself takes letters in.
    case .schedule(let number): scheduleDue(number)
    case .batchJob(let number): batchJobDue(number)
    case .sentReplay(let id): sentReplayDue(id)
    case .pace(let key): paced.insert(key)
    }
  }

  private mutating func timerDue(_ number: RunNumber, _ seq: UInt32) {
    guard let run = runs[number], run.fold.isOpen, let timer = run.fold.timer(seq: seq) else {
      return  // Cancelled, or the run closed, in this same step.
    }
    var fired = TimerFired()
    fired.seq = seq
    fired.timerID = timer.timerID
    fired.startedEventID = timer.startedEvent
    #if MUTANTS
      if Mutant.isOn(.firingNamesNoTimer) { fired.startedEventID = 1 }
    #endif
    record(run, .timerFired(fired))
    counters.timersFired += 1
    afterInbound(run)
  }

  private mutating func runTimedOut(_ number: RunNumber) {
    guard let run = runs[number], run.fold.isOpen else { return }
    timeOut(run)
    afterClose(run)
  }

  /// An inbound event was recorded: bounds the history, and sees to it that the code is shown it.
  mutating func afterInbound(_ run: Run) {
    guard run.fold.isOpen else { return }
    #if MUTANTS
      if Mutant.isOn(.historyUnbounded) { return offerTask(run) }
    #endif
    if run.fold.lastEventID > limits.historyEventsMax
      || run.fold.historyBytes > limits.historyBytesMax
    {
      terminate(
        run,
        reason: "the history is over its limit of \(limits.historyEventsMax) events or"
          + " \(limits.historyBytesMax) bytes",
        details: [], identity: "holdfast")
      return
    }
    #if MUTANTS
      if Mutant.isOn(.taskIsForgotten), run.task.lease != nil { run.task.state = .idle }
    #endif
    offerTask(run)
  }
}
