import Basics
import Messages

/// The engine: inputs in, effects out. It does no I/O, reads no clock and keeps no thread; the same
/// state, input and `now` give the same effects, byte for byte.
///
/// The caller applies `Effects.writes` as one batch and in order, and lets a send leave only when
/// the write that it names is durable.
public struct Engine {
  let limits: EngineLimits
  let times: EngineTimes
  let skipsTime: Bool
  let epoch: UInt64
  /// A store that was restored goes on in another one than the store that its backup was taken of.
  var branch: UInt32 { Epoch.branch(of: epoch) }
  var random: SeededRandom
  var now = Instant(ms: 0)

  // What is in memory.
  var runs: [RunNumber: Run] = [:]
  /// The newest run of each workflow id of which a run is in memory.
  var newest: [WorkflowKey: RunNumber] = [:]
  var byRunID: [RunID: RunNumber] = [:]
  var nextRun: RunNumber
  var queues: [QueueKey: TaskQueue] = [:]
  /// Of the queues that have some.
  var queueLimits: [QueueKey: TaskQueueLimits]
  /// Of the workflow types that have some, or have runs that still count.
  var concurrency: [TypeKey: ConcurrencyLimit]
  /// Types of which permits have come free in this step.
  var freedPermits: Set<TypeKey> = []
  /// Types that are about to have limits.
  var counts: [TypeKey: RunCount] = [:]
  /// Queues with a rate, for which something has come in this step.
  var paced: Set<QueueKey> = []
  var sessions: [SessionID: Session] = [:]
  var sessionByResumeToken: [[UInt8]: SessionID] = [:]
  /// Leases that workers named at their attachment, of runs that are not in memory yet.
  var claims: [RunNumber: [(session: SessionID, token: ActivityToken)]] = [:]
  /// Started attempts whose connection is gone.
  var orphans: Set<LeaseKey> = []
  var deadlines = DeadlineHeap<Deadline>()
  var namespaces: Namespaces
  var zones: Zones
  var schedules: Schedules
  var batchJobs = BatchJobs()
  /// The requests that they make, until they are answered.
  var batchRequests: [RequestID: BatchJobNumber] = [:]
  var lastBatchRequest: UInt64 = 0
  /// Of search attributes.
  var attributeNames: AttributeNames
  var filter: IDFilter
  var window: DeadlineWindow
  var resultWaiters: [AwaitedEnd: Waiters] = [:]
  var outcomeWaiters: [AwaitedOutcome: Waiters] = [:]
  var readers: [RequestID: Reader] = [:]
  /// Resets and forks that read their histories.
  var copies: [RequestID: RunCopying] = [:]
  /// Replays of histories that clients send, and about how much memory they take.
  var sentReplays: [RequestID: SentReplay] = [:]
  var sentReplayBytes = 0
  var reads = ReadTurns()
  /// Memory for the rows and groups that lists and counts have gathered.
  var gatheredBytes = 0
  /// Where a request waits, so that it can be given up.
  var waiting: [RequestID: WaitingPlace] = [:]
  var loading = Loading()
  var mail: Mail
  var retentionPass: RetentionPass?
  /// Runs whose removal is not durable yet: the store may still tell of them.
  var removing: Set<RunNumber> = []
  var removingUntil = WriteSerial.none
  /// Runs whose workflow task backs off.
  var failing: Set<RunNumber> = []
  /// Runs with something under way, for which time does not skip; kept only where it may.
  var busy: Set<RunNumber> = []
  /// Runs without work, by how long they have rested; each stands here once.
  var resting = Queue<(run: RunNumber, since: Instant)>()
  /// About how much memory the resident runs take.
  var residentBytes = 0
  /// Runs that wait in queues and are not in memory: there were too many.
  var outside: [RunNumber: Places] = [:]
  /// Sessions with room for them, that wait until fewer loads are under way.
  var hungry: Set<SessionID> = []
  /// Runs to be dropped from memory once their last write is durable.
  var leaving = Queue<(run: RunNumber, after: WriteSerial)>()
  /// Heartbeats that no write has carried yet.
  var freshHeartbeats: Set<LeaseKey> = []
  var taskSerial: UInt64 = 0
  var isDraining = false
  var isDiskFull = false

