import Basics
import Messages

extension Engine {
  /// ResetWorkflow: the workflow goes on in a new run, which has the history of this one up to a
  /// point; an open run ends.
  mutating func resetWorkflow(_ id: RequestID, _ request: ResetWorkflowRequest) {
    if copies[id] != nil { return goOn(id) }  // It has waited for a run.
    if let status = pointFault(request.point, request.reapplyExclude) { return refuse(id, status) }
    let key: WorkflowKey
    switch self.key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let named): key = named
    }
    if let status = copyFault(request.reason, request.requestID, request.identity) {
      return refuse(id, status)
    }
    let runID = request.execution?.runID ?? .none
    let input = Input.request(id, .resetWorkflow(request))
    guard let found = find(key, runID, for: input).settled else { return }
    let earlier = earlier(
      id, method: "ResetWorkflow", key: key, requestID: request.requestID,
      hash: request.requestHash, run: found.run, input: input)
    switch earlier {
    case .handled: return
    case .done(let known): replyReset(id, known.runID, runs[known.run])
    case .new:
      guard let base = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      beginCopy(
        id, input, of: base, to: request.point ?? WorkflowPoint(),
        excluding: request.reapplyExclude)
    }
  }

  /// The history has been read.
  mutating func reset(_ id: RequestID, _ request: ResetWorkflowRequest) {
    guard let copy = copies[id] else { return }
    let base = copy.base
    waiting.removeValue(forKey: id)
    guard let found = find(base.key, .none, for: copy.input).settled, let newest = found.run
    else { return }
    let record: RequestRecord?
    switch earlier(
      id, method: "ResetWorkflow", key: base.key, requestID: request.requestID,
      hash: request.requestHash, run: newest, input: copy.input)
    {
    case .handled: return
    // The same request has come twice, and the other one was quicker.
    case .done(let known): return replyReset(id, known.runID, runs[known.run])
    case .new(let new): record = new
    }
    guard let plan = planned(id) else { return }
    let run = begin(plan, base.key, reason: request.reason, identity: request.identity)
    #if MUTANTS
      let keepsIDs = !Mutant.isOn(.resetForgetsRequests)
    #else
      let keepsIDs = true
    #endif
    for known in base.requests where keepsIDs && (0..<plan.prefix.event).contains(known.event) {
      remember(known, event: known.event, in: run)
    }
    giveAgain(plan.later, to: run)
    if !base.fold.isOpen { askAgain(run) }
    remember(record, event: -1, in: run)
    base.resetTo = run.runID
    touch(base)
    #if MUTANTS
      let endsIt = !Mutant.isOn(.resetLeavesOldRun)
    #else
      let endsIt = true
    #endif
    if newest.fold.isOpen, endsIt { end(newest, by: request, inFavorOf: run) }
    dispatchAgain(run)
    afterInbound(run)
    replyReset(id, run.runID, run)
  }

  /// The open run ends; who waits for its end or for an update of it goes on waiting, for the run
  /// that takes its place.
  private mutating func end(_ run: Run, by request: ResetWorkflowRequest, inFavorOf next: Run) {
    run.resetTo = next.runID
    let admitted = run.updates.filter(\.isAdmitted).map(\.request.updateID)
    for id in run.fold.updates.map(\.updateID) + admitted {
      let key = requestKey(method: Engine.updateMethod, run.key, id)
      let isThere = next.fold.update(id) != nil || next.updates.contains { $0.record.key == key }
      if isThere { moveWaiters(for: key, from: run, to: next) }
    }
    hand(run.updates, from: run, to: next)
    terminate(run, reason: request.reason, details: [], identity: request.identity)
  }

  private mutating func moveWaiters(for update: Fingerprint, from run: Run, to next: Run) {
    #if MUTANTS
      if Mutant.isOn(.resetLosesWaiters) { return }
    #endif
    let waiters = outcomeWaiters.removeValue(
      forKey: AwaitedOutcome(run: run.number, update: update))
    for id in waiters?.inOrder ?? [] {
      var started = false
      if case .update(_, let didStart) = waiting[id] { started = didStart }
      awaitOutcome(id, AwaitedOutcome(run: next.number, update: update), started: started)
    }
  }

  private mutating func replyReset(_ id: RequestID, _ runID: RunID, _ run: Run?) {
    var response = ResetWorkflowResponse()
    response.runID = runID
    reply(id, .resetWorkflow(response), run.map { .run($0) } ?? .engine)
  }

  // MARK: - What is wrong with a request

  func pointFault(_ point: WorkflowPoint?, _ excluded: [ReapplyExclude]) -> Status? {
    guard let point else { return .missing("point") }
    for exclude in excluded {
      switch exclude {
      case .signals, .updates: continue
      case .unspecified, .unrecognized:
        return .invalid("reapply_exclude", "SIGNALS and UPDATES can be left out")
      }
    }
    switch point.kind {
    case .firstWorkflowTask, .lastWorkflowTask: return nil
    case .event:
      return point.eventID > 0
        ? nil : .invalid("point.event_id", "the id of a WorkflowTaskCompleted event, from 1")
    case .beforeActivity:
      return point.activityType.isEmpty
        ? .missing("point.activity_type") : idFault(point.activityType, "point.activity_type")
    case .unspecified, .unrecognized:
      return .invalid(
        "point.kind",
        "FIRST_WORKFLOW_TASK, LAST_WORKFLOW_TASK, EVENT with event_id, or BEFORE_ACTIVITY with"
          + " activity_type")
    }
  }

  func copyFault(_ reason: String, _ requestID: String, _ identity: String) -> Status? {
    first(
      textFault(reason, "reason"), idFault(requestID, "request_id"),
      idFault(identity, "identity"))
  }
}

extension ResetWorkflowRequest: Identified {}
extension ForkWorkflowRequest: Identified {}
