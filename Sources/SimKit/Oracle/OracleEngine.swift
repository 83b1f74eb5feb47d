import Basics
import EngineCore
import Messages
import SQLiteStore

/// The engine over a store in memory, and what it does as facts. It decides nothing.
struct OracleEngine {
  private var configuration: EngineConfiguration
  private var engine: Engine
  private let store: Store
  private var effects = Effects()
  private var staged: [Write] = []
  private var stagedSerial = WriteSerial.none
  private var durable = WriteSerial.none
  private var gated: [GatedSend] = []
  private var runIDs: [RunNumber: RunID] = [:]
  private var histories: [RunNumber: [HistoryEvent]] = [:]
  /// The parts of the streamed answers that are under way.
  private var parts: [RequestID: [[UInt8]]] = [:]

  /// Commits wait for `commit`, unless a load needs them.
  var holdsCommits = false
  private(set) var now: Instant
  /// What has left for the sessions, oldest first; taken out by those who play them.
  var delivered: [(SessionID, EngineMessage.Kind)] = []
  /// Runs that were made by the last unit, oldest first.
  private(set) var created: [WorkflowExecutionStarted] = []
  private(set) var removed: [RunID] = []
  /// What is wrong with the engine's own accounts.
  private(set) var fault: String?
  /// Runs that were given a permit by the last unit, in their order.
  private var permitted: [RunNumber] = []
  var permitsGiven: [RunID] { permitted.compactMap { runIDs[$0] } }
  /// Letters that had to wait, in the order in which the last unit took them in.
  private(set) var lateLetters: [Letter] = []
  private var lettersWaiting: [Int64: Letter] = [:]
  /// The last unit took several steps.
  var isStepwise: Bool { loadsLeft < OracleEngine.loadsMax || deadlineSteps > 1 }
  private static let loadsMax = 1_000
  private var facts: [Fact] = []
  /// Loads that one input may still lead to.
  private var loadsLeft = loadsMax
  /// Steps of the unit that took what was due.
  private var deadlineSteps = 0
  private var lists: Set<RequestID> = []
  /// Of activities without a workflow.
  private var activityLists: Set<RequestID> = []
  /// Of the page that was answered last.
  private(set) var pageToken: [UInt8] = []

  init(_ configuration: EngineConfiguration, at now: Instant) throws(StoreError) {
    let (store, opened) = try Store.open(path: nil)
    self.store = store
    self.now = now
    self.configuration = configuration
    // So that the account of what holds time is kept, and looked at after each step.
    self.configuration.skipsTime = true
    engine = Engine(self.configuration, opened: opened)
  }

  var isDue: Bool { engine.nextDeadline.map { $0 <= now } ?? false }
  var nextDeadline: Instant? { engine.nextDeadline }

  mutating func advance(to instant: Instant) { now = max(now, instant) }

  /// Steps the engine with the input, and with the loads and commits that it asks for on its way.
  mutating func unit(_ input: Input) throws(StoreError) -> [Fact] {
    begin()
    switch input {
    case .request(let id, .listWorkflows): lists.insert(id)
    case .request(let id, .activityRun(.list)): activityLists.insert(id)
    case .requestAbandoned(let id): parts.removeValue(forKey: id)
    default: break
    }
    try step(input)
    // A herd is handled in several steps, at one time.
    if case .deadlineReached = input { while isDue { try step(input) } }
    if !holdsCommits { try commit() }
    return facts
  }

  private mutating func begin() {
    facts = []
    created = []
    removed = []
    permitted = []
    lateLetters = []
    loadsLeft = OracleEngine.loadsMax
    deadlineSteps = 0
  }

  /// Makes everything durable that is not.
  mutating func commit() throws(StoreError) {
    while !staged.isEmpty {
      try store.commit(staged)
      staged = []
      durable = stagedSerial
      release()
      try step(.persisted(durable))
    }
  }

  /// The facts of a commit.
  mutating func commitUnit() throws(StoreError) -> [Fact] {
    begin()
    try commit()
    return facts
  }

