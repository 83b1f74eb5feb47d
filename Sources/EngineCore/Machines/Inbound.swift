import Basics
import Messages

/// The inbound events of a run that its code has not seen, in history order.
///
/// The live engine and replay derive activations from history through this one type, so that both
/// show the code the same jobs.
struct Inbound: Equatable {
  private(set) var events: [HistoryEvent] = []
  /// About how much memory they take.
  private(set) var bytes = 0

  var isEmpty: Bool { events.isEmpty }

  /// Takes note of the next event of the history.
  mutating func apply(_ event: HistoryEvent) {
    #if MUTANTS
      if Mutant.isOn(.signalIsNotShown), case .workflowExecutionSignaled = event.attributes,
        event.eventID % 2 == 0
      {
        return
      }
    #endif
    switch event.attributes {
    case .workflowExecutionStarted, .workflowExecutionSignaled,
      .workflowExecutionCancelRequested, .timerFired, .activityTaskCompleted,
      .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled:
      append(event)
    case .signalExternalWorkflowExecutionFailed, .externalWorkflowExecutionSignaled,
      .workflowExecutionUpdateAdmitted:
      append(event)
    case .workflowTaskFailed(let failed):
      if failed.copy != nil { append(event) }
    case .workflowTaskCompleted(let completed):
      guard let first = events.first, first.eventID <= completed.throughEventID else { return }
      remove { $0.eventID <= completed.throughEventID }
    case .timerCanceled(let canceled):
      // The code cancelled the timer before it saw that it had fired: the firing is void.
      remove {
        if case .timerFired(let fired) = $0.attributes { return fired.seq == canceled.seq }
        return false
      }
    default:
      if event.awaitedSeq > 0 { append(event) }
    }
  }

  private mutating func append(_ event: HistoryEvent) {
    events.append(event)
    bytes += event.approximateBytes
  }

  private mutating func remove(where isGone: (HistoryEvent) -> Bool) {
    events.removeAll { event in
      guard isGone(event) else { return false }
      bytes -= event.approximateBytes
      return true
    }
  }

  /// The firing of a timer that the code has not seen.
  func firing(of seq: UInt32) -> TimerFired? {
    for event in events {
      if case .timerFired(let fired) = event.attributes, fired.seq == seq { return fired }
    }
    return nil
  }

  /// True when a signal, a cancel request or an admitted update waits after `through`: a closing
  /// command must not pass it unseen.
  func holdsRequest(after through: Int64) -> Bool {
    events.contains { $0.eventID > through && $0.isRequest }
  }

  /// Those that the next run of the chain takes over, each with the run that had it first: what
  /// comes before the mark of a copy is its base's.
  func requests(of run: RunID) -> [(event: HistoryEvent, source: RunID)] {
    var source = run
    var requests: [(event: HistoryEvent, source: RunID)] = []
    for event in events.reversed() {
      if let base = event.copy?.baseExecution?.runID { source = base }
      if event.isRequest { requests.append((event, source)) }
    }
    return requests.reversed()
  }

  /// Updates that history holds although the code has not spoken of them.
  var admitted: [(event: Int64, update: WorkflowExecutionUpdateAdmitted)] {
    events.compactMap { event in event.admitted.map { (event.eventID, $0) } }
  }

  /// An update to be shown, and its place: behind the event that was the last when it came.
  struct PlacedUpdate {
    let job: DoUpdate
    let after: Int64

    init(_ job: DoUpdate, after: Int64) {
      self.job = job
      self.after = after
    }

    /// As it is shown in a past activation.
    init(_ accepted: WorkflowExecutionUpdateAccepted) {
      job = DoUpdate(accepted)
      #if MUTANTS
        if Mutant.isOn(.updateLosesItsPlace) {
          after = .max
          return
        }
      #endif
      after = accepted.afterEventID
    }

    var bytes: Int { 128 + job.args.bytes + (job.header?.bytes ?? 0) + job.identity.utf8.count }
  }

  /// What the next activation shows.
  struct Showing {
    var jobs: [Job]
    /// The last event of those that are shown; nil when all events are.
    var through: Int64?
    var hasEvents: Bool
    /// The admitted updates among them, and how many of the others.
    var admitted: [String]
    var updates: Int
  }

  /// As many events and then updates as fit `bytesMax`, at least one.
  func next(bytesMax: Int, with updates: [PlacedUpdate]) -> Showing {
    var taken = 0
    var bytes = 0
    for event in events {
      bytes += event.approximateBytes
      if taken > 0 && bytes > bytesMax { break }
      taken += 1
    }
    let through = taken == events.count ? nil : events[taken - 1].eventID
    var asked = 0
    if through == nil {
      for update in updates {
        bytes += update.bytes
        if taken + asked > 0 && bytes > bytesMax { break }
        asked += 1
      }
    }
    return Showing(
      jobs: Inbound.jobs(showing: events[..<taken], updates[..<asked]), through: through,
      hasEvents: taken > 0, admitted: events[..<taken].compactMap(\.admitted?.updateID),
      updates: asked)
  }

