import Basics
import Messages

/// Batch jobs at work: each reads runs, newest first, and makes a request for those that its filter
/// accepts. What a request does and how far the job has come is written in one step, so that it is
/// done once for each run, whatever happens between.
extension Engine {
  mutating func batchJobDue(_ number: BatchJobNumber) {
    guard let job = batchJobs[number], job.isRunning else { return }
    job.left = job.atOnce
    job.hold = .zero
    goOn(job)
  }

  /// The run that it has asked for is in memory.
  mutating func goOn(_ number: BatchJobNumber) {
    if let job = batchJobs[number] { goOn(job) }
  }

  /// Reads on, if nothing of it is under way.
  private mutating func goOn(_ job: BatchJob) {
    guard job.isRunning, job.underWay == nil, !job.isReading, !job.isTaking else { return }
    guard job.filter != nil else { return endUnread(job) }
    if isDraining || isDiskFull { return wait(job, times.batchRetryPause) }
    job.isReading = true
    // Runs that are not in memory have to be in the store as they are.
    let load = load(
      .rows(
        namespace: job.namespace, key: job.filter?.key, before: job.before,
        countMax: limits.batchSliceRows), .engine)
    loading.purposes[load] = .batchJob(job.number)
  }

  private mutating func wait(_ job: BatchJob, _ pause: Span) {
    let number = job.number
    deadlines.set(.batchJob(number), at: now + pause, order: .init(.max, number.value))
  }

  mutating func takeBatchRows(_ number: BatchJobNumber, _ content: Loaded.Content) {
    guard let job = batchJobs[number] else { return }
    job.isReading = false
    guard job.isRunning else { return }
    switch content {
    case .rows(let rows, let isShort, let seen):
      job.isTaking = true
      let isLast = !isShort && rows.count < limits.batchSliceRows
      let before = job.before
      let next = take(rows, job, seen, isLast: isLast)
      job.isTaking = false
      // What it has passed by it does not look at again, not even after a start of the engine.
      if job.before != before { noteProgress(job) }
      switch next {
      case .read: goOn(job)
      case .wait: wait(job, max(job.pause, job.hold))
      case .end: end(job, .completed)
      case .nothing: break
      }
    case .corrupt(let place):
      counters.corruptRuns += 1
      job.note(WorkflowExecution(), .corrupt(place), limits.batchFailuresMax)
      end(job, .failed)
    default: preconditionFailure("a load of rows was answered with something else")
    }
  }

  private enum NextOfBatch {
    case read, wait, end
    /// It has ended, or a request of it is under way.
    case nothing
  }

  private mutating func take(
    _ rows: [RunRow], _ job: BatchJob, _ seen: RunNumber?, isLast: Bool
  ) -> NextOfBatch {
    for row in rows {
      guard row.kind == .workflow else {
        job.pass(row.number)
        continue
      }
      if isAboutToChange(row), job.woken != row.number {
        job.woken = row.number
        let key = WorkflowKey(namespace: job.namespace, workflowID: row.workflowID)
        let found = find(key, row.runID, for: .batchJob(job.number))
        return found.settled == nil ? .nothing : .read
      }
      let info = runs[row.number].map(info(of:)) ?? listed(row)
      guard job.selects(info) else {
        job.pass(row.number)
        continue
      }
      guard job.left > 0 else { return .wait }
      job.left -= 1
      let last = mail.lastNumber
      operate(job, row.number, info.execution ?? WorkflowExecution())
      guard job.isRunning, job.underWay == nil else { return .nothing }
      // To be tried again.
      if job.before != row.number { return .wait }
      // What it means to other runs comes to them before the next operation does.
      if mail.lastNumber != last { return .read }
    }
    if let seen { job.pass(seen) }
    return isLast ? .end : .read
  }

  /// A deadline of the run has come, and it is not in memory yet.
  private func isAboutToChange(_ row: RunRow) -> Bool {
    guard row.closeTime == nil, runs[row.number] == nil, outside[row.number] == nil else {
      return false
    }
    return row.deadline.map { $0 <= now } ?? false
  }

