import Basics
import Messages

extension Engine {
  /// StartWorkflow: a new run, or by the id policies the one that is there.
  mutating func startWorkflow(_ id: RequestID, _ request: StartWorkflowRequest) {
    if let status = fault(in: request) { return refuse(id, status) }
    let input = Input.request(id, .startWorkflow(request))
    let key = WorkflowKey(namespace: request.namespace.orDefault, workflowID: request.workflowID)
    guard hasZone(request.cronTimeZone, for: input, in: .workflow(key)) else { return }
    if let status = zoneFault(request.cronTimeZone, "cron_time_zone") { return refuse(id, status) }
    let found = find(key, .none, for: input)
    guard let existing = found.settled else { return }
    let earlier = earlier(
      id, method: "StartWorkflow", key: key, requestID: request.requestID,
      hash: request.requestHash, run: existing.run, input: input)
    switch earlier {
    case .handled: return
    case .done(let found): return replyStarted(id, found.runID, started: true, nil)
    case .new(let record):
      if let status = typeFault(request.searchAttributes, in: key.namespace) {
        return refuse(id, status)
      }
      switch admit(request, existing.run, default: .fail) {
      case .refuse(let status): refuse(id, status, existing.run.map { .run($0) } ?? .engine)
      case .use(let run): replyStarted(id, run.runID, started: false, run)
      case .start:
        let run = start(request, key)
        remember(record, event: 0, in: run)
        offerTask(run)
        replyStarted(id, run.runID, started: true, run)
      }
    }
  }

  func fault(in request: StartWorkflowRequest) -> Status? {
    if request.workflowID.isEmpty { return .missing("workflow_id") }
    if request.workflowType.isEmpty { return .missing("workflow_type") }
    if request.taskQueue.isEmpty { return .missing("task_queue") }
    if request.taskTimeoutMs > times.taskTimeoutMax {
      return .invalid("task_timeout_ms", "at most \(times.taskTimeoutMax.ms)")
    }
    return first(
      namespaceFault(request.namespace),
      idFault(request.workflowID, "workflow_id"), idFault(request.workflowType, "workflow_type"),
      idFault(request.taskQueue, "task_queue"), idFault(request.requestID, "request_id"),
      spanFault(request.executionTimeoutMs, "execution_timeout_ms"),
      spanFault(request.runTimeoutMs, "run_timeout_ms"),
      spanFault(request.taskTimeoutMs, "task_timeout_ms"),
      payloadFault(request.input, "input", with: request.header), detailFault(request),
      idFault(request.identity, "identity"), textFault(request.userMetadata),
      policyFault(request), retryFault(request.retryPolicy), delayFault(request),
      cronFault(request), priorityFault(request.priority),
      idFault(request.concurrencyKey, "concurrency_key"))
  }

  func policyFault(_ request: some StartRequest) -> Status? {
    if case .unrecognized(let number) = request.idReusePolicy {
      return .invalid("id_reuse_policy", "no policy has the number \(number)")
    }
    if case .unrecognized(let number) = request.idConflictPolicy {
      return .invalid("id_conflict_policy", "no policy has the number \(number)")
    }
    return nil
  }

  func priorityFault(_ priority: WorkPriority?) -> Status? {
    priority?.fault.map { .invalid("priority.\($0.field)", $0.message) }
  }

  func retryFault(_ policy: RetryPolicy?) -> Status? {
    guard let policy else { return nil }
    if let fault = policy.fault { return .invalid("retry_policy.\(fault.field)", fault.message) }
    let bytes = policy.nonRetryableErrorTypes.reduce(0) { $0 + $1.utf8.count }
    return bytes > limits.textBytesMax
      ? .invalid(
        "retry_policy.non_retryable_error_types",
        "\(bytes) bytes; \(limits.textBytesMax) are allowed") : nil
  }

  func detailFault(_ request: some StartRequest) -> Status? {
    let memo = request.memo ?? Memo()
    if let status = first(
      sortedFault(memo.fields.map(\.key), "memo"), payloadFault(memo.payloads, "memo"))
    {
      return status
    }
    let fault = memo.fault(limits) ?? request.searchAttributes?.fault(limits)
    if let fault { return .of(fault) }
    let bytes = memo.bytes + request.input.bytes + (request.header?.bytes ?? 0)
    guard bytes > limits.requestPayloadBytesMax else { return nil }
    return .of(
      DetailFault(
        field: "memo",
        message: "input, header and memo hold \(bytes) bytes together;"
          + " \(limits.requestPayloadBytesMax) are allowed", isTooLarge: true))
  }

