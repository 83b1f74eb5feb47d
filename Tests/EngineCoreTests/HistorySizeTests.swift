import Basics
import EngineCore
import Messages
import Testing

/// How long a history may become, and when its code is advised to begin another one.
@Suite struct HistorySizeTests {
  @Test func theBoundsAreThoseOfTemporal() {
    let limits = EngineLimits()
    #expect(limits.historyEventsSuggested == 4_096)
    #expect(limits.historyBytesSuggested == 4 << 20)
    #expect(limits.historyEventsMax == 51_200)
    #expect(limits.historyBytesMax == 50 << 20)
  }

  /// A run of which each signal takes 1,000 bytes.
  private func signaled(
    times: Int, _ change: (inout EngineConfiguration) -> Void
  ) throws -> (World, [Activation]) {
    let world = World(change)
    let worker = world.attach()
    _ = world.start("o-1")
    var shown = [try #require(world.activation(worker))]
    world.complete(worker, shown[0], [.timer(1, 60_000)])
    for _ in 0..<times {
      var signal = SignalWorkflowRequest()
      signal.execution = world.execution("o-1")
      signal.signalName = "s"
      signal.input = [.text(String(repeating: "x", count: 1_000))]
      _ = world.request(.signalWorkflow(signal))
      guard let next = world.activation(worker) else { break }
      shown.append(next)
      world.complete(worker, next, [])
    }
    return (world, shown)
  }

  @Test func continueAsNewIsAdvisedFromSoManyEventsOn() throws {
    let (_, shown) = try signaled(times: 4) { $0.limits.historyEventsSuggested = 8 }
    #expect(shown.map(\.historyLength) == [1, 4, 6, 8, 10])
    #expect(shown.map(\.continueAsNewSuggested) == [false, false, false, true, true])
  }

  @Test func continueAsNewIsAdvisedFromSoManyBytesOn() throws {
    let (_, shown) = try signaled(times: 4) { $0.limits.historyBytesSuggested = 2_500 }
    for activation in shown {
      #expect(activation.continueAsNewSuggested == (activation.historySizeBytes >= 2_500))
    }
    #expect(shown.first?.continueAsNewSuggested == false)
    #expect(shown.last?.continueAsNewSuggested == true)
  }

  @Test func aHistoryOfTooManyBytesEndsItsRun() throws {
    let (world, shown) = try signaled(times: 10) { $0.limits.historyBytesMax = 3_000 }
    #expect(shown.count < 6)
    let last = world.store.history(RunNumber(1)).last
    guard case .workflowExecutionTerminated(let end) = last?.attributes else {
      Issue.record("the run goes on")
      return
    }
    #expect(end.reason.contains("3000 bytes"))
  }
}
