/// Requests that wait for the same thing, in the order in which they came. Each may leave at any
/// moment, a whole connection's at once, so no leave may look at all others.
struct Waiters {
  // Those that have left are nil until they are half of all.
  private var ids: [RequestID?] = []
  private var left = 0
  /// Where each one is; only kept for many, since one or two are the rule.
  private var places: [RequestID: Int] = [:]
  private static let fewMax = 16

  var isEmpty: Bool { ids.count == left }
  var inOrder: [RequestID] { ids.compactMap { $0 } }

  mutating func append(_ id: RequestID) {
    ids.append(id)
    if !places.isEmpty {
      places[id] = ids.count - 1
    } else if ids.count > Waiters.fewMax {
      notePlaces()
    }
  }

  mutating func remove(_ id: RequestID) {
    guard let place = places.isEmpty ? ids.firstIndex(of: id) : places.removeValue(forKey: id)
    else {
      return
    }
    ids[place] = nil
    left += 1
    guard 2 * left > ids.count else { return }
    ids.removeAll { $0 == nil }
    left = 0
    places.removeAll()
    if ids.count > Waiters.fewMax { notePlaces() }
  }

  private mutating func notePlaces() {
    for (place, id) in ids.enumerated() { if let id { places[id] = place } }
  }
}