  // Durability.
  /// The newest step that wrote.
  var serial = WriteSerial.none
  var durable = WriteSerial.none

  /// Who has the run in its cache, of runs that are not in memory.
  var cachers: [RunNumber: SessionID] = [:]

  // The step under way.
  var out = Effects()
  /// Inputs that were parked and are taken up when the step's own is done with.
  var resumed = Queue<Input>()
  /// Runs whose worker has lost them with local activities in its hands.
  var bereft = Queue<Run>()
  /// Sessions that have room again although their worker granted nothing: a replay ended, or a task
  /// did not reach it.
  var freed: Set<SessionID> = []
  private var outbox: [(gate: Gate, send: Send)] = []
  private var loads: [(gate: Gate, load: Load)] = []
  private var touched: [Run] = []
  /// Runs whose task is to be placed when everything else has been done.
  var offered: [Run] = []
  private var isStepping = false
  var counters = EngineCounters()
  private let writer = EventWriter()

  /// What a send or a load depends on; writes of the step under way count.
  enum Gate {
    /// Nothing: workflow activations and evictions, and loads of what is durable in any case.
    case free
    /// The newest write of the run.
    case run(Run)
    /// The newest write of the engine.
    case engine
  }

  public init(_ configuration: EngineConfiguration, opened: OpenedStore) {
    limits = configuration.limits
    times = configuration.times
    skipsTime = configuration.skipsTime
    epoch = opened.epoch
    random = SeededRandom(seed: configuration.seed)
    nextRun = opened.nextRun
    namespaces = Namespaces(opened.namespaces, opened.runCounts)
    zones = Zones(opened.zones)
    schedules = Schedules(opened.schedules, zones)
    attributeNames = AttributeNames(opened.attributeNames)
    queueLimits = Dictionary(
      opened.queueLimits.map { (QueueKey(namespace: $0.namespace, name: $0.taskQueue), $0.limits) },
      uniquingKeysWith: { first, _ in first })
    concurrency = Engine.concurrency(opened)
    filter = opened.filter
    window = DeadlineWindow(opened.deadlines, size: configuration.limits.deadlineWindow)
    mail = Mail(last: opened.lastLetter)
    if mail.unread != nil { deadlines.set(.mail, at: .epoch, order: .init(0)) }
    watchRetentions()
    restoreSchedules()
    restoreBatchJobs(opened.batchJobs)
  }

  /// When `deadlineReached` is wanted next; nil: never.
  public var nextDeadline: Instant? {
    // While many loads are under way, the next dormant run waits for one of them.
    let dormant = loading.dueLoads < limits.deadlineLoadsMax ? window.next : nil
    guard let awake = deadlines.first?.time else { return dormant }
    return dormant.map { min($0, awake) } ?? awake
  }

  public var statistics: EngineCounters {
    var counters = counters
    counters.residentRuns = runs.count
    counters.sessions = sessions.count
    counters.residentBytes = residentBytes
    counters.deadlines = deadlines.count + window.count
    counters.tasksQueued = queues.values.reduce(0) { $0 + $1.count }
    counters.tasksOut = sessions.values.reduce(0) { $0 + $1.tasksOut.count + $1.leases.count }
    return counters
  }

  /// Takes one input. `now` must not go back. `effects` is emptied first.
  public mutating func step(_ input: Input, now: Instant, into effects: inout Effects) {
    precondition(!isStepping, "the engine is stepped from within a step")
    precondition(now >= self.now, "time went back from \(self.now.ms) to \(now.ms)")
    isStepping = true
    self.now = now
    swap(&out, &effects)
    out.removeAll()
    handle(input)
    loseLocals()
    takeResumed()
    deliverMail()
    loseLocals()
    // To give work out may close a run, whose permit is given on.
    repeat {
      giveFreedPermits()
      placeOffered()
      fillFreed()
    } while !freedPermits.isEmpty
    finish()
    swap(&out, &effects)
    isStepping = false
  }

