import Basics

/// What waits with one priority in a task queue, by type.
///
/// Where no task has a fairness key, the oldest is next. Else the keys share what is given out
/// (stride scheduling): a key has a pass, which grows by its stride with each task that it is
/// given, and the key with the smallest pass is next, with its oldest task. `clock` is the pass of
/// the key that was given the last one: who comes, or could not be served for a while, begins there
/// and has no claim to what others had meanwhile. So the passes of all keys that wait lie between
/// the clock and one stride above it, and over any time in which two keys both wait for the same
/// workers, their numbers of tasks, m and n, differ by |m·stride − n·stride'| ≤ stride + stride'.
///
/// A step costs the logarithm of the number of keys. Strings are keys of heaps here: the time of an
/// entry there is its key's pass.
struct Lane<Work: Sendable>: Sendable {
  typealias Entry = TaskQueue.Entry<Work>

  /// The part of a fairness key; the work without a key has one too.
  private struct Share {
    var pass: UInt64
    var stride: UInt64
    /// Entries of the key.
    var waiting = 0
  }

  /// What waits of one type.
  fileprivate struct Line {
    /// Without a key.
    var plain = Queue<Entry>()
    var keyed: [String: Queue<Entry>] = [:]
    /// The keys of `keyed` whose turn may come, by a pass that may be older than the share's.
    var order = DeadlineHeap<String>()

    var isEmpty: Bool { plain.isEmpty && keyed.isEmpty }
    var count: Int { keyed.values.reduce(plain.count) { $0 + $1.count } }
  }

  private var lines: [String: Line] = [:]
  /// Empty as long as nothing here has a key. Of keys with nothing that waits only the last ones.
  private var shares: [String: Share] = [:]
  private var idleShares = 0
  private var clock: UInt64 = 0
  private(set) var count = 0

  /// Keys with nothing that waits whose pass is kept, so that one that comes and goes gets no more
  /// than its share.
  static var idleSharesMax: Int { 1_000 }

  // MARK: - In

  mutating func add(_ entry: Entry, type: String, _ rank: Rank) {
    if count == 0 && !shares.isEmpty { beginAnew() }
    count += 1
    if shares.isEmpty && rank.key.isEmpty {
      lines[type, default: Line()].plain.append(entry)
      return
    }
    if shares.isEmpty { beginSharing() }
    join(rank.key)
    shares[rank.key]?.stride = rank.stride
    guard !rank.key.isEmpty else { return lines[type, default: Line()].plain.append(entry) }
    lines[type, default: Line()].append(entry, rank.key, pass: pass(of: rank.key))
  }

  private mutating func beginSharing() {
    shares[""] = Share(pass: clock, stride: Rank.plainStride, waiting: count - 1)
    if count == 1 { idleShares += 1 }
  }

  /// An entry more of the key.
  private mutating func join(_ key: String) {
    let share = shares[key]
    if share?.waiting == 0 { idleShares -= 1 }
    shares[key, default: Share(pass: clock, stride: Rank.plainStride)].waiting += 1
  }

  private func pass(of key: String) -> UInt64 { shares[key]?.pass ?? clock }

  /// Takes in again what has just been taken out.
  mutating func putBack(_ entry: Entry, type: String, key: String) {
    count += 1
    if !shares.isEmpty || !key.isEmpty {
      if shares.isEmpty { beginSharing() }
      join(key)
    }
    guard !key.isEmpty else { return lines[type, default: Line()].plain.prepend(entry) }
    lines[type, default: Line()].prepend(entry, key, pass: pass(of: key))
  }

  // MARK: - Out

