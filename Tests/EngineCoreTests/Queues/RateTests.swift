import Basics
import EngineCore
import Messages
import Testing

/// Activities are given out at the rate of their queue, and at that of their key.
@Suite struct RateTests {
  private func limit(_ world: World, _ change: (inout TaskQueueLimits) -> Void) -> Reply? {
    var request = SetTaskQueueLimitsRequest()
    request.taskQueue = "q"
    request.limits = TaskQueueLimits()
    change(&request.limits!)
    return world.ask(.setTaskQueueLimits(request))
  }

  /// A run whose code has scheduled so many activities, of these keys in turn.
  private func schedule(
    _ world: World, _ count: Int, keys: [String] = [""], priority: (String) -> Int32 = { _ in 0 }
  ) throws {
    let worker = world.attach(activities: [])
    _ = world.start("o-\(UInt64(world.now.ms))")
    world.complete(
      worker, try #require(world.activation(worker)),
      (0..<count).map { number in
        .activity(UInt32(number + 1)) {
          let key = keys[number % keys.count]
          $0.priority = .of(priority(key), key)
          $0.startToCloseTimeoutMs = Span(ms: 3_600_000)
        }
      })
    world.step(.sessionClosed(worker))
  }

  /// When the activities left, in milliseconds from now, with their keys.
  private func times(_ world: World, _ worker: SessionID, _ span: Int64) -> [(Int64, String)] {
    let start = world.now
    var times: [(Int64, String)] = []
    func take() {
      while let task = world.activity(worker) {
        times.append(((world.now - start).ms, task.priority?.fairnessKey ?? ""))
      }
    }
    take()
    let end = world.now + Span(ms: span)
    while let next = world.engine.nextDeadline, next <= end {
      world.advance((next - world.now).ms)
      take()
    }
    world.advance((end - world.now).ms)
    return times
  }

  @Test func aQueueGivesOutItsActivitiesAtItsRate() throws {
    let world = World()
    _ = limit(world) { $0.activitiesPerSecond = 4 }
    try schedule(world, 6)
    let worker = world.attach(workflows: [])
    #expect(times(world, worker, 5_000).map(\.0) == [0, 250, 500, 750, 1_000, 1_250])
    #expect(world.engine.nextDeadline.map { $0 > world.now + Span(ms: 60_000) } ?? true)
  }

  /// A tenth of a second's worth at once, and never more than that above the rate.
  @Test func aHighRateComesInSmallBursts() throws {
    let world = World()
    _ = limit(world) { $0.activitiesPerSecond = 50 }
    try schedule(world, 60)
    let worker = world.attach(workflows: [], slots: 100)
    let left = times(world, worker, 2_000).map(\.0)
    #expect(left.count == 60)
    #expect(left.prefix(5).allSatisfy { $0 == 0 })
    for start in left {
      for end in left where end >= start {
        let count = left.count { $0 >= start && $0 <= end }
        #expect(Double(count) <= 5 + Double(end - start) / 20 + 0.001)
      }
    }
    #expect(left.last == 1_100)
  }

  @Test func eachKeyHasItsRateAndOthersPassByIt() throws {
    let world = World()
    _ = limit(world) {
      $0.activitiesPerSecondOfKey = 1
      var rate = FairnessKeyRate()
      rate.fairnessKey = "fast"
      rate.activitiesPerSecond = 2
      $0.keyRates = [rate]
    }
    try schedule(world, 12, keys: ["slow", "fast", ""])
    let worker = world.attach(workflows: [], slots: 100)
    let left = times(world, worker, 10_000)
    #expect(left.filter { $0.1 == "slow" }.map(\.0) == [0, 1_000, 2_000, 3_000])
    #expect(left.filter { $0.1 == "fast" }.map(\.0) == [0, 500, 1_000, 1_500])
    #expect(left.filter { $0.1.isEmpty }.map(\.0) == [0, 0, 0, 0])
  }

  @Test func whatWaitsForItsRateGoesToWhoeverHasMostRoom() throws {
    let world = World()
    _ = limit(world) { $0.activitiesPerSecond = 1 }
    let one = world.attach(workflows: [], slots: 3)
    let other = world.attach(workflows: [], slots: 3)
    try schedule(world, 4)
    world.advance(3_000)
    let counts = [one, other].map { worker in
      var count = 0
      while world.activity(worker) != nil { count += 1 }
      return count
    }
    #expect(counts == [2, 2])
  }

