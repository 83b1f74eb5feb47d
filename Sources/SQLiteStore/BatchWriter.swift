import Basics
import EngineCore
import Messages

/// Applies the writes of a batch within its transaction.
final class BatchWriter {
  private let beginBatch: Statement
  private let commitBatch: Statement
  private let createRun: Statement
  private let appendHistory: Statement
  private let batches: Statement
  private let putCopy: Statement
  private let wakeRun: Statement
  private let setStatus: Statement
  private let closeRun: Statement
  private let dropState: Statement
  private let dropActivities: Statement
  private let saveState: Statement
  private let updateRun: Statement
  private let putActivity: Statement
  private let deleteActivity: Statement
  private let putRequest: Statement
  private let putLetter: Statement
  private let deleteLetter: Statement
  private let putZone: Statement
  private let putSchedule: Statement
  private let putScheduleProgress: Statement
  private let deleteSchedule: [Statement]
  private let putBatchJob: Statement
  private let putBatchJobProgress: Statement
  private let deleteBatchJob: [Statement]
  /// Everything of a run.
  private let deleteRun: [Statement]
  private let keepNumber: Statement
  private let putSkipped: Statement
  private let details: Statement
  private let putDetails: Statement
  private let putAttribute: Statement
  private let deleteAttribute: Statement
  private let putNamespace: Statement
  private let deleteNamespace: Statement
  private let putAttributeName: Statement
  private let deleteAttributeName: Statement
  private let queueLimits: LimitsWriter
  private let workflowTypeLimits: LimitsWriter
  private let putPermit: Statement
  private let deletePermit: Statement

  init(_ database: Database) throws(StoreError) {
    beginBatch = try Statement(database, "BEGIN IMMEDIATE")
    commitBatch = try Statement(database, "COMMIT")
    createRun = try Statement(database, "INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,'')")
    appendHistory = try Statement(database, "INSERT INTO history VALUES (?,?,?,?,?)")
    batches = try Statement(
      database,
      "SELECT first, last, checksum, bytes FROM history WHERE run = ? AND last <= ? ORDER BY first")
    putCopy = try Statement(database, "INSERT INTO copy VALUES (?,?,?,?)")
    wakeRun = try Statement(database, "UPDATE run SET deadline = 0 WHERE run = ?")
    setStatus = try Statement(database, "UPDATE run SET status = ?2 WHERE run = ?1")
    closeRun = try Statement(
      database,
      "UPDATE run SET status = ?2, close_ms = ?3, history_length = ?4, history_bytes = ?5,"
        + " deadline = NULL WHERE run = ?1")
    dropState = try Statement(database, "DELETE FROM state WHERE run = ?")
    dropActivities = try Statement(database, "DELETE FROM activity WHERE run = ?")
    saveState = try Statement(database, "INSERT OR REPLACE INTO state VALUES (?,?,?,?)")
    updateRun = try Statement(
      database,
      "UPDATE run SET deadline = ?2, history_length = ?3, history_bytes = ?4, problems = ?5"
        + " WHERE run = ?1")
    putActivity = try Statement(database, "INSERT OR REPLACE INTO activity VALUES (?,?,?,?)")
    deleteActivity = try Statement(
      database, "DELETE FROM activity WHERE run = ? AND scheduled_event = ?")
    putRequest = try Statement(database, "INSERT OR REPLACE INTO request VALUES (?,?,?,?)")
    putLetter = try Statement(database, "INSERT INTO letter VALUES (?,?,?)")
    deleteLetter = try Statement(database, "DELETE FROM letter WHERE letter = ?")
    putZone = try Statement(database, "INSERT OR REPLACE INTO zone VALUES (?,?,?)")
    putSchedule = try Statement(database, "INSERT OR REPLACE INTO schedule VALUES (?,?,?)")
    putScheduleProgress = try Statement(
      database, "INSERT OR REPLACE INTO schedule_progress VALUES (?,?,?)")
    deleteSchedule = try BatchWriter.deleteInTwo(database, "schedule")
    putBatchJob = try Statement(database, "INSERT OR REPLACE INTO batch_job VALUES (?,?,?)")
    putBatchJobProgress = try Statement(
      database, "INSERT OR REPLACE INTO batch_job_progress VALUES (?,?,?)")
    deleteBatchJob = try BatchWriter.deleteInTwo(database, "batch_job")
    putDetails = try Statement(database, "INSERT OR REPLACE INTO detail VALUES (?,?,?)")
    details = try Statement(database, "SELECT bytes FROM detail WHERE run = ?")
    putAttribute = try Statement(database, "INSERT OR REPLACE INTO attribute VALUES (?,?,?)")
    deleteAttribute = try Statement(
      database, "DELETE FROM attribute WHERE name = ? AND value = ? AND run = ?")
    putNamespace = try Statement(database, "INSERT OR REPLACE INTO namespace VALUES (?,?,?)")
    deleteNamespace = try Statement(database, "DELETE FROM namespace WHERE name = ?")
    putAttributeName = try Statement(
      database, "INSERT OR REPLACE INTO attribute_name VALUES (?,?,?)")
    deleteAttributeName = try Statement(
      database, "DELETE FROM attribute_name WHERE namespace = ? AND name = ?")
    queueLimits = try LimitsWriter(database, "queue_limits", "task_queue")
    workflowTypeLimits = try LimitsWriter(database, "workflow_type_limits", "workflow_type")
    putPermit = try Statement(database, "INSERT OR REPLACE INTO permit VALUES (?,?,?)")
    deletePermit = try Statement(database, "DELETE FROM permit WHERE run = ?")
    // What it is a copy of is told until both are gone.
    let copies =
      "DELETE FROM copy WHERE (run = ?1 OR base = ?1)"
      + " AND NOT EXISTS (SELECT 1 FROM run WHERE run.run IN (copy.run, copy.base))"
    deleteRun =
      try ["history", "request", "activity", "state", "detail", "run"]
      .map { table throws(StoreError) in
        try Statement(database, "DELETE FROM \(table) WHERE run = ?")
      } + [Statement(database, copies)]
    // The newest run's number outlives it: numbers are never given again.
    keepNumber = try Statement(
      database,
      "INSERT INTO meta SELECT 'last_run', ?1 WHERE ?1 > (SELECT coalesce(max(run), 0) FROM run)"
        + " ON CONFLICT DO UPDATE SET value = max(value, excluded.value)")
    putSkipped = try Statement(
      database,
      "INSERT INTO meta VALUES ('skipped_ms', ?) ON CONFLICT DO UPDATE SET value = excluded.value")
  }

