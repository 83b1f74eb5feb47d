import Basics
import Testing

@testable import EngineCore

@Suite("Waiters") struct WaitersTests {
  /// Against an array, which is slow and obvious.
  @Test func theyStayInOrderWhoeverLeaves() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("WaitersTests: seed \(seed)")
    var random = SeededRandom(seed: seed)
    var waiters = Waiters()
    var array: [RequestID] = []
    for stream in 1...2_000 as ClosedRange<UInt64> {
      let id = RequestID(connection: 1, stream: stream)
      // More come than go in the first half, then fewer.
      if random.next() % 100 < (stream <= 1_000 ? 70 : 30) {
        waiters.append(id)
        array.append(id)
      } else {
        let leaving = array.isEmpty ? id : array[Int(random.next() % UInt64(array.count))]
        waiters.remove(leaving)
        array.removeAll { $0 == leaving }
      }
      #expect(waiters.isEmpty == array.isEmpty)
      if stream % 50 == 0 { #expect(waiters.inOrder == array) }
    }
    for id in array { waiters.remove(id) }
    #expect(waiters.isEmpty)
    #expect(waiters.inOrder == [])
  }
}
