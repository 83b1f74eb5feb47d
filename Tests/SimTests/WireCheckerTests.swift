import Basics
import EngineCore
import Messages
import Shell
import Testing

@testable import SimKit

/// Checkers of what leaves and comes: each accepts a good story and sees what is wrong in a bad
/// one.
@Suite("Checkers of the wire") struct WireCheckerTests {
  private static let one = ConnectionID(1)
  private static let two = ConnectionID(2)

  private func task(_ attempt: Int32, token: [UInt8], maximum: Int32 = 0) -> EngineMessage.Kind {
    var task = ActivityTask()
    task.token = token
    task.attempt = attempt
    task.idempotencyKey = "run/2"
    task.runID = CheckerBench.runID(1)
    var policy = RetryPolicy()
    policy.initialIntervalMs = Span(ms: 100)
    policy.backoffCoefficient = 2
    policy.maximumIntervalMs = Span(ms: 1_000)
    policy.maximumAttempts = maximum
    task.retryPolicy = policy
    return .activityTask(task)
  }

  private func completed(_ mark: String, token: [UInt8]) -> WorkerMessage.Kind {
    var completed = ActivityCompleted()
    completed.token = token
    completed.result = [Payload(text: mark)]
    return .activityCompleted(completed)
  }

  @Test func aPeerIsKeptNoMoreThanAFrameAndWhatItMayLeaveUnread() {
    var limits = ShellLimits()
    limits.frameBytesMax = 1_000
    limits.outgoingBytesMax = 2_000
    let bench = CheckerBench(LimitsHold(EngineLimits(), limits))
    bench.see(.held(WireCheckerTests.one, received: 1_003, unread: 2_000))
    #expect(bench.found == [])
    bench.see(.held(WireCheckerTests.one, received: 1_004, unread: 0))
    #expect(bench.found.last == "1004 bytes of a frame are kept for connection 1")
    bench.see(.held(WireCheckerTests.two, received: 0, unread: 2_001))
    #expect(bench.found.last == "2001 bytes wait to be read on connection 2")
    #expect(bench.found.count == 2)
  }

  @Test func aRefusedResultIsInNoHistory() {
    let bench = CheckerBench(StaleLeaseIsVoid())
    bench.make(1)
    bench.add(1, .scheduled(1), .attempt(1, of: 2), .completed("m1", of: 2))
    bench.see(.activityRefused(mark: "m2"))
    bench.see(.finished)
    #expect(bench.found == [])
    bench.see(.activityRefused(mark: "m1"))
    bench.see(.finished)
    #expect(bench.found == ["result m1 was refused and is in run#1"])
  }

  @Test(arguments: [(Int32(2), 0), (1, 1)])
  func aResultEndsItsOwnAttempt(_ attempt: Int32, _ count: Int) {
    let bench = CheckerBench(StaleLeaseIsVoid())
    bench.see(.toWorker(WireCheckerTests.one, task(attempt, token: [1])))
    bench.see(.fromWorker(WireCheckerTests.one, completed("m1", token: [1])))
    bench.make(1)
    bench.add(1, .scheduled(1), .attempt(2, of: 2), .completed("m1", of: 2))
    bench.see(.finished)
    #expect(bench.found.count == count)
  }

  @Test func noTimerIsEarly() {
    let bench = CheckerBench(TimersAreNotEarly())
    bench.make(1)
    bench.add(1, .timer(1, ms: 10), .timer(2, ms: 10), ms: 100)
    bench.add(1, .fired(1, of: 2), ms: 110)
    #expect(bench.found == [])
    bench.add(1, .fired(2, of: 3), ms: 109)
    #expect(bench.found == ["run#1: event 5 fires early by the engine's own clock"])
  }

  @Test func anAnswerWaitsForItsCommit() {
    let bench = CheckerBench(NothingLeavesEarly())
    bench.make(1)
    bench.see(.answerLeaves(Ask.start(), Ask.started(1)))
    #expect(bench.found == [])
    bench.see(.answerLeaves(Ask.start(), Ask.started(2)))
    #expect(bench.found.count == 1)
  }

  @Test func anAttemptWaitsForItsStart() {
    let bench = CheckerBench(NothingLeavesEarly())
    bench.make(1)
    bench.add(1, .scheduled(1))
    var row = ActivityRow()
    row.attempt = 1
    row.startedTimeMs = Instant(ms: 1)
    bench.commit(
      .putActivity(run: RunNumber(1), scheduledEvent: 2, bytes: row.serialized()))
    bench.see(.toWorker(WireCheckerTests.one, task(1, token: [1])))
    #expect(bench.found == [])
    bench.see(.toWorker(WireCheckerTests.one, task(2, token: [2])))
    #expect(bench.found == ["attempt 2 of run/2 leaves, its start not durable"])
    // One that has ended in the step in which it began.
    bench.add(1, .attempt(3, of: 2))
    bench.see(.toWorker(WireCheckerTests.one, task(3, token: [3])))
    #expect(bench.found.count == 1)
  }