  /// Of what has a row for its definition and one for its progress.
  private static func deleteInTwo(
    _ database: Database, _ name: String
  ) throws(StoreError) -> [Statement] {
    try [name, "\(name)_progress"].map { table throws(StoreError) in
      try Statement(database, "DELETE FROM \(table) WHERE \(name) = ?")
    }
  }

  func begin() throws(StoreError) { try beginBatch.run() }

  /// The one sync of the batch.
  func commit() throws(StoreError) { try commitBatch.run() }

  func apply(_ write: Write) throws(StoreError) {
    switch write {
    case .createRun(let row): try create(row)
    case .appendHistory(let run, let first, let last, let bytes):
      precondition(first >= 1 && first <= last, "a batch of events \(first)...\(last)")
      #if MUTANTS
        if Mutant.isOn(.batchIsSkipped), first > 1, first % 8 == 0 { return }
      #endif
      appendHistory.bind(1, run.value)
      appendHistory.bind(2, first)
      appendHistory.bind(3, last)
      try blob(appendHistory, 4, bytes, run: run.value, place: first)
    case .putDetails(let run, let details): try put(details, of: run)
    case .copyHistory(let from, let to, let through, let event, let resetTo):
      try copyHistory(from, to, through: through)
      try note(from, to, event, resetTo)
    case .wakeRun(let run):
      wakeRun.bind(1, run.value)
      try wakeRun.run()
    case .setStatus(let run, let status):
      setStatus.bind(1, run.value)
      setStatus.bind(2, Int64(status.rawValue))
      try setStatus.run()
    case .closeRun(let run, let status, let closeTime, let length, let bytes):
      try close(run, status, closeTime, length, bytes)
    case .saveState(let run, let through, let bytes, let rest):
      try update(run, rest)
      saveState.bind(1, run.value)
      saveState.bind(2, through)
      try blob(saveState, 3, bytes, run: run.value, place: through)
    case .sleepRun(let run, let rest): try update(run, rest)
    case .putActivity(let run, let event, let bytes):
      putActivity.bind(1, run.value)
      putActivity.bind(2, event)
      try blob(putActivity, 3, bytes, run: run.value, place: event)
    case .deleteActivity(let run, let event):
      deleteActivity.bind(1, run.value)
      deleteActivity.bind(2, event)
      try deleteActivity.run()
    case .deleteRun(let run): try delete(run)
    case .putRequest(let run, let record):
      putRequest.bind(1, run.value)
      putRequest.bind(2, high: record.key.high, low: record.key.low)
      putRequest.bind(3, Int64(bitPattern: record.requestHash))
      putRequest.bind(4, record.event)
      try putRequest.run()
    case .putLetter(let number, let bytes):
      putLetter.bind(1, number)
      try blob(putLetter, 2, bytes, run: 0, place: number)
    case .deleteLetter(let number):
      deleteLetter.bind(1, number)
      try deleteLetter.run()
    case .putPermit(let run, let bytes):
      putPermit.bind(1, run.value)
      try blob(putPermit, 2, bytes, run: run.value, place: 0)
    case .deletePermit(let run):
      deletePermit.bind(1, run.value)
      try deletePermit.run()
    case .putZone, .putSchedule, .putScheduleProgress, .deleteSchedule, .putSkipped,
      .putNamespace, .deleteNamespace, .putAttributeName, .deleteAttributeName, .putBatchJob,
      .putBatchJobProgress, .deleteBatchJob, .putQueueLimits, .putWorkflowTypeLimits:
      try keep(write)
    }
  }

