import Basics
import EngineCore
import Messages
import Testing

/// Work that waits in a task queue.
@Suite struct QueueTests {
  private func waiting(_ world: World) -> Int64? {
    var request = DescribeTaskQueueRequest()
    request.taskQueue = "q"
    guard case .describeTaskQueue(let response) = world.ask(.describeTaskQueue(request)) else {
      return nil
    }
    return response.workflowTasks?.count
  }

  @Test func whatWaitsForItsWorkerStaysWhileTheEngineDrains() throws {
    let world = World()
    let worker = world.attach(slots: 1)
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    let other = world.attach()
    world.advance(1)
    _ = world.signal("o-1", "go")
    world.step(.drain)
    world.advance(100)
    #expect(world.take(other) { if case .replayHistory(let m) = $0 { m } else { nil } } == nil)
    #expect(waiting(world) == 1)
  }

  /// The task waited for the worker that has its run, then for any, then for any but that one.
  @Test func aTaskThatIsOfferedAnewWaitsOnce() throws {
    let world = World()
    let worker = world.attach(slots: 1)
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    _ = world.signal("o-1", "go")
    world.advance(100)
    #expect(waiting(world) == 1)
    world.step(.sessionSilent(worker, true))
    #expect(waiting(world) == 1)
  }
}
