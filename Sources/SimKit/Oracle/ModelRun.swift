import Basics
import EngineCore
import Messages

/// A run as the semantics see it: its events, and what is pending.
final class ModelRun {
  let id: RunID
  let started: WorkflowExecutionStarted
  let startTime: Instant
  let metadata: UserMetadata?
  /// After a reset: the run that goes on in its place.
  var resetTo = RunID.none
  var status = WorkflowStatus.running
  var closeTime = Instant.epoch
  var events: [HistoryEvent] = []
  /// The last event that a recorded activation showed, and that activation's time.
  var through: Int64 = 0
  var activationTime = Instant.epoch
  var lastSeq: UInt32 = 0
  var signals: Int64 = 0
  var isCancelRequested = false
  /// Of the limits of its type, and since when it waited for it.
  var permit = ModelPermit.none {
    didSet { if case .awaited(let since) = permit { askedSince = since } }
  }
  private(set) var askedSince: Instant?
  var timers: [ModelTimer] = []
  var activities: [ModelActivity] = []
  /// Attempts that are over, for repetitions of what ended them.
  var endedAttempts: [EndedAttempt] = []
  var task = ModelTask()
  /// A close was refused, and the task that was made of it is not answered yet.
  var isRedo = false
  /// What waits for the end of the redo.
  var parked: [Parked] = []
  /// Children that have not come to their end, and requests to others without an answer.
  var children: [ModelChild] = []
  var sent: [ModelSent] = []
  /// What commands have to say and have not said.
  var unsent: [ModelLetter] = []
  /// Its schedule's cancel request does too.
  var isCancelParked = false
  /// When a unit last began with local activities of it in a worker's hands.
  var keptTime = Instant.epoch
  /// Who waits for the run's end.
  var waiting: [RequestID] = []
  /// Those that do not wait for the end of the chain.
  var waitsForThisRun: [RequestID] = []
  /// Who reads its history from an event on, until its end.
  var followers: [(RequestID, Int64)] = []
  var queries: [ModelQuery] = []
  /// Updates that its code has not spoken of.
  var updates: [ModelUpdate] = []
  /// Who waits for the outcome of one that is accepted.
  var outcomeWaiting: [(updateID: String, client: ModelUpdate.Client)] = []

  init(
    _ started: WorkflowExecutionStarted, at startTime: Instant, metadata: UserMetadata?
  ) {
    id = started.runID
    self.started = started
    self.startTime = startTime
    self.metadata = metadata
  }

  var isOpen: Bool { status == .running }
  var workflowID: String { started.workflowID }
  var lastEventID: Int64 { Int64(events.count) }

  func events(from first: Int64) -> [HistoryEvent] {
    events.filter { $0.eventID >= first }.map(\.plain)
  }

  var deadline: Instant? {
    var ends: [Instant] = []
    if started.runTimeoutMs > .zero {
      switch permit {
      case .none: ends.append(begins + started.runTimeoutMs)
      case .held(let since): ends.append(max(begins, since) + started.runTimeoutMs)
      case .awaited: break
      }
    }
    if started.executionExpirationTimeMs > .epoch { ends.append(started.executionExpirationTimeMs) }
    return ends.min()
  }

  // MARK: - What the code has and has not seen

  /// Firings that the code cancelled before it saw them.
  private var voidFirings: [Int64] {
    events.compactMap { event in
      guard case .timerCanceled(let canceled) = event.attributes, canceled.startedEventID > 0
      else { return nil }
      return canceled.startedEventID
    }
  }

  /// The inbound events after `from`, up to `through`.
  func inbound(after from: Int64, through: Int64) -> [HistoryEvent] {
    if isOfActivity { return [] }
    let void = voidFirings
    return events[Int(from)..<Int(through)].filter { event in
      switch event.attributes {
      case .workflowExecutionStarted, .workflowExecutionSignaled,
        .workflowExecutionCancelRequested, .activityTaskCompleted, .activityTaskFailed,
        .activityTaskTimedOut, .activityTaskCanceled:
        true
      case .signalExternalWorkflowExecutionFailed, .externalWorkflowExecutionSignaled: true
      case .workflowExecutionUpdateAdmitted: true
      case .workflowTaskFailed(let m): m.copy != nil
      // What the code does not wait for has no seq.
      case .startChildWorkflowExecutionFailed(let m): m.seq > 0
      case .childWorkflowExecutionStarted(let m): m.seq > 0
      case .childWorkflowExecutionCompleted(let m): m.seq > 0
      case .childWorkflowExecutionFailed(let m): m.seq > 0
      case .childWorkflowExecutionCanceled(let m): m.seq > 0
      case .childWorkflowExecutionTimedOut(let m): m.seq > 0
      case .childWorkflowExecutionTerminated(let m): m.seq > 0
      case .requestCancelExternalWorkflowExecutionFailed(let m): m.seq > 0
      case .externalWorkflowExecutionCancelRequested(let m): m.seq > 0
      case .timerFired(let fired): !void.contains(fired.startedEventID)
      default: false
      }
    }
  }

