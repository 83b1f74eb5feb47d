import Basics
import Messages

extension Engine {
  /// StartActivity: a new run of an activity without a workflow, or by the id policies the one that
  /// is there.
  mutating func startActivity(_ id: RequestID, _ request: StartActivityRequest) {
    if let status = fault(in: request) { return refuse(id, status) }
    let input = Input.request(id, .activityRun(.start(request)))
    #if MUTANTS
      let kind = Mutant.isOn(.idsAreShared) ? RunKind.workflow : .activity
    #else
      let kind = RunKind.activity
    #endif
    let key = WorkflowKey(
      namespace: request.namespace.orDefault, workflowID: request.activityID, kind: kind)
    guard let existing = find(key, .none, for: input).settled else { return }
    let earlier = earlier(
      id, method: "StartActivity", key: key, requestID: request.requestID,
      hash: request.requestHash, run: existing.run, input: input)
    switch earlier {
    case .handled: return
    case .done(let found): return replyActivityStarted(id, found.runID, started: true, nil)
    case .new(let record):
      if let status = typeFault(request.searchAttributes, in: key.namespace) {
        return refuse(id, status)
      }
      switch admit(request, existing.run, default: .fail) {
      case .refuse(let status): refuse(id, status, existing.run.map { .run($0) } ?? .engine)
      case .use(let run): replyActivityStarted(id, run.runID, started: false, run)
      case .start:
        let run = start(request, key)
        remember(record, event: 0, in: run)
        replyActivityStarted(id, run.runID, started: true, run)
      }
    }
  }

  private func fault(in request: StartActivityRequest) -> Status? {
    let options = request.options ?? ActivityTaskOptions()
    if request.activityID.isEmpty { return .missing("activity_id") }
    if request.activityType.isEmpty { return .missing("activity_type") }
    if options.taskQueue.isEmpty { return .missing("options.task_queue") }
    if case .unrecognized(let number) = request.onExhausted {
      return .invalid("on_exhausted", "nothing has the number \(number)")
    }
    return first(
      namespaceFault(request.namespace),
      idFault(request.activityID, "activity_id"), idFault(request.activityType, "activity_type"),
      idFault(options.taskQueue, "options.task_queue"), idFault(request.requestID, "request_id"),
      options.fault, options.conflict, retryFault(options.retryPolicy)?.within("options"),
      payloadFault(request.input, "input", with: request.header), detailFault(request),
      idFault(request.identity, "identity"), textFault(request.userMetadata),
      policyFault(request), delayFault(request), priorityFault(request.priority))
  }

  /// Makes the run, and lets its activity wait for a worker, or for its time.
  private mutating func start(_ request: StartActivityRequest, _ key: WorkflowKey) -> Run {
    let options = request.options ?? ActivityTaskOptions()
    var event = WorkflowExecutionStarted()
    event.begin(request, key, newRunID())
    event.isActivity = true
    event.workflowType = request.activityType
    event.taskQueue = options.taskQueue
    event.firstWorkflowTaskBackoffMs = delay(of: request)
    declare(event.searchAttributes, in: key.namespace)
    let run = begin(event, key, metadata: request.userMetadata)
    var scheduled = ActivityTaskScheduled()
    scheduled.activityID = request.activityID
    scheduled.activityType = request.activityType
    scheduled.take(options)
    scheduled.fillTimeouts(runTimeout: .zero)
    scheduled.retryPolicy = (options.retryPolicy ?? RetryPolicy()).filled(
      default: times.retryIntervalDefault)
    scheduled.input = request.input
    scheduled.header = request.header
    scheduled.onExhausted = request.onExhausted
    scheduled.priority = event.priority
    offerActivity(record(run, .activityTaskScheduled(scheduled)), of: run)
    return run
  }

  private mutating func replyActivityStarted(
    _ id: RequestID, _ runID: RunID, started: Bool, _ run: Run?
  ) {
    var response = StartActivityResponse()
    response.runID = runID
    response.started = started
    reply(id, .activityRun(.start(response)), run.map { .run($0) } ?? .engine)
  }
}
