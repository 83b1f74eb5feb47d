import Basics
import EngineCore
import Messages

/// What clients ask of workflows.
extension Model {
  // MARK: - Request ids

  /// What the request did before, or that another one has its id; nil if it is new.
  func before(_ method: String, _ workflowID: String, _ requestID: String, _ request: Request)
    -> Response?
  {
    guard !requestID.isEmpty, mutant != .forgetsRequestIDs else { return nil }
    let all = remembered.filter {
      $0.method == method && $0.workflowID.utf8.elementsEqual(workflowID.utf8)
        && $0.requestID == requestID
    }
    // A run that it names knows best; else the last of those that it went over to.
    let named = all.last { $0.run == request.runID }
    guard let found = named ?? all.last else { return nil }
    if found.request.isSame(as: request) { return found.answer }
    return .failure(
      .of(.invalidArgument, .requestIDReused, field: "request_id", run: found.run))
  }

  mutating func remember(
    _ method: String, _ run: ModelRun, _ requestID: String, _ request: Request, event: Int64,
    _ answer: Response
  ) {
    guard !requestID.isEmpty else { return }
    remembered.append(
      Remembered(
        method: method, workflowID: run.key, requestID: requestID, request: request,
        run: run.id, answer: answer, event: event))
    facts.append(.remembered(run.id, event: event))
  }

  // MARK: - Starts

  mutating func start(_ r: StartWorkflowRequest, _ request: Request) -> Response {
    if let answer = before("Start", r.workflowID, r.requestID, request) { return answer }
    if let fault = contradiction(r.searchAttributes) { return fault }
    switch begin(r, default: .fail) {
    case .refused(let response): return response
    case .existing(let run): return .start(.of(run.id, started: false))
    case .started(let run):
      let answer = Response.start(.of(run.id, started: true))
      remember("Start", run, r.requestID, request, event: 0, answer)
      return answer
    }
  }

  enum Begun {
    case started(ModelRun)
    case existing(ModelRun)
    case refused(Response)
  }

  /// By the policies: a new run, the one that is there, or none.
  mutating func begin(
    _ r: StartWorkflowRequest, default conflict: WorkflowIdConflictPolicy,
    by parent: ModelLetter? = nil, for action: (scheduleID: String, time: Instant)? = nil
  ) -> Begun {
    if let verdict = admit(r, default: conflict, isChild: parent != nil) { return verdict }
    guard let run = makeRun(r, by: parent, for: action) else { return .refused(.failure(Status())) }
    return .started(run)
  }

  /// What keeps a new run from beginning; nil: nothing does.
  mutating func admit(
    _ r: StartWorkflowRequest, default conflict: WorkflowIdConflictPolicy, isChild: Bool = false,
    ofActivity: Bool = false
  ) -> Begun? {
    let newest = newest(r.workflowID, ofActivity: ofActivity)
    if let run = newest, run.isOpen {
      switch r.idConflictPolicy == .unspecified ? conflict : r.idConflictPolicy {
      case .useExisting: return .existing(run)
      case .terminateExisting:
        if let status = refusalOfStarts { return .refused(.failure(status)) }
        terminateForStart(run, r.identity)
      case .unspecified, .fail, .unrecognized: return .refused(alreadyStarted(run))
      }
    } else if let run = newest, !allows(r.idReusePolicy, after: run) {
      return .refused(alreadyStarted(run))
    }
    if let status = refusalOfStarts, !isChild { return .refused(.failure(status)) }
    return nil
  }

  private func alreadyStarted(_ run: ModelRun) -> Response {
    run.isOfActivity
      ? .failure(.of(.alreadyExists, .activityAlreadyStarted, field: "activity_id", run: run.id))
      : .failure(.of(.alreadyExists, .workflowAlreadyStarted, field: "workflow_id", run: run.id))
  }