  /// Its code has something to be shown, or to be asked.
  var wantsTask: Bool { hasNews || !queries.isEmpty }
  /// Nothing of it goes out.
  var isKeptBack: Bool { pause != nil || permit.isAwaited }
  /// … shown.
  var hasNews: Bool {
    isOpen && !isKeptBack && !(unseen.isEmpty && updates.isEmpty && localAttempts.isEmpty)
  }
  /// Set while it is paused.
  var pause: PauseInfo? {
    var pause: PauseInfo?
    for event in events where isOpen {
      if case .workflowExecutionPaused(let m) = event.attributes {
        pause = PauseInfo()
        pause?.pausedTimeMs = event.eventTimeMs
        pause?.reason = m.reason
        pause?.identity = m.identity
      } else if case .workflowExecutionUnpaused = event.attributes {
        pause = nil
      } else if event.copied != nil {
        pause = nil
      }
    }
    return pause
  }

  var shownStatus: WorkflowStatus { pause == nil ? status : .paused }

  var unseen: [HistoryEvent] { inbound(after: through, through: lastEventID) }

  /// A signal or a cancel request: what a close may not overlook.
  func hasRequest(after through: Int64) -> Bool {
    events[Int(through)...].contains { event in
      switch event.attributes {
      case .workflowExecutionSignaled, .workflowExecutionCancelRequested,
        .workflowExecutionUpdateAdmitted:
        true
      default: false
      }
    }
  }

  /// The jobs that show these inbound events: initialize, a new seed, signals and updates, then the
  /// rest.
  func jobs(_ inbound: [HistoryEvent], _ updates: [(job: DoUpdate, after: Int64)]) -> [Job] {
    func rank(_ job: Job) -> Int {
      switch job.kind {
      case .initializeWorkflow: 0
      case .updateRandomSeed: 1
      case .signalWorkflow, .doUpdate: 2
      default: 3
      }
    }
    var jobs = inbound.map { ($0.eventID, job($0) ?? Job()) }
    for update in updates {
      var job = Job()
      job.kind = .doUpdate(update.job)
      let place = jobs.firstIndex { $0.0 > update.after } ?? jobs.count
      jobs.insert((update.after, job), at: place)
    }
    let ranks = (0...3).map { wanted in jobs.map(\.1).filter { rank($0) == wanted } }
    // Of several seeds the newest one counts.
    return ranks[0] + ranks[1].suffix(1) + ranks[2] + ranks[3]
  }

  private func job(_ event: HistoryEvent) -> Job? {
    var job = Job()
    switch event.attributes {
    case .workflowExecutionStarted(let m):
      var initialize = InitializeWorkflow()
      initialize.input = m.input
      initialize.header = m.header
      initialize.randomSeed = m.randomSeed
      initialize.firstRunID = m.firstRunID
      initialize.startTimeMs = event.eventTimeMs
      initialize.executionTimeoutMs = m.executionTimeoutMs
      initialize.runTimeoutMs = m.runTimeoutMs
      initialize.identity = m.identity
      initialize.continuedRunID = m.continuedRunID
      initialize.initiator = m.initiator
      initialize.attempt = m.attempt
      initialize.retryPolicy = m.retryPolicy
      initialize.continuedFailure = m.continuedFailure
      initialize.parent = m.parent
      initialize.root = m.root
      initialize.lastCompletionResult = m.lastCompletionResult
      initialize.memo = m.memo
      initialize.searchAttributes = m.searchAttributes
      job.kind = .initializeWorkflow(initialize)
    case .workflowExecutionSignaled(let m):
      var signal = SignalWorkflowJob()
      signal.signalName = m.signalName
      signal.input = m.input
      signal.header = m.header
      signal.identity = m.identity
      job.kind = .signalWorkflow(signal)
    case .workflowExecutionCancelRequested(let m):
      var cancel = CancelWorkflowJob()
      cancel.reason = m.reason
      job.kind = .cancelWorkflow(cancel)
    case .workflowExecutionUpdateAdmitted(let m): job.kind = .doUpdate(DoUpdate(m.asked))
    case .workflowTaskFailed(let m):
      var seed = UpdateRandomSeed()
      seed.randomSeed = m.copy?.randomSeed ?? 0
      job.kind = .updateRandomSeed(seed)
    case .timerFired(let m):
      var fire = FireTimer()
      fire.seq = m.seq
      job.kind = .fireTimer(fire)
    case .activityTaskCompleted(let m):
      var list = PayloadList()
      list.payloads = m.result
      job.kind = .resolveActivity(.of(m.seq, .completed(list)))
    case .activityTaskFailed(let m):
      job.kind = .resolveActivity(.of(m.seq, .failed(m.failure ?? Failure())))
    case .activityTaskTimedOut(let m):
      job.kind = .resolveActivity(.of(m.seq, .failed(m.failure ?? Failure())))
    case .activityTaskCanceled(let m):
      var canceled = CanceledFailure()
      canceled.details = m.details
      job.kind = .resolveActivity(
        .of(m.seq, .canceled(.of("activity canceled", .canceled(canceled)))))
    default: job.kind = familyJob(event)
    }
    return job
  }

