import Basics
import EngineCore
import Messages

/// The semantics once more: small, slow and obvious, written from the design's and the protocol's
/// pages and without a look at how the engine decides.
///
/// It answers what the engine is asked, and keeps what the engine keeps. Who of several workers is
/// given a task, and what ids and seeds are drawn, the pages leave open: there it takes the
/// engine's choice, and objects if that was not allowed.
struct Model {
  var now: Instant
  let limits: EngineLimits
  let times: EngineTimes
  /// All runs that have not been removed, oldest first.
  var runs: [ModelRun] = []
  /// In the order of their creation.
  var schedules: [ModelSchedule] = []
  /// Those that this unit may let go on.
  var touched: [ModelSchedule] = []
  var sessions: [ModelSession] = []
  var remembered: [Remembered] = []
  var isDiskFull = false
  var isDraining = false
  /// Tokens of workflow tasks, in all epochs: each is given once.
  var taskTokens: Set<[UInt8]> = []
  /// Tokens of activities, and whose they are.
  var tokens: [[UInt8]: RunID] = [:]
  /// Ids and seeds that the engine has drawn for the runs of this unit.
  var drawn: [WorkflowExecutionStarted] = []

  /// Runs that it removes in this unit, when the retention says.
  var leaving: [RunID] = []

  /// Tasks of activities that the engine gives away in this unit.
  var given: [(session: SessionID, task: ActivityTask)] = []
  /// Workflow tasks that it gives away in this unit.
  var shown: [(session: SessionID, task: EngineMessage.Kind)] = []

  /// What the engine says in this unit of the workflow tasks that wait in a queue, and of how many
  /// activities it has given out.
  var backlog: QueueBacklog?
  var told: QueueBacklog?
  var queues = ModelQueues()
  /// By workflow type, and whom the engine has given permits in this unit.
  var typeLimits: [String: WorkflowTypeLimits] = [:]
  var permitted: [RunID] = []

  /// By name.
  var namespaces = ["default": ModelNamespace()]
  /// Since when closed runs are there that have been kept for long enough.
  var overdue: [RunID: Instant] = [:]
  /// Of search attributes.
  var names: [String: SearchAttributeType] = [:]
  /// What the queries of lists and counts mean; of one that means nothing there is no entry.
  var selections: [String: ModelSelection] = [:]
  /// Where pages have ended, by the token that the engine gave for the next one.
  var pages: [[UInt8]: ModelPage] = [:]
  /// Where the last page has ended.
  var lastPage: ModelPage?

  /// The engine took several steps: what a later one did came after the unit's first tasks were
  /// given away.
  var isStepwise = false
  /// Runs that may have been closed so, as they were before.
  var closedLate: [RunID: ModelRun] = [:]

  /// What is taken up when the input has been handled: it waited for the end of a redo.
  var resumed: [Parked] = []
  /// Letters that are on their way, and those that the engine took in later than the others in this
  /// unit, because their runs were not in memory.
  var mail: [ModelLetter] = []
  var lateLetters: [Letter] = []
  /// What runs heard in this unit of those that they had asked, in the engine's order.
  var heard: [(run: RunID, event: Int64)] = []

  /// Runs that clients have deleted in this unit.
  var deleted: [RunID] = []

  /// In the order of their starts.
  var batches: [ModelBatch] = []
  var batchOperations: UInt64 = 0

  /// What this unit has to do.
  var facts: [Fact] = []
  /// What the engine did and may not.
  var objections: [String] = []
  /// An error on purpose.
  var mutant: Oracle.Mutant?
  /// What it may do in one of two ways.
  var either: [(Fact, Fact)] = []
  /// Choices of the engine that are not as they ought to be.
  var unmatched: [Fact] = []

  init(at now: Instant, _ configuration: EngineConfiguration) {
    self.now = now
    limits = configuration.limits
    times = configuration.times
  }

  // MARK: - Inputs

