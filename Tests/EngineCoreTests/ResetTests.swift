import Basics
import EngineCore
import Messages
import Testing

/// Resets against what else happens to the run: before the history is read, while it is, and after.
@Suite struct ResetTests {
  /// Something that happens to the run which is reset.
  enum Other: CaseIterable {
    case completion, close, signal, timer, terminate, activity, cancel, pause, update, otherReset
  }

  enum Place: CaseIterable { case before, whileReading, after }

  /// A run whose code has seen a signal and an activity, with a timer and a task out.
  private final class Scene {
    let world = World()
    let worker: SessionID
    let task: Activation
    let activity: ActivityTask
    var signals = ["first", "second"]

    init() throws {
      worker = world.attach(activities: ["charge", "pack"])
      _ = world.start("o-1")
      let first = try #require(world.activation(worker))
      world.complete(worker, first, [.activity(1, type: "pack"), .timer(2, 60_000)])
      _ = world.signal("o-1", "first", requestID: "s-first")
      let second = try #require(world.activation(worker))
      world.complete(worker, second, [.activity(3)])
      _ = world.signal("o-1", "second", requestID: "s-second")
      task = try #require(world.activation(worker))
      let activity = world.take(worker) { kind -> ActivityTask? in
        if case .activityTask(let m) = kind, m.activityType == "charge" { m } else { nil }
      }
      self.activity = try #require(activity)
    }

    func play(_ other: Other) {
      switch other {
      case .completion: world.complete(worker, task, [.timer(4, 1_000)])
      case .close: world.complete(worker, task, [.done()])
      case .signal:
        // One that the run takes is one that the new run must have.
        let id = world.signal("o-1", "third", requestID: "s-third")
        if case .signalWorkflow = world.reply(id) { signals.append("third") }
      case .timer: world.advance(61_000)
      case .terminate:
        var request = TerminateWorkflowRequest()
        request.execution = world.execution("o-1", run1)
        _ = world.ask(.terminateWorkflow(request))
      case .activity: world.finish(worker, activity)
      case .cancel:
        var request = CancelWorkflowRequest()
        request.execution = world.execution("o-1", run1)
        _ = world.ask(.cancelWorkflow(request))
      case .pause:
        var request = PauseWorkflowRequest()
        request.execution = world.execution("o-1", run1)
        _ = world.ask(.pauseWorkflow(request))
      case .update:
        var request = UpdateWorkflowRequest()
        request.execution = world.execution("o-1")
        request.updateID = "u"
        request.updateName = "change"
        _ = world.request(.updateWorkflow(request))
      case .otherReset: _ = world.request(.resetWorkflow(ResetTests.request(.firstWorkflowTask)))
      }
    }

    var run1: RunID { world.store.runs[RunNumber(1)]?.row.runID ?? .none }
  }

  static func request(
    _ kind: WorkflowPointKind, _ change: (inout ResetWorkflowRequest) -> Void = { _ in }
  ) -> ResetWorkflowRequest {
    var request = ResetWorkflowRequest()
    request.execution = WorkflowExecution()
    request.execution?.workflowID = "o-1"
    request.point = WorkflowPoint()
    request.point?.kind = kind
    request.reason = "a race"
    change(&request)
    return request
  }

  @Test(arguments: Other.allCases, Place.allCases)
  func aResetIsWholeWhateverElseHappens(_ other: Other, _ place: Place) throws {
    let scene = try Scene()
    let world = scene.world
    if place == .before { scene.play(other) }
    world.holdsLoads = true
    let id = world.request(
      .resetWorkflow(
        ResetTests.request(.beforeActivity) {
          $0.point?.activityType = "charge"
          $0.execution?.runID = scene.run1
        }))
    if place == .whileReading { scene.play(other) }
    world.holdsLoads = false
    world.serveLoads()
    while world.loadsWaiting > 0 { world.serveLoads() }
    if place == .after { scene.play(other) }
    guard case .resetWorkflow(let response) = world.reply(id) else {
      Issue.record("the reset was not answered")
      return
    }
    try check(scene, response.runID)
    // What the store holds is what the engine knows.
    world.crash()
    try check(scene, response.runID)
  }

