import Basics
import Messages

/// The one turn of a run's code that is wanted, waiting or out.
struct WorkflowTask {
  enum State {
    /// Nothing to show. Can transition to: waiting.
    case idle
    /// In its queue's backlog or in the list of the session that caches the run.
    /// Can transition to: out, idle (the run closed).
    case waiting
    /// The last try failed. Can transition to: waiting (at `until`, or when a session attaches).
    case backingOff(until: Instant)
    /// A session has it. Can transition to: idle, waiting, backingOff.
    case out(Lease)
  }

  /// A workflow task in the hands of a session.
  struct Lease {
    let serial: UInt64
    let session: SessionID
    var purpose: Purpose
    let scheduledTime: Instant
    var startedTime: Instant
    /// The answer, or the next answer of a replay, is due then.
    var deadline: Instant
    /// Set while the session is shown what it does not have in its cache.
    var replay: Replay?
    /// What the live activation told the code.
    var shown = Shown()
    /// Commands, or answers to queries, of the parts that have arrived (`more`).
    var parts: [Command] = []
    var results: [QueryResult] = []
    var rejections: [UpdateRejection] = []
    /// The bytes of the parts of its answers.
    var partsBytes = 0
  }

  enum Purpose {
    case activation
    case query
  }

  struct Shown {
    var through: Int64 = 0
    var activationTime = Instant(ms: 0)
    var historyLength: Int64 = 0
    var historyBytes: Int64 = 0
    var continueAsNewSuggested = false
    /// It showed events.
    var hasEvents = false
    /// The queries and the updates that it asked for.
    var queries: [String] = []
    var updates: [String] = []
    /// The local activities that it named, by scheduled event id.
    var locals: [Int64] = []
  }

  var state = State.idle
  /// Since when the task waits; kept over tries, and over the loss of a worker.
  var scheduledTime = Instant(ms: 0)
  /// Of its entry in the task queue, while it waits there.
  var ticket: UInt64?
  /// The try that is waiting or out, from 1.
  var attempt: Int32 = 1
  /// Why the last try failed; history holds only the first failure of a streak. nil also when it
  /// timed out.
  var lastFailed: WorkflowTaskFailed?
  /// Who failed it last: the next try prefers another build.
  var failedBuildID: String?
  /// A closing command was refused because of an unseen signal or cancel request; until the redo
  /// has ended new ones are parked.
  var isRedo = false

  var lease: Lease? {
    if case .out(let lease) = state { return lease }
    return nil
  }

  /// A worker has it for the sake of what the code has not seen, not of queries.
  var isOutForCode: Bool {
    if case .out(let lease) = state, case .activation = lease.purpose { return true }
    return false
  }

  var isIdle: Bool {
    if case .idle = state { return true }
    return false
  }

  var isWaiting: Bool {
    if case .waiting = state { return true }
    return false
  }

  /// Changes the lease in place; only while the task is out.
  mutating func withLease<R>(_ body: (inout Lease) -> R) -> R {
    guard case .out(var lease) = state else { preconditionFailure("no workflow task is out") }
    state = .idle
    defer { state = .out(lease) }
    return body(&lease)
  }

  func backoff(_ times: EngineTimes) -> Span {
    var span = times.taskBackoffInitial
    var left = attempt - 1
    while left > 0 && span < times.taskBackoffMax {
      span = Span(ms: span.ms * 2)
      left -= 1
    }
    return min(span, times.taskBackoffMax)
  }
}