  private func allows(_ policy: WorkflowIdReusePolicy, after run: ModelRun) -> Bool {
    if mutant == .allowsEveryReuse { return true }
    // The chain's end was removed.
    if run.nextRunID != .none { return true }
    switch policy {
    case .unspecified, .allowDuplicate, .unrecognized: return true
    case .allowDuplicateFailedOnly:
      return [.failed, .canceled, .terminated, .timedOut].contains(run.status)
    case .rejectDuplicate: return false
    }
  }

  /// While no new runs are taken.
  var refusalOfStarts: Status? {
    if isDiskFull && mutant != .startsOnFullDisk {
      return .of(.resourceExhausted, .diskFull, retryAfter: Span(ms: 1_000))
    }
    return isDraining ? .of(.unavailable, .draining, retryAfter: Span(ms: 1_000)) : nil
  }

  private mutating func terminateForStart(_ run: ModelRun, _ identity: String) {
    var terminated = WorkflowExecutionTerminated()
    terminated.reason = "a new start with TERMINATE_EXISTING"
    terminated.identity = identity
    append(.workflowExecutionTerminated(terminated), to: run)
    close(run, .terminated)
  }

  private mutating func makeRun(
    _ r: StartWorkflowRequest, by parent: ModelLetter? = nil,
    for action: (scheduleID: String, time: Instant)? = nil
  ) -> ModelRun? {
    guard let choice = draw(r.workflowID) else { return nil }
    var started = WorkflowExecutionStarted()
    started.namespace = "default"
    started.workflowID = r.workflowID
    started.runID = choice.runID
    started.workflowType = r.workflowType
    started.taskQueue = r.taskQueue
    started.input = r.input
    started.header = r.header
    started.executionTimeoutMs = r.executionTimeoutMs
    started.runTimeoutMs = shorter(r.runTimeoutMs, r.executionTimeoutMs)
    started.taskTimeoutMs =
      r.taskTimeoutMs == .zero ? times.taskTimeoutDefault : r.taskTimeoutMs
    started.identity = r.identity
    started.requestID = r.requestID
    started.firstRunID = choice.runID
    started.randomSeed = choice.randomSeed
    started.attempt = 1
    started.parent = parent?.from
    started.parentInitiatedEventID = parent?.event ?? 0
    started.root = parent?.root
    started.retryPolicy = r.retryPolicy?.withDefaults
    started.scheduleID = action?.scheduleID ?? ""
    started.scheduledTimeMs = action?.time ?? .epoch
    started.cronSchedule = r.cronSchedule
    started.cronTimeZone = r.cronTimeZone
    started.firstWorkflowTaskBackoffMs =
      r.startAtTimeMs > now ? r.startAtTimeMs - now : r.startDelayMs
    if let time = cronTime(started) { started.firstWorkflowTaskBackoffMs = time - now }
    if r.executionTimeoutMs > .zero {
      started.executionExpirationTimeMs =
        now + started.firstWorkflowTaskBackoffMs + r.executionTimeoutMs
    }
    started.memo = r.memo?.settledByModel
    started.searchAttributes = r.searchAttributes?.settledByModel
    started.priority = r.priority == WorkPriority() ? nil : r.priority
    started.concurrencyKey = r.concurrencyKey
    declare(r.searchAttributes)
    let run = ModelRun(started, at: now, metadata: r.userMetadata)
    runs.append(run)
    append(.workflowExecutionStarted(started), to: run, metadata: r.userMetadata)
    return run
  }

  /// What the engine has drawn for the next run of the workflow.
  mutating func draw(_ workflowID: String, ofActivity: Bool = false) -> WorkflowExecutionStarted? {
    let place = drawn.firstIndex {
      $0.isActivity == ofActivity && $0.workflowID.utf8.elementsEqual(workflowID.utf8)
    }
    if place == nil { objections.append("a run of '\(workflowID)' had to be started") }
    return place.map { drawn.remove(at: $0) }
  }

  // MARK: - Signals and cancel requests

