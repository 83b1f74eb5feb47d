import Basics
import EngineCore
import Messages

/// Queries: they wait for a turn of their own, in which the code may change nothing.
extension Model {
  mutating func query(_ id: RequestID, _ r: QueryWorkflowRequest) -> Response? {
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let run):
      if run.pause != nil {
        return .failure(.of(.failedPrecondition, .workflowPaused, run: run.id))
      }
      if isHeld(run) {
        return .failure(
          .of(
            .unavailable, .workflowNotBegun, run: run.id,
            retryAfter: max(run.begins - now, Span(ms: 1))))
      }
      if run.permit.isAwaited {
        return .failure(
          .of(.unavailable, .workflowNotBegun, run: run.id, retryAfter: Span(ms: 1_000)))
      }
      if let status = faultOfServers(run) { return .failure(status) }
      if case .waiting(let notBefore) = run.task.state, notBefore > now {
        return .failure(.of(.unavailable, .workflowTaskFailing))
      }
      run.queries.append(
        ModelQuery(request: id, queryType: r.queryType, args: r.args, header: r.header))
      return nil
    }
  }

  private func hasServer(_ run: ModelRun) -> Bool {
    sessions.contains { $0.serves(run) && !$0.isDraining }
  }

  /// Why nobody could answer a query of the run.
  private func faultOfServers(_ run: ModelRun) -> Status? {
    if isDraining { return .of(.unavailable, .draining, retryAfter: Span(ms: 1_000)) }
    return hasServer(run) ? nil : .of(.unavailable, .noWorker)
  }

  mutating func failQueries(_ run: ModelRun, _ status: Status) {
    for query in run.queries { facts.append(.answered(query.request, .failure(status))) }
    run.queries = []
  }

  /// A worker or the engine goes: nobody answers queries of what only it served, but those that
  /// are out, or that a replay is out ahead of.
  mutating func failQueriesWithoutServer() {
    for run in runs where !run.queries.isEmpty {
      let task = run.task
      if task.session != nil && (task.isForQueries || task.isReplaying) { continue }
      if let status = faultOfServers(run) { failQueries(run, status) }
    }
  }

  /// The activation that asks all that wait; the engine chooses their ids.
  func activation(asking run: ModelRun, like m: Activation) -> Activation {
    var activation = activation(of: run, m.token, length: length(run, m))
    activation.activationTimeMs = run.activationTime
    activation.throughEventID = run.through
    if !run.isOpen {
      // Whether its last events count as shown, and its last try, hang on where the run is.
      if m.throughEventID == run.lastEventID { activation.throughEventID = run.lastEventID }
      activation.attempt = m.attempt
    }
    activation.jobs = []
    for place in run.queries.indices {
      if place < m.jobs.count, case .queryWorkflow(let job) = m.jobs[place].kind {
        run.queries[place].queryID = job.queryID
      }
      let query = run.queries[place]
      var asked = QueryWorkflowJob()
      asked.queryID = query.queryID ?? ""
      asked.queryType = query.queryType
      asked.args = query.args
      asked.header = query.header
      var job = Job()
      job.kind = .queryWorkflow(asked)
      activation.jobs.append(job)
    }
    return activation
  }

  mutating func answerQueries(
    _ m: WorkflowTaskCompleted, _ run: ModelRun, _ session: ModelSession
  ) {
    if m.failure != nil || !m.commands.isEmpty { return failQueryTask(run, .taskFailed) }
    run.task.results += m.queryResults
    if m.more {
      run.task.deadline = now + run.started.taskTimeoutMs
      return
    }
    for query in run.queries where query.queryID != nil {
      let result = run.task.results.first { $0.queryID == query.queryID }?.result
      facts.append(.answered(query.request, response(result)))
    }
    run.queries.removeAll { $0.queryID != nil }
    run.task = run.task.next
    facts.append(.told(session.id, .recorded(.of(m.token))))
    if !run.isOpen && run.queries.isEmpty { evict(run, session.id, .closed) }
    endRedo(run)
  }

  private func response(_ result: QueryResult.Result?) -> Response {
    switch result {
    case .succeeded(let list):
      var response = QueryWorkflowResponse()
      response.result = list.payloads
      return .query(response)
    case .failed: return .failure(.of(.invalidArgument, .queryFailed))
    case nil: return .failure(.of(.internal, .queryFailed))
    }
  }

  /// No event, no back-off: the history goes on as if nobody had asked.
  mutating func failQueryTask(_ run: ModelRun, _ reason: EvictReason) {
    if let id = run.task.session { evict(run, id, reason) }
    run.task = run.task.next
    failQueries(run, .of(.unavailable, .workflowTaskFailing))
    endRedo(run)
  }

  /// A run whose code never ran cannot be asked: the engine says so when it would ask.
  mutating func refuses(_ id: RequestID, _ response: Response) -> Bool {
    for run in runs where !run.isOpen && !run.hasPast {
      let refusal = Response.failure(.of(.failedPrecondition, .workflowClosed, run: run.id))
      guard response == refusal, run.queries.contains(where: { $0.request == id }) else { continue }
      run.queries.removeAll { $0.request == id }
      run.task = ModelTask()
      return true
    }
    return false
  }
}