  private func check(_ scene: Scene, _ runID: RunID) throws {
    let store = scene.world.store
    let run = try #require(store.runs.values.first { $0.row.runID == runID })
    let base = store.history(RunNumber(1))
    let events = store.history(run.row.number)
    let point = 6
    let isPrefix = events.prefix(point - 1).elementsEqual(base.prefix(point - 1))
    #expect(isPrefix)
    #expect(events.map(\.eventID) == Array(1...Int64(events.count)))
    guard case .workflowTaskFailed(let failed) = events[point - 1].attributes else {
      Issue.record("event \(point) of the new run is \(events[point - 1].kindName)")
      return
    }
    #expect(failed.cause == .resetWorkflow)
    #expect(failed.copy?.baseExecution?.runID == scene.run1)
    #expect(failed.copy?.execution?.runID == runID)
    let open = store.runs.values.filter { $0.row.closeTime == nil }
    #expect(open.count == 1)
    let newest = try #require(store.runs.values.max { $0.row.number < $1.row.number })
    let signals = store.history(newest.row.number).compactMap { event -> String? in
      if case .workflowExecutionSignaled(let m) = event.attributes { m.signalName } else { nil }
    }
    #expect(signals == scene.signals)
  }

  @Test func aClosedAndDormantRunIsReset() throws {
    let scene = try Scene()
    let world = scene.world
    world.complete(scene.worker, scene.task, [.done()])
    world.crash()
    guard
      case .resetWorkflow(let response) = world.ask(
        .resetWorkflow(ResetTests.request(.lastWorkflowTask)))
    else {
      Issue.record("the reset was refused")
      return
    }
    world.crash()
    let described = try #require(world.describe("o-1"))
    #expect(described.info?.execution?.runID == response.runID)
    #expect(described.copy?.baseExecution?.runID == scene.run1)
    var old = DescribeWorkflowRequest()
    old.execution = world.execution("o-1", scene.run1)
    guard case .describeWorkflow(let base) = world.ask(.describeWorkflow(old)) else {
      Issue.record("the old run is not there")
      return
    }
    #expect(base.resetRunID == response.runID)
    #expect(base.info?.status == .completed)
  }

  @Test func aDeletedBaseEndsTheResetThatReadsIt() throws {
    let scene = try Scene()
    let world = scene.world
    world.holdsLoads = true
    let id = world.request(.resetWorkflow(ResetTests.request(.lastWorkflowTask)))
    var delete = DeleteWorkflowRequest()
    delete.execution = world.execution("o-1")
    _ = world.ask(.deleteWorkflow(delete))
    #expect(world.failure(id)?.code == .notFound)
    world.holdsLoads = false
    world.serveLoads()
    #expect(world.store.runs.isEmpty)
  }

  @Test func aResetThatIsGivenUpLeavesNothing() throws {
    let scene = try Scene()
    let world = scene.world
    world.holdsLoads = true
    let id = world.request(.resetWorkflow(ResetTests.request(.lastWorkflowTask)))
    world.step(.requestAbandoned(id))
    world.holdsLoads = false
    world.serveLoads()
    #expect(world.store.runs.count == 1)
    #expect(world.reply(id) == nil)
  }

  @Test func theSameRequestTwiceAtOnceMakesOneRun() throws {
    let scene = try Scene()
    let world = scene.world
    world.holdsLoads = true
    let request = ResetTests.request(.lastWorkflowTask) { $0.requestID = "r" }
    let ids = [0, 1].map { _ in world.request(.resetWorkflow(request)) }
    while world.loadsWaiting > 0 { world.serveLoads() }
    let runs = ids.compactMap { id -> RunID? in
      if case .resetWorkflow(let response) = world.reply(id) { response.runID } else { nil }
    }
    #expect(runs.count == 2)
    #expect(Set(runs).count == 1)
    #expect(world.store.runs.count == 2)
  }