  mutating func takeResumed() { while let next = resumed.popFirst() { handle(next) } }

  mutating func handle(_ input: Input) {
    switch input {
    case .request(let id, let request): handle(id, request)
    case .replay(let id, let request): replay(id, request)
    case .requestAbandoned(let id): abandon(id)
    case .readMore(let id): readMore(id)
    case .sessionOpened(let id, let attach, let process): openSession(id, attach, process)
    case .workerMessage(let id, let message): handle(id, message)
    case .workerMessages(let id, let messages):
      for message in messages { handle(id, message) }
    case .sessionClosed(let id): closeSession(id, isGone: false)
    case .sessionSilent(let id, let isSilent): setSilent(id, isSilent)
    case .sessionHasRoom(let id): makeRoom(id)
    case .processGone(let process): processGone(process)
    case .loaded(let loaded): take(loaded)
    case .persisted(let serial): persisted(serial)
    case .deadlineReached: deadlineReached()
    case .timeSkipped(let span): out.writes.append(.putSkipped(span))
    case .drain: drain()
    case .letter(let posted): takeAgain(posted)
    case .diskFull(let isFull):
      isDiskFull = isFull
      if !isFull { goOnWithSchedules() }
    case .scheduled(let order): follow(order)
    case .batchJob(let number): goOn(number)
    }
  }

  private mutating func handle(_ id: RequestID, _ request: Request) {
    switch request {
    case .startWorkflow(let r): startWorkflow(id, r)
    case .signalWorkflow(let r): signalWorkflow(id, r)
    case .signalWithStartWorkflow(let r): signalWithStartWorkflow(id, r)
    case .queryWorkflow(let r): queryWorkflow(id, r)
    case .updateWorkflow(let r): updateWorkflow(id, r)
    case .updateWithStartWorkflow(let r): updateWithStartWorkflow(id, r)
    case .pollUpdate(let r): pollUpdate(id, r)
    case .cancelWorkflow(let r): cancelWorkflow(id, r)
    case .terminateWorkflow(let r): terminateWorkflow(id, r)
    case .deleteWorkflow(let r): deleteWorkflow(id, r)
    case .pauseWorkflow(let r): pauseWorkflow(id, r)
    case .resetWorkflow(let r): resetWorkflow(id, r)
    case .forkWorkflow(let r): forkWorkflow(id, r)
    case .unpauseWorkflow(let r): unpauseWorkflow(id, r)
    case .describeWorkflow(let r): describeWorkflow(id, r)
    case .getWorkflowResult(let r): getWorkflowResult(id, r)
    case .getHistory(let r): getHistory(id, r)
    case .listWorkflows(let r): listWorkflows(id, r)
    case .countWorkflows(let r): countWorkflows(id, r)
    case .completeActivity(let r): completeActivity(id, r)
    case .failActivity(let r): failActivity(id, r)
    case .reportActivityCancelled(let r): reportActivityCancelled(id, r)
    case .heartbeatActivity(let r): heartbeatActivity(id, r)
    case .pauseActivity(let r): pauseActivity(id, r)
    case .unpauseActivity(let r): unpauseActivity(id, r)
    case .resetActivity(let r): resetActivity(id, r)
    case .updateActivityOptions(let r): updateActivityOptions(id, r)
    case .describeTaskQueue(let r): describeTaskQueue(id, r)
    case .setTaskQueueLimits(let r): setTaskQueueLimits(id, r)
    case .workflowType(let r): handle(id, r)
    case .schedule(let r): handle(id, r)
    case .attribute(let r): handle(id, r)
    case .namespace(let r): handle(id, r)
    case .batch(.start(let r)): startBatch(id, r)
    case .batch(.describe(let r)): describeBatch(id, r)
    case .batch(.list(let r)): listBatches(id, r)
    case .batch(.stop(let r)): stopBatch(id, r)
    case .activityRun(let r): handle(id, r)
    }
  }

