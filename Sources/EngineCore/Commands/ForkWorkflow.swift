import Basics
import Messages

extension Engine {
  /// ForkWorkflow: another workflow begins with the history of this run up to a point; the run goes
  /// on as it is.
  mutating func forkWorkflow(_ id: RequestID, _ request: ForkWorkflowRequest) {
    if copies[id] != nil { return goOn(id) }  // It has waited for a run.
    let key: WorkflowKey
    switch self.key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let named): key = named
    }
    if let status = fault(in: request) { return refuse(id, status) }
    let input = Input.request(id, .forkWorkflow(request))
    let target = WorkflowKey(namespace: key.namespace, workflowID: request.workflowID)
    let runID = request.execution?.runID ?? .none
    guard let found = find(key, runID, for: input).settled else { return }
    guard let base = found.run else {
      // A repetition is answered, whatever has become of its base.
      return answerRepetition(id, request, target, input, else: .workflowNotFound(key, runID))
    }
    beginCopy(
      id, input, of: base, to: request.point ?? WorkflowPoint(),
      excluding: request.reapplyExclude)
  }

  private mutating func answerRepetition(
    _ id: RequestID, _ request: ForkWorkflowRequest, _ key: WorkflowKey, _ input: Input,
    else status: Status
  ) {
    guard !request.requestID.isEmpty else { return refuse(id, status) }
    let fingerprint = requestKey(method: "ForkWorkflow", key, request.requestID)
    let newest = newest[key].flatMap { runs[$0] }
    let known: FoundRequest
    if let newest, let record = newest.request(fingerprint) {
      known = FoundRequest(run: newest.number, runID: newest.runID, record: record)
    } else {
      switch recall(fingerprint, key, nil, input) {
      case .parked: return
      case .unknown: return refuse(id, status)
      case .known(let found): known = found
      }
    }
    guard known.record.requestHash == request.requestHash else {
      return refuse(id, .requestIDReused(request.requestID, "request_id", known.runID))
    }
    replyForked(id, known.runID, started: true, runs[known.run])
  }

  private func fault(in request: ForkWorkflowRequest) -> Status? {
    if request.workflowID.isEmpty { return .missing("workflow_id") }
    let own = request.execution?.workflowID ?? ""
    if request.workflowID.utf8.elementsEqual(own.utf8) {
      return .invalid(
        "workflow_id", "is the run's own: ResetWorkflow lets the same workflow go on anew")
    }
    return first(
      pointFault(request.point, request.reapplyExclude),
      idFault(request.workflowID, "workflow_id"),
      copyFault(request.reason, request.requestID, request.identity),
      policyFault(request.asStart))
  }

  /// The history has been read.
  mutating func fork(_ id: RequestID, _ request: ForkWorkflowRequest) {
    guard let copy = copies[id] else { return }
    let key = WorkflowKey(
      namespace: copy.base.key.namespace, workflowID: request.workflowID)
    waiting.removeValue(forKey: id)
    guard let found = find(key, .none, for: copy.input).settled else { return }
    let record: RequestRecord?
    switch earlier(
      id, method: "ForkWorkflow", key: key, requestID: request.requestID,
      hash: request.requestHash, run: found.run, input: copy.input)
    {
    case .handled: return
    // The same request has come twice, and the other one was quicker.
    case .done(let known): return replyForked(id, known.runID, started: true, runs[known.run])
    case .new(let new): record = new
    }
    guard let plan = planned(id) else { return }
    switch admit(request.asStart, found.run, default: .fail) {
    case .refuse(let status): refuse(id, status)
    case .use(let run): replyForked(id, run.runID, started: false, run)
    case .start:
      let run = begin(plan, key, reason: request.reason, identity: request.identity)
      remember(record, event: -1, in: run)
      giveAgain(plan.later, to: run)
      leaveBehind(run)
      dispatchAgain(run)
      afterInbound(run)
      replyForked(id, run.runID, started: true, run)
    }
  }

  private mutating func replyForked(
    _ id: RequestID, _ runID: RunID, started: Bool, _ run: Run?
  ) {
    var response = ForkWorkflowResponse()
    response.runID = runID
    response.started = started
    reply(id, .forkWorkflow(response), run.map { .run($0) } ?? .engine)
  }
}

extension ForkWorkflowRequest {
  /// What the id policies are asked with.
  fileprivate var asStart: StartWorkflowRequest {
    var start = StartWorkflowRequest()
    start.namespace = namespace
    start.workflowID = workflowID
    start.idReusePolicy = idReusePolicy
    start.idConflictPolicy = idConflictPolicy
    start.identity = identity
    return start
  }
}