  /// Whose turn it is of these types: the type, and the key. `mayGo` is asked of keys; one that may
  /// not go now is passed by until `wake`.
  mutating func next(_ types: [String], _ mayGo: (_ type: String, _ key: String) -> Bool)
    -> (type: String, key: String)?
  {
    guard count > 0 else { return nil }
    var best: (pass: UInt64, ticket: UInt64, type: String, key: String)?
    func offer(_ pass: UInt64, _ ticket: UInt64, _ type: String, _ key: String) {
      #if MUTANTS
        if Mutant.isOn(.youngestFirst), let other = best {
          if ticket > other.ticket { best = (pass, ticket, type, key) }
          return
        }
      #endif
      if best.map({ (pass, ticket) < ($0.pass, $0.ticket) }) ?? true {
        best = (pass, ticket, type, key)
      }
    }
    let plainPass = shares.isEmpty ? 0 : pass(of: "")
    for type in types {
      guard let ticket = lines[type]?.plain.first?.ticket else { continue }
      offer(plainPass, ticket, type, "")
    }
    guard !shares.isEmpty else { return best.map { ($0.type, $0.key) } }
    for type in types {
      guard let key = nextKey(of: type, mayGo), let first = lines[type]?.keyed[key]?.first
      else { continue }
      offer(pass(of: key), first.ticket, type, key)
    }
    return best.map { ($0.type, $0.key) }
  }

  /// The key with the smallest pass of a type.
  private mutating func nextKey(
    of type: String, _ mayGo: (_ type: String, _ key: String) -> Bool
  ) -> String? {
    while let top = lines[type]?.order.first {
      let pass = pass(of: top.key)
      if pass > UInt64(top.time.ms) {
        // It has been given something of another type, or its last one here.
        lines[type]?.setOrder(of: top.key, pass)
      } else if mayGo(type, top.key) {
        return top.key
      } else {
        lines[type]?.order.remove(top.key)
      }
    }
    return nil
  }

  /// The key may go again.
  mutating func wake(type: String, key: String) {
    guard lines[type]?.keyed[key] != nil else { return }
    let pass = pass(of: key)
    lines[type]?.setOrder(of: key, pass)
  }

  func first(type: String, key: String) -> Entry? {
    key.isEmpty ? lines[type]?.plain.first : lines[type]?.keyed[key]?.first
  }

  mutating func pop(type: String, key: String) -> Entry? {
    let pass = key.isEmpty ? 0 : pass(of: key)
    guard let entry = lines[type]?.popFirst(key, pass: pass) else { return nil }
    if lines[type]?.isEmpty ?? false { lines.removeValue(forKey: type) }
    count -= 1
    if !shares.isEmpty { leave(key) }
    return entry
  }

  private mutating func leave(_ key: String) {
    shares[key]?.waiting -= 1
    guard shares[key]?.waiting == 0 else { return }
    idleShares += 1
    forgetIdle()
  }

  /// What was taken out has gone to a worker: its key pays for it.
  mutating func charge(_ key: String) {
    guard let share = shares[key] else { return }
    clock = max(clock, share.pass)
    var price = share.stride
    #if MUTANTS
      if Mutant.isOn(.keysPayNothing) { price = 0 }
      if Mutant.isOn(.weightsAreIgnored) { price = Rank.plainStride }
    #endif
    shares[key]?.pass = clock + price
  }

  /// Without anything that waits there is nothing to share.
  private mutating func beginAnew() {
    shares.removeAll()
    idleShares = 0
    clock = 0
  }

  /// A pass that the clock has reached says nothing.
  private mutating func forgetIdle() {
    guard idleShares > Lane.idleSharesMax else { return }
    let ahead = shares.values.count { $0.waiting == 0 && $0.pass > clock }
    let keepsThem = ahead <= Lane.idleSharesMax / 2
    shares = shares.filter { $0.value.waiting > 0 || (keepsThem && $0.value.pass > clock) }
    idleShares = shares.values.count { $0.waiting == 0 }
  }

  // MARK: - All

  /// Keeps the entries that still stand.
  mutating func sweep(_ stands: (Entry) -> Bool) {
    for type in lines.keys.sorted() {
      guard var line = lines.removeValue(forKey: type) else { continue }
      line.sweep(stands)
      for key in line.keyed.keys { line.setOrder(of: key, pass(of: key)) }
      if !line.isEmpty { lines[type] = line }
    }
    count = lines.values.reduce(0) { $0 + $1.count }
    guard !shares.isEmpty else { return }
    for key in Array(shares.keys) {
      let waiting = waiting(of: key)
      shares[key]?.waiting = waiting
    }
    idleShares = shares.values.count { $0.waiting == 0 }
    forgetIdle()
  }

