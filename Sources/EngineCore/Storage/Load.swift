import Basics
import Messages

/// Something that the engine needs from the store. Answered by `Loaded` with the same id, from a
/// state of the store that holds every batch committed before.
public struct Load: Sendable, Equatable {
  public struct ID: Hashable, Sendable {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
  }

  public enum Subject: Sendable, Equatable {
    /// The newest run of an id of that kind, and, when `request` is given, what a request with that
    /// key did to any run of that id, the newest one if it went over from one to another.
    case workflow(namespace: String, workflowID: String, kind: RunKind, request: Fingerprint?)
    /// One run of a workflow id.
    case runNamed(namespace: String, workflowID: String, runID: RunID)
    case run(RunNumber)
    /// Stored batches that hold events from `from` on, whole batches, at least one if there is any,
    /// about `bytesMax` bytes.
    case history(RunNumber, from: Int64, bytesMax: Int)
    /// Rows of a namespace, of all kinds, only those with the key if one is given, newest first,
    /// with a number below `before` (nil: from the newest); fewer when what they say of themselves
    /// is long.
    case rows(namespace: String, key: RowKey?, before: RunNumber?, countMax: Int)
    /// Open runs by (deadline, number), from the first one after the pair that is given.
    case deadlines(afterDeadline: Instant, afterRun: RunNumber, countMax: Int)
    /// When the runs with a number over `after` started and closed, by number.
    case lifetimes(after: RunNumber, countMax: Int)
    /// Letters with a number over `after`, in their order.
    case letters(after: Int64, countMax: Int)
    /// The system's file of a time zone; `StoredZone.isName` holds of the name.
    case zone(String)
  }

  public var id: ID
  public var subject: Subject

  public init(id: ID, subject: Subject) {
    self.id = id
    self.subject = subject
  }
}

/// By what rows are found without a look at all of them.
public enum RowKey: Sendable, Equatable {
  case workflowID(String)
  /// A search attribute, and one of the texts of `SearchAttribute.indexed`.
  case attribute(name: String, value: String)
}

extension SearchAttribute {
  /// The texts under which its run is found; none of types that are not looked up by one value.
  public var indexed: [String] {
    switch content {
    case .keyword(let text): [text]
    case .keywordList(let list): list.keywords
    case .intValue(let int): [String(int)]
    case .boolValue(let bool): [bool ? "true" : "false"]
    case .text, .doubleValue, .instantTimeMs, nil: []
    }
  }
}

/// The answer to a `Load`.
public struct Loaded: Sendable, Equatable {
  public enum Content: Sendable, Equatable {
    /// For `.workflow`, `.runNamed` and `.run`.
    case run(StoredRun?, request: FoundRequest?)
    /// For `.history`. `more`: there are events after these.
    case history([StoredBatch], more: Bool)
    /// `isCut`: there may be more of them; those down to `seen`, if given, have been looked at.
    case rows([RunRow], isCut: Bool = false, seen: RunNumber? = nil)
    case deadlines([StoredDeadline])
    case lifetimes([StoredLifetime])
    /// `more`: there are further ones after these.
    case letters([PostedLetter], more: Bool)
    /// nil: the system has no such file.
    case zone([UInt8]?)
    /// Stored bytes do not match their checksum; the text names the place.
    case corrupt(String)
  }

  public var id: Load.ID
  public var content: Content

  public init(id: Load.ID, content: Content) {
    self.id = id
    self.content = content
  }
}

/// Everything that makes a run resident again.
public struct StoredRun: Sendable, Equatable {
  public var row: RunRow
  /// The folded state up to `stateEvent`; nil when none was written yet.
  public var state: [UInt8]?
  public var stateEvent: Int64
  /// Of an open run, the batches that hold the events after `stateEvent`, in order; of a closed
  /// one, the first and the last batch, and that of `copyEvent` (each once): all that can be asked
  /// of it without its history.
  public var tail: [StoredBatch]
  public var activities: [StoredActivity]
  public var requests: [RequestRecord]
  /// Of a run that began as a copy, the event that tells of it; else 0.
  public var copyEvent: Int64 = 0
  /// The newest run that a reset has made of it, if one has; it may be gone by now.
  public var resetTo = RunID.none

  public init(
    row: RunRow, state: [UInt8]?, stateEvent: Int64, tail: [StoredBatch],
    activities: [StoredActivity], requests: [RequestRecord]
  ) {
    self.row = row
    self.state = state
    self.stateEvent = stateEvent
    self.tail = tail
    self.activities = activities
    self.requests = requests
  }
}

/// Events `first...last` of a run, as the bytes of a `HistoryBatch`.
public struct StoredBatch: Sendable, Equatable {
  public var first: Int64
  public var last: Int64
  public var bytes: [UInt8]

  public init(first: Int64, last: Int64, bytes: [UInt8]) {
    self.first = first
    self.last = last
    self.bytes = bytes
  }
}

public struct StoredActivity: Sendable, Equatable {
  public var scheduledEvent: Int64
  public var bytes: [UInt8]

  public init(scheduledEvent: Int64, bytes: [UInt8]) {
    self.scheduledEvent = scheduledEvent
    self.bytes = bytes
  }
}

/// A remembered request, and the run that it reached.
public struct FoundRequest: Sendable, Equatable {
  public var run: RunNumber
  public var runID: RunID
  public var record: RequestRecord