  private mutating func handle(_ id: SessionID, _ message: WorkerMessage) {
    guard sessions[id] != nil else { return }  // It ended while the message was on its way.
    switch message.kind {
    case .attach:
      endSession(id, .refusal(.failedPrecondition, .protocolViolation, "a second Attach"))
    case .grant(let grant): addSlots(id, grant)
    case .workflowTaskCompleted(let m): workflowTaskCompleted(id, m)
    case .replayCompleted(let m): replayCompleted(id, m)
    case .activityCompleted(let m): activityCompleted(id, m)
    case .activityFailed(let m): activityFailed(id, m)
    case .reportActivityCancelled(let m): activityCancelled(id, m)
    case .willCompleteElsewhere(let m): willCompleteElsewhere(id, m)
    case .heartbeat(let m): heartbeat(id, m)
    case .localActivityDone(let m): localActivityDone(id, m)
    case .evicted(let m): evicted(id, m)
    case .detach: detach(id)
    case nil:
      endSession(
        id, .refusal(.invalidArgument, .malformedRequest, "a worker message without a kind"))
    }
  }

  // MARK: - Making effects

  mutating func send(_ send: Send, _ gate: Gate) { outbox.append((gate, send)) }

  mutating func reply(_ id: RequestID, _ reply: Reply, _ gate: Gate) {
    waiting.removeValue(forKey: id)
    endCopy(id)
    if id.isOfBatchJob { return operated(id, reply) }
    outbox.append((gate, .reply(id, reply)))
  }

  mutating func refuse(_ id: RequestID, _ status: Status, _ gate: Gate = .engine) {
    reply(id, .failure(status), gate)
  }

  mutating func load(_ subject: Load.Subject, _ gate: Gate) -> Load.ID {
    let id = loading.nextID()
    loads.append((gate, Load(id: id, subject: subject)))
    return id
  }

  /// Marks the run as changed by this step; its writes are made when the step ends.
  mutating func touch(_ run: Run) {
    guard !run.isTouched else { return }
    run.isTouched = true
    touched.append(run)
  }

  /// Records the next event of a run.
  @discardableResult
  mutating func record(
    _ run: Run, _ attributes: HistoryEvent.Attributes, metadata: UserMetadata? = nil
  ) -> Int64 {
    var event = HistoryEvent()
    event.eventID = run.fold.lastEventID + 1
    event.eventTimeMs = now
    event.attributes = attributes
    event.userMetadata = metadata
    run.fold.apply(event)
    run.newEvents.append(event)
    if attributes.changesDetails { run.hasNewDetails = true }
    if run.copiers > 0, HistoryCopy.isNoted(event) { run.tail.append(event) }
    touch(run)
    return event.eventID
  }

  /// Turns what the step changed into writes, and gives each send its gate.
  private mutating func finish() {
    if !touched.isEmpty { carryHeartbeats() }
    // Flushing a run may touch no further run: what follows from a change was done in the step.
    for run in touched { flush(run) }
    flushSchedules()
    flushBatchJobs()
    if !out.writes.isEmpty {
      serial = serial.next
      for run in touched { run.lastWrite = serial }
    }
    out.serial = serial
    for (gate, send) in outbox {
      out.sends.append(GatedSend(after: self.serial(of: gate), send: send))
    }
    for run in touched {
      run.isTouched = false
      if run.isRemoved {
        vanish(run)
        continue
      }
      count(run)
      noteWork(of: run)
      wakeFollowers(of: run)
      settle(run)
    }
    leave()
    // Last, because followers of a history read on.
    for (gate, load) in loads {
      out.loads.append(GatedLoad(after: self.serial(of: gate), load: load))
    }
    touched.removeAll(keepingCapacity: true)
    outbox.removeAll(keepingCapacity: true)
    loads.removeAll(keepingCapacity: true)
  }

  /// The write that must be durable; known when the step's writes are made.
  private func serial(of gate: Gate) -> WriteSerial {
    switch gate {
    case .free: return .none
    case .run(let run): return run.lastWrite
    case .engine: return serial
    }
  }

