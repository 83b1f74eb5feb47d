import Basics
import Messages

/// Where work waits for a session: in order of priority, then shared out between fairness keys,
/// then oldest first.
///
/// An entry may be stale (its run closed, its activity was cancelled): whoever takes one out asks
/// the run whether it still stands.
///
/// A class, because sessions point at theirs: a task that goes to a worker at once is counted
/// without a look-up. It never leaves the engine.
final class TaskQueue {
  struct Entry<Work: Sendable>: Sendable {
    let work: Work
    let since: Instant
    /// Orders entries of different types, and tells those of one run apart.
    let ticket: UInt64
  }

  /// An entry that has been taken out, and where it was.
  struct Taken<Work: Sendable> {
    let place: Backlog<Work>.Place
    let entry: Entry<Work>
  }

  /// An attempt of an activity that waits.
  struct Attempt: Hashable, Sendable {
    let lease: LeaseKey
    let attempt: Int32
  }

  /// In the order of their attachment.
  var sessions: [SessionID] = []
  private(set) var workflowTasks = Backlog<RunNumber>()
  private(set) var activityTasks = Backlog<Attempt>()
  /// Of activities; nil: no limit.
  private(set) var pacing: Pacing?
  private var tickets: UInt64 = 0
  /// The number of entries at which stale ones are looked for again.
  private var sweepAt = 256
  private var hasWoken = false

  init(_ limits: TaskQueueLimits?) { pacing = limits.map { Pacing($0) } }

  /// Entries, stale ones among them.
  var count: Int { workflowTasks.count + activityTasks.count }
  /// One with limits stays: it knows what it has given out.
  var isIdle: Bool { sessions.isEmpty && count == 0 && pacing == nil }

  // MARK: - In

  /// The entry's ticket.
  func add(task run: RunNumber, type: String, _ rank: Rank, at now: Instant) -> UInt64 {
    tickets += 1
    workflowTasks.add(Entry(work: run, since: now, ticket: tickets), type: type, rank)
    return tickets
  }

  /// The entry's ticket.
  func add(attempt: Attempt, type: String, _ rank: Rank, at now: Instant) -> UInt64 {
    tickets += 1
    activityTasks.add(Entry(work: attempt, since: now, ticket: tickets), type: type, rank)
    return tickets
  }

  /// A task has come, whether it waits here or goes to a worker at once.
  func came(task priority: Int, at now: Instant) { workflowTasks.came(priority, at: now) }
  func came(attempt priority: Int, at now: Instant) { activityTasks.came(priority, at: now) }
  /// It has gone to a worker.
  func went(task priority: Int, at now: Instant) { workflowTasks.went(priority, at: now) }
  func went(attempt priority: Int, at now: Instant) { activityTasks.went(priority, at: now) }

  // MARK: - Out

  /// Tasks that a session may not begin yet and looks past.
  static let asideMax = 8

  func nextTask(types: [String]) -> Entry<RunNumber>? {
    workflowTasks.next(types) { _ in true }.flatMap { workflowTasks.first(of: $0) }
  }

  /// The priority of the next task of these types.
  func nextPriority(ofTasks types: [String]) -> Int? {
    workflowTasks.next(types) { _ in true }?.priority
  }

  /// Takes out the next task of these types.
  func popTask(types: [String]) -> Taken<RunNumber>? {
    workflowTasks.next(types) { _ in true }.flatMap { workflowTasks.pop($0) }
  }

  /// Takes in again what has just been taken out, in the order in which that happened.
  func putBack(_ tasks: [Taken<RunNumber>]) {
    for task in tasks.reversed() { workflowTasks.putBack(task) }
  }

  /// What was taken out has gone to a worker.
  func charge(task: Taken<RunNumber>) { workflowTasks.charge(task.place) }

  func nextAttempt(types: [String], at now: Instant) -> Entry<Attempt>? {
    nextPlace(types, now).flatMap { activityTasks.first(of: $0) }
  }

  /// Takes out the next attempt of these types that may start now.
  func popAttempt(types: [String], at now: Instant) -> Taken<Attempt>? {
    nextPlace(types, now).flatMap { activityTasks.pop($0) }
  }

  private func nextPlace(_ types: [String], _ now: Instant) -> Backlog<Attempt>.Place? {
    guard var pacing else { return activityTasks.next(types) { _ in true } }
    guard pacing.queueTime(now) <= now else { return nil }
    self.pacing = nil  // It is changed in place.
    defer { self.pacing = pacing }
    wake(pacing.wakeDue(now))
    return activityTasks.next(types) { pacing.mayGo($0, at: now) }
  }

  /// What was taken out has gone to a worker.
  func charge(attempt: Taken<Attempt>, at now: Instant) {
    activityTasks.charge(attempt.place)
    pacing?.take(attempt.place.key, at: now)
  }

  // MARK: - Limits

  /// When something that waits may start, if only a rate keeps it; nil: nothing, or no rate does.
  /// What its rate lets go already waits for a worker's room, which comes by itself.
  func paceTime(_ now: Instant) -> Instant? {
    guard let pacing, activityTasks.count > 0 else { return nil }
    return [pacing.queueTime(now), pacing.firstWaking].compactMap { $0 }.first { $0 > now }
  }

  private func wake(_ places: [Backlog<Attempt>.Place]) {
    for place in places { activityTasks.wake(place) }
    if !places.isEmpty { hasWoken = true }
  }

  /// Keys that slept may go: perhaps to other sessions than the one for whose sake they were woken.
  func takeWoken() -> Bool {
    defer { hasWoken = false }
    return hasWoken
  }

  func set(_ limits: TaskQueueLimits?) {
    wake(pacing?.wakeAll() ?? [])
    pacing = limits.map { Pacing($0) }
  }

  // MARK: - Stale entries

  /// Stale entries may be most of what is here: many have come since they were last taken out.
  var isDueForSweep: Bool { count >= sweepAt }
  /// So few entries that looking through them costs nothing.
  var isSmall: Bool { count <= 8 }

  /// Keeps the entries that still stand; without this, work that ends where no worker is attached
  /// would stay here for ever.
  func sweep(tasks: (Entry<RunNumber>) -> Bool, attempts: (Entry<Attempt>) -> Bool) {
    workflowTasks.sweep(tasks)
    activityTasks.sweep(attempts)
    // All keys are in their order again.
    if let woken = pacing?.wakeAll(), !woken.isEmpty { hasWoken = true }
    sweepAt = max(256, 2 * count)
  }
}
