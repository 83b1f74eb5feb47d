import Basics
import EngineCore
import Messages
import Shell
import Testing

@testable import SimKit

/// Checkers of what the store holds: each accepts a good story and sees what is wrong in a bad one.
@Suite("Checkers of the store") struct StoreCheckerTests {
  @Test func anAcknowledgedStartIsInTheStore() {
    let bench = CheckerBench(AcknowledgedIsStored())
    bench.make(1)
    bench.answer(Ask.start(), Ask.started(1))
    bench.see(.reopened)
    #expect(bench.found == [])
    bench.answer(Ask.start(), Ask.started(2))
    #expect(bench.found.count == 1)
  }

  @Test func anAcknowledgedResultIsInAHistory() {
    let bench = CheckerBench(AcknowledgedIsStored())
    bench.make(1)
    bench.add(1, .scheduled(1), .completed("m1", of: 2))
    for (mark, count) in [("m1", 0), ("m2", 1)] {
      bench.see(
        .activityRecorded(
          token: [1], mark: mark, answer: .activityCompleted(ActivityCompleted())))
      #expect(bench.found.count == count, "\(mark)")
    }
  }

  @Test func whatTheStoreSaysOfARunIsWhatItsHistoryMakesOfIt() {
    let bench = CheckerBench(DetailsAreKept())
    bench.make(1)
    var modified = WorkflowPropertiesModified()
    var entry = PayloadEntry()
    entry.key = "color"
    entry.value = Payload(text: "red")
    modified.upsertedMemo = Memo()
    modified.upsertedMemo?.fields = [entry]
    var details = RunDetails()
    details.memo = modified.upsertedMemo
    bench.commit(
      bench.append(1, [.workflowPropertiesModified(modified)]),
      .putDetails(run: RunNumber(1), details))
    #expect(bench.found == [])
    modified.upsertedMemo?.fields[0].value = nil
    bench.add(1, .workflowPropertiesModified(modified))
    #expect(bench.found.count == 1)
  }

  @Test func aRequestHasOneEffect() {
    let bench = CheckerBench(OneEffectPerRequest())
    bench.make(1)
    bench.make(2, of: "x")
    bench.add(1, .signal("r1"))
    bench.see(.finished)
    #expect(bench.found == [])
    bench.add(2, .signal("r1"))
    bench.see(.finished)
    #expect(bench.found == ["signal r1 is in the store twice"])
  }

  @Test func aHistoryHasNoGap() {
    let bench = CheckerBench(HistoryIsWhole())
    bench.make(1)
    bench.add(1, .signal("r1"))
    #expect(bench.found == [])
    bench.commit(bench.append(1, [.signal("r2")], skipping: 1))
    #expect(bench.found.count == 1)
  }

  @Test func aHistoryHasOneStartAndNothingAfterItsEnd() {
    let starts = CheckerBench(HistoryIsWhole())
    starts.make(1)
    var started = WorkflowExecutionStarted()
    started.workflowID = "w"
    starts.add(1, .workflowExecutionStarted(started))
    #expect(starts.found == ["run#1 starts twice"])
    let ends = CheckerBench(HistoryIsWhole())
    ends.make(1)
    ends.close(1, .done(), .completed)
    #expect(ends.found == [])
    ends.add(1, .signal("r1"))
    #expect(ends.found.count == 2, "an event after the end, and another length than the row's")
  }

  @Test(arguments: [
    (["r1", "r2"], 0), (["r1"], 2), (["r2", "r1"], 1), (["r1", "r2", "r2"], 2),
  ])
  func aCopyHasWhatCameSinceOnceAndInOrder(_ again: [String], _ faults: Int) {
    let bench = CheckerBench(CopiesAreTrue())
    bench.make(1)
    bench.add(1, .workflowTaskCompleted(WorkflowTaskCompletedEvent()))
    bench.add(1, .signal("r1"))
    bench.add(1, .signal("r2"))
    bench.copy(1, to: 2, before: 2, again.map { .signal($0) })
    #expect(bench.found.count == faults, "\(bench.found)")
  }

  @Test func aCopyBeginsAsItsBase() {
    let bench = CheckerBench(CopiesAreTrue())
    bench.make(1)
    bench.make(3)
    bench.copy(1, to: 2, before: 2, [])
    #expect(bench.found == [])
    bench.copy(1, to: 4, before: 2, [], says: 3)
    #expect(bench.found == ["run#4 does not say that it is a copy of run#1"])
  }

