import Basics
import Messages

/// A workflow task that waits in its queue.
struct QueuedTask {
  /// Of its entry.
  let ticket: UInt64
  let since: Instant
  let needsReplay: Bool
}

/// Work that nobody takes must not fill the memory: over the budget, a run whose task joins a queue
/// leaves, and only its place in the queue stays. It is loaded when its turn comes, or when somebody
/// asks for it, and has its place again. The store has it marked as awake all the while.
extension Engine {
  func mayWaitOutside(_ run: Run) -> Bool {
    guard residentBytes > limits.residentBytesMax, run.waitsAlone,
      run.toldLength == run.fold.lastEventID
    else { return false }
    // What has brought it here may be a deadline that is still to be handled.
    return nextDeadline(of: run).map { $0 > now } ?? true
  }

  /// Lists tell the length of a history by its run's row while the run is not in memory.
  mutating func tellLength(of run: Run) {
    let bytes = residentBytes - run.countedBytes + run.footprint
    guard bytes > limits.residentBytesMax, run.waitsAlone else { return }
    sleep(run, deadline: RunRow.immediately)
  }

  mutating func goOutside(_ run: Run) {
    guard let ticket = run.task.ticket else { return }
    outside[run.number] = QueuedTask(
      ticket: ticket, since: run.task.scheduledTime, needsReplay: needsReplay(run))
    forget(run)
  }

  /// The run has been loaded; true if its task waits where it waited before.
  mutating func comeInside(_ run: Run) -> Bool {
    guard let task = outside.removeValue(forKey: run.number) else { return false }
    run.task.state = .waiting
    run.task.ticket = task.ticket
    run.task.scheduledTime = task.since
    // Those who could take it have waited for it.
    for id in queues[run.queue]?.sessions ?? [] { freed.insert(id) }
    return true
  }

  /// A load that nobody asked for is done: there may be room for others, and a run that could not be
  /// loaded must not hold up its queue.
  mutating func fetchedOutside(_ number: RunNumber) {
    if runs[number] == nil, outside.removeValue(forKey: number) != nil {
      for id in sessions.keys { freed.insert(id) }
    }
    guard !hungry.isEmpty else { return }
    freed.formUnion(hungry)
    hungry.removeAll()
  }

  /// The entry still stands for a task, of a run in memory or outside.
  func stands(_ entry: TaskQueue.Entry<RunNumber>) -> Bool {
    outside[entry.work]?.ticket == entry.ticket || waiting(entry)?.wantsTask ?? false
  }

  /// The run whose turn it is has to be loaded first.
  func isNextOutside(for session: Session) -> Bool {
    guard !outside.isEmpty,
      let next = queues[session.queue]?.firstTask(types: session.attach.workflowTypes)
    else { return false }
    return outside[next.work]?.ticket == next.ticket
  }

  /// Loads those whose turn it is, as many as the session has room for.
  mutating func fetchOutside(for session: Session) {
    let room = min(Int(clamping: session.workflowSlots), limits.deadlineLoadsMax)
    let next = queues[session.queue]?.firstTasks(
      types: session.attach.workflowTypes, countMax: room)
    var replays = session.replays
    for entry in next ?? [] {
      guard let task = outside[entry.work], task.ticket == entry.ticket else { continue }
      // It has its turn when a replay has ended.
      if task.needsReplay && replays >= limits.replaysPerSessionMax { return }
      replays += task.needsReplay ? 1 : 0
      guard loading.dueLoads < limits.deadlineLoadsMax else {
        hungry.insert(session.id)
        return
      }
      wake(entry.work)
    }
  }
}

extension Run {
  /// Nothing but its history and its place in a queue says how it stands.
  fileprivate var waitsAlone: Bool {
    fold.isOpen && task.isWaiting && task.ticket != nil && task.attempt == 1
      && task.lastFailed == nil && cachedBy == nil && fold.activities.isEmpty && queries.isEmpty
      && followers.isEmpty && parked.isEmpty
  }
}