  private mutating func flush(_ run: Run) {
    let isClosing = run.fold.closing != nil && !run.newEvents.isEmpty
    namespaces[run.key.namespace]?.runs.count(run, isClosing: isClosing)
    if run.isNew {
      out.writes.append(.createRun(row(of: run)))
      if let copied = run.copied { flush(copied, of: run) }
      run.copied = nil
      run.isNew = false
      run.hasNewDetails = false
      run.isMarkedAwake = true
    } else if !run.isMarkedAwake && run.fold.isOpen {
      out.writes.append(.wakeRun(run: run.number))
      run.isMarkedAwake = true
    }
    if run.hasNewDetails {
      #if MUTANTS
        let isWritten = !Mutant.isOn(.detailsAreNotWritten)
      #else
        let isWritten = true
      #endif
      if isWritten { out.writes.append(.putDetails(run: run.number, run.fold.details)) }
      run.hasNewDetails = false
    }
    if run.hasNewStatus {
      out.writes.append(.setStatus(run: run.number, run.fold.shownStatus))
      run.hasNewStatus = false
    }
    flushEvents(run, isClosing: isClosing)
    for record in run.newRequests {
      out.writes.append(.putRequest(run: run.number, record))
    }
    run.newRequests.removeAll()
    if isClosing {
      out.writes.append(
        .closeRun(
          run: run.number, status: run.fold.status, closeTime: run.fold.closeTime ?? now,
          historyLength: run.fold.lastEventID, historySizeBytes: run.fold.historyBytes))
      #if MUTANTS
        if Mutant.isOn(.rowTellsAnotherEnd), run.fold.cancelRequested {
          out.writes.append(
            .closeRun(
              run: run.number, status: .canceled, closeTime: now,
              historyLength: run.fold.lastEventID, historySizeBytes: run.fold.historyBytes))
        }
      #endif
    } else {
      flushActivities(run)
      saveIfLong(run)
      tell(of: run)
    }
    run.changedActivities.removeAll(keepingCapacity: true)
    run.endedActivities.removeAll(keepingCapacity: true)
    if run.isRemoved { out.writes.append(.deleteRun(run: run.number)) }
  }

  private mutating func flushEvents(_ run: Run, isClosing: Bool) {
    guard let first = run.newEvents.first, let last = run.newEvents.last else { return }
    #if MUTANTS
      if Mutant.isOn(.eventIsSkipped), run.newEvents.count > 2 { run.newEvents.remove(at: 1) }
      if Mutant.isOn(.goesOnAfterItsEnd) || Mutant.isOn(.endsTwice), isClosing {
        run.newEvents.append(Mutant.isOn(.endsTwice) ? last : run.newEvents[0])
        run.newEvents[run.newEvents.count - 1].eventID = last.eventID + 1
      }
    #endif
    var bytes = writer.batch(run.newEvents)
    run.fold.addHistoryBytes(bytes.count)
    if !run.endedAttempts.isEmpty { bytes += writer.attempts(run.endedAttempts) }
    out.writes.append(
      .appendHistory(run: run.number, first: first.eventID, last: last.eventID, bytes: bytes))
    counters.events += run.newEvents.count
    run.newEvents.removeAll(keepingCapacity: true)
    run.endedAttempts.removeAll()
  }

  /// The run is a copy of another one: its first events come from there.
  private mutating func flush(_ copied: CopiedHistory, of run: Run) {
    let copy = run.fold.copy ?? RunCopy()
    out.writes.append(
      .copyHistory(
        from: copied.base, to: run.number, through: copied.through, event: copy.baseEventID,
        resetTo: copy.isFork ? .none : run.runID))
    if let cut = copied.cut {
      out.writes.append(
        .appendHistory(run: run.number, first: cut.first, last: cut.last, bytes: cut.bytes))
    }
    guard let checkpoint = copied.checkpoint else { return }
    run.savedEvent = checkpoint.lastEventID
    out.writes.append(
      .saveState(
        run: run.number, throughEvent: checkpoint.lastEventID,
        bytes: writer.state(checkpoint.saved()),
        RunAtRest(
          deadline: RunRow.immediately, historyLength: checkpoint.lastEventID,
          historySizeBytes: checkpoint.historyBytes)))
  }

