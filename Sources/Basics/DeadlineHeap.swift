/// What is due first: a heap with at most one entry per key.
///
/// Entries come out by (time, order, key's insertion): `order` breaks ties of time, so that what is
/// due at the same instant comes out in a fixed order.
public struct DeadlineHeap<Key: Hashable & Sendable>: Sendable {
  public struct Entry: Sendable {
    public let key: Key
    public let time: Instant
    public let order: Order

    @inlinable init(key: Key, time: Instant, order: Order) {
      self.key = key
      self.time = time
      self.order = order
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

  @usableFromInline var entries: [Entry] = []
  @usableFromInline var places: [Key: Int] = [:]

  @inlinable public init() {}

  @inlinable public var count: Int { entries.count }
  @inlinable public var first: Entry? { entries.first }

  @inlinable public func time(of key: Key) -> Instant? { places[key].map { entries[$0].time } }

  /// Adds the key, or moves it to another time.
  @inlinable public mutating func set(_ key: Key, at time: Instant, order: Order) {
    let entry = Entry(key: key, time: time, order: order)
    if let place = places[key] {
      entries[place] = entry
      siftDown(siftUp(place))
    } else {
      entries.append(entry)
      places[key] = entries.count - 1
      siftUp(entries.count - 1)
    }
  }

  /// Takes the key out, if it is there.
  @inlinable public mutating func remove(_ key: Key) {
    guard let place = places.removeValue(forKey: key) else { return }
    let last = entries.removeLast()
    guard place < entries.count else { return }
    entries[place] = last
    places[last.key] = place
    siftDown(siftUp(place))
  }

  /// Takes out the first entry that is due at `now`.
  @inlinable public mutating func popDue(_ now: Instant) -> Entry? {
    guard let first = entries.first, first.time <= now else { return nil }
    remove(first.key)
    return first
  }

  /// Keeps the first `count` entries; the last of those.
  @inlinable public mutating func keepFirst(_ count: Int) -> Entry? {
    // A sorted array is a heap.
    let kept = entries.sorted(by: precedes).prefix(count)
    entries = Array(kept)
    places = Dictionary(
      uniqueKeysWithValues: kept.enumerated().map { ($0.element.key, $0.offset) })
    return kept.last
  }

  @inlinable func precedes(_ a: Entry, _ b: Entry) -> Bool {
    a.time != b.time ? a.time < b.time : a.order < b.order
  }

  @discardableResult
  @inlinable mutating func siftUp(_ start: Int) -> Int {
    var place = start
    while place > 0 {
      let parent = (place - 1) / 2
      guard precedes(entries[place], entries[parent]) else { break }
      exchange(place, parent)
      place = parent
    }
    return place
  }

  @inlinable mutating func siftDown(_ start: Int) {
    var place = start
    while true {
      var least = place
      let left = 2 * place + 1
      if left < entries.count, precedes(entries[left], entries[least]) { least = left }
      if left + 1 < entries.count, precedes(entries[left + 1], entries[least]) { least = left + 1 }
      guard least != place else { return }
      exchange(place, least)
      place = least
    }
  }

  @inlinable mutating func exchange(_ a: Int, _ b: Int) {
    entries.swapAt(a, b)
    places[entries[a].key] = a
    places[entries[b].key] = b
  }
}
