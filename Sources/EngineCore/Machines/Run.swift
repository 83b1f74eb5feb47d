import Basics
import Messages

/// A workflow id within its namespace, or the id of an activity without a workflow.
struct WorkflowKey: Hashable, Comparable, Sendable {
  let namespace: String
  let workflowID: String
  let kind: RunKind
  private let exact: [UInt8]

  init(namespace: String, workflowID: String, kind: RunKind = .workflow) {
    self.namespace = namespace
    self.workflowID = workflowID
    self.kind = kind
    exact = workflowID.exactBytes
  }

  static func < (a: WorkflowKey, b: WorkflowKey) -> Bool {
    if a.namespace != b.namespace { return a.namespace < b.namespace }
    if a.kind != b.kind { return a.kind < b.kind }
    if a.workflowID != b.workflowID { return a.workflowID < b.workflowID }
    return a.exact.lexicographicallyPrecedes(b.exact)
  }
}

/// A task queue within its namespace.
struct QueueKey: Hashable, Comparable, Sendable {
  let namespace: String
  let name: String
  private let exact: [UInt8]

  init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
    exact = name.exactBytes
  }

  static func < (a: QueueKey, b: QueueKey) -> Bool {
    if a.namespace != b.namespace { return a.namespace < b.namespace }
    if a.name != b.name { return a.name < b.name }
    return a.exact.lexicographicallyPrecedes(b.exact)
  }
}

extension String {
  /// What makes the equality of a key exact. Swift's texts are equal when they look the same (é in
  /// one code point or in two), but ids are compared byte by byte (SCH-013), as the store does.
  /// Empty where there is no such doubt, which costs nothing.
  var exactBytes: [UInt8] { utf8.allSatisfy { $0 < 0x80 } ? [] : Array(utf8) }
}

/// A run in memory: its fold, its workflow task, and what this step changed of it.
///
/// A class, because the engine's tables point at one run from several places and a struct of this
/// size would be moved at each look-up; it never leaves the engine.
final class Run {
  let number: RunNumber
  let key: WorkflowKey
  let runID: RunID
  var fold: Fold
  var task = WorkflowTask()
  /// Queries that wait for a worker.
  var queries: [WaitingQuery] = []
  /// Updates that its code has not taken on.
  var updates: [WaitingUpdate] = []
  /// Signals and cancel requests that wait for the redo of a refused close.
  var parked = ParkedInputs()
  /// The session that has the run in its cache.
  var cachedBy: SessionID?
  private(set) var requests: [RequestRecord]
  /// Their places by key, once they are more than a few.
  private var requestPlaces: [Fingerprint: Int] = [:]
  /// Attempts of which the lease itself brought the end, the last ones: a repetition is answered as
  /// recorded without a look at the history (`Engine+Repetitions.swift`).
  private(set) var ended = Queue<EndedAttempt>()

  /// The newest step that wrote this run.
  var lastWrite = WriteSerial.none
  /// The store knows that a start of the engine must look at this run.
  var isMarkedAwake: Bool
  /// The last event that the state row covers.
  var savedEvent: Int64 = 0

  /// The length of the history that the row in the store tells of, and its problems.
  var toldLength: Int64 = 0
  var toldProblems = ""

  /// now() of the last past activation that a replay showed: of a loaded closed run nothing
  /// else knows it.
  var replayedTime = Instant.epoch

  /// What it has of the limits of its type (`Concurrency/Engine+Permits.swift`).
  var permit = Permit.none

  /// Its first task waits for its time (`Engine+Chain.swift`).
  var isHeld = false

  /// Since when the run has had no work; nil while it has.
  var restingSince: Instant?
  /// It stands in the engine's line of resting runs.
  var isInLine = false
  /// Its part of the engine's `residentBytes`.
  var countedBytes = 0

  // What the current step has made; empty between steps.
  var newEvents: [HistoryEvent] = []
  var changedActivities: [Int64] = []
  /// Of activities that this step has ended.
  var endedAttempts: [ActivityAttempts] = []
  var endedActivities: [Int64] = []
  var newRequests: [RequestRecord] = []
  /// Events of this step whose letters have not been posted.
  var unsent: [Int64] = []
  var isTouched = false
  /// Lists are to show it with another status, though it stays open.
  var hasNewStatus = false
  /// What it says of itself is to be written.
  var hasNewDetails = false
  /// The step removes it from the store, whatever else it has changed.
  var isRemoved = false
  var isOffered = false
  var isNew = false

  /// Readers that follow its history; they keep it in memory.
  var followers = Waiters()

  /// How many resets and forks read its history; they keep it in memory too.
  var copiers = 0
  /// Events since the first of them came that a copy may be given again.
  var tail: [HistoryEvent] = []
  /// Of a run that this step makes as a copy of another: what of it the store copies.
  var copied: CopiedHistory?
  /// After a reset: the run that goes on in its place.
  var resetTo = RunID.none