  @Test func memoryIsComparedWithAndWithoutItsStateRow() {
    let bench = CheckerBench(StateIsFold())
    bench.make(1)
    var stored = StoredRun(
      row: bench.ledger.runs[0].row, state: [1], stateEvent: 1, tail: [], activities: [],
      requests: [])
    stored.state = [1]
    bench.see(.atRest([ResidentRun(stored: stored, batches: []) { _ in nil }]))
    #expect(bench.found == [])
    bench.see(
      .atRest([ResidentRun(stored: stored, batches: []) { $0.state == nil ? "timers" : nil }]))
    #expect(bench.found == ["run#1, from its history alone: timers"])
    bench.see(
      .atRest([ResidentRun(stored: stored, batches: []) { $0.state == nil ? nil : "signals" }]))
    #expect(bench.found.last == "run#1, loaded: signals")
  }

  @Test func anActivityEndsOnce() {
    let bench = CheckerBench(OneEndPerActivity())
    bench.make(1)
    bench.add(1, .scheduled(1), .attempt(1, of: 2), .completed("m1", of: 2))
    #expect(bench.found == [])
    bench.add(1, .completed("m2", of: 2))
    #expect(bench.found == ["run#1: what event 2 began ends twice"])
  }

  @Test func aLocalActivityOfOneAttemptBeginsOnceAndBeforeItsEnd() {
    let bench = CheckerBench(LocalsBeginOnce())
    bench.make(1)
    var scheduled = ActivityTaskScheduled()
    scheduled.local = true
    scheduled.seq = 1
    bench.add(1, .activityTaskScheduled(scheduled))
    let run = CheckerBench.runID(1)
    var completed = ActivityTaskCompleted()
    completed.seq = 1
    bench.add(1, .activityTaskCompleted(completed))
    #expect(bench.found == ["local activity 1 of run#1 ends, and nobody began it"])
    bench.see(.localBegins(run: run, seq: 1, attempt: 1, attemptsMax: 0))
    bench.see(.localBegins(run: run, seq: 1, attempt: 2, attemptsMax: 0))
    bench.add(1, .activityTaskCompleted(completed))
    bench.see(.localBegins(run: run, seq: 2, attempt: 1, attemptsMax: 1))
    #expect(bench.found.count == 1)
    bench.see(.localBegins(run: run, seq: 2, attempt: 2, attemptsMax: 1))
    #expect(bench.found.last == "local activity 2 of \(run) begins again, as attempt 2")
  }

  @Test func aBatchMeetsEachRunThatItSelectsOnce() {
    let bench = CheckerBench(BatchesMeetEachOnce())
    for number in 1...3 { bench.make(Int64(number), of: "w\(number)") }
    var definition = BatchJobDefinition()
    definition.request = StartBatchRequest()
    definition.request?.batchID = "r9"
    definition.firstRun = 2
    let first = ModelFilter.compare("WorkflowId", "=", .text("w1"))
    bench.see(.sent(Ask.request(.batch(definition.request!, first), "r9")))
    bench.commit(.putBatchJob(BatchJobNumber(1), definition: definition.serialized()))
    func come(_ status: BatchStatus, _ succeeded: Int64) {
      var progress = BatchJobProgress()
      progress.status = status
      progress.succeeded = succeeded
      bench.commit(.putBatchJobProgress(BatchJobNumber(1), bytes: progress.serialized()))
    }
    come(.running, 0)
    #expect(bench.found == [])
    come(.completed, 0)
    #expect(bench.found == ["batch r9 has ended without run#1"])
    bench.add(1, .signal("batch r9"))
    come(.completed, 1)
    #expect(bench.found.count == 1)
    come(.completed, 2)
    #expect(bench.found.last == "batch r9 counts 2 runs; it has met 1")
    bench.add(1, .signal("batch r9"))
    come(.completed, 1)
    #expect(bench.found.last == "batch r9 has met run#1 2 times")
    bench.add(2, .signal("batch r9"))
    come(.completed, 2)
    #expect(bench.found.last == "batch r9 has met run#2, which it does not select")
    bench.add(3, .terminated("batch r9"))
    come(.completed, 3)
    #expect(bench.found.contains("batch r9 has met run#3, which has begun after it"))
  }

  @Test func aWorkflowIDHasOneOpenRun() {
    let bench = CheckerBench(OneOpenRun())
    bench.make(1)
    bench.make(2, of: "x")
    #expect(bench.found == [])
    bench.make(3)
    #expect(bench.found.count == 1)
  }