  /// Seed 50022 of the oracle: the engine woke itself up for ever.
  @Test func whatItsRateLetsGoWaitsForRoom() throws {
    let world = World()
    _ = limit(world) { $0.activitiesPerSecondOfKey = 1 }
    let worker = world.attach(workflows: [], slots: 2)
    // The second one is looked at, and sleeps, while there is room that the third one takes.
    try schedule(world, 3, keys: ["a", "a", ""]) { $0.isEmpty ? 5 : 1 }
    #expect(times(world, worker, 999).map(\.1) == ["a", ""])
    world.now = world.now + Span(ms: 1)
    world.step(.deadlineReached)
    #expect(try #require(world.engine.nextDeadline) > world.now)
    world.tell(worker, .grant(.of(activities: 1)))
    #expect(world.activity(worker)?.priority?.fairnessKey == "a")
  }

  /// Seed 80033 of the oracle: another worker's question woke it, and nobody asked its own worker.
  @Test func whatAnotherWorkersRoomWakesGoesToItsOwn() throws {
    let world = World()
    _ = limit(world) { $0.activitiesPerSecondOfKey = 1 }
    let worker = world.attach(workflows: [], slots: 3)
    let other = world.attach(workflows: [], activities: ["pack"], slots: 1)
    try schedule(world, 2, keys: ["a"])
    #expect(world.activity(worker) != nil && world.activity(worker) == nil)
    world.now = world.now + Span(ms: 1_000)
    world.tell(other, .grant(.of(activities: 1)))
    world.advance(0)
    #expect(world.activity(worker) != nil)
  }

  /// Seed 50040 of the oracle: it was not fetched from outside, since another one comes first.
  @Test func whatMayStartPassesByWhatItsRateKeepsBackAlsoOutsideMemory() throws {
    let world = World { $0.limits.residentBytesMax = 1 }
    _ = limit(world) { $0.activitiesPerSecondOfKey = 0.001 }
    let worker = world.attach(workflows: [], slots: 1)
    try schedule(world, 2, keys: ["a"]) { _ in 1 }
    #expect(world.activity(worker) != nil)
    world.advance(1)
    try schedule(world, 1, keys: ["b"]) { _ in 5 }
    #expect(world.engine.statistics.residentRuns == 1)
    world.tell(worker, .grant(.of(activities: 1)))
    world.advance(0)
    #expect(world.activity(worker)?.priority?.fairnessKey == "b")
  }

  @Test func limitsHoldOverAStartOfTheEngineAndUntilTheyAreTakenAway() throws {
    let world = World()
    _ = limit(world) { $0.activitiesPerSecond = 0.5 }
    try schedule(world, 3)
    world.crash()
    let worker = world.attach(workflows: [])
    #expect(times(world, worker, 2_000).map(\.0) == [0, 2_000])
    _ = limit(world) { _ in }
    #expect(world.activity(worker) != nil)
    #expect(world.store.queueLimits.isEmpty)
  }

  /// A thousand keys that each have their rate: each costs a place in a heap.
  @Test func manyKeysWaitForTheirRates() throws {
    let world = World { $0.limits.pendingActivitiesMax = 3_000 }
    _ = limit(world) { $0.activitiesPerSecondOfKey = 0.1 }
    try schedule(world, 2_000, keys: (0..<1_000).map { "k-\($0)" })
    let worker = world.attach(workflows: [], slots: 5_000)
    let left = times(world, worker, 30_000)
    #expect(left.count { $0.0 == 0 } == 1_000)
    #expect(left.count { $0.0 == 10_000 } == 1_000)
  }

  @Test(arguments: [
    ("activities_per_second", -1.0), ("activities_per_second", .nan),
    ("activities_per_second", 0.000_9), ("activities_per_second_of_key", 1_000_001.0),
  ])
  func aRateThatIsNoneIsRefusedWithItsRange(_ field: String, _ rate: Double) {
    let world = World()
    let reply = limit(world) {
      if field == "activities_per_second" {
        $0.activitiesPerSecond = rate
      } else {
        $0.activitiesPerSecondOfKey = rate
      }
    }
    guard case .failure(let status) = reply else {
      Issue.record("it is taken")
      return
    }
    #expect(status.code == .invalidArgument && status.reason == .fieldInvalid)
    #expect(status.field == "limits.\(field)")
    #expect(status.message.contains("0.001 to 1,000,000 are allowed, or 0 for no limit"))
  }
}