  @Test func aRunHasOneTaskOut() {
    let bench = CheckerBench(OneTaskOut())
    var activation = Activation()
    activation.runID = CheckerBench.runID(1)
    activation.token = [1]
    activation.taskTimeoutMs = Span(ms: 10_000)
    bench.see(.toWorker(WireCheckerTests.one, .activation(activation)))
    var answer = WorkflowTaskCompleted()
    answer.token = [1]
    bench.see(.fromWorker(WireCheckerTests.one, .workflowTaskCompleted(answer)))
    activation.token = [2]
    bench.see(.toWorker(WireCheckerTests.two, .activation(activation)))
    #expect(bench.found == [])
    activation.token = [3]
    bench.see(.toWorker(WireCheckerTests.one, .activation(activation)))
    #expect(bench.found.count == 1)
  }

  @Test func aLeaseHasOneHolder() {
    let bench = CheckerBench(OneTaskOut())
    bench.see(.toWorker(WireCheckerTests.one, task(1, token: [1])))
    bench.see(.linkEnded(WireCheckerTests.one))
    bench.see(.toWorker(WireCheckerTests.two, task(1, token: [1])))
    // It ended; what was on its way to it counts for nothing.
    bench.see(.toWorker(WireCheckerTests.one, task(1, token: [1])))
    #expect(bench.found == [])
    bench.see(.toWorker(ConnectionID(3), task(1, token: [1])))
    #expect(bench.found == ["attempt 1 of run/2 goes to 3, and 2 holds it"])
  }

  @Test func attemptsEndWithThePolicy() {
    let bench = CheckerBench(RetriesKeepToPolicy())
    bench.see(.toWorker(WireCheckerTests.one, task(2, token: [1], maximum: 2)))
    #expect(bench.found == [])
    bench.see(.toWorker(WireCheckerTests.one, task(3, token: [2], maximum: 2)))
    #expect(bench.found == ["attempt 3 of run/2; 2 are allowed"])
  }

  @Test(arguments: [(Int64(100_000), 0), (98_000, 1)])
  func aRetryWaits(_ us: Int64, _ count: Int) {
    let bench = CheckerBench(RetriesKeepToPolicy())
    bench.see(.toWorker(WireCheckerTests.one, task(1, token: [1])))
    var failed = ActivityFailed()
    failed.token = [1]
    bench.see(.fromWorker(WireCheckerTests.one, .activityFailed(failed)))
    var recorded = Recorded()
    recorded.tokens = [[1]]
    bench.see(.toWorker(WireCheckerTests.one, .recorded(recorded)))
    bench.us = us
    bench.see(.toWorker(WireCheckerTests.one, task(2, token: [2])))
    #expect(bench.found.count == count)
  }

  /// From its own beginning on, when that comes after the faults.
  @Test func requestsAreAnsweredInTime() {
    let bench = CheckerBench(AllWorkEnds())
    let requests = [Ask.signal("r1"), Ask.signal("r2", sentUs: 1)]
    bench.us = AllWorkEnds.healUs
    bench.see(.waiting(sinceUs: 0, requests: requests))
    #expect(bench.found == [])
    bench.us += 1
    bench.see(.waiting(sinceUs: 0, requests: requests))
    #expect(
      bench.found == [
        "after 1800 s without faults: open runs [], requests without an answer"
          + " [\"SignalWorkflow w r1\"], schedules whose actions wait [], batches []"
      ])
  }

  @Test func chainsEndInTime() {
    let bench = CheckerBench(AllWorkEnds())
    bench.make(1)
    bench.us = 1
    bench.make(2, of: "x")
    bench.us = AllWorkEnds.healUs
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(bench.found == [])
    bench.us += 1
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(
      bench.found == [
        "after 1800 s without faults: open runs [run#1], requests without an answer [],"
          + " schedules whose actions wait [], batches []"
      ])
  }

  @Test func batchesEndInTime() {
    let bench = CheckerBench(AllWorkEnds())
    var definition = BatchJobDefinition()
    definition.request = StartBatchRequest()
    definition.request?.batchID = "r9"
    var progress = BatchJobProgress()
    progress.status = .running
    bench.us = 5
    bench.commit(
      .putBatchJob(BatchJobNumber(1), definition: definition.serialized()),
      .putBatchJobProgress(BatchJobNumber(1), bytes: progress.serialized()))
    bench.us += AllWorkEnds.healUs
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(bench.found == [])
    bench.us += 1
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(
      bench.found == [
        "after 1800 s without faults: open runs [], requests without an answer [],"
          + " schedules whose actions wait [], batches [\"r9\"]"
      ])
  }

  @Test func schedulesStartWhatWaitsInTime() {
    let bench = CheckerBench(AllWorkEnds())
    var progress = ScheduleProgress()
    progress.waiting = [WaitingAction()]
    progress.info = ScheduleInfo()
    progress.info?.running = [WorkflowExecution()]
    bench.commit(.putScheduleProgress(ScheduleNumber(1), bytes: progress.serialized()))
    progress.info?.running = []
    bench.commit(.putScheduleProgress(ScheduleNumber(2), bytes: progress.serialized()))
    bench.us = AllWorkEnds.healUs + 1
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(
      bench.found == [
        "after 1800 s without faults: open runs [], requests without an answer [],"
          + " schedules whose actions wait [schedule#2], batches []"
      ])
  }
}
