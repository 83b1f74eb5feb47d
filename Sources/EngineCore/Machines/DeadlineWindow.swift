import Basics

/// The nearest deadlines of dormant runs; those beyond the window are in the store only.
///
/// Invariant: every dormant run whose deadline is not after `end` is in the heap. Answers of the
/// store come in the order in which it worked, so a run that became dormant beyond `end` while more
/// was being read is either in the answer or watched after it.
struct DeadlineWindow {
  private var heap = DeadlineHeap<RunNumber>()
  /// Of runs that wait outside, or that a permit wakes: the store has them as awake, or will, and
  /// does not tell when they are due.
  private var untold = DeadlineHeap<RunNumber>()
  /// How many are kept; twice as many at most, for a while.
  private let size: Int
  /// The store holds no deadline beyond the heap's.
  private var isWhole: Bool
  /// The last deadline that was read; not used while `isWhole`.
  private var end: StoredDeadline?
  private var isReading = false

  /// `nearest`: what the store told at its opening, at most `size`.
  init(_ nearest: [StoredDeadline], size: Int) {
    self.size = size
    isWhole = nearest.count < size
    end = nearest.last
    for deadline in nearest { insert(deadline) }
  }

  var count: Int { heap.count + untold.count }
  var next: Instant? { isUntoldFirst ? untold.first?.time : heap.first?.time }

  private var isUntoldFirst: Bool {
    guard let untold = untold.first else { return false }
    return heap.first.map { (untold.time, untold.key) < ($0.time, $0.key) } ?? true
  }

  /// A run has become dormant, or waits outside.
  mutating func watch(_ deadline: StoredDeadline, isStored: Bool) {
    guard isStored else {
      return untold.set(deadline.run, at: deadline.deadline, order: .init(deadline.run.value))
    }
    if !isWhole, let end, end < deadline { return }  // Read when the window moves on.
    insert(deadline)
    if heap.count > 2 * size && !isReading { trim() }
  }

  /// The run is in memory, or asked for.
  mutating func forget(_ run: RunNumber) {
    heap.remove(run)
    untold.remove(run)
  }

  mutating func popDue(_ now: Instant) -> RunNumber? {
    isUntoldFirst ? untold.popDue(now)?.key : heap.popDue(now)?.key
  }

  /// Set when the store should be asked for what follows; the answer goes to `take`.
  mutating func readOn() -> (after: StoredDeadline, countMax: Int)? {
    guard !isWhole, !isReading, heap.count < size / 2, let end else { return nil }
    isReading = true
    return (end, size / 2)
  }

  /// What the store has after the window. `isResident`: such runs watch their deadlines themselves.
  mutating func take(_ deadlines: [StoredDeadline], isResident: (RunNumber) -> Bool) {
    precondition(isReading, "deadlines come that were not asked for")
    isReading = false
    isWhole = deadlines.count < size / 2
    if let last = deadlines.last { end = last }
    for deadline in deadlines where !isResident(deadline.run) { insert(deadline) }
  }

  private mutating func insert(_ deadline: StoredDeadline) {
    heap.set(deadline.run, at: deadline.deadline, order: .init(deadline.run.value))
  }

  /// Too many: the farthest ones are left to the store.
  private mutating func trim() {
    let nearest = heap.keepFirst(size)
    isWhole = false
    end = nearest.map { StoredDeadline(run: $0.key, deadline: $0.time) }
  }
}

extension StoredDeadline: Comparable {
  public static func < (a: StoredDeadline, b: StoredDeadline) -> Bool {
    (a.deadline, a.run) < (b.deadline, b.run)
  }
}
