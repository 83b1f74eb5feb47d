import Basics
import EngineCore
import Messages
import Testing

/// Letters that have to wait: for room in a step, for the store, over a start of the engine.
@Suite struct LetterTests {
  private func children(_ seqs: ClosedRange<UInt32>, close: ParentClosePolicy = .abandon)
    -> [Command.Kind]
  {
    seqs.map { seq in
      var start = StartChild()
      start.seq = seq
      start.workflowType = "leaf"
      start.parentClosePolicy = close
      return .startChild(start)
    }
  }

  private func started(_ world: World) -> Int {
    world.history().count { $0 == "childWorkflowExecutionStarted" }
  }

  private func completed(_ world: World) -> Int {
    world.history().count { $0 == "childWorkflowExecutionCompleted" }
  }

  /// More than a step takes in, and more than wait in memory.
  @Test(arguments: [1, 2, 3, 7, 30]) func aLargeFamilyIsTakenInOverManySteps(_ most: Int) throws {
    let world = World {
      $0.limits.lettersPerStepMax = most
      $0.limits.lettersWaitingMax = most
    }
    let worker = world.attach(workflows: ["order"], slots: 100)
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), children(1...20))
    world.advance(0)
    #expect(started(world) == 20)
    #expect(world.store.letters.isEmpty)
    let leaves = world.attach(workflows: ["leaf"], slots: 100)
    while let task = world.activation(leaves) {
      world.complete(leaves, task, [.done()])
    }
    world.advance(0)
    #expect(completed(world) == 20)
    #expect(world.store.letters.isEmpty)
  }

  /// Those that have become durable are taken in after a crash, once each.
  @Test(arguments: 1...12) func lettersSurviveACrash(_ steps: Int) throws {
    let world = World {
      $0.limits.lettersPerStepMax = 2
      $0.limits.lettersWaitingMax = 3
    }
    let worker = world.attach(workflows: ["order"], slots: 100)
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), children(1...10))
    for _ in 0..<steps where world.engine.nextDeadline == world.now {
      world.step(.deadlineReached)
    }
    world.crash()
    world.advance(0)
    #expect(started(world) == 10)
    #expect(world.store.letters.isEmpty)
  }
}
