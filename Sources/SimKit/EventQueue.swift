import Basics

/// What is going to happen, by time; what happens at the same time, in the order in which it was
/// put.
struct EventQueue {
  private struct Item {
    let us: Int64
    let serial: Int
    let event: SimEvent
  }

  /// A binary heap.
  private var items: [Item] = []
  private var serial = 0

  var isEmpty: Bool { items.isEmpty }

  mutating func put(_ event: SimEvent, at us: Int64) {
    serial += 1
    items.append(Item(us: us, serial: serial, event: event))
    var place = items.count - 1
    while place > 0, precedes(place, (place - 1) / 2) {
      items.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func take() -> (us: Int64, event: SimEvent)? {
    guard let first = items.first else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return (first.us, first.event) }
    items[0] = last
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < items.count && precedes(child, least) { least = child }
      guard least != place else { break }
      items.swapAt(place, least)
      place = least
    }
    return (first.us, first.event)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    items[a].us != items[b].us ? items[a].us < items[b].us : items[a].serial < items[b].serial
  }
}

/// Something that happens at its time. `life` tells events of an earlier process apart.
enum SimEvent {
  case engine(EngineEvent, life: Int)
  case restart
  /// Bytes, or the end of the link (nil), come to the engine's side or to the peer's.
  case toEngine(Link, [UInt8]?)
  case toPeer(Link, [UInt8]?)
  // Boxed: the queue moves its events at each turn, and a request is large.
  indirect case client(Int, ClientEvent)
  case worker(Int, WorkerEvent, life: Int)
  case fault(Fault)
  case fullEnds
  case processGone(Int64)
  case heal
  case finish
}

enum EngineEvent {
  case turn
  case deadline(generation: Int)
  case hold
  /// The time that a drain has.
  case graceEnds
  /// The store has done what it was at.
  case store
  case storeRests(generation: Int)
}
