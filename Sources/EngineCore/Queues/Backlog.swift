import Basics

/// What waits of one kind in a task queue, and how fast it comes and goes: a lane for each
/// priority.
struct Backlog<Work: Sendable>: Sendable {
  /// Where an entry is: its lane, its type, its fairness key.
  struct Place: Hashable, Sendable {
    let priority: Int
    let type: String
    let key: String
  }

  /// By priority, from 1; none behind the last one that was used.
  private var lanes: [Lane<Work>] = []
  private var flows: [Flow] = []
  private(set) var count = 0

  // MARK: - In

  mutating func add(_ entry: TaskQueue.Entry<Work>, type: String, _ rank: Rank) {
    #if MUTANTS
      let priority = Mutant.isOn(.priorityIsIgnored) ? Rank.plain.priority : rank.priority
    #else
      let priority = rank.priority
    #endif
    while lanes.count < priority { lanes.append(Lane()) }
    lanes[priority - 1].add(entry, type: type, rank)
    count += 1
  }

  mutating func putBack(_ taken: TaskQueue.Taken<Work>) {
    lanes[taken.place.priority - 1].putBack(
      taken.entry, type: taken.place.type, key: taken.place.key)
    count += 1
  }

  // MARK: - Out

  /// Whose turn it is of these types; `mayGo` is asked of places with a key.
  mutating func next(_ types: [String], _ mayGo: (Place) -> Bool) -> Place? {
    guard count > 0 else { return nil }
    for index in lanes.indices where lanes[index].count > 0 {
      let next = lanes[index].next(types) { type, key in
        mayGo(Place(priority: index + 1, type: type, key: key))
      }
      if let next { return Place(priority: index + 1, type: next.type, key: next.key) }
    }
    return nil
  }

  func first(of place: Place) -> TaskQueue.Entry<Work>? {
    lanes[place.priority - 1].first(type: place.type, key: place.key)
  }

  mutating func pop(_ place: Place) -> TaskQueue.Taken<Work>? {
    guard let entry = lanes[place.priority - 1].pop(type: place.type, key: place.key) else {
      return nil
    }
    count -= 1
    return TaskQueue.Taken(place: place, entry: entry)
  }

  mutating func charge(_ place: Place) { lanes[place.priority - 1].charge(place.key) }

  mutating func wake(_ place: Place) {
    lanes[place.priority - 1].wake(type: place.type, key: place.key)
  }

  /// The next entries of these types, as they come if nothing comes in between.
  func first(_ countMax: Int, _ types: [String]) -> [TaskQueue.Entry<Work>] {
    var first: [TaskQueue.Entry<Work>] = []
    for lane in lanes where lane.count > 0 && first.count < countMax {
      first += lane.first(countMax - first.count, types)
    }
    return first
  }

  mutating func sweep(_ stands: (TaskQueue.Entry<Work>) -> Bool) {
    for index in lanes.indices where lanes[index].count > 0 { lanes[index].sweep(stands) }
    count = lanes.reduce(0) { $0 + $1.count }
  }

  // MARK: - Figures

  mutating func came(_ priority: Int, at now: Instant) {
    while flows.count < priority { flows.append(Flow()) }
    flows[priority - 1].add(at: now)
  }

  mutating func went(_ priority: Int, at now: Instant) {
    guard priority <= flows.count else { return }  // It came before the queue was made anew.
    flows[priority - 1].give(at: now)
  }

  /// Tasks of the priority that came and went in the last seconds.
  func flow(of priority: Int, at now: Instant) -> (added: Int64, given: Int64) {
    priority <= flows.count ? flows[priority - 1].counts(at: now) : (0, 0)
  }

  /// What waits with the priority, by type, in no particular order.
  func waiting(_ priority: Int) -> [(type: String, entries: [TaskQueue.Entry<Work>])] {
    priority <= lanes.count ? lanes[priority - 1].waiting : []
  }
}
