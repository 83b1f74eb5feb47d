import Basics
import Messages

extension Engine {
  /// DeleteWorkflow: removes one run with all that is kept of it; an open one ends first.
  mutating func deleteWorkflow(_ id: RequestID, _ request: DeleteWorkflowRequest) {
    let key: WorkflowKey
    switch self.key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let named): key = named
    }
    if let status = first(
      textFault(request.reason, "reason"), idFault(request.identity, "identity"))
    {
      return refuse(id, status)
    }
    let runID = request.execution?.runID ?? .none
    let found = find(key, runID, for: .request(id, .deleteWorkflow(request)))
    guard let settled = found.settled else { return }
    guard let run = settled.run else { return refuse(id, .workflowNotFound(key, runID)) }
    var response = DeleteWorkflowResponse()
    response.runID = run.runID
    delete(run, reason: request.reason, identity: request.identity)
    reply(id, .deleteWorkflow(response), .engine)
  }

  mutating func delete(_ run: Run, reason: String, identity: String) {
    let gone = Status.runNotFound(run.key, run.runID)
    for (id, reader) in readers.sorted(by: { $0.key < $1.key })
    where reader.historyRun == run.number {
      endReader(id, gone, .engine)
    }
    for id in copies.keys.sorted() where copies[id]?.reads(run) ?? false {
      // One that waits for another run is taken up anew, and finds this one gone.
      if isWaiting(id) { refuse(id, gone) } else { endCopy(id) }
    }
    failQueries(run, gone)
    if run.fold.isOpen {
      let why = reason.isEmpty ? "" : ": \(reason)"
      let reason = "the \(run.key.kind.noun) is deleted\(why)"
      terminate(run, reason: reason, details: [], identity: identity)
    } else {
      // A worker that is only shown its history has it too.
      evict(run, .closed, "the workflow is deleted")
      endTask(run)
    }
    run.isRemoved = true
    // What is behind it in the line of its workflow is for the run before, if there is one.
    loading.answer = nil
    touch(run)
  }

  /// The step that removes the run is at its end: nothing may find it from here on. That the store
  /// still tells of it until the write is durable is seen to where its answers are taken.
  mutating func vanish(_ run: Run) {
    counters.removed += 1
    removing.insert(run.number)
    removingUntil = serial
    window.forget(run.number)
    forget(run)
  }
}
