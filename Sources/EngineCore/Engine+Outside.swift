import Basics
import Messages

/// The places in queues that a run has while it is not in memory.
struct Places {
  struct Task {
    /// Of its entry.
    let ticket: UInt64
    let since: Instant
    let needsReplay: Bool
  }

  let task: Task?
  /// The tickets of its attempts' entries.
  let attempts: [TaskQueue.Attempt: UInt64]
}

/// Work that nobody takes must not fill the memory: from half of the budget on, a run that only
/// waits in queues leaves, and its places stay. It is loaded when its turn or a deadline of it
/// comes, or somebody asks for it, and has its places again. The store has it marked as awake all
/// the while. The other half is for runs that rest between their tasks, which would need a replay.
extension Engine {
  // MARK: - Going and coming

  func mayWaitOutside(_ run: Run) -> Bool {
    guard isCrowded, run.onlyWaits, isTold(of: run) else { return false }
    // What has brought it here may be a deadline that is still to be handled.
    return nextDeadline(of: run).map { $0 > now } ?? true
  }

  /// Lists show what a run's row tells while the run is not in memory.
  mutating func tell(of run: Run) {
    guard isCrowded, run.onlyWaits, !isTold(of: run) else { return }
    sleep(run, deadline: RunRow.immediately)
  }

  private func isTold(of run: Run) -> Bool {
    run.toldLength == run.fold.lastEventID && run.toldProblems == lastingProblems(of: run)
  }

  private var isCrowded: Bool { residentBytes > limits.residentBytesMax / 2 }

  mutating func goOutside(_ run: Run) {
    let ticket = run.task.isWaiting ? run.task.ticket : nil
    let queued = run.fold.activities.lazy.filter { $0.phase == .queued }.compactMap { activity in
      activity.ticket.map { (activity.place(in: run), $0) }
    }
    outside[run.number] = Places(
      task: ticket.map {
        Places.Task(ticket: $0, since: run.task.scheduledTime, needsReplay: needsReplay(run))
      },
      attempts: Dictionary(uniqueKeysWithValues: queued))
    forget(run)
  }

  /// The run has been loaded: it waits where it waited before.
  mutating func comeInside(_ run: Run, to places: Places) {
    #if MUTANTS
      if Mutant.isOn(.placeIsForgotten) { return }
    #endif
    defer { noteWork(of: run) }
    if let task = places.task {
      run.task.state = .waiting
      run.task.ticket = task.ticket
      run.task.scheduledTime = task.since
      freed.formUnion(queues[run.queue]?.sessions ?? [])
    }
    for activity in run.fold.activities {
      guard let ticket = places.attempts[activity.place(in: run)],
        let index = run.fold.activityIndex(scheduledEvent: activity.scheduledEvent)
      else {
        resume(activity.scheduledEvent, of: run)
        continue
      }
      // That the time of its retry has come is not written.
      if activity.phase == .backingOff { run.fold.activities[index].becomeDue() }
      run.fold.activities[index].ticket = ticket
      armActivity(run, index)
      freed.formUnion(queues[run.queueKey(of: activity)]?.sessions ?? [])
    }
  }

  /// A run that cannot be loaded must not hold up its queues.
  mutating func losePlaces(of number: RunNumber) {
    if outside.removeValue(forKey: number) != nil { freed.formUnion(sessions.keys) }
  }

  // MARK: - Entries

  func isOutside(_ entry: TaskQueue.Entry<RunNumber>) -> Bool {
    outside[entry.work]?.task?.ticket == entry.ticket
  }

  func isOutside(_ entry: TaskQueue.Entry<TaskQueue.Attempt>) -> Bool {
    outside[entry.work.lease.run]?.attempts[entry.work] == entry.ticket
  }

  /// The entry stands for work, of a run in memory or outside.
  func stands(_ entry: TaskQueue.Entry<RunNumber>) -> Bool {
    isOutside(entry) || waiting(entry)?.wantsTask ?? false
  }

  func stands(_ entry: TaskQueue.Entry<TaskQueue.Attempt>) -> Bool {
    isOutside(entry) || waiting(entry) != nil
  }

  // MARK: - Turns