  private mutating func operate(
    _ job: BatchJob, _ run: RunNumber, _ execution: WorkflowExecution
  ) {
    guard let request = job.request.request(for: execution) else { return }
    lastBatchRequest += 1
    let id = RequestID(connection: RequestID.batchJobs, stream: lastBatchRequest)
    job.underWay = (id, run, execution)
    batchRequests[id] = job.number
    handle(.request(id, request))
  }

  /// The engine has answered a job's own request.
  mutating func operated(_ id: RequestID, _ reply: Reply) {
    guard let number = batchRequests.removeValue(forKey: id), let job = batchJobs[number],
      let (_, run, execution) = job.underWay
    else { return }
    job.underWay = nil
    defer { goOn(job) }
    var failure: Status?
    if case .failure(let status) = reply {
      if status.retryAfterMs > .zero {
        (job.left, job.hold) = (0, status.retryAfterMs)
        return
      }
      failure = status
    }
    noteProgress(job)
    job.pass(run)
    // It has ended, or was removed, since it was read: it is none of the job's runs any more.
    if failure?.reason == .workflowNotFound || failure?.reason == .workflowClosed {
      job.left += 1
      return
    }
    job.note(execution, failure, limits.batchFailuresMax)
    if let failure, failure.isForEachRun { end(job, .failed) }
  }

  /// How far it has come is written with what this step does.
  private mutating func noteProgress(_ job: BatchJob) {
    #if MUTANTS
      if Mutant.isOn(.batchForgetsItsPlace) { return }
    #endif
    batchJobs.touch(job)
  }

  private mutating func endUnread(_ job: BatchJob) {
    job.note(
      WorkflowExecution(),
      .invalid("query", "it names a search attribute that was removed"), limits.batchFailuresMax)
    end(job, .failed)
  }

  private mutating func end(_ job: BatchJob, _ status: BatchStatus) {
    job.end(status, at: now)
    batchJobs.touch(job)
  }

  // MARK: - The store

  mutating func restoreBatchJobs(_ stored: [StoredBatchJob]) {
    for stored in stored {
      guard let definition = try? BatchJobDefinition(bytes: stored.definition),
        let progress = try? BatchJobProgress(bytes: stored.progress)
      else { preconditionFailure("\(stored.number) was read before it was stored") }
      let request = definition.request ?? StartBatchRequest()
      let job = BatchJob(stored.number, definition, try? batchFilter(request).get(), progress)
      batchJobs.insert(job)
      if job.isRunning {
        deadlines.set(.batchJob(job.number), at: .epoch, order: .init(.max, job.number.value))
      }
    }
  }

  func batchFilter(_ request: StartBatchRequest) -> Result<ListFilter, FilterError> {
    Result { () throws(FilterError) in
      try ListSelection(
        parsing: request.query, .batch, limits,
        attributes: listAttributes(in: request.namespace.orDefault)
      ).filter
    }
  }

  mutating func flushBatchJobs() {
    guard batchJobs.hasChanges else { return }
    for number in batchJobs.deleted { out.writes.append(.deleteBatchJob(number)) }
    for job in batchJobs.changed {
      if job.isDefinitionNew {
        out.writes.append(.putBatchJob(job.number, definition: job.definition.serialized()))
        job.definitionIsWritten()
      }
      out.writes.append(.putBatchJobProgress(job.number, bytes: job.progress.serialized()))
    }
    batchJobs.forgetChanges()
  }
}

extension RequestID {
  /// No client's connection has this number.
  package static let batchJobs = UInt64.max

  package var isOfBatchJob: Bool { connection == RequestID.batchJobs }
}

extension Status {
  /// What is wrong with the operation, not with this run.
  fileprivate var isForEachRun: Bool {
    code == .invalidArgument && !field.hasPrefix("point.")
  }
}