  /// The sender closes before it is answered, so nobody hears the answer.
  @Test func aResetIsToldThatNobodyKnowsWhatASignalCameTo() throws {
    let world = World()
    _ = world.start("other")
    var end = TerminateWorkflowRequest()
    end.execution = world.execution("other")
    _ = world.ask(.terminateWorkflow(end))
    world.crash()
    let worker = world.attach()
    _ = world.start("o-1")
    let first = try #require(world.activation(worker))
    world.holdsLoads = true
    var signal = SignalExternal()
    signal.seq = 1
    signal.execution = world.execution("other")
    signal.signalName = "pay"
    world.complete(worker, first, [.signalExternal(signal)])
    _ = world.signal("o-1", "go")
    let second = try #require(world.activation(worker))
    world.complete(worker, second, [])
    end.execution = world.execution("o-1")
    _ = world.ask(.terminateWorkflow(end))
    world.holdsLoads = false
    while world.loadsWaiting > 0 { world.serveLoads() }
    #expect(world.store.letters.isEmpty)
    let reset = ResetTests.request(.lastWorkflowTask)
    guard case .resetWorkflow(let response) = world.ask(.resetWorkflow(reset)) else {
      Issue.record("the reset was refused")
      return
    }
    let run = try #require(world.store.runs.values.first { $0.row.runID == response.runID })
    let failures = world.store.history(run.row.number).compactMap { event in
      if case .signalExternalWorkflowExecutionFailed(let m) = event.attributes { m } else { nil }
    }
    #expect(failures.map(\.cause) == [.outcomeUnknown])
    #expect(failures.map(\.seq) == [1])
  }

