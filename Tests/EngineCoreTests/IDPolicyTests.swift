import Basics
import EngineCore
import Messages
import Testing

/// What a start does where a run has its workflow id already: the whole table.
@Suite struct IDPolicyTests {
  private enum Result: Equatable {
    case newRun, sameRun, refused
  }

  private func result(
    of start: RequestID, in world: World, after first: RunID
  ) -> Result? {
    switch world.reply(start) {
    case .startWorkflow(let response):
      return response.runID == first ? .sameRun : .newRun
    case .failure(let status):
      #expect(status.code == .alreadyExists)
      #expect(status.runID == first, "the refusal names the run that is in the way")
      return .refused
    default: return nil
    }
  }

  private func started(_ world: World) -> RunID {
    guard case .startWorkflow(let response) = world.reply(world.start("o-1")) else {
      return .none
    }
    return response.runID
  }

  /// é in one code point and in two: texts that Swift takes for equal.
  @Test func idsAreComparedByteByByte() {
    let world = World()
    let replies = ["caf\u{E9}", "cafe\u{301}", "caf\u{E9}"].map { world.reply(world.start($0)) }
    guard case .startWorkflow(let first) = replies[0], case .startWorkflow(let second) = replies[1],
      case .failure(let third) = replies[2]
    else {
      Issue.record("\(replies)")
      return
    }
    #expect(first.runID != second.runID)
    #expect(third.runID == first.runID)
  }