  private func note(
    _ base: RunNumber, _ copy: RunNumber, _ event: Int64, _ resetTo: RunID
  ) throws(StoreError) {
    putCopy.bind(1, copy.value)
    putCopy.bind(2, base.value)
    putCopy.bind(3, event)
    putCopy.bind(4, high: resetTo.high, low: resetTo.low)
    try putCopy.run()
  }

  /// The bytes go from row to row; what guards them is told the new run, so that damage stays
  /// damage.
  private func copyHistory(_ from: RunNumber, _ to: RunNumber, through: Int64) throws(StoreError) {
    #if MUTANTS
      let through = Mutant.isOn(.copyIsShort) ? through - 1 : through
    #endif
    batches.bind(1, from.value)
    batches.bind(2, through)
    defer { batches.reset() }
    while try batches.step() {
      let first = batches.int(0)
      appendHistory.bind(1, to.value)
      appendHistory.bind(2, first)
      appendHistory.bind(3, batches.int(1))
      appendHistory.bind(
        4, Checksum.moved(batches.int(2), from: from.value, to: to.value, place: first))
      let bytes = batches.bytes(3)
      let result = bytes.withUnsafeBytes { buffer -> Result<Void, StoreError> in
        appendHistory.bind(5, static: buffer)
        do throws(StoreError) {
          return .success(try appendHistory.run())
        } catch { return .failure(error) }
      }
      try result.get()
    }
  }

  private func delete(_ run: RunNumber) throws(StoreError) {
    try each(of: run, deleteAttribute)
    for statement in deleteRun {
      #if MUTANTS
        if Mutant.isOn(.removalLeavesHistory), statement === deleteRun[0] { continue }
      #endif
      statement.bind(1, run.value)
      try statement.run()
    }
    keepNumber.bind(1, run.value)
    try keepNumber.run()
  }

  /// What is written of schedules and their zones, of batch jobs, of names, of queues, and of time.
  private func keep(_ write: Write) throws(StoreError) {
    switch write {
    case .putSkipped(let span):
      putSkipped.bind(1, span.ms)
      try putSkipped.run()
    case .putNamespace(let name, let bytes):
      putNamespace.bind(1, name)
      try blob(putNamespace, 2, bytes, run: 0, place: Loader.place(ofNamespace: name))
    case .deleteNamespace(let name):
      deleteNamespace.bind(1, name)
      try deleteNamespace.run()
    case .putAttributeName(let namespace, let name, let type):
      putAttributeName.bind(1, namespace)
      putAttributeName.bind(2, name)
      putAttributeName.bind(3, Int64(type.rawValue))
      try putAttributeName.run()
    case .deleteAttributeName(let namespace, let name):
      deleteAttributeName.bind(1, namespace)
      deleteAttributeName.bind(2, name)
      try deleteAttributeName.run()
    case .putQueueLimits(let namespace, let taskQueue, let bytes):
      try put(bytes, of: taskQueue, in: namespace, queueLimits)
    case .putWorkflowTypeLimits(let namespace, let workflowType, let bytes):
      try put(bytes, of: workflowType, in: namespace, workflowTypeLimits)
    case .putZone(let name, let bytes):
      putZone.bind(1, name)
      try blob(putZone, 2, bytes, run: 0, place: Loader.place(ofZone: name))
    case .putSchedule(let schedule, let bytes):
      putSchedule.bind(1, schedule.value)
      try blob(putSchedule, 2, bytes, run: 0, place: schedule.value)
    case .putScheduleProgress(let schedule, let bytes):
      putScheduleProgress.bind(1, schedule.value)
      try blob(putScheduleProgress, 2, bytes, run: 0, place: -schedule.value)
    case .deleteSchedule(let schedule):
      for statement in deleteSchedule {
        statement.bind(1, schedule.value)
        try statement.run()
      }
    case .putBatchJob(let job, let bytes):
      putBatchJob.bind(1, job.value)
      try blob(putBatchJob, 2, bytes, run: 0, place: job.value)
    case .putBatchJobProgress(let job, let bytes):
      putBatchJobProgress.bind(1, job.value)
      try blob(putBatchJobProgress, 2, bytes, run: 0, place: -job.value)
    case .deleteBatchJob(let job):
      for statement in deleteBatchJob {
        statement.bind(1, job.value)
        try statement.run()
      }
    default: preconditionFailure("this write is about a run")
    }
  }