  func delayFault(_ request: some StartRequest) -> Status? {
    if request.startDelayMs != .zero && request.startAtTimeMs != .epoch {
      return .invalid("start_at_time_ms", "start_delay_ms is set too: only one of them")
    }
    if request.startAtTimeMs < .epoch {
      return .invalid("start_at_time_ms", "must not be negative")
    }
    return spanFault(request.startDelayMs, "start_delay_ms")
  }

  enum Admission {
    case start
    case use(Run)
    case refuse(Status)
  }

  /// The policy table: what a start does where a run has the workflow id already.
  mutating func admit(
    _ request: some StartRequest, _ existing: Run?, default conflict: WorkflowIdConflictPolicy,
    isChild: Bool = false
  ) -> Admission {
    #if MUTANTS
      if Mutant.isOn(.openRunIsOverlooked), existing?.fold.isOpen ?? false { return .start }
    #endif
    if let existing, existing.fold.isOpen {
      #if MUTANTS
        if Mutant.isOn(.failTerminates), request.idConflictPolicy == .fail {
          terminate(
            existing, reason: "a new start with TERMINATE_EXISTING", details: [], identity: "")
          return .start
        }
      #endif
      let policy =
        request.idConflictPolicy == .unspecified ? conflict : request.idConflictPolicy
      switch policy {
      case .useExisting: return .use(existing)
      case .terminateExisting:
        if let status = refusalOfStarts { return .refuse(status) }
        terminate(
          existing, reason: "a new start with TERMINATE_EXISTING", details: [],
          identity: request.identity)
        return .start
      case .fail, .unspecified, .unrecognized:
        return .refuse(.alreadyStarted(existing, "is running"))
      }
    }
    #if MUTANTS
      if Mutant.isOn(.duplicatesAreAllowed) { return .start }
    #endif
    // Of a run that went on in another the end is there; if that one has been removed, it is gone.
    if let existing, existing.nextRunID == .none {
      switch request.idReusePolicy {
      case .rejectDuplicate: return .refuse(.alreadyStarted(existing, "has run"))
      case .allowDuplicateFailedOnly where !existing.fold.status.isFailure:
        return .refuse(.alreadyStarted(existing, "has run and did not fail"))
      case .unspecified, .allowDuplicate, .allowDuplicateFailedOnly, .unrecognized: break
      }
    }
    // A child is part of what was taken on.
    if let status = refusalOfStarts, !isChild { return .refuse(status) }
    return .start
  }

  /// Set while the engine takes no new work.
  var refusalOfStarts: Status? {
    if isDiskFull {
      return .refusal(
        .resourceExhausted, .diskFull,
        "the disk is full: starts are refused until there is space", retryAfter: Span(ms: 1_000))
    }
    if isDraining { return .draining }
    return nil
  }

  /// Makes the run and records its first event. `parent`: the letter by which its parent starts it.
  mutating func start(
    _ request: StartWorkflowRequest, _ key: WorkflowKey, by parent: Letter? = nil,
    for action: (scheduleID: String, time: Instant)? = nil
  ) -> Run {
    var event = WorkflowExecutionStarted()
    event.begin(request, key, newRunID())
    event.workflowType = request.workflowType
    event.taskQueue = request.taskQueue
    event.input = request.input
    event.header = request.header
    event.executionTimeoutMs = request.executionTimeoutMs
    event.runTimeoutMs = request.cappedRunTimeout
    event.taskTimeoutMs =
      request.taskTimeoutMs.ms == 0 ? times.taskTimeoutDefault : request.taskTimeoutMs
    event.randomSeed = random.next()
    event.parent = parent?.from
    event.parentInitiatedEventID = parent?.event?.eventID ?? 0
    event.root = parent?.root
    event.retryPolicy = request.retryPolicy?.filled(default: times.retryIntervalDefault)
    event.scheduleID = action?.scheduleID ?? ""
    event.scheduledTimeMs = action?.time ?? .epoch
    event.cronSchedule = request.cronSchedule
    event.cronTimeZone = request.cronTimeZone
    declare(event.searchAttributes, in: key.namespace)
    event.concurrencyKey = request.concurrencyKey
    event.firstWorkflowTaskBackoffMs =
      request.cronSchedule.isEmpty ? delay(of: request) : cronDelay(of: request)
    if request.executionTimeoutMs.ms != 0 {
      event.executionExpirationTimeMs =
        now + event.firstWorkflowTaskBackoffMs + request.executionTimeoutMs
    }
    return begin(event, key, metadata: request.userMetadata)
  }

