import Basics
import EngineCore
import Messages
import Testing

@testable import SimKit

/// Checkers of what clients are told of runs: policies and reads.
@Suite("Checkers of answers") struct ReadCheckerTests {
  private static let reuses: [WorkflowIdReusePolicy] = [
    .unspecified, .allowDuplicate, .allowDuplicateFailedOnly, .rejectDuplicate,
  ]
  private static let conflicts: [WorkflowIdConflictPolicy] = [
    .unspecified, .fail, .useExisting, .terminateExisting,
  ]

  /// Every pair of policies after a run that completed or was terminated.
  @Test(arguments: conflicts, reuses)
  func aStartAfterAClosedRunIsAsTheReusePolicySays(
    _ conflict: WorkflowIdConflictPolicy, _ reuse: WorkflowIdReusePolicy
  ) {
    for (end, status) in [
      (HistoryEvent.Attributes.done(), WorkflowStatus.completed),
      (.terminated("by hand"), .terminated),
    ] {
      let bench = CheckerBench(PoliciesAreFollowed())
      bench.make(1)
      bench.close(1, end, status)
      bench.make(2)
      bench.us = 10
      let isAllowed =
        reuse != .rejectDuplicate
        && (reuse != .allowDuplicateFailedOnly || status == .terminated)
      bench.answer(Ask.start(conflict, reuse), Ask.started(2))
      #expect(bench.found.isEmpty == isAllowed, "\(status.name): started")
    }
  }

  @Test(arguments: conflicts, reuses)
  func aStartBesideAnOpenRunIsAsTheConflictPolicySays(
    _ conflict: WorkflowIdConflictPolicy, _ reuse: WorkflowIdReusePolicy
  ) {
    let refused = CheckerBench(PoliciesAreFollowed())
    refused.make(1)
    refused.answer(Ask.start(conflict, reuse), Ask.refused(.workflowAlreadyStarted, by: 1))
    #expect(refused.found.isEmpty == (conflict == .fail || conflict == .unspecified))
    let used = CheckerBench(PoliciesAreFollowed())
    used.make(1)
    used.answer(Ask.start(conflict, reuse), Ask.started(1, false))
    #expect(used.found.isEmpty == (conflict == .useExisting))
    let replaced = CheckerBench(PoliciesAreFollowed())
    replaced.make(1)
    replaced.close(1, .terminated("a new start with TERMINATE_EXISTING"), .terminated)
    replaced.make(2)
    replaced.answer(Ask.start(conflict, reuse), Ask.started(2))
    #expect(replaced.found.isEmpty == (conflict == .terminateExisting))
  }

  private func list(_ numbers: Int64...) -> [[UInt8]] {
    var response = ListWorkflowsResponse()
    response.workflows = numbers.map { number in
      var info = WorkflowInfo()
      var execution = WorkflowExecution()
      execution.runID = CheckerBench.runID(number)
      info.execution = execution
      info.status = .running
      return info
    }
    return [response.serialized()]
  }

  @Test func aListTellsOfAllThatWasThere() {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.us = 5
    bench.make(2, of: "x")
    bench.us = 10
    let early = Ask.request(.list(ListWorkflowsRequest(), ModelSelection()), sentUs: 3)
    let late = Ask.request(.list(ListWorkflowsRequest(), ModelSelection()), sentUs: 6)
    bench.answer(early, Ask.ok(End()), list(1))
    bench.answer(late, Ask.ok(End()), list(2, 1))
    #expect(bench.found == [])
    bench.answer(late, Ask.ok(End()), list(1))
    #expect(bench.found.last == "ListWorkflows w r1 does not tell of run#2")
    bench.answer(late, Ask.ok(End()), list(1, 2))
    #expect(bench.found.last == "ListWorkflows w r1 tells of run#2 after run#1")
    bench.answer(late, Ask.ok(End()), list(3, 2, 1))
    #expect(bench.found.count == 3, "run 3 is not there")
  }

  /// Runs 1 of `w` and 2 of `x`; a list of some numbers, and what is found.
  @Test(
    arguments: [
      ([2], []), ([], ["does not tell of run#2"]),
      ([2, 1], ["tells of run \(CheckerBench.runID(1)), which is not there"]),
      ([2, 2], ["tells of run#2 twice"]),
    ] as [([Int64], [String])])
  func aListIsHeldToItsFilter(_ numbers: [Int64], _ found: [String]) {
    let selection = ModelSelection(filter: .not(.compare("WorkflowId", "=", .text("w"))))
    #expect(faults(of: numbers, selection) == found.map { "ListWorkflows w r1 \($0)" })
  }

