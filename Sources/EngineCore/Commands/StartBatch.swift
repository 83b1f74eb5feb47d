import Basics
import Messages

extension Engine {
  /// StartBatch: one operation for all runs that a filter selects, at a rate.
  mutating func startBatch(_ id: RequestID, _ request: StartBatchRequest) {
    if let status = batchFault(request) { return refuse(id, status) }
    let hash = request.requestHash
    if let known = batchJobs.named(request.batchID, in: request.namespace.orDefault) {
      guard known.definition.requestHash == hash else {
        return refuse(
          id,
          .refusal(
            .alreadyExists, .batchAlreadyExists,
            "batch '\(request.batchID)' is there already; choose another id", field: "batch_id"))
      }
      return reply(id, .batch(.start(StartBatchResponse())), .engine)
    }
    switch batchFilter(request) {
    case .failure(let error): refuse(id, error.status)
    case .success(let filter):
      if let status = refusalOfStarts ?? batchRoomFault { return refuse(id, status) }
      var definition = BatchJobDefinition()
      definition.request = request
      definition.startTimeMs = now
      definition.firstRun = nextRun.value - 1
      definition.requestHash = hash
      if batchJobs.count >= limits.batchJobsMax { batchJobs.removeOldest() }
      let job = BatchJob(batchJobs.takeNumber(), definition, filter, nil)
      batchJobs.insert(job)
      batchJobs.touch(job)
      deadlines.set(.batchJob(job.number), at: now, order: .init(.max, job.number.value))
      var response = StartBatchResponse()
      response.started = true
      reply(id, .batch(.start(response)), .engine)
    }
  }

  private func batchFault(_ request: StartBatchRequest) -> Status? {
    if request.batchID.isEmpty { return .missing("batch_id") }
    if let status = first(
      idFault(request.batchID, "batch_id"), namespaceFault(request.namespace),
      textFault(request.reason, "reason"), idFault(request.identity, "identity"))
    {
      return status
    }
    guard let operation = request.operation, operation.operation != nil else {
      return .missing("operation")
    }
    if let field = operation.filledField {
      return .invalid(
        "operation.\(operation.name).\(field)", "the batch fills it in for each of its runs")
    }
    let rate = request.ratePerSecond
    guard rate >= 0, rate <= limits.batchRateMax, rate == 0 || rate >= limits.batchRateMin else {
      return .invalid(
        "rate_per_second", "\(limits.batchRateMin) to \(Int(limits.batchRateMax)), or 0 for 50")
    }
    return nil
  }

  private var batchRoomFault: Status? {
    guard batchJobs.runningCount >= limits.batchJobsRunningMax else { return nil }
    return .refusal(
      .resourceExhausted, .limitReached,
      "\(limits.batchJobsRunningMax) batches run; wait for one, or stop one",
      retryAfter: Span(ms: 1_000))
  }
}