  /// nil: it has none any more.
  private func put(
    _ limits: [UInt8]?, of name: String, in namespace: String, _ writer: LimitsWriter
  ) throws(StoreError) {
    let statement = limits == nil ? writer.delete : writer.put
    statement.bind(1, namespace)
    statement.bind(2, name)
    guard let limits else { return try statement.run() }
    try blob(statement, 3, limits, run: 0, place: Loader.place(of: name, in: namespace))
  }

  private func close(
    _ run: RunNumber, _ status: WorkflowStatus, _ closeTime: Instant, _ length: Int64,
    _ bytes: Int64
  ) throws(StoreError) {
    closeRun.bind(1, run.value)
    closeRun.bind(2, Int64(status.rawValue))
    closeRun.bind(3, closeTime.ms)
    closeRun.bind(4, length)
    closeRun.bind(5, bytes)
    try closeRun.run()
    for statement in [dropState, dropActivities] {
      statement.bind(1, run.value)
      try statement.run()
    }
  }

  private func update(_ run: RunNumber, _ rest: RunAtRest) throws(StoreError) {
    updateRun.bind(1, run.value)
    updateRun.bind(2, rest.deadline?.ms)
    updateRun.bind(3, rest.historyLength)
    updateRun.bind(4, rest.historySizeBytes)
    updateRun.bind(5, rest.problems)
    try updateRun.run()
  }

  private func create(_ row: RunRow) throws(StoreError) {
    createRun.bind(1, row.number.value)
    createRun.bind(2, row.namespace)
    createRun.bind(3, row.workflowID)
    createRun.bind(4, high: row.runID.high, low: row.runID.low)
    createRun.bind(5, row.workflowType)
    createRun.bind(6, row.taskQueue)
    createRun.bind(7, Int64(row.status.rawValue))
    createRun.bind(8, row.startTime.ms)
    createRun.bind(9, row.closeTime?.ms)
    createRun.bind(10, row.historyLength)
    createRun.bind(11, row.historySizeBytes)
    createRun.bind(12, row.deadline?.ms)
    createRun.bind(13, row.summary)
    createRun.bind(14, row.kind.rawValue)
    try createRun.run()
    if row.details != RunDetails() { try put(row.details, of: row.number) }
  }

  private func put(_ details: RunDetails, of run: RunNumber) throws(StoreError) {
    try each(of: run, deleteAttribute)
    putDetails.bind(1, run.value)
    try blob(putDetails, 2, details.serialized(), run: run.value, place: 0)
    #if MUTANTS
      if Mutant.isOn(.attributesAreNotIndexed), run.value % 2 == 0 { return }
    #endif
    try each(details, of: run, putAttribute)
  }

  /// Runs the statement for each search attribute that the run has so far.
  private func each(of run: RunNumber, _ statement: Statement) throws(StoreError) {
    details.bind(1, run.value)
    let bytes = try details.step() ? details.bytes(0) : []
    details.reset()
    // What cannot be read was not written so; its rows are found by nobody who looks at the run.
    guard let stored = try? RunDetails(bytes: bytes) else { return }
    try each(stored, of: run, statement)
  }

  private func each(_ details: RunDetails, of run: RunNumber, _ statement: Statement)
    throws(StoreError)
  {
    for attribute in details.searchAttributes?.fields ?? [] {
      for value in attribute.indexed {
        statement.bind(1, attribute.name)
        statement.bind(2, value)
        statement.bind(3, run.value)
        try statement.run()
      }
    }
  }

  /// Binds checksum and bytes, and runs: the bytes live in the write until then.
  private func blob(
    _ statement: Statement, _ index: Int32, _ bytes: [UInt8], run: Int64, place: Int64
  ) throws(StoreError) {
    let result = bytes.withUnsafeBytes { buffer -> Result<Void, StoreError> in
      statement.bind(index, Checksum.of(buffer, run: run, place: place))
      statement.bind(index + 1, static: buffer)
      do throws(StoreError) {
        return .success(try statement.run())
      } catch { return .failure(error) }
    }
    try result.get()
  }
}

/// Limits of what has a name in its namespace.
private struct LimitsWriter {
  let put: Statement
  let delete: Statement

  init(_ database: Database, _ table: String, _ name: String) throws(StoreError) {
    put = try Statement(database, "INSERT OR REPLACE INTO \(table) VALUES (?,?,?,?)")
    delete = try Statement(
      database, "DELETE FROM \(table) WHERE namespace = ? AND \(name) = ?")
  }
}
