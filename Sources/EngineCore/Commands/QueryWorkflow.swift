import Basics
import Messages

extension Engine {
  /// QueryWorkflow: asks the run's code, open or closed, after everything acknowledged so far.
  mutating func queryWorkflow(_ id: RequestID, _ request: QueryWorkflowRequest) {
    switch key(request.namespace, request.execution) {
    case .failure(let refusal): return refuse(id, refusal.status)
    case .success(let key):
      if let status = fault(in: request) { return refuse(id, status) }
      let runID = request.execution?.runID ?? .none
      let input = Input.request(id, .queryWorkflow(request))
      guard let found = find(key, runID, for: input).settled else { return }
      guard let run = found.run else { return refuse(id, .workflowNotFound(key, runID)) }
      ask(run, request, id)
    }
  }

  private func fault(in request: QueryWorkflowRequest) -> Status? {
    if request.queryType.isEmpty { return .missing("query_type") }
    return first(
      idFault(request.queryType, "query_type"),
      payloadFault(request.args, "args", with: request.header))
  }

  private mutating func ask(_ run: Run, _ request: QueryWorkflowRequest, _ id: RequestID) {
    if run.fold.pause != nil { return refuse(id, .workflowPaused(run), .run(run)) }
    if let time = run.fold.firstTaskTime, run.isHeld {
      return refuse(id, .notBegun(run, in: time - now), .run(run))
    }
    if run.permit.isAwaited { return refuse(id, .notBegun(run), .run(run)) }
    if let status = serverFault(run) { return refuse(id, status, .run(run)) }
    if case .backingOff = run.task.state {
      return refuse(
        id,
        .refusal(
          .unavailable, .workflowTaskFailing,
          "the workflow task is failing: \(run.task.lastFailed?.failure?.text ?? "timed out")"),
        .run(run))
    }
    if run.queries.count >= limits.queriesWaitingMax {
      return refuse(
        id,
        .refusal(
          .resourceExhausted, .overloaded, "too many queries wait for this workflow",
          retryAfter: Span(ms: 1_000)), .run(run))
    }
    run.queries.append(
      WaitingQuery(request: id, query: request, id: "\(id.connection).\(id.stream)"))
    waiting[id] = .query(run.number)
    offerTask(run)
  }

  /// Why no query of the run can go out.
  private func serverFault(_ run: Run) -> Status? {
    if isDraining { return .draining }
    guard !hasServer(workflow: run.workflowType, on: run.queue) else { return nil }
    return .refusal(
      .unavailable, .noWorker,
      "no worker for workflow type '\(run.workflowType)' is attached to task queue"
        + " '\(run.queue.name)'")
  }

  /// A worker or the engine is going away: queries that nobody will answer any more are refused at
  /// once. Those that are out may still be answered; those that a replay is out for, or ahead of,
  /// are looked at when it has ended.
  mutating func failQueriesWithoutServer() {
    var asked: Set<RunNumber> = []
    for case .query(let number) in waiting.values { asked.insert(number) }
    for number in asked.sorted() {
      if let run = runs[number] { failQueriesWithoutServer(of: run) }
    }
  }

  mutating func failQueriesWithoutServer(of run: Run) {
    let lease = run.task.lease
    guard !run.queries.isEmpty, lease?.purpose != .query, lease?.replay == nil,
      let status = serverFault(run)
    else { return }
    failQueries(run, status)
  }
}

extension Job {
  init(asking waiting: WaitingQuery) {
    self.init()
    var query = QueryWorkflowJob()
    query.queryID = waiting.id
    query.queryType = waiting.query.queryType
    query.args = waiting.query.args
    query.header = waiting.query.header
    kind = .queryWorkflow(query)
  }
}

extension [WaitingQuery] {
  /// The oldest ones, as many as one activation holds; at least one.
  func prefix(fitting bytesMax: Int) -> ArraySlice<WaitingQuery> {
    var count = 0
    var bytes = 0
    for waiting in self {
      let header = waiting.query.header?.fields.compactMap(\.value) ?? []
      bytes += 128 + waiting.query.args.bytes + header.bytes
      if count > 0 && bytes > bytesMax { break }
      count += 1
    }
    return self[..<count]
  }
}