  /// The events that the past activation showed which went up to `through`; of admitted updates
  /// only those are shown again that the code took on, by the event which says so.
  func shown(through: Int64) -> ArraySlice<HistoryEvent> {
    events.prefix { $0.eventID <= through }.filter { $0.admitted == nil }[...]
  }

  /// Initialize and a new seed, then signals and updates, then the rest, each in arrival order.
  static func jobs(showing events: ArraySlice<HistoryEvent>, _ updates: ArraySlice<PlacedUpdate>)
    -> [Job]
  {
    var first: [Job] = []
    var rest: [Job] = []
    var seed: Job?
    var asked = updates.startIndex
    for event in events {
      while asked < updates.endIndex, updates[asked].after < event.eventID {
        first.append(Job(asking: updates[asked].job))
        asked += 1
      }
      let job = Job(showing: event)
      switch job.kind {
      case .initializeWorkflow, .signalWorkflow, .doUpdate: first.append(job)
      case .updateRandomSeed: seed = job
      default: rest.append(job)
      }
    }
    first += updates[asked...].map { Job(asking: $0.job) }
    #if MUTANTS
      if Mutant.isOn(.signalsTurnRound), first.count > 2 { first.swapAt(1, 2) }
    #endif
    guard let seed else { return first + rest }
    let begins = first.first.map { job in
      if case .initializeWorkflow = job.kind { true } else { false }
    }
    first.insert(seed, at: begins ?? false ? 1 : 0)
    return first + rest
  }
}

extension HistoryEvent {
  /// Something asks the code for a reaction that somebody was promised.
  var isRequest: Bool {
    switch attributes {
    case .workflowExecutionSignaled, .workflowExecutionCancelRequested,
      .workflowExecutionUpdateAdmitted:
      true
    default: false
    }
  }

  var admitted: WorkflowExecutionUpdateAdmitted? {
    if case .workflowExecutionUpdateAdmitted(let admitted) = attributes { admitted } else { nil }
  }
}

extension Job {
  /// What the code is told of an inbound event.
  init(showing event: HistoryEvent) {
    self.init()
    switch event.attributes {
    case .workflowExecutionStarted(let started):
      kind = .initializeWorkflow(InitializeWorkflow(started, at: event.eventTimeMs))
    case .workflowExecutionSignaled(let signaled):
      var signal = SignalWorkflowJob()
      signal.signalName = signaled.signalName
      signal.input = signaled.input
      signal.header = signaled.header
      signal.identity = signaled.identity
      kind = .signalWorkflow(signal)
    case .workflowExecutionCancelRequested(let requested):
      var cancel = CancelWorkflowJob()
      cancel.reason = requested.reason
      kind = .cancelWorkflow(cancel)
    case .workflowExecutionUpdateAdmitted(let admitted):
      kind = .doUpdate(WaitingUpdate.job(of: UpdateWorkflowRequest(admitted)))
    case .workflowTaskFailed(let failed):
      var update = UpdateRandomSeed()
      update.randomSeed = failed.copy?.randomSeed ?? 0
      kind = .updateRandomSeed(update)
    case .timerFired(let fired):
      var fire = FireTimer()
      fire.seq = fired.seq
      kind = .fireTimer(fire)
    case .activityTaskCompleted(let completed):
      var list = PayloadList()
      list.payloads = completed.result
      kind = .resolveActivity(ResolveActivity(completed.seq, .completed(list)))
    case .activityTaskFailed(let failed):
      kind = .resolveActivity(ResolveActivity(failed.seq, .failed(failed.failure ?? Failure())))
    case .activityTaskTimedOut(let timedOut):
      kind = .resolveActivity(
        ResolveActivity(timedOut.seq, .failed(timedOut.failure ?? Failure())))
    case .activityTaskCanceled(let canceled):
      var info = CanceledFailure()
      info.details = canceled.details
      kind = .resolveActivity(
        ResolveActivity(canceled.seq, .canceled(.engine("activity canceled", .canceled(info)))))
    default:
      guard let kind = Job.Kind(outside: event) else {
        preconditionFailure("event \(event.eventID) is not inbound")
      }
      self.kind = kind
    }
  }
}

extension Job {
  fileprivate init(asking update: DoUpdate) {
    self.init()
    kind = .doUpdate(update)
  }
}

extension DoUpdate {
  init(_ accepted: WorkflowExecutionUpdateAccepted) {
    self.init()
    updateID = accepted.updateID
    updateName = accepted.updateName
    args = accepted.args
    header = accepted.header
    identity = accepted.identity
  }
}

