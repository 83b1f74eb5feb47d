import Basics
import EngineCore
import Messages
import Testing

/// Histories that clients send to be replayed: cut anywhere, broken, too large.
@Suite("Sent histories") struct SentReplayTests {
  /// An engine with a run whose code has slept once and completed.
  private final class Scene {
    let world: World
    var events: [HistoryEvent] = []

    init(_ change: @escaping (inout EngineLimits) -> Void = { _ in }) throws {
      world = World { change(&$0.limits) }
      let worker = world.attach()
      _ = world.start("o-1")
      world.complete(worker, try #require(world.activation(worker)), [.timer(1, 1_000)])
      world.advance(1_000)
      world.complete(worker, try #require(world.activation(worker)), [.done()])
      events = world.store.history(RunNumber(1))
      world.sent = []
    }

    var stored: [UInt8] { SentReplayTests.stored(events) }
    var json: [UInt8] { Array(events.map { $0.json() + "\n" }.joined().utf8) }

    func send(_ id: RequestID, _ data: [UInt8], more: Bool, form: HistoryForm = .stored) {
      var part = HistoryPart()
      part.data = data
      part.more = more
      part.form = form
      world.replay(id, part)
    }

    /// Sends the parts when they are wanted and answers as the code did; the last message, or how
    /// the stream ended.
    func outcome(_ parts: [[UInt8]], form: HistoryForm = .stored) throws -> Outcome {
      let id = world.openStream()
      var rest = parts[...]
      send(id, rest.removeFirst(), more: !rest.isEmpty, form: form)
      while true {
        for case .end(id, let status) in world.sent where status != Status() {
          return .refused(status)
        }
        switch try #require(response(id)).kind {
        case .historyWanted: send(id, rest.removeFirst(), more: !rest.isEmpty)
        case .replayHistory(let part): answer(id, part)
        case .verdict(let verdict): return .judged(verdict)
        case nil: throw Failure.noMessage
        }
      }
    }

    func response(_ id: RequestID) -> ReplayResponse? {
      for (index, send) in world.sent.enumerated() {
        guard case .part(id, let bytes) = send else { continue }
        world.sent.remove(at: index)
        return try? ReplayResponse(bytes: bytes)
      }
      return nil
    }

    func answer(_ id: RequestID, _ part: ReplayHistory) {
      var completed = ReplayCompleted()
      completed.token = part.token
      completed.completions = part.activations.map { past in
        var completion = PastCompletion()
        var head = CommandHead()
        head.type = past.workflowTaskCompletedEventID == 2 ? .startTimer : .completeWorkflow
        head.seq = head.type == .startTimer ? 1 : 0
        if past.workflowTaskCompletedEventID <= 5 { completion.heads = [head] }
        return completion
      }
      var request = ReplayRequest()
      request.kind = .replayCompleted(completed)
      world.step(.replay(id, request))
    }
  }

  private enum Failure: Error { case noMessage }

  private enum Outcome: Equatable {
    case judged(ReplayVerdict)
    case refused(Status)

    var message: String { if case .refused(let status) = self { status.message } else { "" } }
    var code: StatusCode { if case .refused(let status) = self { status.code } else { .ok } }
  }

  private static func stored(_ events: [HistoryEvent]) -> [UInt8] {
    var batch = HistoryBatch()
    batch.events = events
    return batch.serialized()
  }

  @Test(arguments: [HistoryForm.stored, .json])
  func whereAHistoryIsCutDoesNotMatter(_ form: HistoryForm) throws {
    let scene = try Scene()
    let whole = form == .json ? scene.json : scene.stored
    let commits = scene.world.commits
    let expected = try scene.outcome([whole], form: form)
    guard case .judged(let verdict) = expected else {
      Issue.record("\(expected)")
      return
    }
    #expect(verdict.diff == nil && verdict.events == 6 && verdict.workflowTasks == 2)
    #expect(verdict.workflowType == "order" && verdict.execution?.workflowID == "o-1")
    for place in 0...whole.count {
      let parts = [Array(whole[..<place]), Array(whole[place...])]
      #expect(try scene.outcome(parts, form: form) == expected, "cut at \(place)")
    }
    let bytes = whole.map { [$0] }
    #expect(try scene.outcome(bytes, form: form) == expected)
    #expect(scene.world.commits == commits, "a replay writes nothing")
  }

