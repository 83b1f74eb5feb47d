import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// DLN of proto/README.md.
@Suite("Deadlines of requests") struct DeadlineTests {
  private let late = "DEADLINE_EXCEEDED TIMED_OUT"

  @Test func whatOnlyWaitsIsDroppedWhenItsTimeIsUp() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a", timeoutMs: 1_000)
    _ = peers.take(id)
    peers.advance(999)
    #expect(peers.takeShort(id) == [])
    peers.advance(1)
    #expect(peers.takeShort(id) == ["End 2 \(late)"])
    peers.terminate(id, 3, "a")
    #expect(peers.takeShort(id) == ["End 3 OK"], "the first is not answered again")
  }

  @Test func whatWaitsForTheStoreIsDroppedToo() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.call(id, 1, .workflowListWorkflows, ListWorkflowsRequest(), timeoutMs: 50)
    #expect(peers.takeShort(id) == [])
    peers.advance(50)
    #expect(peers.takeShort(id) == ["End 1 \(late)"])
  }

  @Test func whatHasTakenEffectGetsItsTrueAnswer() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.isStoreBusy = true
    var start = StartWorkflowRequest()
    start.workflowID = "a"
    start.workflowType = "order"
    start.taskQueue = "q"
    peers.call(id, 1, .workflowStartWorkflow, start, timeoutMs: 50)
    peers.advance(1_000)
    #expect(peers.takeShort(id) == [], "neither the answer, which is not durable, nor a lie")
    peers.persist()
    #expect(peers.takeShort(id) == ["End 1 OK"])
  }

  /// Seed 1189 of the simulation.
  @Test func aRequestThatComesToWaitWhenItsTimeIsUpWaitsNoLonger() {
    var peers = Peers { $0.limits.overdueMs = 50 }
    let id = peers.greeted(1)
    peers.isStoreBusy = true
    peers.start(id, 1, "a")
    peers.terminate(id, 2, "a")
    peers.persist()
    _ = peers.take(id)
    // The run has left memory: the request for its result waits for the store first.
    peers.advance(60_000)
    peers.start(id, 3, "b")
    _ = peers.take(id)
    peers.advance(60_000)
    peers.awaitResult(id, 4, "a", timeoutMs: 10)
    peers.advance(20)
    #expect(peers.takeShort(id) == [], "the store has it")
    peers.answerLoads { _ in .run(Peers.openRun("a"), request: nil) }
    #expect(peers.takeShort(id) == [], "the run is open: it waits")
    peers.advance(50)
    #expect(peers.takeShort(id) == ["End 4 \(late)"])
  }

  @Test func anAnswerInTimeIsTheOnlyOne() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a", timeoutMs: 1_000)
    peers.terminate(id, 3, "a")
    #expect(Set(peers.takeShort(id)) == ["End 1 OK", "End 2 OK", "End 3 OK"])
    peers.advance(10_000)
    #expect(peers.takeShort(id) == [])
  }

  @Test(arguments: [0, Int64.max])
  func withoutADeadlineARequestWaits(_ timeoutMs: Int64) {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a", timeoutMs: timeoutMs)
    _ = peers.take(id)
    peers.advance(365 * 86_400_000)
    #expect(peers.takeShort(id) == [])
  }

  @Test func deadlinesEndInTheirOrderWhateverTheOrderOfTheRequests() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    for (stream, ms) in [(2, 30), (3, 10), (4, 20), (5, 10)] as [(UInt64, Int64)] {
      peers.awaitResult(id, stream, "a", timeoutMs: ms)
    }
    _ = peers.take(id)
    peers.advance(30)
    #expect(peers.takeShort(id) == [3, 5, 4, 2].map { "End \($0) \(late)" })
  }

  @Test func aConnectionThatIsGoneHasNoDeadlines() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a", timeoutMs: 1_000)
    peers.disconnect(id)
    #expect(peers.shell.deadlines.count == 0)
  }
}

extension Peers {
  /// A run as the store tells of it, which nothing has happened to.
  fileprivate static func openRun(_ workflowID: String) -> StoredRun {
    let runID = RunID(high: 7, low: 7)
    var started = WorkflowExecutionStarted()
    started.workflowID = workflowID
    started.runID = runID
    started.workflowType = "order"
    started.taskQueue = "q"
    var event = HistoryEvent()
    event.eventID = 1
    event.attributes = .workflowExecutionStarted(started)
    var batch = HistoryBatch()
    batch.events = [event]
    let row = RunRow(
      number: RunNumber(1), namespace: "default", workflowID: workflowID, runID: runID,
      workflowType: "order", taskQueue: "q", status: .running, startTime: Instant(ms: 0),
      closeTime: nil, historyLength: 1, historySizeBytes: 1, deadline: RunRow.immediately,
      summary: "")
    return StoredRun(
      row: row, state: nil, stateEvent: 0,
      tail: [StoredBatch(first: 1, last: 1, bytes: batch.serialized())], activities: [],
      requests: [])
  }
}