  // MARK: - Its past

  private var completions: [(event: HistoryEvent, completed: WorkflowTaskCompletedEvent)] {
    events.compactMap { event in
      if case .workflowTaskCompleted(let completed) = event.attributes {
        (event, completed)
      } else {
        nil
      }
    }
  }

  var hasPast: Bool { !completions.isEmpty }

  /// What a worker that does not know the run is shown first.
  var pastActivations: [PastActivation] {
    var from: Int64 = 0
    return completions.map { event, completed in
      var past = PastActivation()
      past.workflowTaskCompletedEventID = event.eventID
      past.activationTimeMs = completed.activationTimeMs
      let updates = commandEvents(of: event, completed).compactMap { event in
        guard case .workflowExecutionUpdateAccepted(let m) = event.attributes else {
          return nil as (DoUpdate, Int64)?
        }
        return (DoUpdate(past: m), m.afterEventID)
      }
      // What was admitted is shown by the event that says that the code took it on.
      let shown = inbound(after: from, through: completed.throughEventID)
      past.jobs = jobs(shown.filter { $0.admitted == nil }, updates)
      past.historyLength = completed.historyLength
      past.continueAsNewSuggested = completed.continueAsNewSuggested
      past.sdkFlags = completed.sdkFlags
      past.sdkMetadata = completed.sdkMetadata
      past.markers = commandEvents(of: event, completed).compactMap(\.marker)
      from = completed.throughEventID
      return past
    }
  }

  /// What code that agrees with the history answers to that.
  var pastHeads: [PastCompletion] {
    completions.map { event, completed in
      var past = PastCompletion()
      past.heads = commandEvents(of: event, completed).map(\.head)
      return past
    }
  }

  /// What the commands of each past completion were recorded as.
  var pastCommands: [(completion: Int64, events: [HistoryEvent])] {
    completions.map { ($0.event.eventID, Array(commandEvents(of: $0.event, $0.completed))) }
  }

  private func commandEvents(
    of event: HistoryEvent, _ completed: WorkflowTaskCompletedEvent
  ) -> ArraySlice<HistoryEvent> {
    // A model that is wrong may have recorded fewer: that is to be a difference.
    events.dropFirst(Int(event.eventID)).prefix(Int(completed.commands))
  }
}

struct ModelTimer {
  let seq: UInt32
  let id: String
  let startedEvent: Int64
  let fireTime: Instant
  /// Fired, and the code has not seen it: it can still be cancelled.
  var hasFired = false
}

struct ModelQuery {
  let request: RequestID
  let queryType: String
  let args: [Payload]
  let header: Header?
  /// The id under which it is with a worker.
  var queryID: String?
}

/// A run's turn of code.
struct ModelTask {
  enum State: Equatable {
    case none
    /// It waits for a worker; not before the instant that is given.
    case waiting(notBefore: Instant)
    case out(SessionID, token: [UInt8])
  }
  var state = State.none
  var attempt: Int32 = 1
  var scheduledTime = Instant.epoch
  /// When it was given to its session.
  var startedTime = Instant.epoch
  /// When the session has to have answered.
  var deadline = Instant.epoch
  /// What is shown to the session; nil while it replays the past.
  var activation: Activation?
  var isReplaying = false
  /// What has come of an answer of which more comes.
  var parts: [Command] = []
  var results: [QueryResult] = []
  var rejections: [UpdateRejection] = []
  /// The updates that it asks for.
  var asked: [String] = []
  var replayed: [PastCompletion] = []
  /// It is out for the sake of queries.
  var isForQueries = false
  /// The streak of failures has its event, which tells the first failure.
  var isFailureRecorded = false
  var lastFailure: Failure?
  var lastCause = WorkflowTaskFailedCause.unspecified
  var lastDiff: NondeterminismDiff?

  /// It was with nobody who could answer: the same try is made anew.
  mutating func offerAgain(at now: Instant) {
    wait(until: now)
    isForQueries = false
  }