  /// The code begins so long after the start.
  func delay(of request: some StartRequest) -> Span {
    request.startAtTimeMs > now ? request.startAtTimeMs - now : request.startDelayMs
  }

  mutating func newRunID() -> RunID { RunID(at: now, random: (random.next(), random.next())) }

  /// Makes the run that the event begins; it is the newest of its workflow id.
  mutating func begin(
    _ event: WorkflowExecutionStarted, _ key: WorkflowKey, metadata: UserMetadata?
  ) -> Run {
    let run = enroll(key, event.runID, Fold())
    record(run, .workflowExecutionStarted(event), metadata: metadata)
    #if MUTANTS
      if Mutant.isOn(.startsTwice) { record(run, .workflowExecutionStarted(event)) }
    #endif
    armDeadlines(of: run)
    return run
  }

  /// A run that is new; it is the newest of its workflow id.
  mutating func enroll(_ key: WorkflowKey, _ runID: RunID, _ fold: Fold) -> Run {
    let number = nextRun
    nextRun = RunNumber(number.value + 1)
    let run = Run(number: number, key: key, runID: runID, fold: fold, isMarkedAwake: true)
    run.isNew = true
    runs[number] = run
    newest[key] = number
    byRunID[runID] = number
    filter.insert(IDFilter.key(namespace: key.namespace, workflowID: key.workflowID))
    counters.starts += 1
    return run
  }

  mutating func replyStarted(_ id: RequestID, _ runID: RunID, started: Bool, _ run: Run?) {
    var response = StartWorkflowResponse()
    response.runID = runID
    response.started = started
    reply(id, .startWorkflow(response), run.map { .run($0) } ?? .engine)
  }
}

/// What the starts of runs of all kinds say.
protocol StartRequest: Identified {
  var input: [Payload] { get }
  var header: Header? { get }
  var requestID: String { get }
  var idReusePolicy: WorkflowIdReusePolicy { get }
  var idConflictPolicy: WorkflowIdConflictPolicy { get }
  var startDelayMs: Span { get }
  var startAtTimeMs: Instant { get }
  var memo: Memo? { get }
  var searchAttributes: SearchAttributes? { get }
  var priority: WorkPriority? { get }
}

extension StartWorkflowRequest: StartRequest {}
extension StartActivityRequest: StartRequest {}

extension WorkflowExecutionStarted {
  /// What event 1 says of a run of any kind that begins a chain.
  mutating func begin(_ request: some StartRequest, _ key: WorkflowKey, _ runID: RunID) {
    namespace = key.namespace
    workflowID = key.workflowID
    self.runID = runID
    firstRunID = runID
    attempt = 1
    identity = request.identity
    requestID = request.requestID
    memo = request.memo?.settled
    searchAttributes = request.searchAttributes?.settled
    priority = request.priority?.settled
  }
}

extension StartWorkflowRequest {
  /// A run lives no longer than its chain.
  fileprivate var cappedRunTimeout: Span {
    if executionTimeoutMs.ms == 0 { return runTimeoutMs }
    return runTimeoutMs.ms == 0 ? executionTimeoutMs : min(runTimeoutMs, executionTimeoutMs)
  }
}

extension WorkflowStatus {
  /// What ALLOW_DUPLICATE_FAILED_ONLY allows a new start after.
  var isFailure: Bool {
    switch self {
    case .failed, .canceled, .terminated, .timedOut: return true
    case .unspecified, .running, .completed, .continuedAsNew, .paused, .unrecognized: return false
    }
  }
}

extension Status {
  fileprivate static func of(_ fault: DetailFault) -> Status {
    refusal(
      .invalidArgument, fault.isTooLarge ? .payloadTooLarge : .fieldInvalid,
      "\(fault.field): \(fault.message)", field: fault.field)
  }

  fileprivate static func alreadyStarted(_ run: Run, _ what: String) -> Status {
    let isWorkflow = run.key.kind == .workflow
    return refusal(
      .alreadyExists, isWorkflow ? .workflowAlreadyStarted : .activityAlreadyStarted,
      "\(run.key.kind.noun) '\(run.key.workflowID)' \(what) (run \(run.runID),"
        + " \(run.fold.status.name)); choose another id or another id policy",
      field: isWorkflow ? "workflow_id" : "activity_id", runID: run.runID)
  }
}

extension Found {
  struct Settled {
    let run: Run?
  }

  /// nil while the input is parked.
  var settled: Settled? {
    switch self {
    case .run(let run): return Settled(run: run)
    case .none: return Settled(run: nil)
    case .parked: return nil
    }
  }
}
