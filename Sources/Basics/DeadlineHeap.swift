/// What is due first: at most one entry per key.
///
/// Entries come out by (time, order, insertion): `order` breaks ties of time, so that what is due
/// at the same instant comes out in a fixed order.
///
/// A heap of which entries are not taken out of the middle: one that was removed or moved to
/// another time stays behind as a stale entry until it comes to the top, or until stale ones are
/// the most. Nearly all deadlines are timeouts that are set, and removed before their time; this
/// makes both a look-up of the key and nothing more.
public struct DeadlineHeap<Key: Hashable & Sendable>: Sendable {
  public struct Entry: Sendable {
    public let key: Key
    public let time: Instant
    public let order: Order
    /// Tells an entry from earlier ones of its key, and breaks the last ties.
    @usableFromInline let stamp: UInt64

    @inlinable init(key: Key, time: Instant, order: Order, stamp: UInt64) {
      self.key = key
      self.time = time
      self.order = order
      self.stamp = stamp
    }
  }

  /// Breaks ties between entries of the same time.
  public struct Order: Comparable, Sendable {
    public let major: Int64
    public let minor: Int64

    @inlinable public init(_ major: Int64, _ minor: Int64 = 0) {
      self.major = major
      self.minor = minor
    }

    @inlinable public static func < (a: Order, b: Order) -> Bool {
      a.major != b.major ? a.major < b.major : a.minor < b.minor
    }
  }

  @usableFromInline struct Live: Sendable {
    @usableFromInline let stamp: UInt64
    @usableFromInline let time: Instant

    @inlinable init(stamp: UInt64, time: Instant) {
      self.stamp = stamp
      self.time = time
    }
  }

  /// Invariant: the first one is not stale.
  @usableFromInline var entries: [Entry] = []
  /// The entry of each key that is not stale.
  @usableFromInline var live: [Key: Live] = [:]
  @usableFromInline var lastStamp: UInt64 = 0

  @inlinable public init() {}

  @inlinable public var count: Int { live.count }
  @inlinable public var first: Entry? { entries.first }

  @inlinable public func time(of key: Key) -> Instant? { live[key]?.time }

  /// The first entry with a key that is wanted; looks at few entries if nearly all are.
  @inlinable public func first(where isWanted: (Key) -> Bool) -> Entry? {
    var best: Entry?
    look(from: 0, for: isWanted, &best)
    return best
  }

  @inlinable func look(from place: Int, for isWanted: (Key) -> Bool, _ best: inout Entry?) {
    guard place < entries.count, best.map({ precedes(entries[place], $0) }) ?? true else { return }
    if isWanted(entries[place].key), !isStale(entries[place]) {
      best = entries[place]
    } else {
      look(from: 2 * place + 1, for: isWanted, &best)
      look(from: 2 * place + 2, for: isWanted, &best)
    }
  }

  /// Adds the key, or moves it to another time.
  @inlinable public mutating func set(_ key: Key, at time: Instant, order: Order) {
    lastStamp += 1
    let wasFirst = entries.first.map { $0.key == key } ?? false
    live[key] = Live(stamp: lastStamp, time: time)
    entries.append(Entry(key: key, time: time, order: order, stamp: lastStamp))
    siftUp(entries.count - 1)
    if wasFirst { dropStale() }
    compactIfStale()
  }

  /// Takes the key out, if it is there.
  @inlinable public mutating func remove(_ key: Key) {
    guard live.removeValue(forKey: key) != nil else { return }
    if let first = entries.first, first.key == key { dropStale() }
    compactIfStale()
  }

  /// Takes out the first entry that is due at `now`.
  @inlinable public mutating func popDue(_ now: Instant) -> Entry? {
    guard let first = entries.first, first.time <= now else { return nil }
    remove(first.key)
    return first
  }

  /// Keeps the first `count` entries; the last of those.
  @inlinable public mutating func keepFirst(_ count: Int) -> Entry? {
    dropAllStale()
    for entry in entries.dropFirst(count) { live.removeValue(forKey: entry.key) }
    entries.removeLast(max(0, entries.count - count))
    return entries.last
  }

  @inlinable func isStale(_ entry: Entry) -> Bool { live[entry.key]?.stamp != entry.stamp }

  /// Restores the invariant.
  @inlinable mutating func dropStale() {
    while let first = entries.first, isStale(first) {
      let last = entries.removeLast()
      guard !entries.isEmpty else { return }
      entries[0] = last
      siftDown()
    }
  }

  @inlinable mutating func compactIfStale() {
    if entries.count > 2 * live.count + 64 { dropAllStale() }
  }

  /// Leaves the entries sorted, which is a heap too.
  @inlinable mutating func dropAllStale() {
    entries = entries.filter { !isStale($0) }.sorted(by: precedes)
  }

  @inlinable func precedes(_ a: Entry, _ b: Entry) -> Bool {
    if a.time != b.time { return a.time < b.time }
    if a.order != b.order { return a.order < b.order }
    return a.stamp < b.stamp
  }

  @inlinable mutating func siftUp(_ start: Int) {
    var place = start
    while place > 0 {
      let parent = (place - 1) / 2
      guard precedes(entries[place], entries[parent]) else { return }
      entries.swapAt(place, parent)
      place = parent
    }
  }

  @inlinable mutating func siftDown() {
    var place = 0
    while true {
      var least = place
      let left = 2 * place + 1
      if left < entries.count, precedes(entries[left], entries[least]) { least = left }
      if left + 1 < entries.count, precedes(entries[left + 1], entries[least]) { least = left + 1 }
      guard least != place else { return }
      entries.swapAt(place, least)
      place = least
    }
  }
}