  /// The one after it: a streak of failures goes on.
  var next: ModelTask {
    var task = ModelTask()
    task.attempt = attempt
    task.isFailureRecorded = isFailureRecorded
    task.lastFailure = lastFailure
    task.lastCause = lastCause
    task.lastDiff = lastDiff
    return task
  }

  mutating func wait(until notBefore: Instant) {
    state = .waiting(notBefore: notBefore)
    activation = nil
    isReplaying = false
    parts = []
    results = []
    rejections = []
    asked = []
    replayed = []
  }

  var session: SessionID? { if case .out(let session, _) = state { session } else { nil } }
  var token: [UInt8]? { if case .out(_, let token) = state { token } else { nil } }
}

extension HistoryEvent {
  /// Set where the run begins as a copy of another one.
  var copied: RunCopy? {
    if case .workflowTaskFailed(let m) = attributes { m.copy } else { nil }
  }

  var admitted: WorkflowExecutionUpdateAdmitted? {
    if case .workflowExecutionUpdateAdmitted(let m) = attributes { m } else { nil }
  }

  /// The marker that it records.
  var marker: RecordMarker? {
    guard case .markerRecorded(let m) = attributes else { return nil }
    var marker = RecordMarker()
    marker.markerName = m.markerName
    marker.markerID = m.markerID
    marker.seq = m.seq
    marker.details = m.details
    marker.header = m.header
    marker.failure = m.failure
    marker.deprecated = m.deprecated
    return marker
  }

  /// What of the command that made it is compared at a replay.
  var head: CommandHead {
    var head = CommandHead()
    switch attributes {
    case .activityTaskScheduled(let m):
      head.location = m.location
      head.type = m.local ? .scheduleLocalActivity : .scheduleActivity
      head.seq = m.seq
      head.name = m.activityType
      head.id = m.activityID
    case .activityTaskCancelRequested(let m):
      head.location = m.location
      head.type = .requestCancelActivity
      head.seq = m.seq
    case .timerStarted(let m):
      head.location = m.location
      head.type = .startTimer
      head.seq = m.seq
      head.id = m.timerID
    case .timerCanceled(let m):
      head.location = m.location
      head.type = .cancelTimer
      head.seq = m.seq
    case .markerRecorded(let m):
      head.location = m.location
      head.type = .recordMarker
      head.seq = m.seq
      head.name = m.markerName
      head.id = m.markerID
    case .upsertWorkflowSearchAttributes(let m):
      head.location = m.location
      head.type = .upsertSearchAttributes
    case .workflowPropertiesModified(let m):
      head.location = m.location
      head.type = .upsertMemo
    case .workflowExecutionUpdateAccepted(let m):
      head.location = m.location
      head.type = .updateAccepted
      head.id = m.updateID
    case .workflowExecutionUpdateCompleted(let m):
      head.location = m.location
      head.type = .updateCompleted
      head.id = m.updateID
    case .startChildWorkflowExecutionInitiated(let m):
      head.location = m.location
      head.type = .startChild
      head.seq = m.seq
      head.name = m.workflowType
      head.id = m.defaultWorkflowID ? "" : m.workflowID
    case .signalExternalWorkflowExecutionInitiated(let m):
      head.location = m.location
      head.type = .signalExternal
      head.seq = m.seq
      head.name = m.signalName
      head.id = m.execution?.workflowID ?? ""
    case .requestCancelExternalWorkflowExecutionInitiated(let m):
      head.location = m.location
      head.type = m.seq == 0 ? .cancelChild : .cancelExternal
      head.seq = m.seq == 0 ? m.childSeq : m.seq
      head.id = m.seq == 0 ? "" : m.execution?.workflowID ?? ""
    case .workflowExecutionCompleted: head.type = .completeWorkflow
    case .workflowExecutionFailed: head.type = .failWorkflow
    case .workflowExecutionCanceled: head.type = .cancelledWorkflow
    case .workflowExecutionContinuedAsNew(let m):
      head.location = m.location
      head.type = .continueAsNew
    default: preconditionFailure("event \(eventID) was made by no command")
    }
    return head
  }
}

extension ResolveActivity {
  static func of(_ seq: UInt32, _ result: Result) -> ResolveActivity {
    var resolve = ResolveActivity()
    resolve.seq = seq
    resolve.result = result
    return resolve
  }
}

extension Failure {
  /// One that the engine makes.
  static func of(_ message: String, _ kind: FailureInfo.Kind) -> Failure {
    var info = FailureInfo()
    info.message = message
    info.source = "holdfast"
    info.kind = kind
    var failure = Failure()
    failure.info = info
    return failure
  }
}