  private func waiting(of key: String) -> Int {
    lines.values.reduce(0) {
      $0 + (key.isEmpty ? $1.plain.count : $1.keyed[key]?.count ?? 0)
    }
  }

  /// What waits of each type, in no particular order.
  var waiting: [(type: String, entries: [Entry])] {
    lines.map { type, line in
      (type, line.plain.elements + line.keyed.values.flatMap { $0.elements })
    }
  }

  /// The next entries of these types, as they come if nothing comes in between. Asked while runs
  /// wait outside.
  func first(_ countMax: Int, _ types: [String]) -> [Entry] {
    guard !shares.isEmpty else {
      return oldest(countMax, types.map { lines[$0]?.plain.prefix(countMax) ?? [] })
    }
    var heads = heads(countMax, types)
    var first: [Entry] = []
    while first.count < countMax, let next = heads.indices.min(by: { heads[$0] < heads[$1] }),
      let entry = heads[next].entries.popFirst()
    {
      first.append(entry)
      heads[next].pass += heads[next].stride
      if heads[next].entries.isEmpty { heads.remove(at: next) }
    }
    return first
  }

  /// A key with its next entries, at a look ahead.
  private struct Head {
    var pass: UInt64
    let stride: UInt64
    var entries: ArraySlice<Entry>

    static func < (a: Head, b: Head) -> Bool {
      let (first, other) = (a.entries[a.entries.startIndex], b.entries[b.entries.startIndex])
      return (a.pass, first.ticket) < (b.pass, other.ticket)
    }
  }

  /// Those with the smallest passes: no other key's turn comes before `countMax` of them.
  private func heads(_ countMax: Int, _ types: [String]) -> [Head] {
    var heads: [Head] = []
    for (key, share) in shares where share.waiting > 0 {
      let entries = types.map { type in
        let queue = key.isEmpty ? lines[type]?.plain : lines[type]?.keyed[key]
        return queue?.prefix(countMax) ?? []
      }
      let first = oldest(countMax, entries)
      guard !first.isEmpty else { continue }
      heads.append(Head(pass: share.pass, stride: share.stride, entries: first[...]))
    }
    return Array(heads.sorted { $0 < $1 }.prefix(countMax))
  }

  private func oldest(_ countMax: Int, _ entries: [[Entry]]) -> [Entry] {
    if entries.count == 1 { return entries[0] }
    return Array(entries.joined().sorted { $0.ticket < $1.ticket }.prefix(countMax))
  }
}

extension Lane.Line {
  mutating func append(_ entry: Lane.Entry, _ key: String, pass: UInt64) {
    let isFirst = keyed[key] == nil
    keyed[key, default: Queue()].append(entry)
    if isFirst { setOrder(of: key, pass) }
  }

  mutating func prepend(_ entry: Lane.Entry, _ key: String, pass: UInt64) {
    keyed[key, default: Queue()].prepend(entry)
    setOrder(of: key, pass)
  }

  mutating func setOrder(of key: String, _ pass: UInt64) {
    let ticket = keyed[key]?.first?.ticket ?? 0
    order.set(key, at: Instant(ms: Int64(pass)), order: .init(Int64(ticket)))
  }

  mutating func popFirst(_ key: String, pass: UInt64) -> Lane.Entry? {
    if key.isEmpty { return plain.popFirst() }
    let entry = keyed[key]?.popFirst()
    if keyed[key]?.isEmpty ?? false {
      keyed.removeValue(forKey: key)
      order.remove(key)
    } else {
      // Between equal passes the oldest is next.
      setOrder(of: key, pass)
    }
    return entry
  }

  mutating func sweep(_ stands: (Lane.Entry) -> Bool) {
    plain = plain.filter(stands)
    keyed = keyed.mapValues { $0.filter(stands) }.filter { !$0.value.isEmpty }
    order = DeadlineHeap()
  }
}

extension Queue {
  fileprivate func filter(_ stands: (Element) -> Bool) -> Queue {
    var left = Queue()
    for element in elements where stands(element) { left.append(element) }
    return left
  }
}
