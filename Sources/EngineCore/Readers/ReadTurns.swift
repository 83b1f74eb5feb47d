import Basics

/// Whose read comes next. The store is asked for a few at a time, so that a thousand streamed
/// answers neither fill the memory nor keep the next commit waiting; connections take turns.
struct ReadTurns {
  private var waiting: [UInt64: Queue<RequestID>] = [:]
  private var turns = Queue<UInt64>()
  /// With the store.
  private(set) var underWay = 0

  mutating func wait(_ id: RequestID) {
    if waiting[id.connection] == nil { turns.append(id.connection) }
    waiting[id.connection, default: Queue()].append(id)
  }

  /// The next one, if fewer than so many are with the store; it counts as one of them.
  mutating func begin(max: Int) -> RequestID? {
    guard underWay < max, let connection = turns.popFirst() else { return nil }
    let id = waiting[connection]?.popFirst()
    if waiting[connection]?.isEmpty == false {
      turns.append(connection)
    } else {
      waiting.removeValue(forKey: connection)
    }
    underWay += 1
    return id
  }

  /// One is back from the store, or was not wanted any more.
  mutating func end() { underWay -= 1 }
}