  @Test func signalsStandOnceAndInOrder() {
    let bench = CheckerBench(SignalsOnceInOrder())
    bench.make(1)
    bench.us = 10
    bench.answer(Ask.signal("r1", sentUs: 1), Ask.signaled(1))
    bench.us = 30
    bench.answer(Ask.signal("r2", sentUs: 20), Ask.signaled(1))
    bench.add(1, .signal("r1"), .signal("r2"))
    bench.close(1, .done("|r1,r2"), .completed)
    bench.see(.finished)
    #expect(bench.found == [])
    bench.make(2, of: "x")
    bench.add(2, .signal("r2"), .signal("r1"), .signal("r1"))
    bench.see(.reopened)
    #expect(bench.found.count == 3, "\(bench.found): r1 twice, and each after r2")
  }

  @Test func aProgramSeesItsSignalsInOrder() {
    let bench = CheckerBench(SignalsOnceInOrder())
    bench.make(1)
    bench.add(1, .signal("r1"), .signal("r2"))
    bench.close(1, .done("|r2,r1"), .completed)
    bench.see(.finished)
    #expect(bench.found == ["run#1 saw '|r2,r1'; its signals are 'r1,r2'"])
  }

  @Test func aRunHasOneEndAndItsRowTellsOfIt() {
    let good = CheckerBench(OneEndPerRun())
    good.make(1)
    good.close(1, .terminated(), .terminated)
    #expect(good.found == [])
    let twice = CheckerBench(OneEndPerRun())
    twice.make(1)
    twice.add(1, .done())
    twice.close(1, .terminated(), .completed)
    #expect(twice.found == ["run#1 ends as [\"COMPLETED\", \"TERMINATED\"]"])
    let other = CheckerBench(OneEndPerRun())
    other.make(1)
    other.close(1, .done(), .canceled)
    #expect(other.found == ["run#1 ends as [\"COMPLETED\"], its row says CANCELED"])
  }

  @Test func aResultIsToldTheSameToAll() {
    let bench = CheckerBench(OneEndPerRun())
    for (status, count) in [(WorkflowStatus.completed, 0), (.completed, 0), (.terminated, 1)] {
      var response = GetWorkflowResultResponse()
      response.runID = CheckerBench.runID(1)
      response.status = status
      bench.answer(Ask.request(.result(GetWorkflowResultRequest())), Ask.ok(response))
      #expect(bench.found.count == count)
    }
  }

  @Test func onlyClosedRunsAreRemovedAndNotBeforeTheirTime() {
    let bench = CheckerBench(RemovalIsWhole(retention: Span(ms: 1_000)))
    let closedMs = SimClock.originMs
    bench.make(1)
    bench.close(1, .done(), .completed, ms: closedMs)
    bench.us = 1_000_000
    bench.remove(1)
    bench.see(.finished)
    #expect(bench.found == [])
    bench.make(2)
    bench.close(2, .done(), .completed, ms: closedMs + 1)
    bench.remove(2)
    #expect(bench.found == ["run#2 is removed 1 ms early"])
    bench.make(3)
    bench.remove(3)
    #expect(bench.found.last == "run#3 is removed while it is open")
  }

  @Test func aRunStaysForTheTimeOfItsNamespace() {
    let bench = CheckerBench(RemovalIsWhole(retention: Span(ms: 1_000)))
    bench.put("n1") { $0.retentionMs = Span(ms: 5_000) }
    bench.us = 4_999_000
    for number in 1...3 as ClosedRange<Int64> {
      bench.make(number, in: "n1")
      bench.close(number, .done(), .completed, ms: SimClock.originMs)
    }
    bench.remove(1)
    #expect(bench.found == ["run#1 is removed 1 ms early"])
    bench.us += 1_000
    bench.remove(2)
    #expect(bench.found.count == 1)
    bench.us = 0
    bench.put("n1") { $0.deleted = true }
    bench.remove(3)
    #expect(bench.found.count == 1, "what a deleted one held goes when it will")
  }

  @Test func aDeletedNamespaceIsEmptyOfWhatIsOpen() {
    let bench = CheckerBench(NamespacesAreApart())
    bench.put("n1")
    bench.make(1, in: "n1")
    bench.put("n1") { $0.deleted = true }
    #expect(bench.found == ["'n1' is deleted with 1 open runs"])
    bench.commit(.deleteNamespace(name: "n1"))
    #expect(bench.found.last == "'n1' has gone, and left 1 runs behind")
  }