  init(
    number: RunNumber, key: WorkflowKey, runID: RunID, fold: Fold = Fold(),
    requests: [RequestRecord] = [], isMarkedAwake: Bool
  ) {
    self.number = number
    self.key = key
    self.runID = runID
    self.fold = fold
    self.requests = []
    self.isMarkedAwake = isMarkedAwake
    for record in requests { keep(record) }
  }

  /// The run that goes on in its place or after it; `none` for an open run and at a chain's end.
  var nextRunID: RunID { resetTo == .none ? fold.nextRunID : resetTo }

  /// The run that goes on in its place, after a reset of it or of an earlier run.
  var resetRunID: RunID {
    guard resetTo == .none, case .workflowExecutionTerminated(let end) = fold.closing?.attributes
    else { return resetTo }
    return end.newRunID
  }

  var queue: QueueKey { QueueKey(namespace: key.namespace, name: fold.started.taskQueue) }
  var workflowType: String { fold.started.workflowType }
  /// Of its tasks, from 1, which goes first.
  var priority: Int { fold.started.priority?.level ?? Rank.plain.priority }
  var taskTimeout: Span { fold.started.taskTimeoutMs }

  /// Something waits to be shown to the code.
  var wantsTask: Bool { wantsActivation || !queries.isEmpty }
  /// Events do, or updates, or local activities wait; before them no query is asked.
  var wantsActivation: Bool {
    fold.isOpen && !isHeld && !isKeptBack
      && (!fold.unseen.isEmpty || !updates.isEmpty || wantsLocals)
  }

  /// Nothing of it goes out: somebody has paused it, or it waits for a permit.
  var isKeptBack: Bool { fold.pause != nil || permit.isAwaited }

  /// No task, no streak of failed ones, no activity that can go on now, nobody who waits: the run
  /// can leave memory.
  var isAtRest: Bool {
    task.isIdle && !wantsTask && followers.isEmpty && copiers == 0
      && updates.allSatisfy { $0.isAdmitted && $0.clients.isEmpty }
      && (task.attempt == 1 || !fold.isOpen)
      // By index: an activity is large to copy.
      && fold.activities.indices.allSatisfy {
        fold.activities[$0].isAtRest(whileRunIsKeptBack: isKeptBack)
      }
  }

  /// Something of it is under way, or would be if a worker came: a task that waits, is out or is
  /// tried again, an attempt of an activity that waits or has started.
  var isBusy: Bool {
    !task.isIdle
      || fold.activities.contains { activity in
        switch activity.phase {
        case .queued: !isKeptBack && !activity.isPaused
        case .started: true
        case .backingOff: false
        }
      }
  }

  /// About how many bytes of memory the run takes.
  var footprint: Int {
    2_304 + heldBytes + 1_024 * fold.activities.count
      + 64 * (fold.timers.count + requests.count + fold.sent.count) + 256 * fold.children.count
      + updates.reduce(0) { $0 + $1.request.args.bytes }
  }

  /// Payload bytes that are kept in memory. A member of the fold would cost a copy of the whole.
  private var heldBytes: Int {
    let last = fold.started.lastCompletionResult?.payloads.bytes ?? 0
    return fold.unseen.bytes + fold.inputBytes + fold.started.input.bytes + last
      + fold.details.bytes
  }

  func request(_ key: Fingerprint) -> RequestRecord? {
    place(of: key).map { requests[$0] }
  }

  private func place(of key: Fingerprint) -> Int? {
    requestPlaces.isEmpty ? requests.firstIndex { $0.key == key } : requestPlaces[key]
  }

  /// In the place of what was kept under its key.
  private func keep(_ record: RequestRecord) {
    if let place = place(of: record.key) { return requests[place] = record }
    requests.append(record)
    if requests.count == 8 {
      for (place, record) in requests.enumerated() { requestPlaces[record.key] = place }
    } else if requests.count > 8 {
      requestPlaces[record.key] = requests.count - 1
    }
  }

  /// The lease itself brought this end of its attempt.
  func remember(_ token: ActivityToken, _ end: AttemptEnd) {
    ended.append(
      EndedAttempt(scheduledEvent: token.scheduledEvent, attempt: token.attempt, end: end))
    if ended.count > 64 { _ = ended.popFirst() }
  }

  func hasEnded(_ token: ActivityToken, _ end: AttemptEnd) -> Bool {
    let attempt = EndedAttempt(
      scheduledEvent: token.scheduledEvent, attempt: token.attempt, end: end)
    return runID == token.runID && ended.elements.contains(attempt)
  }

  /// What a request with a request id has done is kept with the run.
  func remember(_ record: RequestRecord) {
    keep(record)
    newRequests.append(record)
  }

  func queueKey(of activity: Activity) -> QueueKey {
    QueueKey(namespace: key.namespace, name: activity.taskQueue)
  }
}

struct WaitingQuery {
  let request: RequestID
  let query: QueryWorkflowRequest
  /// The id that the worker knows it by.
  let id: String
}

struct EndedAttempt: Equatable {
  let scheduledEvent: Int64
  let attempt: Int32
  let end: AttemptEnd
}

/// What a report says of its attempt.
enum AttemptEnd {
  case completed, failed, cancelled
}