  @Test func aHistoryThatIsNoneIsRefusedWithThePlace() throws {
    let scene = try Scene()
    let good = scene.events
    func refusal(_ change: (inout [HistoryEvent]) -> Void) throws -> String {
      var events = good
      change(&events)
      let outcome = try scene.outcome([SentReplayTests.stored(events)])
      #expect(outcome.code == .invalidArgument)
      return outcome.message.replacing("the history cannot be replayed: ", with: "")
    }
    #expect(
      try refusal { $0.remove(at: 3) } == "event 5 stands in the place of event 4")
    #expect(
      try refusal { $0.removeFirst() } == "event 2 stands in the place of event 1")
    #expect(try refusal { $0 = [] } == "it holds no event")
    #expect(
      try refusal { $0[0].attributes = .timerFired(TimerFired()) }
        == "event 1 is not WorkflowExecutionStarted")
    #expect(
      try refusal { $0[3].attributes = nil }
        == "event 4 is of a kind that this engine does not know")
    #expect(
      try refusal { $0[3].attributes = $0[0].attributes }
        == "event 4 is a second WorkflowExecutionStarted")
    #expect(try refusal { $0 = Array($0[..<2]) } == "it ends within the completion of event 2")
    #expect(
      try refusal { $0[2].attributes = .timerFired(TimerFired()) } == "event 3 records no command")
    #expect(
      try refusal { $0[2].attributes = .workflowTaskCompleted(WorkflowTaskCompletedEvent()) }
        .hasPrefix("event 3 showed events up to 0, the one before it up to 1"))
    #expect(
      try refusal {
        $0.append($0[3])
        $0[6].eventID = 7
      } == "event 7 stands behind the end, event 6")
  }

  @Test func bytesThatAreNoHistoryAreRefusedWithThePlace() throws {
    let scene = try Scene()
    func message(_ data: [UInt8], _ form: HistoryForm) throws -> String {
      let outcome = try scene.outcome([data], form: form)
      #expect(outcome.code == .invalidArgument)
      return outcome.message.replacing("the history cannot be replayed: ", with: "")
    }
    let cut = Array(scene.stored.dropLast())
    #expect(
      try message(cut, .stored) == "it is cut off behind event 5, within the next one")
    #expect(
      try message([0x12] + scene.stored, .stored) == "no event begins at byte 0, behind event 0")
    #expect(try message([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .stored).contains("length"))
    let line = scene.json + Array("{\"eventId\": 7, \"x\": 1}".utf8)
    let unknown = try message(line, .json)
    #expect(unknown.hasPrefix("line 7, column 16: ") && unknown.hasSuffix(" has no field 'x'"))
    #expect(try message(Array("\n\n{".utf8), .json).hasPrefix("line 3, column "))
    #expect(try message([0xFF], .json) == "line 1 is not UTF-8")
  }

  @Test func aHistoryThatIsTooLargeIsRefused() throws {
    let whole = try Scene().stored.count
    for change: (inout EngineLimits) -> Void in [
      { $0.sentHistoryBytesMax = whole - 1 }, { $0.sentEventBytesMax = 10 },
      {
        $0.historyEventsMax = 4
        $0.commandsMax = 1
      },
    ] {
      let scene = try Scene(change)
      let outcome = try scene.outcome([scene.stored])
      // A run of that size may not have come to its end in this engine.
      guard scene.events.count == 6 else { continue }
      #expect(outcome.code == .resourceExhausted)
    }
    let scene = try Scene { $0.historyPartBytesMax = whole - 1 }
    let outcome = try scene.outcome([scene.stored])
    #expect(outcome.code == .invalidArgument && outcome.message.contains("are allowed"))
  }

  @Test func whatTheCodeHasNotSeenIsBounded() throws {
    let scene = try Scene { $0.sentUnshownEventsMax = 3 }
    var events = [scene.events[0]]
    for id in 2...4 {
      var event = HistoryEvent()
      event.eventID = Int64(id)
      event.attributes = .workflowExecutionSignaled(WorkflowExecutionSignaled())
      events.append(event)
    }
    #expect(try scene.outcome([SentReplayTests.stored(events)]).code == .resourceExhausted)
  }

  @Test func aLongPastIsShownInParts() throws {
    let scene = try Scene { $0.sentActivationsMax = 10 }
    var events = Array(scene.events[..<3])
    for id in 4..<100 {
      var event = HistoryEvent()
      event.eventID = Int64(id)
      var completed = WorkflowTaskCompletedEvent()
      completed.throughEventID = Int64(id) - 1
      event.attributes = .workflowTaskCompleted(completed)
      events.append(event)
    }
    let id = scene.world.openStream()
    scene.send(id, SentReplayTests.stored(events), more: false)
    var shown: [Int] = []
    while case .replayHistory(let part)? = scene.response(id)?.kind {
      shown.append(part.activations.count)
      #expect(part.first == (shown.count == 1))
      var completed = ReplayCompleted()
      completed.token = part.token
      completed.completions = part.activations.map { _ in PastCompletion() }
      if shown.count == 1 {
        var head = CommandHead()
        head.type = .startTimer
        head.seq = 1
        completed.completions[0].heads = [head]
      }
      var request = ReplayRequest()
      request.kind = .replayCompleted(completed)
      scene.world.step(.replay(id, request))
    }
    #expect(shown == Array(repeating: 10, count: 9) + [7])
    #expect(scene.world.sent.contains { if case .end(id, Status()) = $0 { true } else { false } })
  }

  @Test func whatIsToldOfTheCodeFitsAMessage() throws {
    let scene = try Scene()
    let id = scene.world.openStream()
    scene.send(id, scene.stored, more: false)
    guard case .replayHistory(let part)? = scene.response(id)?.kind else {
      Issue.record("nothing is shown")
      return
    }
    var completed = ReplayCompleted()
    completed.token = part.token
    var head = CommandHead()
    head.type = .scheduleActivity
    head.name = String(repeating: "n", count: 1 << 20)
    head.location = String(repeating: "é", count: 1 << 20)
    completed.completions = [PastCompletion()]
    completed.completions[0].heads = [head]
    completed.failure = WorkflowTaskFailure()
    completed.failure?.failure = Messages.Failure()
    completed.failure?.failure?.info = FailureInfo()
    completed.failure?.failure?.info?.message = String(repeating: "m", count: 2 << 20)
    var request = ReplayRequest()
    request.kind = .replayCompleted(completed)
    scene.world.step(.replay(id, request))
    guard case .verdict(let verdict)? = scene.response(id)?.kind else {
      Issue.record("there is no verdict")
      return
    }
    #expect(verdict.diff?.actual?.name.utf8.count == 1_000)
    #expect(verdict.serialized().count < 600 << 10)
  }

  @Test func replaysOfAConnectionAreBoundedAndTheirMemoryToo() throws {
    let scene = try Scene { $0.sentReplaysMax = 2 }
    let half = Array(scene.stored.prefix(40))
    let first = scene.world.openStream()
    scene.send(first, half, more: true)
    scene.send(scene.world.openStream(), half, more: true)
    let third = scene.world.openStream()
    scene.send(third, half, more: true)
    #expect(end(of: third, in: scene)?.reason == .overloaded)
    scene.world.step(.requestAbandoned(first))
    #expect(try scene.outcome([scene.stored]).code == .ok)

    let tight = try Scene { $0.sentReplayBytesMax = 50 }
    let held = tight.world.openStream()
    tight.send(held, half, more: true)
    #expect(end(of: held, in: tight) == nil)
    let more = tight.world.openStream()
    tight.send(more, half, more: true)
    #expect(end(of: more, in: tight)?.code == .resourceExhausted)
    // What the first one holds is given back when it goes.
    tight.world.step(.requestAbandoned(held))
    let again = tight.world.openStream()
    tight.send(again, half, more: true)
    #expect(end(of: again, in: tight) == nil)
  }

  private func end(of id: RequestID, in scene: Scene) -> Status? {
    for case .end(id, let status) in scene.world.sent { return status }
    return nil
  }
}