  private mutating func flushActivities(_ run: Run) {
    for event in run.endedActivities {
      out.writes.append(.deleteActivity(run: run.number, scheduledEvent: event))
    }
    for event in run.changedActivities {
      // It may have ended later in the same step.
      guard let index = run.fold.activityIndex(scheduledEvent: event) else { continue }
      run.fold.activities[index].hasRow = true
      out.writes.append(
        .putActivity(
          run: run.number, scheduledEvent: event,
          bytes: writer.row(run.fold.activities[index].row)))
    }
  }

  /// A long history gets a new state row now and then, so that a load stays short.
  private mutating func saveIfLong(_ run: Run) {
    guard run.fold.lastEventID - run.savedEvent >= 1_000, run.fold.canBeSaved else { return }
    save(run, deadline: RunRow.immediately)
  }

  mutating func save(_ run: Run, deadline: Instant?) {
    run.savedEvent = run.fold.lastEventID
    out.writes.append(
      .saveState(
        run: run.number, throughEvent: run.fold.lastEventID,
        bytes: writer.state(run.fold.saved()), atRest(run, deadline)))
  }

  mutating func sleep(_ run: Run, deadline: Instant?) {
    out.writes.append(.sleepRun(run: run.number, atRest(run, deadline)))
  }

  private func atRest(_ run: Run, _ deadline: Instant?) -> RunAtRest {
    run.toldLength = run.fold.lastEventID
    run.toldProblems = lastingProblems(of: run)
    return RunAtRest(
      deadline: deadline, historyLength: run.fold.lastEventID,
      historySizeBytes: run.fold.historyBytes, problems: run.toldProblems)
  }

  private func row(of run: Run) -> RunRow {
    RunRow(
      number: run.number, namespace: run.key.namespace, workflowID: run.key.workflowID,
      runID: run.runID, workflowType: run.workflowType, taskQueue: run.fold.started.taskQueue,
      status: .running, startTime: run.fold.startTime, closeTime: nil, historyLength: 0,
      historySizeBytes: 0, deadline: RunRow.immediately,
      summary: (run.fold.userMetadata?.summary ?? "").cut(to: limits.shownTextBytesMax),
      details: run.fold.details, kind: run.key.kind)
  }
}

/// Encodes what goes into the store, through one buffer that is reused.
final class EventWriter {
  private var writer = WireWriter()

  func batch(_ events: [HistoryEvent]) -> [UInt8] {
    var batch = HistoryBatch()
    batch.events = events
    return bytes(batch)
  }

  /// To be put behind a batch's events.
  func attempts(_ attempts: [ActivityAttempts]) -> [UInt8] {
    var batch = HistoryBatch()
    batch.activityAttempts = attempts
    return bytes(batch)
  }

  func row(_ row: ActivityRow) -> [UInt8] { bytes(row) }
  func state(_ state: RunState) -> [UInt8] { bytes(state) }

  private func bytes(_ message: some Message) -> [UInt8] {
    writer.reset()
    message.encode(into: &writer)
    return writer.bytes()
  }
}

/// What the engine counts; read by the operator's `Describe`.
public struct EngineCounters: Sendable, Equatable {
  public var events = 0
  public var starts = 0
  public var workflowTasks = 0
  public var workflowTasksFailed = 0
  public var workflowTasksTimedOut = 0
  public var replays = 0
  public var activityAttempts = 0
  public var activityRetries = 0
  public var workersLost = 0
  public var timersFired = 0
  public var loads = 0
  public var closed = 0
  public var removed = 0
  public var corruptRuns = 0
  public var residentRuns = 0
  public var residentBytes = 0
  public var sessions = 0
  public var deadlines = 0
  /// Workflow tasks and activities that sessions hold.
  public var tasksOut = 0
  public var tasksQueued = 0
}
