import Basics
import Testing

@testable import EngineCore

@Suite struct DeadlineWindowTests {
  /// Dormant runs come and go at random, beside some that wait outside, and the window is moved
  /// over a store that knows all dormant ones: each comes out once, at its time, and no more of
  /// these are kept than there may be.
  @Test func everyDeadlineComesOutInTimeHoweverFewFit() {
    for seed in 1...200 as ClosedRange<UInt64> {
      var model = Model(seed: seed, size: 8)
      for _ in 0..<400 { model.act() }
      model.finish()
      #expect(model.fault == nil, "seed \(seed): \(model.fault ?? "")")
    }
  }

  private struct Model {
    private var random: SeededRandom
    private let size: Int
    private var store: Set<StoredDeadline> = []
    /// Of runs that wait outside.
    private var untold: Set<StoredDeadline> = []
    private var all: Set<StoredDeadline> { store.union(untold) }
    private var window: DeadlineWindow
    private var now: Int64 = 0
    private var nextRun: Int64 = 1
    private(set) var fault: String?

    init(seed: UInt64, size: Int) {
      random = SeededRandom(seed: seed)
      self.size = size
      for _ in 0..<Int(seed % 40) {
        store.insert(
          StoredDeadline(
            run: RunNumber(nextRun), deadline: Instant(ms: Int64(random.next() % 200))))
        nextRun += 1
      }
      window = DeadlineWindow(Array(store.sorted().prefix(size)), size: size)
    }

    mutating func act() {
      switch random.next() % 4 {
      case 0, 1:
        let deadline = StoredDeadline(
          run: RunNumber(nextRun), deadline: Instant(ms: now + Int64(random.next() % 200)))
        nextRun += 1
        let isStored = random.next() % 4 != 0
        if isStored { store.insert(deadline) } else { untold.insert(deadline) }
        window.watch(deadline, isStored: isStored)
      case 2:
        // Somebody asks for a run: it is resident, and has no deadline in the store any more.
        guard let any = all.sorted().randomElement(using: &random) else { return }
        remove(any)
        window.forget(any.run)
      default: pass(Int64(random.next() % 30))
      }
      if window.count > 2 * size + untold.count { fault = "\(window.count) deadlines are kept" }
    }

    /// Time passes, and what is due is taken out.
    private mutating func pass(_ ms: Int64) {
      now += ms
      while true {
        readOn()
        guard let run = window.popDue(Instant(ms: now)) else { break }
        guard let deadline = all.first(where: { $0.run == run }) else {
          fault = "\(run) comes out twice"
          return
        }
        if deadline != all.min() { fault = "\(run) comes out before an earlier one" }
        remove(deadline)
      }
      if let late = all.first(where: { $0.deadline.ms <= now }) { fault = "\(late) is late" }
    }

    private mutating func remove(_ deadline: StoredDeadline) {
      store.remove(deadline)
      untold.remove(deadline)
    }

    private mutating func readOn() {
      guard let (after, countMax) = window.readOn() else { return }
      window.take(Array(store.sorted().filter { after < $0 }.prefix(countMax))) { _ in false }
    }

    mutating func finish() {
      pass(1_000)
      if !all.isEmpty { fault = "\(all.count) are left" }
    }
  }
}
