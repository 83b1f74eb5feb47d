import Basics
import Messages

extension Engine {
  /// GetWorkflowResult: answers when the chain of the run has come to its end.
  mutating func getWorkflowResult(_ id: RequestID, _ request: GetWorkflowResultRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .getWorkflowResult(request))
      guard let found = find(key, runID, for: input).settled else { return }
      guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      let next = run.nextRunID
      if next != .none && !request.thisRunOnly {
        return follow(id, request, key, from: run, to: next)
      }
      guard run.fold.isOpen else {
        return reply(id, .getWorkflowResult(result(of: run)), .run(run))
      }
      // Waits by the run's number: the run itself may become dormant meanwhile.
      wait(id, for: AwaitedEnd(run: run.number, isOfChain: !request.thisRunOnly))
    }
  }

  mutating func wait(_ id: RequestID, for end: AwaitedEnd) {
    resultWaiters[end, default: Waiters()].append(id)
    waiting[id] = .result(end)
  }

  /// The chain went on: asks its newest run, or the next one when the workflow id has gone to
  /// another chain since.
  private mutating func follow(
    _ id: RequestID, _ request: GetWorkflowResultRequest, _ key: WorkflowKey, from run: Run,
    to next: RunID
  ) {
    guard
      let found = find(key, .none, for: .request(id, .getWorkflowResult(request))).settled
    else { return }
    // What follows it was removed before it.
    if found.run?.number == run.number { return refuse(id, .workflowNotFound(key, next)) }
    var request = request
    var execution = WorkflowExecution()
    execution.workflowID = key.workflowID
    execution.runID = next
    if let newest = found.run, newest.fold.started.firstRunID == run.fold.started.firstRunID {
      execution.runID = newest.runID
    }
    request.execution = execution
    getWorkflowResult(id, request)
  }

  /// The run has closed: those who wait for the end of the chain wait on where it goes on.
  mutating func tellWaiters(of run: Run) {
    let ownEnd = AwaitedEnd(run: run.number, isOfChain: false)
    var told = resultWaiters.removeValue(forKey: ownEnd)?.inOrder ?? []
    let ofChain = resultWaiters.removeValue(forKey: AwaitedEnd(run: run.number, isOfChain: true))
    if let next = byRunID[run.nextRunID] {
      for id in ofChain?.inOrder ?? [] { wait(id, for: AwaitedEnd(run: next, isOfChain: true)) }
    } else {
      told += ofChain?.inOrder ?? []
    }
    for id in told {
      switch run.key.kind {
      case .workflow: reply(id, .getWorkflowResult(result(of: run)), .run(run))
      case .activity: reply(id, .activityRun(.result(outcome(of: run))), .run(run))
      }
    }
  }
}

/// What a client waits for: the end of one run, or of the chain from that run on.
struct AwaitedEnd: Hashable {
  let run: RunNumber
  let isOfChain: Bool
}
