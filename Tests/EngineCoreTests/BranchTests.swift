import Basics
import Messages
import Testing

@testable import EngineCore

/// Stores that go on from the same backup: what one of them hands out counts in that one only.
@Suite("Branches of a store") struct BranchTests {
  private func told(_ world: World, _ session: SessionID) -> String? {
    world.take(session) {
      switch $0 {
      case .recorded: "recorded"
      case .refused(let refused): refused.status?.reason.name ?? "refused"
      default: nil
      }
    }
  }

  /// `o-1` has scheduled an activity that nobody takes.
  private func scheduled() throws -> World {
    let world = World()
    let worker = world.attach(activities: [])
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    world.commit()
    return world
  }

  private func restore(_ backup: MemoryStore, _ world: World, branches: UInt32) {
    world.store = backup
    world.store.moveOn(branches: branches)
    world.crash()
  }

  @Test func aLeaseThatWasGivenAfterTheBackupCountsWhereItWasGiven() throws {
    let world = try scheduled()
    let backup = world.store
    let left = try #require(world.activity(world.attach()))
    world.commit()
    var tokens = [left.token]
    for branches in [1, 2, 1_000] as [UInt32] {
      restore(backup, world, branches: branches)
      let worker = world.attach()
      let task = try #require(world.activity(worker))
      #expect(task.attempt == left.attempt && !tokens.contains(task.token))
      for token in tokens {
        var stale = task
        stale.token = token
        world.finish(worker, stale, "of another branch")
        #expect(told(world, worker) == "STALE_LEASE")
      }
      tokens.append(task.token)
      world.finish(worker, task)
      #expect(told(world, worker) == "recorded")
    }
  }

  @Test func aLeaseFromBeforeTheBackupIsGoodAfterIt() throws {
    let world = try scheduled()
    let task = try #require(world.activity(world.attach()))
    world.commit()
    restore(world.store, world, branches: 7)
    let worker = world.attach { $0.heldLeases = [task.token] }
    world.finish(worker, task)
    #expect(told(world, worker) == "recorded")
  }

  @Test func aTokenOfTheFirstBranchIsAsItAlwaysWas() throws {
    let plain = ActivityToken(run: RunNumber(1), runID: .none, scheduledEvent: 5, attempt: 2)
    #expect(plain.bytes.count == 41)
    var other = ActivityToken(
      run: RunNumber(1), runID: .none, scheduledEvent: 5, attempt: 2, branch: 9)
    #expect(ActivityToken(other.bytes) == other && other != plain)
    other = try #require(ActivityToken(plain.bytes))
    #expect(other == plain && other.branch == 0)
  }
}