  @Test func noNamespaceShowsWhatIsInAnother() {
    let bench = CheckerBench(NamespacesAreApart())
    bench.put("n1")
    bench.make(1, in: "n1")
    bench.make(2)
    var list = ListWorkflowsRequest()
    list.namespace = "n1"
    func rows(_ numbers: Int64...) -> [UInt8] {
      var response = ListWorkflowsResponse()
      response.workflows = numbers.map { number in
        var info = WorkflowInfo()
        info.execution = .of("w", CheckerBench.runID(number))
        return info
      }
      return response.serialized()
    }
    let end = Ask.ok(DescribeWorkflowResponse())
    bench.answer(Ask.request(.namespace(.list(list))), end, [rows(1)])
    #expect(bench.found == [])
    bench.answer(Ask.request(.namespace(.list(list))), end, [rows(2)])
    #expect(bench.found.count == 1 && bench.found[0].hasSuffix("which is not there"))
  }

  @Test func aDeletedNamespaceIsNotFound() {
    let bench = CheckerBench(NamespacesAreApart())
    var describe = DescribeNamespaceRequest()
    describe.namespace = "n1"
    var asked = Ask.request(.namespace(.describe(describe)))
    func answerToOne(sentAt us: Int64) {
      asked.firstSentUs = us
      bench.answer(asked, Ask.ok(DescribeNamespaceResponse()))
    }
    bench.put("n1")
    answerToOne(sentAt: 1)
    bench.us = 10
    bench.put("n1") { $0.deleted = true }
    answerToOne(sentAt: 9)
    #expect(bench.found == [], "it was asked before the deletion")
    answerToOne(sentAt: 11)
    #expect(bench.found.count == 1 && bench.found[0].hasSuffix("which was deleted"))
    bench.us = 20
    bench.commit(.deleteNamespace(name: "n1"))
    answerToOne(sentAt: 21)
    #expect(bench.found.count == 2)
    bench.put("n1")
    answerToOne(sentAt: 22)
    #expect(bench.found.count == 2, "it is there again")
  }

  @Test func limitsHold() {
    var limits = EngineLimits()
    limits.signalsPerRunMax = 2
    limits.pendingActivitiesMax = 1
    let bench = CheckerBench(LimitsHold(limits, ShellLimits()))
    bench.make(1)
    bench.add(1, .signal("r1"), .signal("r2"), .scheduled(1), .completed("m1", of: 4))
    bench.add(1, .scheduled(2))
    #expect(bench.found == [])
    bench.add(1, .scheduled(3))
    #expect(bench.found == ["run#1 has 2 pending activities"])
    bench.add(1, .signal("r3"))
    #expect(bench.found.contains("run#1 has taken 3 signals"))
  }

  @Test func aPendingActivityOfAnOldFileHasItsRow() {
    let bench = CheckerBench(OldFilesOpen(hasFile: true))
    bench.make(1)
    bench.add(1, .scheduled(1), .scheduled(2), .completed("m1", of: 2))
    bench.commit(
      .putActivity(
        run: RunNumber(1), scheduledEvent: 3, bytes: ActivityRow().serialized()))
    bench.see(.reopened)
    #expect(bench.found == [])
    bench.add(1, .scheduled(3))
    bench.see(.reopened)
    #expect(bench.found == [], "only what an earlier engine left is looked at")
    let another = CheckerBench(OldFilesOpen(hasFile: true))
    another.make(1)
    another.add(1, .scheduled(1))
    another.see(.reopened)
    #expect(another.found == ["run#1: the row of activity 2 is not there"])
  }

  @Test func whatIsOpenInAnOldFileEnds() {
    let bench = CheckerBench(OldFilesOpen(hasFile: true))
    bench.make(1)
    bench.make(2, of: "x")
    bench.see(.reopened)
    bench.make(3, of: "y")
    bench.close(1, .done(), .completed)
    bench.us = AllWorkEnds.healUs
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(bench.found == [])
    bench.us += 1
    bench.see(.waiting(sinceUs: 0, requests: []))
    #expect(bench.found == ["[run#2] were open in the old file, and still are"])
  }

  @Test func aProgramComesToWhatItsNumberSays() throws {
    let fails = try #require((0..<1_000).first { Program(number: $0).fails })
    let completes = try #require(
      (0..<1_000).first { !Program(number: $0).fails && Program(number: $0).steps.isEmpty })
    let bench = CheckerBench(ResultsAreExpected())
    bench.make(1, program: completes)
    bench.close(1, .done(), .completed)
    bench.see(.finished)
    #expect(bench.found == [])
    bench.make(2, program: fails)
    bench.close(2, .done(), .completed)
    bench.see(.finished)
    #expect(bench.found.first == "run#2 completes, its program fails")
  }
}