  /// A new engine over the same rows, and what it does when it has begun. Everything is durable.
  mutating func restart(seed: UInt64) throws(StoreError) -> [Fact] {
    precondition(staged.isEmpty && gated.isEmpty, "what is not durable would be lost")
    begin()
    configuration.seed = seed
    engine = Engine(configuration, opened: try store.openAgain())
    stagedSerial = .none
    durable = .none
    parts = [:]
    lists = []
    activityLists = []
    while isDue { try step(.deadlineReached) }
    if !holdsCommits { try commit() }
    return facts
  }

  private mutating func step(_ input: Input) throws(StoreError) {
    if case .deadlineReached = input { deadlineSteps += 1 }
    engine.step(input, now: now, into: &effects)
    if fault == nil { fault = engine.fault }
    for write in effects.writes { note(write) }
    for send in effects.sends { note(send.send) }
    facts += effects.watches.map { .watched($0) }
    staged += effects.writes
    if !effects.writes.isEmpty { stagedSerial = effects.serial }
    gated += effects.sends
    let loads = effects.loads
    let ended = effects.sends.compactMap { sent -> RequestID? in
      if case .part(let id, _) = sent.send { id } else { nil }
    }
    release()
    for load in loads {
      loadsLeft -= 1
      precondition(loadsLeft > 0, "the engine asks the store for ever: \(load.load)")
      if load.after > durable { try commit() }
      try step(.loaded(store.load(load.load)))
    }
    for id in ended where parts[id] != nil { try step(.readMore(id)) }
  }

  /// The history of a run, as it was written.
  func history(of run: RunID) -> [HistoryEvent] {
    runIDs.first { $0.value == run }.flatMap { histories[$0.key] } ?? []
  }

  /// Takes a message of a client that has a history replayed; what the engine says to it. It may do
  /// nothing else.
  mutating func replay(_ id: RequestID, _ request: ReplayRequest) -> [Send] {
    engine.step(.replay(id, request), now: now, into: &effects)
    precondition(
      effects.writes.isEmpty && effects.loads.isEmpty && effects.watches.isEmpty,
      "a replay of what a client sends has an effect")
    return effects.sends.map { sent in
      precondition(sent.after == .none, "a replay waits for the store")
      return sent.send
    }
  }

  private mutating func release() {
    for sent in gated where sent.after <= durable {
      if case .worker(let session, let message) = sent.send, let kind = message.kind {
        delivered.append((session, kind))
      }
    }
    gated.removeAll { $0.after <= durable }
  }

  // MARK: - Facts

  private mutating func note(_ write: Write) {
    switch write {
    case .createRun(let row): runIDs[row.number] = row.runID
    case .appendHistory(let run, _, _, let bytes):
      guard let batch = try? HistoryBatch(bytes: bytes) else {
        preconditionFailure("\(run): a batch that cannot be read")
      }
      histories[run, default: []] += batch.events
      for event in batch.events {
        if let begun = begun(by: event, id(run)) { created.append(begun) }
        facts.append(.event(id(run), event.plain))
      }
      facts += batch.activityAttempts.map { .attempts(id(run), $0) }
    case .copyHistory(let from, let to, let through, _, _):
      histories[to] = Array(histories[from, default: []].prefix(Int(through)))
      for event in histories[to] ?? [] { facts.append(.event(id(to), event.plain)) }
    case .closeRun(let run, let status, _, _, _): facts.append(.closed(id(run), status))
    case .putRequest(let run, let record):
      facts.append(.remembered(id(run), event: record.event))
    case .deleteRun(let run): removed.append(id(run))
    case .putLetter(let number, let bytes):
      guard let letter = try? Letter(bytes: bytes) else {
        preconditionFailure("letter \(number) cannot be read")
      }
      lettersWaiting[number] = letter
    case .deleteLetter(let number):
      guard let letter = lettersWaiting.removeValue(forKey: number) else {
        preconditionFailure("letter \(number) was taken in twice, or never written")
      }
      lateLetters.append(letter)
    case .putPermit(let run, let bytes):
      if let row = try? PermitRow(bytes: bytes), row.held { permitted.append(run) }
    case .wakeRun, .setStatus, .saveState, .sleepRun, .putActivity, .deleteActivity, .putZone,
      .putSchedule, .putScheduleProgress, .deleteSchedule, .putSkipped, .putDetails,
      .putAttributeName, .deleteAttributeName, .putNamespace, .deleteNamespace,
      .putBatchJob, .putBatchJobProgress, .deleteBatchJob, .putQueueLimits, .putWorkflowTypeLimits,
      .deletePermit:
      break
    }
  }

