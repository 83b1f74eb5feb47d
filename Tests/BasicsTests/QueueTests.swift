import Basics
import Testing

@Suite("The queue") struct QueueTests {
  @Test func whatComesFirstLeavesFirst() {
    var queue = Queue<Int>()
    #expect(queue.isEmpty)
    #expect(queue.first == nil)
    #expect(queue.popFirst() == nil)
    for number in 1...20 { queue.append(number) }
    #expect(queue.count == 20)
    #expect(queue.first == 1)
    #expect(queue.elements == Array(1...20))
    #expect((1...20).map { _ in queue.popFirst() } == Array(1...20))
    #expect(queue.isEmpty)
    #expect(queue.popFirst() == nil)
  }

  @Test func itGrowsWhileItsEndLiesBeforeItsHead() {
    var queue = Queue<Int>()
    // The first ring has eight places.
    for number in 0..<8 { queue.append(number) }
    for number in 0..<5 { #expect(queue.popFirst() == number) }
    for number in 8..<20 { queue.append(number) }
    #expect(queue.elements == Array(5..<20))
  }

  @Test func whatHasLeftIsLetGo() {
    final class Held {}
    var queue = Queue<Held>()
    weak var held: Held?
    do {
      let object = Held()
      held = object
      queue.append(object)
    }
    #expect(held != nil)
    _ = queue.popFirst()
    #expect(held == nil)
  }

  @Test func emptyElementsAreElements() {
    var queue = Queue<Int?>()
    queue.append(nil)
    queue.append(1)
    #expect(queue.count == 2)
    #expect(queue.elements == [nil, 1])
    #expect(queue.popFirst() == .some(nil))
    #expect(queue.popFirst() == .some(1))
    #expect(queue.popFirst() == nil)
  }

  @Test func itAgreesWithAListWhateverHappens() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("QueueTests: seed \(seed)")
    var random = SeededRandom(seed: seed)
    var queue = Queue<UInt64>()
    var model: [UInt64] = []
    for step in 0..<10_000 {
      // Long spells of filling and of emptying.
      if random.next() % 8 < (step / 500 % 2 == 0 ? 5 : 3) {
        let number = random.next()
        if random.next() % 8 == 0 {
          queue.prepend(number)
          model.insert(number, at: 0)
        } else {
          queue.append(number)
          model.append(number)
        }
      } else {
        let first = model.isEmpty ? nil : model.removeFirst()
        if queue.popFirst() != first {
          Issue.record("seed \(seed), step \(step)")
          return
        }
      }
      if queue.count != model.count || queue.first != model.first {
        Issue.record("seed \(seed), step \(step)")
        return
      }
    }
    #expect(queue.elements == model)
  }
}