  @Test func signalsOfAWholeChainComeAgainOnce() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    let first = try #require(world.activation(worker))
    world.complete(worker, first, [.timer(1, 1_000)])
    _ = world.signal("o-1", "a")
    let second = try #require(world.activation(worker))
    _ = world.signal("o-1", "b")  // The code does not see it: the next run has it.
    world.complete(worker, second, [.continueAsNew(ContinueAsNew())])
    _ = world.signal("o-1", "c")
    let base = try #require(world.store.runs[RunNumber(1)]).row.runID
    let request = ResetTests.request(.firstWorkflowTask) { $0.execution?.runID = base }
    guard case .resetWorkflow = world.ask(.resetWorkflow(request)) else {
      Issue.record("the reset was refused")
      return
    }
    func signals(_ run: Int64) -> [String] {
      world.store.history(RunNumber(run)).compactMap { event in
        if case .workflowExecutionSignaled(let m) = event.attributes { m.signalName } else { nil }
      }
    }
    #expect(signals(3) == ["a", "b", "c"])
    // Once more: what was given again is not given twice.
    _ = world.signal("o-1", "d")
    guard case .resetWorkflow = world.ask(.resetWorkflow(request)) else {
      Issue.record("the second reset was refused")
      return
    }
    #expect(signals(4) == ["a", "b", "c", "d"])
    #expect(world.store.runs.values.filter { $0.row.closeTime == nil }.count == 1)
  }

  @Test func aForkDoesNotKnowTheRequestsToItsBase() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    _ = world.signal("o-1", "go", requestID: "s")
    var fork = ForkWorkflowRequest()
    fork.execution = world.execution("o-1")
    fork.point = ResetTests.request(.firstWorkflowTask).point
    fork.workflowID = "o-2"
    guard case .forkWorkflow(let forked) = world.ask(.forkWorkflow(fork)) else {
      Issue.record("the fork was refused")
      return
    }
    #expect(world.store.runs[RunNumber(2)]?.requests.isEmpty == true)
    let answers = ["o-1", "o-2"].map { world.reply(world.signal($0, "go", requestID: "s")) }
    guard case .signalWorkflow(let base) = answers[0], case .signalWorkflow(let own) = answers[1]
    else {
      Issue.record("\(answers)")
      return
    }
    #expect(base.runID == world.store.runs[RunNumber(1)]?.row.runID)
    #expect(own.runID == forked.runID)
    let signals = world.store.history(RunNumber(2)).count { event in
      if case .workflowExecutionSignaled = event.attributes { true } else { false }
    }
    #expect(signals == 2, "the one that came again, and its own")
  }

  /// Of a closed run only its first event, that of the last copy and the last one are read.
  @Test func aClosedResetOfAForkIsReadAsOne() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    var fork = ForkWorkflowRequest()
    fork.execution = world.execution("o-1")
    fork.point = ResetTests.request(.firstWorkflowTask).point
    fork.workflowID = "o-2"
    guard case .forkWorkflow(let forked) = world.ask(.forkWorkflow(fork)) else {
      Issue.record("the fork was refused")
      return
    }
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    let request = ResetTests.request(.firstWorkflowTask) { $0.execution?.workflowID = "o-2" }
    guard case .resetWorkflow = world.ask(.resetWorkflow(request)) else {
      Issue.record("the reset was refused")
      return
    }
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    let before = try #require(world.describe("o-2"))
    world.advance(20_000)
    world.crash()
    let after = try #require(world.describe("o-2"))
    #expect(before.firstRunID == forked.runID)
    #expect(after.firstRunID == forked.runID)
    #expect(after.info?.execution?.workflowID == "o-2")
  }

  /// What was asked again by one reset, and is copied unseen by the next, waits for the code too.
  @Test func anUpdateThatIsCopiedUnseenWaitsForTheCode() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    var update = UpdateWorkflowRequest()
    update.execution = world.execution("o-1")
    update.updateID = "u"
    update.updateName = "change"
    _ = world.request(.updateWorkflow(update))
    for _ in 1...2 {
      let asked = try #require(world.activation(worker))
      var accepted = UpdateAccepted()
      accepted.updateID = "u"
      world.complete(worker, asked, [.updateAccepted(accepted)])
      guard case .resetWorkflow = world.ask(.resetWorkflow(ResetTests.request(.firstWorkflowTask)))
      else {
        Issue.record("the reset was refused")
        return
      }
      #expect(world.describe("o-1")?.pendingUpdates.map(\.updateID) == ["u"])
    }
  }

  @Test func whatComesWhileAForkWaitsForItsNewIDComesAgainToo() throws {
    let world = World()
    _ = world.start("o-2")
    var terminate = TerminateWorkflowRequest()
    terminate.execution = world.execution("o-2")
    _ = world.ask(.terminateWorkflow(terminate))
    world.crash()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    var request = ForkWorkflowRequest()
    request.execution = world.execution("o-1")
    request.workflowID = "o-2"
    request.point = WorkflowPoint()
    request.point?.kind = .firstWorkflowTask
    world.holdsLoads = true
    let id = world.request(.forkWorkflow(request))
    world.serveLoads()
    // The history has been read, and what has the new id is looked for.
    #expect(world.loadsWaiting == 1)
    _ = world.signal("o-1", "late")
    while world.loadsWaiting > 0 { world.serveLoads() }
    guard case .forkWorkflow(let response) = world.reply(id) else {
      Issue.record("the fork was refused")
      return
    }
    let run = try #require(world.store.runs.values.first { $0.row.runID == response.runID })
    #expect(
      world.history(run.row.number.value)
        == ["workflowExecutionStarted", "workflowTaskFailed", "workflowExecutionSignaled"])
  }

  @Test func aLongHistoryIsCopiedByTheStoreAndLoadedFromARow() throws {
    let world = World()
    let worker = world.attach(slots: 1_000)
    _ = world.start("o-1")
    for turn in 0..<600 {
      let task = try #require(world.activation(worker))
      world.complete(worker, task, [.timer(UInt32(turn) + 1, 0)])
      world.advance(1)
    }
    var copied: [Write] = []
    world.observer = { _, effects in
      copied += effects.writes.filter { if case .copyHistory = $0 { true } else { false } }
    }
    guard
      case .resetWorkflow = world.ask(.resetWorkflow(ResetTests.request(.lastWorkflowTask)))
    else {
      Issue.record("the reset was refused")
      return
    }
    #expect(copied.count == 1)
    let state = try #require(world.store.runs[RunNumber(2)]?.state)
    #expect(state.through > 500)
    world.crash()
    // Three events a turn, and in the place of the last completion the one that tells of the copy.
    let info = try #require(world.describe("o-1")?.info)
    #expect(info.historyLength == Int64(3 * 600 - 1))
  }
}