  mutating func signal(_ id: RequestID, _ r: SignalWorkflowRequest, _ request: Request)
    -> Response?
  {
    let workflowID = r.execution?.workflowID ?? ""
    if let answer = before("Signal", workflowID, r.requestID, request) { return answer }
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let run):
      if park(id, request, run) { return nil }
      if let fault = cannotSignal(run) { return fault }
      var answer = SignalWorkflowResponse()
      answer.runID = run.id
      remember(
        "Signal", run, r.requestID, request, event: run.lastEventID + 1, .signal(answer))
      signal(run, r.signalName, r.input, r.header, r.identity, r.requestID)
      return .signal(answer)
    }
  }

  private func cannotSignal(_ run: ModelRun) -> Response? {
    if !run.isOpen {
      return .failure(.of(.failedPrecondition, .workflowClosed, run: run.id))
    }
    if run.signals >= limits.signalsPerRunMax {
      return .failure(.of(.resourceExhausted, .limitReached, run: run.id))
    }
    return nil
  }

  private mutating func signal(
    _ run: ModelRun, _ name: String, _ input: [Payload], _ header: Header?, _ identity: String,
    _ requestID: String
  ) {
    var signaled = WorkflowExecutionSignaled()
    signaled.signalName = name
    signaled.input = input
    signaled.header = header
    signaled.identity = identity
    signaled.requestID = requestID
    run.signals += 1
    append(.workflowExecutionSignaled(signaled), to: run)
  }

  mutating func signalWithStart(
    _ id: RequestID, _ r: SignalWithStartWorkflowRequest, _ request: Request
  ) -> Response? {
    let start = r.start ?? StartWorkflowRequest()
    let method = "SignalWithStart"
    if let answer = before(method, start.workflowID, start.requestID, request) { return answer }
    if let fault = contradiction(start.searchAttributes, "start.") { return fault }
    var existing = newest(start.workflowID)
    if let run = existing, run.isOpen {
      if park(id, request, run) { return nil }
      if start.idConflictPolicy == .terminateExisting {
        if let status = refusalOfStarts { return .failure(status) }
        terminateForStart(run, start.identity)
        existing = nil
      }
    } else if let run = existing, !allows(start.idReusePolicy, after: run) {
      return alreadyStarted(run)
    }
    let isStart = !(existing?.isOpen ?? false)
    if isStart, let status = refusalOfStarts { return .failure(status) }
    if !isStart, let run = existing, let fault = cannotSignal(run) { return fault }
    guard let run = isStart ? makeRun(start) : existing else { return .failure(Status()) }
    let answer = Response.start(.of(run.id, started: isStart))
    remember(
      method, run, start.requestID, request, event: isStart ? 0 : run.lastEventID + 1, answer)
    signal(
      run, r.signalName, r.signalInput, r.signalHeader, start.identity, start.requestID)
    return answer
  }

  mutating func cancel(_ id: RequestID, _ r: CancelWorkflowRequest, _ request: Request)
    -> Response?
  {
    let workflowID = r.execution?.workflowID ?? ""
    if let answer = before("Cancel", workflowID, r.requestID, request) { return answer }
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let run):
      if run.isOpen && run.isCancelRequested || run.status == .canceled { return .done }
      if park(id, request, run) { return nil }
      guard run.isOpen else {
        return .failure(.of(.failedPrecondition, .workflowClosed, run: run.id))
      }
      remember("Cancel", run, r.requestID, request, event: run.lastEventID + 1, .done)
      run.isCancelRequested = true
      var requested = WorkflowExecutionCancelRequested()
      requested.reason = r.reason
      requested.identity = r.identity
      requested.requestID = r.requestID
      append(.workflowExecutionCancelRequested(requested), to: run)
      return .done
    }
  }

  mutating func terminate(_ r: TerminateWorkflowRequest, _ request: Request) -> Response {
    let workflowID = r.execution?.workflowID ?? ""
    if let answer = before("Terminate", workflowID, r.requestID, request) { return answer }
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let run):
      guard run.isOpen else {
        return .failure(.of(.failedPrecondition, .workflowClosed, run: run.id))
      }
      remember("Terminate", run, r.requestID, request, event: run.lastEventID + 1, .done)
      var terminated = WorkflowExecutionTerminated()
      terminated.reason = r.reason
      terminated.details = r.details
      terminated.identity = r.identity
      append(.workflowExecutionTerminated(terminated), to: run)
      close(run, .terminated)
      return .done
    }
  }

  /// The run is gone, after its end.
  mutating func delete(_ r: DeleteWorkflowRequest) -> Response {
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let run):
      let gone = Status.of(.notFound, .workflowNotFound, run: run.id)
      for (id, _) in run.followers { facts.append(.answered(id, .failure(gone))) }
      run.followers = []
      failQueries(run, gone)
      if run.isOpen {
        var terminated = WorkflowExecutionTerminated()
        let why = r.reason.isEmpty ? "" : ": \(r.reason)"
        terminated.reason = "the workflow is deleted\(why)"
        terminated.identity = r.identity
        append(.workflowExecutionTerminated(terminated), to: run)
        close(run, .terminated)
      } else if let session = run.task.session {
        evict(run, session, .closed)
      }
      deleted.append(run.id)
      runs.removeAll { $0 === run }
      remembered.removeAll { $0.run == run.id }
      return .delete(run.id)
    }
  }

  mutating func pause(_ r: PauseWorkflowRequest, _ request: Request) -> Response {
    switch openRun("Pause", r.execution, r.requestID, request) {
    case .refused(let response): return response
    case .existing(let run), .started(let run):
      guard run.pause == nil else { return .done }
      remember("Pause", run, r.requestID, request, event: run.lastEventID + 1, .done)
      var paused = WorkflowExecutionPaused()
      paused.reason = r.reason
      paused.identity = r.identity
      paused.requestID = r.requestID
      append(.workflowExecutionPaused(paused), to: run)
      failQueries(run, .of(.failedPrecondition, .workflowPaused, run: run.id))
      if run.task.session == nil {
        run.task = run.task.next
        run.isRedo = false
      }
      return .done
    }
  }

  mutating func unpause(_ r: UnpauseWorkflowRequest, _ request: Request) -> Response {
    switch openRun("Unpause", r.execution, r.requestID, request) {
    case .refused(let response): return response
    case .existing(let run), .started(let run):
      guard run.pause != nil else { return .done }
      remember("Unpause", run, r.requestID, request, event: run.lastEventID + 1, .done)
      var unpaused = WorkflowExecutionUnpaused()
      unpaused.reason = r.reason
      unpaused.identity = r.identity
      unpaused.requestID = r.requestID
      append(.workflowExecutionUnpaused(unpaused), to: run)
      for place in run.activities.indices where run.activities[place].state == .scheduled {
        run.activities[place].queue(at: now)
      }
      return .done
    }
  }

  func openRun(
    _ method: String, _ execution: WorkflowExecution?, _ requestID: String, _ request: Request,
    activity: String? = nil
  ) -> Begun {
    let key = activity.map { ModelRun.key(ofActivity: $0) } ?? execution?.workflowID ?? ""
    if let answer = before(method, key, requestID, request) { return .refused(answer) }
    let runID = execution?.runID ?? .none
    switch activity.map({ find(activity: $0, runID) }) ?? find(execution) {
    case .none(let status): return .refused(.failure(status))
    case .run(let run) where run.isOpen: return .existing(run)
    case .run(let run):
      let reason = run.isOfActivity ? Reason.activityClosed : .workflowClosed
      return .refused(.failure(.of(.failedPrecondition, reason, run: run.id)))
    }
  }

  // MARK: - While a redo is out

  /// True if the request has to wait for the end of the redo.
  private func park(_ id: RequestID, _ request: Request, _ run: ModelRun) -> Bool {
    guard run.isOpen, run.isRedo, run.task.session != nil else { return false }
    run.parked.append(.request(id, request))
    return true
  }

  /// The redo is no longer out: what waited for its end is taken up.
  mutating func endRedo(_ run: ModelRun) {
    run.isRedo = false
    resumed += run.parked
    run.parked = []
    if run.isCancelParked { touched += schedules.filter { $0.id == run.started.scheduleID } }
    run.isCancelParked = false
  }

  mutating func abandon(_ id: RequestID) {
    for run in runs {
      run.waiting.removeAll { $0 == id }
      run.followers.removeAll { $0.0 == id }
      run.parked.removeAll { $0.isRequest(id) }
      run.queries.removeAll { $0.request == id }
      run.outcomeWaiting.removeAll { $0.client.id == id }
      for place in run.updates.indices { run.updates[place].clients.removeAll { $0.id == id } }
    }
  }
}

