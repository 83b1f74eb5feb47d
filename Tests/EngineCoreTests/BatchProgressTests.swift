import EngineCore
import Messages
import Testing

/// How far a batch has come, over a start of the engine.
@Suite struct BatchProgressTests {
  /// Seed 80112 of the oracle: an engine that had just started looked at them again.
  @Test func whatABatchHasPassedByItDoesNotLookAtAgain() throws {
    let world = World { $0.limits.batchSliceRows = 2 }
    for number in 1...4 { _ = world.start("o-\(number)") }
    _ = world.signal("o-1", "first")
    world.holdsLoads = true
    var batch = StartBatchRequest()
    batch.batchID = "b"
    batch.query = "HistoryLength > 1"
    batch.operation = BatchOperation()
    var signal = SignalWorkflowRequest()
    signal.signalName = "go"
    batch.operation?.operation = .signalWorkflow(signal)
    _ = world.ask(.batch(.start(batch)))
    world.advance(0)
    #expect(world.loadsWaiting == 1)
    world.holdsCommits = true
    world.serveLoads()
    // It is one of the batch's runs by now, after its turn.
    _ = world.signal("o-4", "first")
    world.commit()
    (world.holdsLoads, world.holdsCommits) = (false, false)
    world.crash()
    world.advance(1_000)
    #expect([1, 2, 3, 4].map { world.history($0).count } == [3, 1, 1, 2])
  }
}