  /// Something waits that the session could begin: what is new must not overtake it. That is so
  /// while the run whose turn it is has to be loaded first.
  func awaitsTask(_ session: Session) -> Bool {
    guard !outside.isEmpty,
      let first = session.taskQueue.nextTask(types: session.attach.workflowTypes)
    else { return false }
    if stands(first) && !mustWaitForReplay(first, session) { return true }
    return tasks(for: session, countMax: TaskQueue.asideMax).contains {
      stands($0) && !mustWaitForReplay($0, session)
    }
  }

  /// Something waits that comes before a new attempt, or may do so.
  func hasAttempt(before session: Session) -> Bool {
    guard !outside.isEmpty else { return false }
    return session.taskQueue.nextAttempt(types: session.attach.activityTypes, at: now) != nil
  }

  /// The run of the session's next attempt has to be loaded first.
  func awaitsAttempt(_ session: Session) -> Bool {
    guard !outside.isEmpty else { return false }
    let next = session.taskQueue.nextAttempt(types: session.attach.activityTypes, at: now)
    return next.map { isOutside($0) } ?? false
  }

  /// What has just been queued may come before what a session with room waits for.
  mutating func lookAgain(at queue: TaskQueue) {
    guard !outside.isEmpty else { return }
    for id in queue.sessions
    where sessions[id].map({ $0.takesTasks || $0.takesActivities }) ?? false {
      freed.insert(id)
    }
  }

  /// Loads the runs of the session's next tasks, as many as it has room for.
  mutating func fetchTasks(for session: Session) {
    guard !outside.isEmpty else { return }
    var room = min(Int(clamping: session.workflowSlots), limits.turnLoadsMax)
    var replays = session.replays
    var aside = 0
    for entry in tasks(for: session, countMax: room + TaskQueue.asideMax) {
      if needsReplay(entry, session) {
        if replays >= limits.replaysPerSessionMax {
          // It has its turn when a replay has ended.
          aside += 1
          if aside == TaskQueue.asideMax { return }
          continue
        }
        replays += 1
      }
      guard room > 0, !isOutside(entry) || fetch(entry.work, for: session.id) else { return }
      room -= 1
    }
  }

  /// The same of its next attempts: that of the one which may start now, though others come before
  /// it that their rates keep back.
  mutating func fetchAttempts(for session: Session) {
    let room = min(Int(clamping: session.activitySlots), limits.turnLoadsMax)
    let next = session.taskQueue.nextAttempt(types: session.attach.activityTypes, at: now)
    if let next, isOutside(next), !fetch(next.work.lease.run, for: session.id) { return }
    for entry in attempts(for: session, countMax: room) where isOutside(entry) {
      guard fetch(entry.work.lease.run, for: session.id) else { return }
    }
  }

  /// The next tasks that the session serves.
  private func tasks(for session: Session, countMax: Int) -> [TaskQueue.Entry<RunNumber>] {
    session.taskQueue.workflowTasks.first(countMax, session.attach.workflowTypes)
  }

  private func attempts(for session: Session, countMax: Int)
    -> [TaskQueue.Entry<TaskQueue.Attempt>]
  {
    session.taskQueue.activityTasks.first(countMax, session.attach.activityTypes)
  }

  /// False when too many loads are under way: the session has its turn after one of them.
  private mutating func fetch(_ number: RunNumber, for session: SessionID) -> Bool {
    guard loading.turnLoads < limits.turnLoadsMax else {
      hungry.insert(session)
      return false
    }
    if bring(number, .turn(number)) { loading.turnLoads += 1 }
    return true
  }

  mutating func feedHungry() {
    freed.formUnion(hungry)
    hungry.removeAll()
  }
}

extension Run {
  /// Nothing but its history, its rows and its places in queues says how it stands.
  fileprivate var onlyWaits: Bool {
    guard fold.isOpen, !isKeptBack, isMarkedAwake, queries.isEmpty, updates.isEmpty,
      followers.isEmpty, copiers == 0, parked.isEmpty, task.attempt == 1, task.lastFailed == nil,
      !task.isRedo, !fold.activities.contains(where: \.isInHand)
    else { return false }
    if task.isWaiting { return task.ticket != nil }
    return task.isIdle && !wantsTask && fold.activities.contains(where: \.canStart)
  }
}

extension Activity {
  fileprivate func place(in run: Run) -> TaskQueue.Attempt {
    TaskQueue.Attempt(
      lease: LeaseKey(run: run.number, scheduledEvent: scheduledEvent), attempt: row.attempt)
  }
}
