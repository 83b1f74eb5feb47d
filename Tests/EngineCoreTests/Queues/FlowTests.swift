import Basics
import Messages
import Testing

@testable import EngineCore

/// How fast work comes and goes.
@Suite struct FlowTests {
  /// What came and what went.
  private func counts(_ flow: Flow, _ now: Instant) -> [Int64] {
    let counts = flow.counts(at: now)
    return [counts.added, counts.given]
  }

  @Test func aSecondIsForgottenAfterThirty() {
    var flow = Flow()
    let start = Instant(ms: 1_700_000_000_000)
    flow.add(at: start)
    flow.add(at: start + Span(ms: 999))
    flow.give(at: start + Span(ms: 1_000))
    #expect(counts(flow, start + Span(ms: 29_999)) == [2, 1])
    #expect(counts(flow, start + Span(ms: 30_000)) == [0, 1])
    #expect(counts(flow, start + Span(ms: 31_000)) == [0, 0])
    flow.add(at: start + Span(ms: 30_500))
    #expect(counts(flow, start + Span(ms: 30_500)) == [1, 1])
    flow.add(at: start + Span(ms: 1_000_000))
    #expect(counts(flow, start + Span(ms: 1_000_000)) == [1, 0])
  }

  @Test func aQueueTellsItsRatesByPriority() throws {
    let world = World()
    for number in 0..<6 {
      _ = world.start("o-\(number)") { $0.priority = .of(number < 2 ? 1 : 4) }
    }
    world.advance(2_000)
    let worker = world.attach(slots: 3)
    var request = DescribeTaskQueueRequest()
    request.taskQueue = "q"
    guard case .describeTaskQueue(let queue)? = world.ask(.describeTaskQueue(request)) else {
      Issue.record("the queue is not described")
      return
    }
    let tasks = try #require(queue.workflowTasks)
    #expect(tasks.count == 3 && tasks.oldestAgeMs == Span(ms: 2_000))
    #expect(tasks.addedPerSecond == 6 / 30.0 && tasks.givenPerSecond == 3 / 30.0)
    #expect(tasks.priorities.map(\.priorityKey) == [1, 4])
    #expect(tasks.priorities.map(\.count) == [0, 3])
    #expect(tasks.priorities.map(\.givenPerSecond) == [2 / 30.0, 1 / 30.0])
    #expect(world.activation(worker) != nil)
  }

  @Test func aBucketNeverGivesMoreThanItsRate() throws {
    for (rate, burst) in [(0.3, 1), (1, 1), (7, 1), (25, 2), (999, 99), (1_000_000, 100_000)] {
      var bucket = try #require(Bucket(perSecond: rate))
      let start = Instant(ms: 5_000)
      var count = 0
      while bucket.readyTime(start) == start {
        bucket.take(start)
        count += 1
      }
      #expect(count == burst)
      let next = bucket.readyTime(start)
      #expect(next > start && (next - start).ms <= Int64(1_000 / rate) + 1)
      #expect(bucket.isFull(start + Span(ms: 1_000_000)))
    }
    #expect(Bucket(perSecond: 0) == nil)
  }
}
