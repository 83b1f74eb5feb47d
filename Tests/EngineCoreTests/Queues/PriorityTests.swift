import Basics
import EngineCore
import Messages
import Testing

/// What waits with a higher priority goes out first.
@Suite struct PriorityTests {
  /// The workflow ids of the activations in their order, each completed when it comes.
  private func workOff(_ world: World, _ worker: SessionID) -> [String] {
    var ids: [String] = []
    while let activation = world.activation(worker) {
      ids.append(activation.workflowID)
      world.complete(worker, activation, [.done()])
      world.tell(worker, .grant(.of(workflows: 1)))
    }
    return ids
  }

  private func startAll(_ world: World, _ priorities: [Int32]) {
    for (number, priority) in priorities.enumerated() {
      _ = world.start("o-\(number)") { $0.priority = .of(priority) }
    }
  }

  private static let priorities: [Int32] = [5, 3, 0, 1, 4, 2, 1, 5]
  private static let inOrder = ["o-3", "o-6", "o-5", "o-1", "o-2", "o-4", "o-0", "o-7"]

  @Test(arguments: [1, 3, 100] as [UInt32])
  func workflowsGoInOrderOfPriorityThenOldestFirst(_ slots: UInt32) {
    let world = World()
    startAll(world, PriorityTests.priorities)
    #expect(workOff(world, world.attach(slots: slots)) == PriorityTests.inOrder)
  }

  @Test func theOrderIsTheSameWhenTheyHaveLeftMemory() {
    let world = World { $0.limits.residentBytesMax = 5_000 }
    startAll(world, PriorityTests.priorities)
    #expect(world.engine.statistics.residentRuns < 4)
    #expect(workOff(world, world.attach(slots: 1)) == PriorityTests.inOrder)
  }

  @Test(arguments: [5_000, 1 << 30])
  func theOrderIsTheSameAfterAStartOfTheEngine(_ memory: Int) {
    let world = World { $0.limits.residentBytesMax = memory }
    startAll(world, PriorityTests.priorities)
    world.crash()
    #expect(workOff(world, world.attach(slots: 1)) == PriorityTests.inOrder)
  }

  /// One completion schedules all of them, and the worker has room for three.
  @Test func activitiesThatComeTogetherGoInOrderOfPriority() throws {
    let world = World()
    let worker = world.attach(slots: 3)
    _ = world.start("o-1")
    let priorities: [Int32] = [4, 0, 5, 1, 2]
    world.complete(
      worker, try #require(world.activation(worker)),
      priorities.enumerated().map { number, priority in
        .activity(UInt32(number + 1)) { $0.priority = .of(priority) }
      })
    var order: [String] = []
    while let task = world.activity(worker) {
      order.append(task.activityID)
      world.finish(worker, task)
      world.tell(worker, .grant(.of(activities: 1)))
    }
    #expect(order == ["4", "5", "2", "1", "3"])
  }

  /// A run that a worker has waits for it alone, but not before what is more urgent.
  @Test func aWorkersOwnRunsDoNotGoBeforeWhatIsMoreUrgent() throws {
    let world = World()
    let worker = world.attach(slots: 1)
    _ = world.start("own")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    _ = world.start("urgent") { $0.priority = .of(1) }
    _ = world.start("like") { $0.priority = .of(3) }
    _ = world.signal("own", "go")
    #expect(world.activation(worker) == nil)
    world.tell(worker, .grant(.of(workflows: 3)))
    let ids = (0..<3).map { _ in world.activation(worker)?.workflowID }
    #expect(ids == ["urgent", "own", "like"])
  }

  @Test func whatIsNotSetComesFromTheWorkflow() throws {
    let world = World()
    let worker = world.attach(workflows: ["order", "ship"])
    _ = world.start("o-1") { $0.priority = .of(2, "ann", 4) }
    var child = StartChild()
    child.seq = 3
    child.workflowID = "c-1"
    child.workflowType = "ship"
    child.priority = .of(0, "bob", 0)
    world.complete(
      worker, try #require(world.activation(worker)),
      [.activity(1), .activity(2) { $0.priority = .of(5) }, .startChild(child)])
    #expect(world.activity(worker)?.priority == .of(2, "ann", 4))
    #expect(world.activity(worker)?.priority == .of(5, "ann", 4))
    #expect(world.describe("c-1")?.priority == .of(2, "bob", 4))
    var next = ContinueAsNew()
    next.workflowType = "ship"
    world.complete(worker, try #require(world.activation(worker)), [.continueAsNew(next)])
    #expect(world.describe("c-1")?.priority == .of(2, "bob", 4))
  }
}

extension WorkPriority {
  static func of(_ level: Int32, _ key: String = "", _ weight: Double = 0) -> WorkPriority {
    var priority = WorkPriority()
    priority.priorityKey = level
    priority.fairnessKey = key
    priority.fairnessWeight = weight
    return priority
  }
}

extension Grant {
  static func of(workflows: UInt32 = 0, activities: UInt32 = 0) -> Grant {
    var grant = Grant()
    grant.workflowSlots = workflows
    grant.activitySlots = activities
    return grant
  }
}