extension ResolveActivity {
  init(_ seq: UInt32, _ result: ResolveActivity.Result) {
    self.init()
    self.seq = seq
    self.result = result
  }
}

extension InitializeWorkflow {
  init(_ started: WorkflowExecutionStarted, at time: Instant) {
    self.init()
    input = started.input
    header = started.header
    randomSeed = started.randomSeed
    firstRunID = started.firstRunID
    startTimeMs = time
    executionTimeoutMs = started.executionTimeoutMs
    runTimeoutMs = started.runTimeoutMs
    identity = started.identity
    continuedRunID = started.continuedRunID
    initiator = started.initiator
    attempt = started.attempt
    retryPolicy = started.retryPolicy
    continuedFailure = started.continuedFailure
    parent = started.parent
    root = started.root
    lastCompletionResult = started.lastCompletionResult
    memo = started.memo
    searchAttributes = started.searchAttributes
  }
}

extension HistoryEvent {
  /// Of what tells of a child, or of a cancel request: the seq under which the code waits for it; 0
  /// when it does not, as after a cancel that it did not wait for, and of all other events.
  fileprivate var awaitedSeq: UInt32 {
    switch attributes {
    case .startChildWorkflowExecutionFailed(let e): e.seq
    case .childWorkflowExecutionStarted(let e): e.seq
    case .childWorkflowExecutionCompleted(let e): e.seq
    case .childWorkflowExecutionFailed(let e): e.seq
    case .childWorkflowExecutionCanceled(let e): e.seq
    case .childWorkflowExecutionTimedOut(let e): e.seq
    case .childWorkflowExecutionTerminated(let e): e.seq
    case .requestCancelExternalWorkflowExecutionFailed(let e): e.seq
    case .externalWorkflowExecutionCancelRequested(let e): e.seq
    default: 0
    }
  }

  /// About how many bytes of peers the event holds; enough to bound a message.
  var approximateBytes: Int {
    switch attributes {
    case .workflowExecutionStarted(let e):
      return 512 + e.input.bytes + (e.header?.bytes ?? 0) + e.identity.utf8.count
        + (e.continuedFailure?.approximateBytes ?? 0)
        + (e.lastCompletionResult?.payloads.bytes ?? 0) + (e.memo?.bytes ?? 0)
        + (e.searchAttributes?.bytes ?? 0)
    case .workflowExecutionSignaled(let e):
      return 128 + e.input.bytes + (e.header?.bytes ?? 0) + e.identity.utf8.count
        + e.signalName.utf8.count
    case .workflowExecutionUpdateAdmitted(let e):
      return 128 + e.args.bytes + (e.header?.bytes ?? 0) + e.identity.utf8.count
    case .workflowExecutionCancelRequested(let e): return 64 + e.reason.utf8.count
    case .activityTaskCompleted(let e): return 64 + e.result.bytes
    case .activityTaskFailed(let e): return 256 + (e.failure?.approximateBytes ?? 0)
    case .activityTaskTimedOut(let e): return 256 + (e.failure?.approximateBytes ?? 0)
    case .activityTaskCanceled(let e): return 64 + e.details.bytes
    case .childWorkflowExecutionCompleted(let e): return 128 + e.result.bytes
    case .childWorkflowExecutionFailed(let e): return 256 + (e.failure?.approximateBytes ?? 0)
    case .childWorkflowExecutionCanceled(let e): return 256 + e.details.bytes
    case .startChildWorkflowExecutionFailed(let e): return 256 + e.message.utf8.count
    default: return 256
    }
  }
}

extension Array<Payload> {
  /// About their size in a message; never less.
  var bytes: Int { reduce(0) { $0 + $1.byteCount } }
}

extension Payload {
  fileprivate var byteCount: Int {
    var count = data.count + encoding.utf8.count + 16
    for entry in metadata { count += entry.key.utf8.count + entry.value.count + 16 }
    return count
  }
}

extension Header {
  var bytes: Int {
    fields.reduce(0) { $0 + $1.key.utf8.count + ($1.value.map { [$0].bytes } ?? 0) + 16 }
  }
}

extension Failure {
  var approximateBytes: Int {
    layers.reduce(0) { sum, layer in
      var bytes = layer.message.utf8.count + layer.stackTrace.utf8.count + 64
      bytes += layer.source.utf8.count + (layer.encodedAttributes.map { [$0].bytes } ?? 0)
      switch layer.kind {
      case .application(let application):
        bytes += application.details.bytes + application.type.utf8.count
      case .timeout(let timeout): bytes += timeout.lastHeartbeatDetails.bytes
      case .canceled(let canceled): bytes += canceled.details.bytes
      default: break
      }
      return sum + bytes
    }
  }
}