  @Test func whereAnOpenRunHasTheID() {
    let expected: [(WorkflowIdConflictPolicy, Result)] = [
      (.unspecified, .refused), (.fail, .refused), (.useExisting, .sameRun),
      (.terminateExisting, .newRun),
    ]
    for reuse in [
      WorkflowIdReusePolicy.unspecified, .allowDuplicate, .allowDuplicateFailedOnly,
      .rejectDuplicate,
    ] {
      for (conflict, result) in expected {
        let world = World()
        let first = started(world)
        let second = world.start("o-1") {
          $0.idReusePolicy = reuse
          $0.idConflictPolicy = conflict
        }
        #expect(
          self.result(of: second, in: world, after: first) == result, "\(reuse) \(conflict)")
        if result == .newRun {
          #expect(world.history(1).last == "workflowExecutionTerminated")
        }
      }
    }
  }

  @Test func whereAClosedRunHasTheID() throws {
    let ends: [(String, Bool)] = [("completed", false), ("terminated", true), ("timed out", true)]
    let policies: [(WorkflowIdReusePolicy, (Bool) -> Result)] = [
      (.unspecified, { _ in .newRun }), (.allowDuplicate, { _ in .newRun }),
      (.allowDuplicateFailedOnly, { $0 ? .newRun : .refused }),
      (.rejectDuplicate, { _ in .refused }),
    ]
    for (end, isFailure) in ends {
      for (policy, expected) in policies {
        let world = World()
        guard
          case .startWorkflow(let response) = world.reply(
            world.start("o-1") { $0.runTimeoutMs = Span(ms: 5_000) })
        else { return }
        try close(world, as: end)
        let second = world.start("o-1") { $0.idReusePolicy = policy }
        #expect(
          result(of: second, in: world, after: response.runID) == expected(isFailure),
          "\(end) \(policy)")
      }
    }
  }

  private func close(_ world: World, as end: String) throws {
    switch end {
    case "completed":
      let worker = world.attach()
      world.complete(worker, try #require(world.activation(worker)), [.done()])
      world.step(.sessionClosed(worker))
    case "terminated":
      var terminate = TerminateWorkflowRequest()
      terminate.execution = world.execution("o-1")
      _ = world.ask(.terminateWorkflow(terminate))
    default: world.advance(5_000)
    }
  }

  @Test func signalWithStartSignalsTheOpenRunOrStartsOne() throws {
    let world = World()
    var request = SignalWithStartWorkflowRequest()
    request.start = StartWorkflowRequest()
    request.start?.workflowID = "o-1"
    request.start?.workflowType = "order"
    request.start?.taskQueue = "q"
    request.signalName = "s"
    guard case .startWorkflow(let first) = world.ask(.signalWithStartWorkflow(request)),
      case .startWorkflow(let second) = world.ask(.signalWithStartWorkflow(request))
    else {
      Issue.record("refused")
      return
    }
    #expect(first.started && !second.started)
    #expect(first.runID == second.runID)
    let worker = world.attach()
    #expect(world.activation(worker)?.jobNames == ["initialize", "signal s", "signal s"])
  }

  @Test func cancelIsDeliveredOnceAndRepeatsHaveNoEffect() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    var cancel = CancelWorkflowRequest()
    cancel.execution = world.execution("o-1")
    for _ in 0..<3 {
      guard case .cancelWorkflow = world.ask(.cancelWorkflow(cancel)) else {
        Issue.record("refused")
        return
      }
    }
    let activation = try #require(world.activation(worker))
    #expect(activation.jobNames == ["cancel"])
    world.complete(
      worker, activation, [.cancelTimer(1), .cancelledWorkflow(CancelledWorkflow())])
    #expect(world.history().filter { $0 == "workflowExecutionCancelRequested" }.count == 1)
    #expect(world.history().last == "workflowExecutionCanceled")
    guard case .cancelWorkflow = world.ask(.cancelWorkflow(cancel)) else {
      Issue.record("a cancel of what is cancelled is fine")
      return
    }
  }

  /// Seed 1 of the oracle: the look-ups of the run and of the request id took turns for ever.
  @Test func aKnownRequestIDWithAnUnknownRunIDIsAnswered() {
    let world = World()
    _ = started(world)
    _ = world.signal("o-1", "s", requestID: "r-1")
    world.crash()
    var signal = SignalWorkflowRequest()
    signal.execution = world.execution("o-1", RunID(high: 1, low: 1))
    signal.signalName = "another"
    world.holdsLoads = true
    var answers: [Status?] = []
    for requestID in ["r-1", "r-2"] {
      signal.requestID = requestID
      let id = world.request(.signalWorkflow(signal))
      for _ in 0..<8 { world.serveLoads() }
      answers.append(world.failure(id))
    }
    #expect(answers.map { $0?.reason } == [.requestIDReused, .workflowNotFound])
    #expect(world.loadsWaiting == 0)
  }

  /// Seed 93 of the oracle.
  @Test func aReportsRequestIDIsKnownWhateverRunItNames() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.activity(1)])
    var report = CompleteActivityRequest()
    var reference = ActivityReference()
    reference.activityID = "1"
    report.requestID = "r-1"
    var answers: [Status?] = []
    for runID in [RunID.none, RunID(high: 1, low: 1)] {
      reference.execution = world.execution("o-1", runID)
      report.activity = reference
      answers.append(world.failure(world.request(.completeActivity(report))))
    }
    report.requestID = "r-2"
    answers.append(world.failure(world.request(.completeActivity(report))))
    #expect(answers.map { $0?.reason } == [nil, .requestIDReused, .workflowNotFound])
  }

  /// Seed 6 of the oracle: the newest run was not found while it was in memory by its run id.
  @Test func aClosedRunThatIsBeingDescribedStillHasItsWorkflowID() {
    let world = World()
    let run = started(world)
    var terminate = TerminateWorkflowRequest()
    terminate.execution = world.execution("o-1")
    _ = world.ask(.terminateWorkflow(terminate))
    world.crash()
    world.holdsLoads = true
    var describe = DescribeWorkflowRequest()
    describe.execution = world.execution("o-1", run)
    _ = world.request(.describeWorkflow(describe))
    let signal = world.signal("o-1", "s")
    let start = world.start("o-1") { $0.idReusePolicy = .rejectDuplicate }
    world.holdsLoads = false
    world.serveLoads()
    #expect(world.failure(signal)?.reason == .workflowClosed)
    #expect(world.failure(start)?.reason == .workflowAlreadyStarted)
  }

  /// Seeds 1 and 6 of the oracle: both hung on whether the closed run was still in memory.
  @Test func whatAClosedRunSaysOfCancellingDoesNotHangOnWhereItIs() {
    let world = World()
    _ = started(world)
    var cancel = CancelWorkflowRequest()
    cancel.execution = world.execution("o-1")
    _ = world.ask(.cancelWorkflow(cancel))
    world.holdsCommits = true
    var terminate = TerminateWorkflowRequest()
    terminate.execution = world.execution("o-1")
    _ = world.request(.terminateWorkflow(terminate))
    let inMemory = world.request(.cancelWorkflow(cancel))
    var describe = DescribeWorkflowRequest()
    describe.execution = world.execution("o-1")
    let described = world.request(.describeWorkflow(describe))
    world.commit()
    #expect(world.failure(inMemory)?.reason == .workflowClosed)
    if case .describeWorkflow(let shown) = world.reply(described) {
      #expect(shown.info?.status == .terminated && !shown.cancelRequested)
    } else {
      Issue.record("no description")
    }
    #expect(world.failure(world.request(.cancelWorkflow(cancel)))?.reason == .workflowClosed)
    #expect(world.describe("o-1")?.cancelRequested == false)
  }

  @Test func unknownAndClosedWorkflowsAreDifferentErrors() {
    let world = World()
    #expect(world.failure(world.signal("nobody", "s"))?.reason == .workflowNotFound)
    _ = started(world)
    var terminate = TerminateWorkflowRequest()
    terminate.execution = world.execution("o-1")
    _ = world.ask(.terminateWorkflow(terminate))
    #expect(world.failure(world.signal("o-1", "s"))?.reason == .workflowClosed)
  }

  @Test func badRequestsNameTheirField() {
    let world = World()
    let cases: [(String, (inout StartWorkflowRequest) -> Void)] = [
      ("workflow_id", { $0.workflowID = "" }), ("workflow_type", { $0.workflowType = "" }),
      ("task_queue", { $0.taskQueue = "" }),
      ("workflow_id", { $0.workflowID = String(repeating: "x", count: 1_001) }),
      ("run_timeout_ms", { $0.runTimeoutMs = Span(ms: -1) }),
      ("task_timeout_ms", { $0.taskTimeoutMs = Span(ms: 120_001) }),
      ("namespace", { $0.namespace = "elsewhere" }),
      (
        "input",
        {
          var large = Payload()
          large.data = [UInt8](repeating: 0, count: 2 << 20 | 1)
          $0.input = [large]
        }
      ),
    ]
    for (field, change) in cases {
      #expect(world.failure(world.start("o-1", change))?.field == field)
    }
    #expect(world.engine.statistics.starts == 0)
  }

  /// Seed 584 of the simulation.
  @Test func aParkedSignalWithStartComesAfterTheStartThatTerminatesItsRun() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    let first = try #require(world.activation(worker))
    _ = world.signal("o-1", "wait")
    world.complete(worker, first, [.done()])
    _ = try #require(world.activation(worker), "the close is asked for again")
    var parked = SignalWithStartWorkflowRequest()
    var start = StartWorkflowRequest()
    start.workflowID = "o-1"
    start.workflowType = "order"
    start.taskQueue = "q"
    parked.start = start
    parked.signalName = "late"
    let late = world.request(.signalWithStartWorkflow(parked))
    #expect(world.reply(late) == nil)
    let second = world.start("o-1") { $0.idConflictPolicy = .terminateExisting }
    guard case .startWorkflow(let new) = world.reply(second),
      case .startWorkflow(let signalled) = world.reply(late)
    else {
      Issue.record("both are answered")
      return
    }
    #expect(signalled.runID == new.runID && !signalled.started)
    #expect(world.history(2) == ["workflowExecutionStarted", "workflowExecutionSignaled"])
    #expect(world.history(3) == [], "there is no third run")
  }

  /// Seed 40 of the simulation: what waited for one load is taken up in one step.
  @Test func aRepetitionInTheSameStepFindsTheRunThatItMade() throws {
    let world = World()
    _ = world.start("o-1")
    world.crash()
    world.holdsLoads = true
    let terminates: (inout StartWorkflowRequest) -> Void = {
      $0.idConflictPolicy = .terminateExisting
    }
    let first = world.start("o-1") {
      terminates(&$0)
      $0.requestID = "x"
    }
    let between = world.start("o-1", terminates)
    let again = world.start("o-1") {
      terminates(&$0)
      $0.requestID = "x"
    }
    world.holdsLoads = false
    world.serveLoads()
    guard case .startWorkflow(let made) = world.reply(first),
      case .startWorkflow(let other) = world.reply(between),
      case .startWorkflow(let repeated) = world.reply(again)
    else {
      Issue.record("all are answered")
      return
    }
    #expect(repeated.runID == made.runID)
    #expect(other.runID != made.runID)
    #expect(world.history(4) == [], "there is no run but the three")
  }
}