/// The shorter of two timeouts; zero is none.
func shorter(_ a: Span, _ b: Span) -> Span {
  if a == .zero { return b }
  return b == .zero ? a : min(a, b)
}

extension StartWorkflowResponse {
  static func of(_ run: RunID, started: Bool) -> StartWorkflowResponse {
    var response = StartWorkflowResponse()
    response.runID = run
    response.started = started
    return response
  }
}

extension Request {
  /// The same request, whoever sends it.
  func isSame(as other: Request) -> Bool { anonymousBytes == other.anonymousBytes }

  private var anonymousBytes: [UInt8] {
    switch self {
    case .startWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .signalWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .signalWithStartWorkflow(var r):
      r.start?.identity = ""
      return r.serialized()
    case .cancelWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .terminateWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .pauseWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .unpauseWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .pauseActivity(var r):
      r.identity = ""
      return r.serialized()
    case .unpauseActivity(var r):
      r.identity = ""
      return r.serialized()
    case .resetActivity(var r):
      r.identity = ""
      return r.serialized()
    case .updateActivityOptions(var r):
      r.identity = ""
      return r.serialized()
    case .resetWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .forkWorkflow(var r):
      r.identity = ""
      return r.serialized()
    case .completeActivity(var r):
      r.identity = ""
      return r.serialized()
    case .failActivity(var r):
      r.identity = ""
      return r.serialized()
    case .reportActivityCancelled(var r):
      r.identity = ""
      return r.serialized()
    case .activityRun(.start(var r)):
      r.identity = ""
      return r.serialized()
    case .activityRun(.cancel(var r)):
      r.identity = ""
      return r.serialized()
    case .activityRun(.terminate(var r)):
      r.identity = ""
      return r.serialized()
    case .updateWorkflow(let r): return r.bytesOfContent
    case .updateWithStartWorkflow(let r):
      return (r.update ?? UpdateWorkflowRequest()).bytesOfContent
    case .pollUpdate, .queryWorkflow, .deleteWorkflow, .describeWorkflow, .getWorkflowResult,
      .getHistory, .listWorkflows, .countWorkflows, .heartbeatActivity, .describeTaskQueue,
      .setTaskQueueLimits, .workflowType, .schedule, .attribute, .namespace, .batch, .activityRun:
      preconditionFailure("this request has no request id")
    }
  }
}

extension UpdateWorkflowRequest {
  /// What makes it the same update.
  fileprivate var bytesOfContent: [UInt8] {
    var content = UpdateWorkflowRequest()
    content.updateName = updateName
    content.args = args
    content.header = header
    return content.serialized()
  }
}

extension Request {
  /// The run that it names; `none` for whichever is the newest.
  fileprivate var runID: RunID {
    switch self {
    case .signalWorkflow(let r): r.execution?.runID ?? .none
    case .cancelWorkflow(let r): r.execution?.runID ?? .none
    case .terminateWorkflow(let r): r.execution?.runID ?? .none
    case .pauseWorkflow(let r): r.execution?.runID ?? .none
    case .unpauseWorkflow(let r): r.execution?.runID ?? .none
    case .pauseActivity(let r): r.execution?.runID ?? .none
    case .unpauseActivity(let r): r.execution?.runID ?? .none
    case .resetActivity(let r): r.execution?.runID ?? .none
    case .updateActivityOptions(let r): r.execution?.runID ?? .none
    case .resetWorkflow(let r): r.execution?.runID ?? .none
    case .activityRun(.cancel(let r)): r.runID
    case .activityRun(.terminate(let r)): r.runID
    default: .none
    }
  }
}
