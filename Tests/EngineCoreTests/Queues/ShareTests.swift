import Basics
import EngineCore
import Messages
import Testing

/// What is given out is shared between the fairness keys that wait.
@Suite struct ShareTests {
  /// Starts `count` workflows of each key, key after key; in one word the workflow id says which.
  private func startAll(_ world: World, _ keys: [(key: String, weight: Double)], _ count: Int) {
    for (key, weight) in keys {
      for number in 0..<count {
        _ = world.start("\(key)-\(number)") { $0.priority = .of(0, key, weight) }
      }
    }
  }

  /// The keys in the order in which the worker is given their workflows.
  private func keys(_ world: World, _ worker: SessionID, _ count: Int) -> [String] {
    var keys: [String] = []
    while keys.count < count, let activation = world.activation(worker) {
      keys.append(String(activation.workflowID.prefix { $0 != "-" }))
      world.complete(worker, activation, [.done()])
      world.tell(worker, .grant(.of(workflows: 1)))
    }
    return keys
  }

  @Test func keysTakeTurnsThoughOneCameFirst() {
    let world = World()
    startAll(world, [("a", 0), ("b", 0), ("c", 0)], 4)
    let order = keys(world, world.attach(slots: 1), 12)
    #expect(order == ["a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c"])
  }

  /// Over any window in which all wait: each has its part, but for one task of its own and one of
  /// the other's.
  @Test(arguments: [5_000, 1 << 30])
  func eachKeyHasItsPartByWeightInEveryWindow(_ memory: Int) {
    let world = World { $0.limits.residentBytesMax = memory }
    let weights = [("a", 1.0), ("b", 3.0), ("c", 0.5), ("d", 10.0)]
    startAll(world, weights.map { ($0.0, $0.1) }, 120)
    let order = keys(world, world.attach(slots: 1), 145)
    for start in order.indices {
      var had: [String: Double] = [:]
      for key in order[start...] {
        had[key, default: 0] += 1
        for (one, weight) in weights {
          for (other, others) in weights where other != one {
            let difference = (had[one] ?? 0) / weight - (had[other] ?? 0) / others
            #expect(difference <= 1 / weight + 1 / others + 0.000_1, "\(one) before \(other)")
          }
        }
      }
    }
    #expect(order.count { $0 == "d" } >= 98)
  }

  /// One task at a time of a light key beside many of a heavy one: it gets no more than its part.
  @Test func whoComesAndGoesGetsNoMoreThanItsPart() {
    let world = World()
    startAll(world, [("heavy", 10)], 100)
    let worker = world.attach(slots: 1)
    var order = keys(world, worker, 1)
    for number in 0..<50 {
      _ = world.start("light-\(number)") { $0.priority = .of(0, "light", 1) }
      while order.count < 100, order.last != "light" { order += keys(world, worker, 1) }
      guard order.count < 100 else { break }
      order += keys(world, worker, 1)
    }
    #expect(order.prefix(100).count { $0 == "light" } <= 11)
    #expect(order.prefix(100).count { $0 == "light" } >= 8)
  }

  /// Work without a key is a key of its own, of weight 1.
  @Test func workWithoutAKeyHasItsPartToo() {
    let world = World()
    startAll(world, [("", 0), ("b", 0)], 3)
    #expect(keys(world, world.attach(slots: 1), 6) == ["", "b", "", "b", "", "b"])
  }

  /// Who could not be served for a while has no claim to what others had meanwhile.
  @Test func whoHadNoWorkerDoesNotMakeUpForIt() throws {
    let world = World()
    for number in 0..<20 {
      _ = world.start("a-\(number)") { $0.priority = .of(0, "a") }
      _ = world.start("b-\(number)") {
        $0.priority = .of(0, "b")
        $0.workflowType = "ship"
      }
    }
    #expect(keys(world, world.attach(slots: 1), 10).allSatisfy { $0 == "a" })
    let both = world.attach(workflows: ["order", "ship"], slots: 1)
    let order = keys(world, both, 8)
    #expect(order.count { $0 == "b" } >= 4)
    #expect(order.count { $0 == "a" } >= 3)
  }

  /// Its turn comes before that of the run which is being loaded.
  @Test func aNewKeyNeedNotWaitForTheLoadOfAnother() throws {
    let world = World { $0.limits.residentBytesMax = 5_000 }
    startAll(world, [("a", 0), ("", 0)], 6)
    let worker = world.attach(slots: 2)
    #expect((0..<2).map { _ in world.activation(worker)?.workflowID } == ["a-0", "-0"])
    world.holdsLoads = true
    world.tell(worker, .grant(.of(workflows: 2)))
    #expect(world.loadsWaiting == 2)
    _ = world.start("b-0") { $0.priority = .of(0, "b") }
    #expect(world.activation(worker)?.workflowID == "b-0")
    world.holdsLoads = false
    world.serveLoads()
    #expect(world.activation(worker)?.workflowID == "a-1")
  }

  @Test func theirOrderSurvivesStaleEntries() {
    let world = World()
    startAll(world, [("a", 0), ("b", 0)], 200)
    for number in 0..<150 {
      var end = TerminateWorkflowRequest()
      end.execution = world.execution("a-\(number)")
      _ = world.ask(.terminateWorkflow(end))
    }
    let order = keys(world, world.attach(slots: 1), 300)
    #expect(order.count == 250)
    #expect(order.prefix(100).count { $0 == "a" } == 50)
  }
}
