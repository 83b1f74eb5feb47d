import Basics
import Messages

/// A replay of a history that a client sends: of no run that is here, and nothing is written.
struct SentReplay {
  var history: SentHistory
  var replay = Replay(loading: Load.ID(0))
  /// Which run it is of, if not the one that the first event names.
  let execution: WorkflowExecution?
  /// Who answers for its code, if not the client.
  var asked: AskedWorker?
  /// Events that have come and have not been read yet.
  private var events: [HistoryEvent] = []
  private var eventBytes = 0
  /// The last part of the history has come.
  private var isWhole = false
  /// The next answer is one to this part.
  private(set) var serial: UInt64 = 0
  private(set) var answerBytes = 0
  /// As it was counted last.
  var countedBytes = 0

  init(_ history: SentHistory, of execution: WorkflowExecution?) {
    self.history = history
    self.execution = execution
  }

  /// A part of the history may come.
  var isWaiting: Bool { if case .loading = replay.state { !isWhole } else { false } }

  var heldBytes: Int { history.heldBytes + eventBytes + replay.unshown.bytes + answerBytes }

  mutating func take(_ part: HistoryPart) throws(SentHistoryFault) {
    let bytes = history.heldBytes + part.data.count
    events += try history.take(part.data, more: part.more)
    #if MUTANTS
      if Mutant.isOn(.sentPartIsLost), serial > 0 { events = [] }
    #endif
    eventBytes = bytes
    isWhole = !part.more
  }

  /// The past activations that what has come makes whole.
  mutating func next(_ limits: EngineLimits) throws(CorruptRun) -> [PastActivation] {
    let past = try replay.take(
      events, more: !isWhole, bytesMax: limits.partBytesMax, countMax: limits.sentActivationsMax)
    events.removeFirst(events.prefix { $0.eventID < replay.nextEvent }.count)
    if events.isEmpty { eventBytes = 0 }
    return past
  }

  mutating func partSent() {
    replay.partSent()
    answerBytes = 0
    serial += 1
  }

  mutating func collect(_ part: [PastCompletion], bytes: Int) {
    answerBytes += bytes
    replay.collect(part)
  }

  func part(_ past: [PastActivation]) -> ReplayHistory {
    var part = ReplayHistory(past, isFirst: replay.isFirst)
    let started = history.started ?? WorkflowExecutionStarted()
    let run = named
    part.token = token
    part.namespace = started.namespace.orDefault
    part.taskQueue = started.taskQueue
    part.runID = run.runID
    part.workflowID = run.workflowID
    part.workflowType = started.workflowType
    part.taskTimeoutMs = started.taskTimeoutMs
    return part
  }

  var token: [UInt8] { Array("part-\(serial)".utf8) }

  private var named: WorkflowExecution {
    if let execution { return execution }
    var execution = WorkflowExecution()
    execution.workflowID = history.started?.workflowID ?? ""
    execution.runID = history.started?.runID ?? .none
    return execution
  }

  func verdict(_ diff: NondeterminismDiff?, _ failure: Failure?) -> ReplayVerdict {
    var verdict = ReplayVerdict()
    verdict.execution = named
    verdict.workflowType = history.started?.workflowType ?? ""
    verdict.events = history.lastEvent
    verdict.workflowTasks = replay.agreed
    verdict.diff = diff
    if diff != nil { verdict.failure = failure }
    return verdict
  }
}

/// Replay: the client sends a history and answers for its code; the engine says where they part.
///
/// One part of either is under way at a time, so that a history of any length takes little memory,
/// and no step takes long.
extension Engine {
  mutating func replay(_ id: RequestID, _ request: ReplayRequest) {
    switch request.kind {
    case .history(let part): takePart(id, part)
    case .replayCompleted where sentReplays[id]?.asked != nil:
      endReplay(id, .outOfTurn("a worker answers for the code"))
    case .replayCompleted(let completed): takeAnswer(id, completed)
    case nil:
      endReplay(id, .refusal(.invalidArgument, .malformedRequest, "a message without a kind"))
    }
  }

  private mutating func takePart(_ id: RequestID, _ part: HistoryPart) {
    if sentReplays[id] == nil, let status = begin(id, part) { return endReplay(id, status) }
    guard sentReplays[id]?.isWaiting ?? false else {
      return endReplay(id, .outOfTurn("a part of the history that is not wanted yet"))
    }
    guard part.data.count <= limits.historyPartBytesMax else {
      let status = Status.invalid(
        "history.data", "\(part.data.count) bytes; \(limits.historyPartBytesMax) are allowed")
      return endReplay(id, status)
    }
    do throws(SentHistoryFault) {
      try sentReplays[id]?.take(part)
    } catch { return endReplay(id, .unreplayable(error)) }
    advance(id)
  }

