import Basics
import Messages

/// A change of the store; a batch of these becomes durable as a whole, applied in order.
public enum Write: Sendable, Equatable {
  /// A new run. Its row says `deadline = .immediately`, so that a start of the engine finds it.
  case createRun(RunRow)
  /// The next events of a run: the bytes of a `HistoryBatch`. `first` is the first event's id.
  case appendHistory(run: RunNumber, first: Int64, last: Int64, bytes: [UInt8])
  /// The run `to` begins as a copy: the stored batches of `from` up to event `through` are its own,
  /// too, and its event `event` will tell of it. `resetTo`: its id, if it goes on in the place of
  /// `from`; else `none`.
  case copyHistory(
    from: RunNumber, to: RunNumber, through: Int64, event: Int64, resetTo: RunID)
  /// A run that was dormant has work again: a start of the engine must find it.
  case wakeRun(run: RunNumber)
  /// What lists show of an open run: running, or paused.
  case setStatus(run: RunNumber, WorkflowStatus)
  /// What an open run says of itself has changed.
  case putDetails(run: RunNumber, RunDetails)
  /// The run has closed; it has no deadline any more and its activity rows and state row go.
  case closeRun(
    run: RunNumber, status: WorkflowStatus, closeTime: Instant, historyLength: Int64,
    historySizeBytes: Int64)
  /// The folded state up to `throughEvent`.
  case saveState(run: RunNumber, throughEvent: Int64, bytes: [UInt8], RunAtRest)
  /// The run leaves memory with events that its code has not seen, of which no state row can tell.
  case sleepRun(run: RunNumber, RunAtRest)
  /// What history does not say about a pending activity: attempt, lease, failures, heartbeat.
  case putActivity(run: RunNumber, scheduledEvent: Int64, bytes: [UInt8])
  case deleteActivity(run: RunNumber, scheduledEvent: Int64)
  /// A closed run is removed, with everything that is kept of it.
  case deleteRun(run: RunNumber)
  /// What a request with a request id did.
  case putRequest(run: RunNumber, RequestRecord)
  /// A letter that waits: the bytes of a `Letter`.
  case putLetter(number: Int64, bytes: [UInt8])
  /// It has been taken in.
  case deleteLetter(number: Int64)
  /// A time zone has come into use; each start of the engine wants it.
  case putZone(name: String, bytes: [UInt8])
  /// A new schedule, or a new definition of one: the bytes of a `ScheduleDefinition`.
  case putSchedule(ScheduleNumber, definition: [UInt8])
  /// How far it has come: the bytes of a `ScheduleProgress`.
  case putScheduleProgress(ScheduleNumber, bytes: [UInt8])
  case deleteSchedule(ScheduleNumber)
  /// A new batch job: the bytes of a `BatchJobDefinition`.
  case putBatchJob(BatchJobNumber, definition: [UInt8])
  /// How far it has come: the bytes of a `BatchJobProgress`.
  case putBatchJobProgress(BatchJobNumber, bytes: [UInt8])
  case deleteBatchJob(BatchJobNumber)
  /// A new namespace, or a new definition of one: the bytes of a `NamespaceDefinition`.
  case putNamespace(name: String, [UInt8])
  case deleteNamespace(name: String)
  /// The name of a search attribute has come into use.
  case putAttributeName(namespace: String, name: String, type: SearchAttributeType)
  case deleteAttributeName(namespace: String, name: String)
  /// The limits of a task queue: the bytes of `TaskQueueLimits`; nil: it has none any more.
  case putQueueLimits(namespace: String, taskQueue: String, [UInt8]?)
  /// The limits of a workflow type: the bytes of `WorkflowTypeLimits`; nil: it has none any more.
  case putWorkflowTypeLimits(namespace: String, workflowType: String, [UInt8]?)
  /// What a run has of the limits of its type: the bytes of a `PermitRow`.
  case putPermit(run: RunNumber, [UInt8])
  case deletePermit(run: RunNumber)
  /// How far the engine's time is ahead of the machine's, in all; the newest one counts.
  case putSkipped(Span)
}

/// What a run's row tells of it while it is not in memory.
public struct RunAtRest: Sendable, Equatable {
  /// When the run has to be looked at again; nil: only an input can wake it.
  public var deadline: Instant?
  public var historyLength: Int64
  public var historySizeBytes: Int64
  /// What a person should look at, a line for each.
  public var problems: String

  public init(
    deadline: Instant?, historyLength: Int64, historySizeBytes: Int64, problems: String = ""
  ) {
    self.deadline = deadline
    self.historyLength = historyLength
    self.historySizeBytes = historySizeBytes
    self.problems = problems
  }
}

/// The columns of a run that lists and look-ups use.
public struct RunRow: Sendable, Equatable {
  public var number: RunNumber
  public var namespace: String
  public var workflowID: String
  public var runID: RunID
  public var workflowType: String
  public var taskQueue: String
  public var status: WorkflowStatus
  public var startTime: Instant
  /// nil while the run is open.
  public var closeTime: Instant?
  /// Exact for closed runs; for open ones as of when they left memory.
  public var historyLength: Int64
  public var historySizeBytes: Int64
  /// Of an open run that is not in memory: what a person should look at, a line for each.
  public var problems = ""
  /// When the run has to be looked at; `RunRow.immediately` for a run with work in hand;
  /// nil when only an input can wake it, and when it has closed.
  public var deadline: Instant?
  /// Shown in lists.
  public var summary: String
  public var details: RunDetails
  public var kind: RunKind

  public static let immediately = Instant(ms: 0)

  /// Takes what a run tells of itself when it leaves memory.
  public mutating func rest(_ rest: RunAtRest) {
    deadline = rest.deadline
    historyLength = rest.historyLength
    historySizeBytes = rest.historySizeBytes
    problems = rest.problems
  }

  public init(
    number: RunNumber, namespace: String, workflowID: String, runID: RunID, workflowType: String,
    taskQueue: String, status: WorkflowStatus, startTime: Instant, closeTime: Instant?,
    historyLength: Int64, historySizeBytes: Int64, deadline: Instant?, summary: String,
    details: RunDetails = RunDetails(), kind: RunKind = .workflow
  ) {
    self.number = number
    self.namespace = namespace
    self.workflowID = workflowID
    self.runID = runID
    self.workflowType = workflowType
    self.taskQueue = taskQueue
    self.status = status
    self.startTime = startTime
    self.closeTime = closeTime
    self.historyLength = historyLength
    self.historySizeBytes = historySizeBytes
    self.deadline = deadline
    self.summary = summary
    self.details = details
    self.kind = kind
  }
}

/// Remembers a request by its request id for as long as the run lives.
public struct RequestRecord: Sendable, Equatable {
  /// Namespace, method, workflow id and request id.
  public var key: Fingerprint
  /// The request itself: the same id with another request is refused.
  public var requestHash: UInt64
  /// The event that the request made; 0 when it made the run itself, -1 when it made it as a copy
  /// of another one.
  public var event: Int64

  public init(key: Fingerprint, requestHash: UInt64, event: Int64) {
    self.key = key
    self.requestHash = requestHash
    self.event = event
  }
}