  /// What has been drawn for the run that the event begins, by itself or as a copy of another one.
  private func begun(by event: HistoryEvent, _ run: RunID) -> WorkflowExecutionStarted? {
    switch event.attributes {
    case .workflowExecutionStarted(let started): return started.runID == run ? started : nil
    case .workflowTaskFailed(let failed) where failed.copy?.execution?.runID == run:
      var begun = WorkflowExecutionStarted()
      begun.workflowID = failed.copy?.execution?.workflowID ?? ""
      begun.runID = run
      begun.randomSeed = failed.copy?.randomSeed ?? 0
      return begun
    default: return nil
    }
  }

  private func id(_ run: RunNumber) -> RunID {
    guard let id = runIDs[run] else { preconditionFailure("\(run) is written and was never made") }
    return id
  }

  private mutating func note(_ send: Send) {
    switch send {
    case .reply(let id, let reply): facts.append(.answered(id, Response(reply)))
    case .part(let id, let bytes): parts[id, default: []].append(bytes)
    case .end(let id, let status):
      let bytes = parts.removeValue(forKey: id) ?? []
      facts.append(.answered(id, streamed(id, bytes, status)))
    case .worker(let session, let message):
      guard let kind = message.kind else { preconditionFailure("a message without a kind") }
      note(session, kind.plain)
    case .awaitRoom(let session): preconditionFailure("\(session) is full, without a bound")
    case .endSession(let session, let status): facts.append(.ended(session, status.plain))
    }
  }

  /// Each token that is recorded is a fact, however many share a message; so is each lease that is
  /// lost, whether it is told with the attachment or afterwards.
  private mutating func note(_ session: SessionID, _ kind: EngineMessage.Kind) {
    switch kind {
    case .recorded(let recorded):
      for token in recorded.tokens { facts.append(.told(session, .recorded(.of(token)))) }
    case .attached(var attached):
      for token in attached.lostLeases {
        facts.append(.told(session, .activityCancel(.of(token, .notFound))))
      }
      attached.lostLeases = []
      facts.append(.told(session, .attached(attached)))
    default: facts.append(.told(session, kind))
    }
  }

  private mutating func streamed(_ id: RequestID, _ parts: [[UInt8]], _ status: Status)
    -> Response
  {
    let isList = lists.remove(id) != nil
    if isList { pageToken = [] }
    let isOfActivities = activityLists.remove(id) != nil
    guard status.code == .ok else { return .failure(status.plain) }
    if isOfActivities {
      let responses = parts.compactMap { try? ListActivitiesResponse(bytes: $0) }
      return .activities(responses.flatMap(\.activities).map(\.plain))
    }
    if isList {
      let responses = parts.compactMap { try? ListWorkflowsResponse(bytes: $0) }
      pageToken = responses.last?.nextPageToken ?? []
      return .list(
        responses.flatMap(\.workflows).map(\.plain), hasMore: !pageToken.isEmpty)
    }
    let batches = parts.compactMap { try? HistoryBatch(bytes: $0) }
    return .history(batches.flatMap(\.events).map(\.plain))
  }
}

extension Recorded {
  static func of(_ token: [UInt8]) -> Recorded {
    var recorded = Recorded()
    recorded.tokens = [token]
    return recorded
  }
}

extension ActivityCancel {
  static func of(_ token: [UInt8], _ reason: ActivityCancelReason) -> ActivityCancel {
    var cancel = ActivityCancel()
    cancel.token = token
    cancel.reason = reason
    return cancel
  }
}