  /// The stream's first message; what forbids it.
  private mutating func begin(_ id: RequestID, _ part: HistoryPart) -> Status? {
    let others = sentReplays.keys.count { $0.connection == id.connection }
    guard others < limits.sentReplaysMax else {
      return .refusal(
        .resourceExhausted, .overloaded, "\(others) replays are under way on this connection",
        retryAfter: Span(ms: 100))
    }
    if let status = idFault(part.execution?.workflowID ?? "", "history.execution.workflow_id") {
      return status
    }
    switch part.form {
    case .unspecified, .stored, .json: break
    default: return .invalid("history.form", "\(part.form.rawValue) is no form of a history")
    }
    if let status = first(
      namespaceFault(part.namespace), idFault(part.taskQueue, "history.task_queue"))
    {
      return status
    }
    sentReplays[id] = SentReplay(SentHistory(part.form, limits), of: part.execution)
    if !part.taskQueue.isEmpty {
      let queue = QueueKey(namespace: part.namespace.orDefault, name: part.taskQueue)
      let runID = newRunID()
      sentReplays[id]?.asked = AskedWorker(queue: queue, runID: runID)
    }
    waiting[id] = .replaying
    return nil
  }

  mutating func takeAnswer(_ id: RequestID, _ completed: ReplayCompleted) {
    guard let sent = sentReplays[id] else {
      return endReplay(id, .outOfTurn("a replay begins with a part of the history"))
    }
    let isCurrent = sent.asked != nil || completed.token == sent.token
    guard case .answering = sent.replay.state, isCurrent else {
      return endReplay(id, .outOfTurn("an answer to no part that is out"))
    }
    if completed.more {
      let bytes = completed.serialized().count
      guard sent.answerBytes + bytes <= limits.partsBytesMax else {
        return endReplay(
          id,
          .refusal(
            .resourceExhausted, .limitReached,
            "the parts of the answer are over \(limits.partsBytesMax) bytes"))
      }
      sentReplays[id]?.collect(completed.completions, bytes: bytes)
      count(id)
      return
    }
    if let diff = sentReplays[id]?.replay.compare(
      completed.completions, failure: completed.failure)
    {
      return judge(id, diff, completed.failure)
    }
    advance(id)
  }

  /// Sends the next activations, asks for the next part, or says that all agree.
  private mutating func advance(_ id: RequestID) {
    let past: [PastActivation]
    do throws(CorruptRun) {
      past = try sentReplays[id]?.next(limits) ?? []
    } catch { return endReplay(id, .unreplayable(.broken(error.place))) }
    guard let sent = sentReplays[id] else { return }
    guard sent.replay.unshown.events <= limits.sentUnshownEventsMax else {
      let most = limits.sentUnshownEventsMax
      return endReplay(
        id, .unreplayable(.tooLarge("more than \(most) events have not been shown to its code")))
    }
    if case .done = sent.replay.state { return judge(id, nil, nil) }
    guard count(id) else { return }
    if past.isEmpty {
      sentReplays[id]?.replay.state = .loading(Load.ID(0))
      awaitReplay(id)
      return tell(id, .historyWanted(HistoryWanted()))
    }
    sentReplays[id]?.partSent()
    var part = sent.part(past)
    part.token = sentReplays[id]?.token ?? []
    counters.replays += part.first ? 1 : 0
    if sent.asked == nil { return tell(id, .replayHistory(part)) }
    if let status = ask(id, part) { endReplay(id, status) }
  }

  private mutating func tell(_ id: RequestID, _ kind: ReplayResponse.Kind) {
    var response = ReplayResponse()
    response.kind = kind
    send(.part(id, response.serialized()), .free)
  }

  /// Notes how much memory the replay takes; false when it was too much, and the replay has ended.
  @discardableResult
  private mutating func count(_ id: RequestID) -> Bool {
    guard let sent = sentReplays[id] else { return false }
    sentReplayBytes += sent.heldBytes - sent.countedBytes
    sentReplays[id]?.countedBytes = sent.heldBytes
    guard sentReplayBytes > limits.sentReplayBytesMax else { return true }
    endReplay(
      id,
      .refusal(
        .resourceExhausted, .overloaded,
        "the histories that are replayed take \(sentReplayBytes) bytes of memory",
        retryAfter: Span(ms: 1_000)))
    return false
  }

  private mutating func judge(
    _ id: RequestID, _ diff: NondeterminismDiff?, _ failure: WorkflowTaskFailure?
  ) {
    guard let sent = sentReplays[id] else { return }
    let fault = failure?.failure?.cut(to: limits.detailBytesMax)
    tell(id, .verdict(sent.verdict(diff, fault)))
    endReplay(id, Status())
  }

  mutating func endReplay(_ id: RequestID, _ status: Status) {
    dropSentReplay(id)
    waiting.removeValue(forKey: id)
    send(.end(id, status), .free)
  }

  /// The replay has ended or is not wanted any more.
  mutating func dropSentReplay(_ id: RequestID) {
    guard let sent = sentReplays.removeValue(forKey: id) else { return }
    sentReplayBytes -= sent.countedBytes
    if let asked = sent.asked { release(asked, id) }
  }
}

extension Status {
  fileprivate static func unreplayable(_ fault: SentHistoryFault) -> Status {
    switch fault {
    case .broken(let place):
      .refusal(
        .invalidArgument, .historyCorrupt, "the history cannot be replayed: \(place)",
        field: "history")
    case .tooLarge(let what):
      .refusal(
        .resourceExhausted, .limitReached, "the history is too large: \(what)", field: "history")
    }
  }

  fileprivate static func outOfTurn(_ what: String) -> Status {
    refusal(.failedPrecondition, .protocolViolation, "out of turn: \(what)")
  }
}
