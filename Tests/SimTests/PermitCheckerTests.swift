import EngineCore
import Messages
import Testing

@testable import SimKit

/// The checker of permits, on good and on bad stories.
@Suite struct PermitCheckerTests {
  private let bench = CheckerBench(PermitsAreKept())

  private func limits(_ running: Int32, ofKey: Int32 = 0) -> Write {
    var limits = WorkflowTypeLimits()
    limits.running = running
    limits.runningOfKey = ofKey
    return .putWorkflowTypeLimits(
      namespace: "default", workflowType: Program.type, limits.serialized())
  }

  private func permit(_ run: Int64, held: Bool, key: String = "", paused: Bool = false) -> Write {
    var row = PermitRow()
    row.workflowType = Program.type
    row.concurrencyKey = key
    row.held = held
    row.paused = paused
    return .putPermit(run: RunNumber(run), row.serialized())
  }

  /// Run 1 runs and run 2 waits for it.
  private func begin() {
    bench.commit(limits(1))
    for run in [1, 2] as [Int64] { bench.make(run, of: "w\(run)") }
    bench.commit(permit(1, held: true), permit(2, held: false))
    bench.add(1, .workflowTaskCompleted(WorkflowTaskCompletedEvent()))
    #expect(bench.found.isEmpty)
  }

  @Test func onePermitGoesFromRunToRun() {
    begin()
    bench.commit(.deletePermit(run: RunNumber(1)), permit(2, held: true))
    bench.close(1, .workflowExecutionCompleted(WorkflowExecutionCompleted()), .completed)
    bench.add(2, .workflowTaskCompleted(WorkflowTaskCompletedEvent()))
    bench.see(.finished)
    #expect(bench.found.isEmpty)
  }

  @Test func whatWasThereBeforeMayEnd() {
    begin()
    bench.commit(limits(2), permit(2, held: true))
    bench.commit(limits(1))
    bench.add(2, .workflowTaskCompleted(WorkflowTaskCompletedEvent()))
    #expect(bench.found.isEmpty)
  }

  @Test func aRunThatIsPausedMayWait() {
    begin()
    bench.commit(permit(2, held: false, paused: true))
    bench.commit(.deletePermit(run: RunNumber(1)))
    bench.close(1, .workflowExecutionCompleted(WorkflowExecutionCompleted()), .completed)
    #expect(bench.found.isEmpty)
  }

  @Test func oneTooManyIsFound() {
    begin()
    bench.commit(permit(2, held: true))
    #expect(bench.found == ["2 runs of type 'program' run at once; 1 may"])
  }

  @Test func oneTooManyOfAKeyIsFound() {
    bench.commit(limits(0, ofKey: 1))
    for run in [1, 2] as [Int64] { bench.make(run, of: "w\(run)") }
    bench.commit(permit(1, held: true, key: "a"))
    bench.commit(permit(2, held: true, key: "a"))
    #expect(bench.found == ["2 runs of type 'program' with key 'a' run at once; 1 may"])
  }

  @Test func aRunWithoutAPermitIsFound() {
    begin()
    bench.add(2, .workflowTaskCompleted(WorkflowTaskCompletedEvent()))
    #expect(bench.found == ["run#2 runs without a permit"])
  }

  @Test func anOpenRunThatIsNotCountedIsFound() {
    bench.make(1)
    bench.add(1, .workflowTaskCompleted(WorkflowTaskCompletedEvent()))
    bench.commit(limits(1))
    #expect(bench.found == ["run#1 runs without a permit"])
  }

  @Test func aPermitThatStaysIsFound() {
    begin()
    bench.close(1, .workflowExecutionCompleted(WorkflowExecutionCompleted()), .completed)
    #expect(bench.found == ["run#1 has closed, and still has its permit"])
  }

  @Test func aRunThatWaitsForNothingIsFound() {
    begin()
    bench.commit(.deletePermit(run: RunNumber(1)))
    #expect(bench.found == ["run#2 waits although there is room"])
  }
}