  @Test(
    arguments: [
      ([1, 2], []), ([2, 1], ["tells of run#1 after run#2"]), ([1], ["does not tell of run#2"]),
    ] as [([Int64], [String])])
  func aListIsHeldToItsOrder(_ numbers: [Int64], _ found: [String]) {
    let selection = ModelSelection(order: [("RunId", false)], limit: 9)
    #expect(faults(of: numbers, selection) == found.map { "ListWorkflows w r1 \($0)" })
  }

  @Test(
    arguments: [
      ([2], []), ([2, 1], ["goes beyond its limit"]), ([], ["does not tell of run#1"]),
    ] as [([Int64], [String])])
  func aListIsHeldToItsLimit(_ numbers: [Int64], _ found: [String]) {
    #expect(
      faults(of: numbers, ModelSelection(limit: 1)) == found.map { "ListWorkflows w r1 \($0)" })
  }

  private func faults(of numbers: [Int64], _ selection: ModelSelection) -> [String] {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.make(2, of: "x")
    bench.us = 10
    let request = Ask.request(.list(ListWorkflowsRequest(), selection), sentUs: 6)
    bench.answer(request, Ask.ok(End()), numbers.flatMap { list($0) })
    return bench.found
  }

  /// A run that closes while a list is made may be shown as it was and as it is.
  @Test(arguments: [(Int64(3), false), (20, true)])
  func aRunThatClosesMeanwhileMayBeShown(_ sentUs: Int64, _ isOver: Bool) {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.us = 10
    bench.close(1, .done(), .completed)
    bench.us = 30
    let open = Ask.request(
      .list(
        ListWorkflowsRequest(),
        ModelSelection(filter: .compare("ExecutionStatus", "=", .text("RUNNING")))),
      sentUs: sentUs)
    bench.answer(open, Ask.ok(End()), [])
    #expect(bench.found == [])
    bench.answer(open, Ask.ok(End()), list(1))
    #expect(bench.found.isEmpty != isOver)
  }

  @Test func groupsAddUp() {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.us = 5
    var response = CountWorkflowsResponse()
    response.count = 1
    let request = Ask.request(
      .count(CountWorkflowsRequest(), ModelSelection(groups: ["TaskQueue"])), sentUs: 3)
    bench.answer(request, Ask.ok(response))
    #expect(bench.found == ["CountWorkflows w r1 counts 1 runs, and 0 in groups"])
    response.groups = [WorkflowGroup()]
    response.groups[0].count = 1
    bench.answer(request, Ask.ok(response))
    #expect(bench.found.count == 1)
  }

  @Test(arguments: [(Int64(0), 1), (1, 0), (2, 0), (3, 1)])
  func aCountIsBetweenWhatWasThereAndWhatIs(_ count: Int64, _ faults: Int) {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.us = 5
    bench.make(2, of: "x")
    var response = CountWorkflowsResponse()
    response.count = count
    bench.answer(
      Ask.request(.count(CountWorkflowsRequest(), ModelSelection()), sentUs: 3), Ask.ok(response))
    #expect(bench.found.count == faults)
  }

  @Test func aHistoryThatIsFollowedEndsWithItsRun() throws {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.close(1, .done(), .completed)
    var follow = GetHistoryRequest()
    follow.follow = true
    let request = Ask.request(.history(follow))
    let events = try #require(bench.ledger.runs.first?.events)
    func parts(_ events: [HistoryEvent]) -> [[UInt8]] {
      events.map { event in
        var batch = HistoryBatch()
        batch.events = [event]
        return batch.serialized()
      }
    }
    bench.answer(request, Ask.ok(End()), parts(events))
    #expect(bench.found == [])
    bench.answer(request, Ask.ok(End()), parts([events[0]]))
    #expect(bench.found.last == "GetHistory w r1 follows run#1 and ends before it")
    bench.answer(request, Ask.ok(End()), [])
    #expect(bench.found.last == "GetHistory w r1 begins with no start of a run")
  }

  @Test func aQuerySeesWhatWasAcknowledgedBefore() {
    let bench = CheckerBench(ReadsAreTrue())
    bench.make(1)
    bench.add(1, .signal("r7"), .signal("r8"))
    bench.us = 10
    bench.answer(Ask.signal("r7"), Ask.signaled(1))
    func ask(_ summary: String, sentUs: Int64) {
      var response = QueryWorkflowResponse()
      response.result = [Payload(text: summary)]
      bench.answer(
        Ask.request(.query(QueryWorkflowRequest()), sentUs: sentUs), Ask.ok(response))
    }
    ask("ok|r7", sentUs: 20)
    ask("|", sentUs: 5)
    #expect(bench.found == [])
    ask("|", sentUs: 20)
    #expect(bench.found.count == 1)
    ask("|r8", sentUs: 20)
    #expect(bench.found.count == 2)
  }
}
