import Basics
import Testing

@Suite("The deadline heap") struct DeadlineHeapTests {
  private typealias Heap = DeadlineHeap<Int>

  private func popAll(_ heap: inout Heap) -> [Int] {
    var keys: [Int] = []
    while let entry = heap.popDue(.distantFuture) { keys.append(entry.key) }
    return keys
  }

  @Test func whatIsDueFirstComesFirst() {
    var heap = Heap()
    for (key, ms) in [(1, 30), (2, 10), (3, 20)] as [(Int, Int64)] {
      heap.set(key, at: Instant(ms: ms), order: .init(0))
    }
    #expect(heap.first?.key == 2)
    #expect(heap.time(of: 3) == Instant(ms: 20))
    #expect(popAll(&heap) == [2, 3, 1])
    #expect(heap.count == 0)
  }

  @Test func theSameTimeIsOrderedByOrder() {
    var heap = Heap()
    let orders: [Heap.Order] = [.init(2, 1), .init(1, 9), .init(2, 0), .init(-1)]
    for (key, order) in orders.enumerated() { heap.set(key, at: .epoch, order: order) }
    #expect(popAll(&heap) == [3, 1, 2, 0])
  }

  /// Against a look at all of them, in random heaps with stale entries.
  @Test func theFirstOfAKindIsFound() {
    for seed in 1...200 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      var heap = Heap()
      var times: [Int: Int64] = [:]
      for _ in 0..<60 {
        let key = Int(random.next() % 20)
        if random.next() % 4 == 0 {
          heap.remove(key)
          times[key] = nil
        } else {
          times[key] = Int64(random.next() % 50)
          heap.set(key, at: Instant(ms: times[key]!), order: .init(Int64(key)))
        }
        for divisor in 1...4 {
          let least = times.filter { $0.key % divisor == 0 }.map { ($0.value, $0.key) }.min(by: <)
          let found = heap.first { $0 % divisor == 0 }
          #expect(found?.key == least?.1 && found?.time.ms == least?.0, "seed \(seed)")
        }
      }
    }
  }

  @Test func onlyWhatIsDueComesOut() {
    var heap = Heap()
    heap.set(1, at: Instant(ms: 10), order: .init(0))
    #expect(heap.popDue(Instant(ms: 9)) == nil)
    #expect(heap.popDue(Instant(ms: 10))?.key == 1)
    #expect(heap.popDue(.distantFuture) == nil)
  }

  @Test func aKeyIsThereOnceAndMoves() {
    var heap = Heap()
    heap.set(1, at: Instant(ms: 10), order: .init(0))
    heap.set(2, at: Instant(ms: 20), order: .init(0))
    heap.set(1, at: Instant(ms: 30), order: .init(0))
    #expect(heap.count == 2)
    #expect(heap.time(of: 1) == Instant(ms: 30))
    #expect(popAll(&heap) == [2, 1])
  }

  @Test func whatIsRemovedIsGoneAndMayBeRemovedAgain() {
    var heap = Heap()
    for key in 0..<5 { heap.set(key, at: Instant(ms: Int64(key)), order: .init(0)) }
    heap.remove(2)
    heap.remove(2)
    heap.remove(9)
    #expect(heap.time(of: 2) == nil)
    #expect(popAll(&heap) == [0, 1, 3, 4])
  }

  @Test func itAgreesWithASortedListWhateverHappens() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("DeadlineHeapTests: seed \(seed)")
    var random = SeededRandom(seed: seed)
    var heap = Heap()
    var model: [(key: Int, time: Int64, order: Int64)] = []
    for step in 0..<20_000 {
      // Few keys and fewer times, so that keys move and times are the same.
      let key = Int(random.next() % 40)
      switch random.next() % 4 {
      case 0, 1:
        let time = Int64(random.next() % 20)
        model.removeAll { $0.key == key }
        model.append((key, time, Int64(key)))
        model.sort { ($0.time, $0.order) < ($1.time, $1.order) }
        heap.set(key, at: Instant(ms: time), order: .init(Int64(key)))
      case 2:
        model.removeAll { $0.key == key }
        heap.remove(key)
      default:
        let now = Int64(random.next() % 20)
        let due = model.first.flatMap { $0.time <= now ? $0.key : nil }
        if due != nil { model.removeFirst() }
        if heap.popDue(Instant(ms: now))?.key != due { Issue.record("step \(step)") }
      }
      let time = model.first { $0.key == key }.map { Instant(ms: $0.time) }
      if heap.count != model.count || heap.first?.key != model.first?.key
        || heap.time(of: key) != time
      {
        Issue.record("seed \(seed), step \(step): heap and list differ")
        return
      }
    }
    #expect(popAll(&heap) == model.map(\.key))
  }
}
