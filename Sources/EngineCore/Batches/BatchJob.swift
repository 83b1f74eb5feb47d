import Basics
import Messages

/// One operation that is done for all runs that a filter selects, from the newest to the oldest of
/// those that were there when it started.
final class BatchJob {
  let number: BatchJobNumber
  let definition: BatchJobDefinition
  /// nil: it cannot be read any more, since a name in it was removed.
  let filter: ListFilter?
  private(set) var progress: BatchJobProgress

  /// The request that is made for the run which has its turn, until it is answered.
  var underWay: (id: RequestID, run: RunNumber, execution: WorkflowExecution)?
  var isReading = false
  /// While the rows that were read are gone through.
  var isTaking = false
  /// The run that was brought into memory last, to see what becomes of it first.
  var woken: RunNumber?
  /// Operations that it may still do before the next one has to wait.
  var left = 0
  /// What was refused for now asks for so long a wait.
  var hold = Span.zero
  var isTouched = false
  private(set) var isDefinitionNew: Bool

  init(
    _ number: BatchJobNumber, _ definition: BatchJobDefinition, _ filter: ListFilter?,
    _ progress: BatchJobProgress?
  ) {
    self.number = number
    self.definition = definition
    self.filter = filter
    isDefinitionNew = progress == nil
    if let progress {
      self.progress = progress
    } else {
      self.progress = BatchJobProgress()
      self.progress.status = .running
    }
  }

  var request: StartBatchRequest { definition.request ?? StartBatchRequest() }
  var namespace: String { request.namespace.orDefault }
  var isRunning: Bool { progress.status == .running }

  /// Runs with lower numbers come next.
  var before: RunNumber {
    #if MUTANTS
      if Mutant.isOn(.batchMeetsNewRuns), progress.run == 0 { return RunNumber(.max) }
    #endif
    return RunNumber(progress.run == 0 ? definition.firstRun + 1 : progress.run)
  }

  // MARK: - Its pace

  private var rate: Double { request.ratePerSecond == 0 ? 50 : request.ratePerSecond }

  /// Operations at one time, since times are in milliseconds.
  var atOnce: Int { max(1, Int((rate / 1_000).rounded(.up))) }

  var pause: Span { Span(ms: max(1, Int64((Double(atOnce) * 1_000 / rate).rounded(.up)))) }

  // MARK: - Its runs

  /// The operation is for this run, too.
  func selects(_ info: WorkflowInfo) -> Bool {
    guard filter?.accepts(info) ?? false else { return false }
    #if MUTANTS
      if Mutant.isOn(.batchMeetsClosed) { return true }
    #endif
    return info.closeTimeMs == .epoch || request.operation?.isForClosed ?? false
  }

  func pass(_ run: RunNumber) { progress.run = run.value }

  func note(_ execution: WorkflowExecution, _ failure: Status?, _ failuresMax: Int) {
    guard let failure else { return progress.succeeded += 1 }
    progress.failed += 1
    guard progress.failures.count < failuresMax else { return }
    var kept = BatchFailure()
    kept.execution = execution
    kept.status = failure
    kept.status?.message = failure.message.cut(to: 200)
    progress.failures.append(kept)
  }

  // MARK: - Its end

  func end(_ status: BatchStatus, at time: Instant) {
    progress.status = status
    progress.closeTimeMs = time
  }

  func stop(_ request: StopBatchRequest, at time: Instant) {
    end(.stopped, at: time)
    progress.stopReason = request.reason
    progress.stopIdentity = request.identity
  }

  func definitionIsWritten() { isDefinitionNew = false }

  // MARK: - What is shown of it

  var info: BatchInfo {
    var info = BatchInfo()
    info.batchID = request.batchID
    info.query = request.query
    info.operation = request.operation?.name ?? ""
    info.status = progress.status
    info.startTimeMs = definition.startTimeMs
    info.closeTimeMs = progress.closeTimeMs
    info.succeeded = progress.succeeded
    info.failed = progress.failed
    info.progress = share
    info.ratePerSecond = rate
    info.reason = request.reason
    info.identity = request.identity
    info.stopReason = progress.stopReason
    info.stopIdentity = progress.stopIdentity
    return info
  }

  private var share: Double {
    if progress.status == .completed || definition.firstRun == 0 { return 1 }
    let done = definition.firstRun + 1 - before.value
    return Double(done) / Double(definition.firstRun)
  }
}

/// All batch jobs of the engine. They stay in memory, so that what concerns one happens in a step.
struct BatchJobs {
  private var jobs: [BatchJobNumber: BatchJob] = [:]
  private var nextNumber = BatchJobNumber(1)
  /// What this step has to write; empty between steps.
  private(set) var changed: [BatchJob] = []
  private(set) var deleted: [BatchJobNumber] = []

  var hasChanges: Bool { !changed.isEmpty || !deleted.isEmpty }
  var count: Int { jobs.count }
  var runningCount: Int { jobs.values.count { $0.isRunning } }
  func runningCount(in namespace: String) -> Int {
    jobs.values.count { $0.isRunning && $0.namespace == namespace }
  }
  /// The oldest first.
  func ended(in namespace: String) -> [BatchJob] {
    all.filter { !$0.isRunning && $0.namespace == namespace }.reversed()
  }
  /// The newest first.
  var all: [BatchJob] { jobs.sorted { $0.key > $1.key }.map(\.value) }

  subscript(number: BatchJobNumber) -> BatchJob? { jobs[number] }

  func named(_ id: String, in namespace: String) -> BatchJob? {
    jobs.values.first {
      $0.namespace == namespace && $0.request.batchID.utf8.elementsEqual(id.utf8)
    }
  }

  mutating func takeNumber() -> BatchJobNumber {
    defer { nextNumber = BatchJobNumber(nextNumber.value + 1) }
    return nextNumber
  }

  mutating func insert(_ job: BatchJob) {
    jobs[job.number] = job
    nextNumber = max(nextNumber, BatchJobNumber(job.number.value + 1))
  }

  /// Makes room for a new one: the oldest of those that have ended goes.
  mutating func removeOldest() {
    guard let oldest = jobs.values.filter({ !$0.isRunning }).min(by: { $0.number < $1.number })
    else { return }
    remove(oldest)
  }

  mutating func remove(_ job: BatchJob) {
    jobs.removeValue(forKey: job.number)
    changed.removeAll { $0 === job }
    deleted.append(job.number)
  }

  /// Marks it as changed by this step.
  mutating func touch(_ job: BatchJob) {
    guard !job.isTouched else { return }
    job.isTouched = true
    changed.append(job)
  }

  mutating func forgetChanges() {
    for job in changed { job.isTouched = false }
    changed.removeAll(keepingCapacity: true)
    deleted.removeAll(keepingCapacity: true)
  }
}