  mutating func handle(_ input: Input) {
    switch input {
    case .request(let id, let request): handle(id, request)
    case .requestAbandoned(let id): abandon(id)
    case .sessionOpened(let id, let attach, let process): open(id, attach, process)
    case .workerMessage(let id, let message):
      if let kind = message.kind { hear(id, kind) }
    case .workerMessages(let id, let messages):
      for message in messages { if let kind = message.kind { hear(id, kind) } }
    case .sessionClosed(let id): close(id, isGone: false)
    case .sessionSilent(let id, let isSilent): session(id)?.isSilent = isSilent
    case .processGone(let process): end(process)
    case .deadlineReached: meetDeadlines()
    case .diskFull(let isFull):
      isDiskFull = isFull
      if !isFull { touched += schedules }
    case .drain: drain()
    case .loaded, .persisted, .readMore, .replay, .sessionHasRoom, .scheduled, .letter,
      .timeSkipped, .batchJob:
      break
    }
    endUnit()
    if case .deadlineReached = input {
      meetBatchesThatAreDue()
    } else {
      meetBatches(isTime: false)
    }
  }

  /// They may make room for what schedules wait for, or runs with timers that are due.
  mutating func meetBatchesThatAreDue() {
    meetBatches(isTime: true)
    repeat {
      meetDeadlines()
      endUnit()
    } while schedules.contains { lookTime($0) != nil }
  }

  private mutating func endUnit() {
    loseLocals()
    takeResumed()
    proceed()
    deliverMail()
    settle()
  }

  /// What waited for the end of a redo comes after what has ended it.
  mutating func takeResumed() {
    while !resumed.isEmpty {
      switch resumed.removeFirst() {
      case .request(let id, let request): handle(id, request)
      case .letter(let letter): read(letter)
      }
    }
  }

  private mutating func handle(_ id: RequestID, _ request: Request) {
    guard let answer = answer(id, request) else { return }
    if id.isOfBatchJob { return operated(id, answer) }
    facts.append(.answered(id, answer))
  }

  /// Nil: it waits.
  mutating func answer(_ id: RequestID, _ request: Request) -> Response? {
    if let fault = fault(of: request) { return .failure(fault) }
    switch request {
    case .startWorkflow(let r): return start(r, request)
    case .signalWorkflow(let r): return signal(id, r, request)
    case .signalWithStartWorkflow(let r): return signalWithStart(id, r, request)
    case .cancelWorkflow(let r): return cancel(id, r, request)
    case .terminateWorkflow(let r): return terminate(r, request)
    case .deleteWorkflow(let r): return delete(r)
    case .pauseWorkflow(let r): return pause(r, request)
    case .unpauseWorkflow(let r): return unpause(r, request)
    case .resetWorkflow(let r): return reset(r, request)
    case .forkWorkflow(let r): return fork(r, request)
    case .queryWorkflow(let r): return query(id, r)
    case .updateWorkflow(let r): return update(id, r, request)
    case .updateWithStartWorkflow(let r): return updateWithStart(id, r, request)
    case .pollUpdate(let r): return poll(id, r)
    case .describeWorkflow(let r): return withRun(r.execution) { .describe(describe($0)) }
    case .getWorkflowResult(let r): return result(id, r)
    case .getHistory(let r): return history(id, r)
    case .listWorkflows(let r): return list(r)
    case .countWorkflows(let r): return .count(count(r))
    case .completeActivity(let r):
      return report(id, r.activity, r.requestID, request, .completed(r.result), r.identity)
    case .failActivity(let r):
      return report(
        id, r.activity, r.requestID, request, .failed(r.failure ?? Failure()), r.identity,
        details: r.lastHeartbeatDetails)
    case .reportActivityCancelled(let r):
      return report(id, r.activity, r.requestID, request, .canceled(r.details), r.identity)
    case .heartbeatActivity(let r): return heartbeat(r)
    case .pauseActivity(let r): return pause(r, request)
    case .unpauseActivity(let r): return unpause(r, request)
    case .resetActivity(let r): return reset(r, request)
    case .updateActivityOptions(let r): return update(r, request)
    case .describeTaskQueue(let r): return .queue(describe(queue: r.taskQueue))
    case .setTaskQueueLimits(let r):
      set(r.limits, of: r.taskQueue)
      return .done
    case .workflowType(let r): return answer(r)
    case .schedule(let r): return answer(r)
    case .attribute(let r): return answer(r)
    case .namespace(let r): return answer(r)
    case .batch(let r): return answer(r)
    case .activityRun(let r): return answer(id, request, r)
    }
  }

  // MARK: - Runs

  func run(_ id: RunID) -> ModelRun? { runs.last { $0.id == id } }

  func newest(_ workflowID: String, ofActivity: Bool = false) -> ModelRun? {
    runs.last {
      $0.isOfActivity == ofActivity && $0.workflowID.utf8.elementsEqual(workflowID.utf8)
    }
  }

  enum Found {
    case run(ModelRun)
    case none(Status)
  }