  public init(run: RunNumber, runID: RunID, record: RequestRecord) {
    self.run = run
    self.runID = runID
    self.record = record
  }
}

public struct StoredDeadline: Hashable, Sendable {
  public var run: RunNumber
  public var deadline: Instant

  public init(run: RunNumber, deadline: Instant) {
    self.run = run
    self.deadline = deadline
  }
}

/// What decides about a run's removal.
public struct StoredLifetime: Sendable, Equatable {
  public var run: RunNumber
  public var namespace: String
  public var startTime: Instant
  /// nil while the run is open.
  public var closeTime: Instant?
  public var historySizeBytes: Int64

  public init(
    run: RunNumber, namespace: String, startTime: Instant, closeTime: Instant?,
    historySizeBytes: Int64
  ) {
    self.run = run
    self.namespace = namespace
    self.startTime = startTime
    self.closeTime = closeTime
    self.historySizeBytes = historySizeBytes
  }
}

/// The file of a time zone: as it was when it came into use, and as the system has it now.
public struct StoredZone: Sendable, Equatable {
  public var name: String
  public var kept: [UInt8]
  public var fresh: [UInt8]?

  public init(name: String, kept: [UInt8], fresh: [UInt8]?) {
    self.name = name
    self.kept = kept
    self.fresh = fresh
  }
}

/// What `putNamespace` has told of.
public struct StoredNamespace: Sendable, Equatable {
  public var name: String
  public var definition: NamespaceDefinition

  public init(name: String, definition: NamespaceDefinition) {
    self.name = name
    self.definition = definition
  }
}

/// What `putAttributeName` has told of.
public struct StoredAttributeName: Sendable, Equatable {
  public var namespace: String
  public var name: String
  public var type: SearchAttributeType

  public init(namespace: String, name: String, type: SearchAttributeType) {
    self.namespace = namespace
    self.name = name
    self.type = type
  }
}

/// What `putQueueLimits` has told of.
public struct StoredQueueLimits: Sendable, Equatable {
  public var namespace: String
  public var taskQueue: String
  public var limits: TaskQueueLimits

  public init(namespace: String, taskQueue: String, limits: TaskQueueLimits) {
    self.namespace = namespace
    self.taskQueue = taskQueue
    self.limits = limits
  }
}

/// What `putWorkflowTypeLimits` has told of.
public struct StoredWorkflowTypeLimits: Sendable, Equatable {
  public var namespace: String
  public var workflowType: String
  public var limits: WorkflowTypeLimits

  public init(namespace: String, workflowType: String, limits: WorkflowTypeLimits) {
    self.namespace = namespace
    self.workflowType = workflowType
    self.limits = limits
  }
}

/// What `putPermit` has told of.
public struct StoredPermit: Sendable, Equatable {
  public var run: RunNumber
  public var row: PermitRow

  public init(run: RunNumber, row: PermitRow) {
    self.run = run
    self.row = row
  }
}

/// What the engine is told of the store when it starts.
public struct OpenedStore: Sendable {
  /// Grows by one each time the store is opened.
  public var epoch: UInt64
  /// The number for the next new run.
  public var nextRun: RunNumber
  /// The nearest deadlines of open runs, by (deadline, number); at most the window's size.
  public var deadlines: [StoredDeadline]
  /// Which workflow ids and request keys the store holds.
  public var filter: IDFilter
  /// The number of the newest letter that waits; 0 when none does.
  public var lastLetter: Int64
  /// The time zones that `putZone` has told of.
  public var zones: [StoredZone]
  /// All schedules.
  public var schedules: [StoredSchedule]
  /// Those that have been created, and `default` if it has been changed.
  public var namespaces: [StoredNamespace]
  /// By the namespace; those without a run are left out.
  public var runCounts: [String: RunCounts]
  public var attributeNames: [StoredAttributeName]
  /// All batch jobs.
  public var batchJobs: [StoredBatchJob]
  public var queueLimits: [StoredQueueLimits]
  public var workflowTypeLimits: [StoredWorkflowTypeLimits]
  /// By run.
  public var permits: [StoredPermit]
  /// Of the last `putSkipped`; nil: no time has ever been skipped.
  public var skipped: Span?

  public init(
    epoch: UInt64, nextRun: RunNumber, deadlines: [StoredDeadline], filter: IDFilter,
    lastLetter: Int64 = 0, zones: [StoredZone] = [], schedules: [StoredSchedule] = [],
    namespaces: [StoredNamespace] = [], runCounts: [String: RunCounts] = [:],
    attributeNames: [StoredAttributeName] = [], batchJobs: [StoredBatchJob] = [],
    queueLimits: [StoredQueueLimits] = [],
    workflowTypeLimits: [StoredWorkflowTypeLimits] = [], permits: [StoredPermit] = [],
    skipped: Span? = nil
  ) {
    self.epoch = epoch
    self.nextRun = nextRun
    self.deadlines = deadlines
    self.filter = filter
    self.lastLetter = lastLetter
    self.zones = zones
    self.schedules = schedules
    self.namespaces = namespaces
    self.runCounts = runCounts
    self.attributeNames = attributeNames
    self.batchJobs = batchJobs
    self.queueLimits = queueLimits
    self.workflowTypeLimits = workflowTypeLimits
    self.permits = permits
    self.skipped = skipped
  }
}
