import Glibc
import Testing

@testable import Sidecar

/// A thread that takes values and passes them on, each batch as one.
private final class Taker: @unchecked Sendable {
  let values = Mailbox<Int>()
  let taken = Mailbox<[Int]>()
  private var thread = pthread_t()

  init(patienceMs: Int) {
    let values = self.values
    let taken = self.taken
    let work: @Sendable () -> Void = {
      while let batch = values.wait(ms: patienceMs) { taken.put(batch) }
    }
    let context = Unmanaged.passRetained(Work(work)).toOpaque()
    pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context)
  }

  private final class Work {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Waits until the thread waits.
  func pause() { while !values.pause() { sched_yield() } }

  func end() {
    values.close()
    pthread_join(thread, nil)
  }
}

@Suite struct MailboxTests {
  @Test func whatComesInAPauseIsTakenAfterIt() {
    let taker = Taker(patienceMs: 60_000)
    taker.pause()
    taker.values.put(1)
    taker.values.put(2)
    #expect(taker.taken.wait(ms: 50) == [], "taken in a pause")
    taker.values.resume()
    #expect(taker.taken.wait(ms: 10_000) == [[1, 2]])
    taker.end()
  }

  @Test func aPauseBeginsTheTimeAnew() {
    let taker = Taker(patienceMs: 30)
    taker.pause()
    #expect(taker.taken.wait(ms: 100) == [], "the time has passed in a pause")
    taker.values.resume()
    #expect(taker.taken.wait(ms: 10_000) == [[]], "nothing has come for so long")
    taker.end()
  }

  @Test func nobodyIsPausedWhoDoesNotWait() {
    let nobody = Mailbox<Int>()
    #expect(!nobody.pause())
    nobody.put(1)
    #expect(!nobody.pause())
    #expect(nobody.wait(ms: 0) == [1])
    nobody.close()
    #expect(!nobody.pause())
    #expect(nobody.wait(ms: 0) == nil)
  }
}