  func find(_ execution: WorkflowExecution?) -> Found {
    let workflowID = execution?.workflowID ?? ""
    let runID = execution?.runID ?? .none
    let run = runs.last { run in
      !run.isOfActivity && run.workflowID.utf8.elementsEqual(workflowID.utf8)
        && (runID == .none || run.id == runID)
    }
    guard let run else { return .none(.of(.notFound, .workflowNotFound, run: runID)) }
    return .run(run)
  }

  func withRun(_ execution: WorkflowExecution?, _ answer: (ModelRun) -> Response) -> Response {
    switch find(execution) {
    case .run(let run): answer(run)
    case .none(let status): .failure(status)
    }
  }

  mutating func append(
    _ attributes: HistoryEvent.Attributes, to run: ModelRun, metadata: UserMetadata? = nil
  ) {
    var event = HistoryEvent()
    event.eventID = run.lastEventID + 1
    event.eventTimeMs = now
    event.userMetadata = metadata
    event.attributes = attributes
    run.events.append(event)
    facts.append(.event(run.id, event.plain))
    closeAfter(attributes, run)
  }

  /// The run is over: what it had in hand goes, and who waits hears.
  mutating func close(_ run: ModelRun, _ status: WorkflowStatus) {
    if isStepwise, let before = beforeItsEnd(run) { closedLate[run.id] = before }
    // What was given away in this unit, was so before.
    for activity in run.activities where activity.state == .scheduled && activity.pause == nil {
      takeGiven(activity, of: run)
    }
    run.status = status
    run.permit = .none
    run.closeTime = now
    facts.append(.closed(run.id, status))
    if let session = run.task.session { evict(run, session, .closed) }
    run.task.state = .none
    run.timers = []
    for activity in run.activities {
      tellHolder(of: activity, .workflowClosed)
      keepAttempts(of: activity, run)
    }
    run.activities = []
    leaveChildren(of: run)
    tellParent(run)
    run.children = []
    run.sent = []
    for id in run.waiting {
      let end: Response =
        run.isOfActivity ? .outcome(outcome(of: run)) : .result(result(of: run))
      facts.append(.answered(id, end))
    }
    run.waiting = []
    for (id, first) in run.followers {
      let end = Fact.answered(id, .history(run.events(from: first)))
      if leaving.contains(run.id) {
        // Its last events are read from the store, where it may have been removed meanwhile.
        let gone = Response.failure(.of(.notFound, .workflowNotFound, run: run.id))
        either.append((end, .answered(id, gone)))
      } else {
        facts.append(end)
      }
    }
    run.followers = []
    endUpdates(run)
    tellSchedule(of: run)
    endRedo(run)
  }

  /// Its time has not come.
  func isHeld(_ run: ModelRun) -> Bool { run.isOpen && run.heldUntil ?? now > now }

  /// What the step leaves to be done: a run with news for its code has a task.
  mutating func settle() {
    settlePermits()
    failQueriesWithoutServer()
    dropUpdates()
    for run in runs { makeTask(run) }
  }

  private func makeTask(_ run: ModelRun) {
    if case .waiting = run.task.state, !run.wantsTask { run.task = run.task.next }
    guard run.task.state == .none, run.wantsTask, !isHeld(run) else { return }
    run.task = run.task.next
    run.task.state = .waiting(notBefore: now)
    run.task.scheduledTime = now
  }

  /// The run without its last event, if it had a task that nobody had been given before this unit.
  private func beforeItsEnd(_ run: ModelRun) -> ModelRun? {
    let before = ModelRun(run.started, at: run.startTime, metadata: run.metadata)
    before.events = Array(run.events.dropLast())
    before.through = run.through
    before.signals = run.signals
    before.isCancelRequested = run.isCancelRequested
    before.updates = run.updates
    before.task = run.task
    makeTask(before)
    if case .waiting = before.task.state { return before }
    return nil
  }
}

/// What a request with a request id did.
struct Remembered {
  let method: String
  let workflowID: String
  let requestID: String
  let request: Request
  let run: RunID
  let answer: Response
  let event: Int64
}

extension Status {
  static func of(
    _ code: StatusCode, _ reason: Reason, field: String = "", run: RunID = .none,
    retryAfter: Span = .zero
  ) -> Status {
    var status = Status()
    status.code = code
    status.reason = reason
    status.field = field
    status.runID = run
    status.retryAfterMs = retryAfter
    return status
  }
}
