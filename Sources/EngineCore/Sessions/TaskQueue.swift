import Basics
import Messages

/// Where work waits for a session, by type, oldest first.
///
/// An entry may be stale (its run closed, its activity was cancelled): whoever takes one out asks
/// the run whether it still stands.
struct TaskQueue {
  struct Entry<Work: Sendable>: Sendable {
    let work: Work
    let since: Instant
    /// Orders entries of different types, and tells those of one run apart.
    let ticket: UInt64
  }

  /// A task that has been taken out.
  typealias Taken = (type: String, entry: Entry<RunNumber>)

  /// An attempt of an activity that waits.
  struct Attempt: Hashable, Sendable {
    let lease: LeaseKey
    let attempt: Int32
  }

  /// In the order of their attachment.
  var sessions: [SessionID] = []
  private(set) var workflowTasks: [String: Queue<Entry<RunNumber>>] = [:]
  private(set) var activityTasks: [String: Queue<Entry<Attempt>>] = [:]
  private var tickets: UInt64 = 0
  /// Entries, stale ones among them.
  private(set) var count = 0
  /// The number of entries at which stale ones are looked for again.
  private var sweepAt = 256

  var isIdle: Bool { sessions.isEmpty && workflowTasks.isEmpty && activityTasks.isEmpty }

  /// The entry's ticket.
  mutating func add(task run: RunNumber, type: String, at now: Instant) -> UInt64 {
    tickets += 1
    count += 1
    workflowTasks[type, default: Queue()].append(Entry(work: run, since: now, ticket: tickets))
    return tickets
  }

  /// The entry's ticket.
  mutating func add(attempt: Attempt, type: String, at now: Instant) -> UInt64 {
    tickets += 1
    count += 1
    activityTasks[type, default: Queue()].append(Entry(work: attempt, since: now, ticket: tickets))
    return tickets
  }

  /// Stale entries may be most of what is here: many have come since they were last taken out.
  var isDueForSweep: Bool { count >= sweepAt }
  /// Tasks that a session may not begin yet and looks past.
  static let asideMax = 8
  /// So few entries that looking through them costs nothing.
  var isSmall: Bool { count <= 8 }

  /// Keeps the entries that still stand; without this, work that ends where no worker is attached
  /// would stay here for ever.
  mutating func sweep(tasks: (Entry<RunNumber>) -> Bool, attempts: (Entry<Attempt>) -> Bool) {
    count = TaskQueue.sweep(&workflowTasks, tasks) + TaskQueue.sweep(&activityTasks, attempts)
    sweepAt = max(256, 2 * count)
  }

  /// How many are left.
  private static func sweep<Work>(
    _ waiting: inout [String: Queue<Entry<Work>>], _ stands: (Entry<Work>) -> Bool
  ) -> Int {
    var count = 0
    for (type, entries) in waiting {
      var left = Queue<Entry<Work>>()
      for entry in entries.elements where stands(entry) { left.append(entry) }
      waiting[type] = left.isEmpty ? nil : left
      count += left.count
    }
    return count
  }

  /// The oldest entries of these types, in their order.
  static func first<Work>(
    _ countMax: Int, of waiting: [String: Queue<Entry<Work>>], _ types: [String]
  ) -> ArraySlice<Entry<Work>> {
    let first = types.flatMap { waiting[$0]?.prefix(countMax) ?? [] }
    return first.sorted { $0.ticket < $1.ticket }.prefix(countMax)
  }

  /// Takes out the oldest task of these types.
  mutating func popTask(types: [String]) -> Taken? {
    let task = TaskQueue.pop(&workflowTasks, types)
    if task != nil { count -= 1 }
    return task
  }

  /// Takes in again what has just been taken out, in the order in which that happened.
  mutating func putBack(_ tasks: [Taken]) {
    for task in tasks.reversed() {
      workflowTasks[task.type, default: Queue()].prepend(task.entry)
    }
    count += tasks.count
  }

  /// Takes out the oldest attempt of a type that `types` names.
  mutating func popAttempt(types: [String]) -> Entry<Attempt>? {
    guard let attempt = TaskQueue.pop(&activityTasks, types) else { return nil }
    count -= 1
    return attempt.entry
  }

  private static func pop<Work>(_ waiting: inout [String: Queue<Entry<Work>>], _ types: [String])
    -> (type: String, entry: Entry<Work>)?
  {
    guard !waiting.isEmpty else { return nil }
    var oldest: (type: String, ticket: UInt64)?
    for type in types {
      guard let first = waiting[type]?.first else { continue }
      #if MUTANTS
        if Mutant.isOn(.youngestFirst), let other = oldest {
          if first.ticket > other.ticket { oldest = (type, first.ticket) }
          continue
        }
      #endif
      if oldest.map({ first.ticket < $0.ticket }) ?? true { oldest = (type, first.ticket) }
    }
    guard let type = oldest?.type, let entry = waiting[type]?.popFirst() else { return nil }
    if waiting[type]?.isEmpty ?? false { waiting.removeValue(forKey: type) }
    return (type, entry)
  }
}
