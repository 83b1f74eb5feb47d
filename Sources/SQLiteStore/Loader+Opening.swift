import Basics
import EngineCore
import Messages

/// What a start of the engine reads.
extension Loader {
  /// A zone's bytes must not stand for those of another.
  static func place(ofZone name: String) -> Int64 {
    Int64(bitPattern: Fingerprint(of: name).low)
  }

  /// Limits must not stand for those of another name.
  static func place(of name: String, in namespace: String) -> Int64 {
    Int64(bitPattern: Fingerprint(of: namespace, name).low)
  }

  static func place(ofNamespace name: String) -> Int64 {
    Int64(bitPattern: Fingerprint(of: name).low)
  }

  private func readNamespaces() throws(Fault) -> [StoredNamespace] {
    let statement: Statement
    do throws(StoreError) {
      statement = try Statement(
        database, "SELECT name, checksum, bytes FROM namespace ORDER BY name")
    } catch { throw .store(error) }
    var found: [StoredNamespace] = []
    try each(statement) { statement throws(Fault) in
      let (name, bytes) = (statement.text(0), statement.bytes(2))
      guard
        Checksum.of(bytes, run: 0, place: Loader.place(ofNamespace: name)) == statement.int(1),
        let definition = try? NamespaceDefinition(bytes: bytes)
      else { throw .damage("namespace '\(name)' does not match its checksum") }
      found.append(StoredNamespace(name: name, definition: definition))
    }
    return found
  }

  private func readQueueLimits() throws(Fault) -> [StoredQueueLimits] {
    try readLimits("queue_limits", "task_queue").map { limits throws(Fault) in
      guard let read = try? TaskQueueLimits(bytes: limits.bytes) else {
        throw .damage("the limits of task queue '\(limits.name)' cannot be decoded")
      }
      return StoredQueueLimits(
        namespace: limits.namespace, taskQueue: limits.name, limits: read)
    }
  }

  private func readWorkflowTypeLimits() throws(Fault) -> [StoredWorkflowTypeLimits] {
    try readLimits("workflow_type_limits", "workflow_type").map { limits throws(Fault) in
      guard let read = try? WorkflowTypeLimits(bytes: limits.bytes) else {
        throw .damage("the limits of workflow type '\(limits.name)' cannot be decoded")
      }
      return StoredWorkflowTypeLimits(
        namespace: limits.namespace, workflowType: limits.name, limits: read)
    }
  }

  private func readLimits(
    _ table: String, _ column: String
  ) throws(Fault) -> [(namespace: String, name: String, bytes: [UInt8])] {
    let statement: Statement
    do throws(StoreError) {
      statement = try Statement(
        database, "SELECT namespace, \(column), checksum, bytes FROM \(table)")
    } catch { throw .store(error) }
    var found: [(namespace: String, name: String, bytes: [UInt8])] = []
    try each(statement) { statement throws(Fault) in
      let (namespace, name, bytes) = (statement.text(0), statement.text(1), statement.bytes(3))
      guard
        Checksum.of(bytes, run: 0, place: Loader.place(of: name, in: namespace))
          == statement.int(2)
      else { throw .damage("\(table): those of '\(name)' do not match their checksum") }
      found.append((namespace, name, bytes))
    }
    return found
  }

  private func readPermits() throws(Fault) -> [StoredPermit] {
    let statement: Statement
    do throws(StoreError) {
      statement = try Statement(database, "SELECT run, checksum, bytes FROM permit ORDER BY run")
    } catch { throw .store(error) }
    var found: [StoredPermit] = []
    try each(statement) { statement throws(Fault) in
      let (run, bytes) = (statement.int(0), statement.bytes(2))
      guard Checksum.of(bytes, run: run, place: 0) == statement.int(1),
        let row = try? PermitRow(bytes: bytes)
      else { throw .damage("the permit of run#\(run) does not match its checksum") }
      found.append(StoredPermit(run: RunNumber(run), row: row))
    }
    return found
  }

  private func readZones() throws(Fault) -> [StoredZone] {
    let statement: Statement
    do throws(StoreError) {
      statement = try Statement(database, "SELECT name, checksum, bytes FROM zone ORDER BY name")
    } catch { throw .store(error) }
    var found: [StoredZone] = []
    try each(statement) { statement throws(Fault) in
      let name = statement.text(0)
      let kept = statement.bytes(2)
      guard Checksum.of(kept, run: 0, place: Loader.place(ofZone: name)) == statement.int(1) else {
        throw .damage("zone '\(name)' does not match its checksum")
      }
      found.append(StoredZone(name: name, kept: kept, fresh: zones.read(name)))
    }
    return found
  }

  private func readSchedules() throws(Fault) -> [StoredSchedule] {
    try readInTwo("schedule").map {
      StoredSchedule(
        number: ScheduleNumber($0.number), definition: $0.definition, progress: $0.progress)
    }
  }

  private func readBatchJobs() throws(Fault) -> [StoredBatchJob] {
    try readInTwo("batch_job").map {
      StoredBatchJob(
        number: BatchJobNumber($0.number), definition: $0.definition, progress: $0.progress)
    }
  }

  /// What has a row for its definition and one for its progress.
  private func readInTwo(
    _ table: String
  ) throws(Fault) -> [(number: Int64, definition: [UInt8], progress: [UInt8])] {
    let statement: Statement
    do throws(StoreError) {
      statement = try Statement(
        database,
        "SELECT \(table), d.checksum, d.bytes, p.checksum, p.bytes FROM \(table) AS d"
          + " JOIN \(table)_progress AS p USING (\(table)) ORDER BY \(table)")
    } catch { throw .store(error) }
    var found: [(number: Int64, definition: [UInt8], progress: [UInt8])] = []
    try each(statement) { statement throws(Fault) in
      let number = statement.int(0)
      let (definition, progress) = (statement.bytes(2), statement.bytes(4))
      guard Checksum.of(definition, run: 0, place: number) == statement.int(1),
        Checksum.of(progress, run: 0, place: -number) == statement.int(3)
      else { throw .damage("\(table)#\(number) does not match its checksum") }
      found.append((number, definition, progress))
    }
    return found
  }

  private func readAttributeNames() throws(StoreError) -> [StoredAttributeName] {
    let statement = try Statement(
      database, "SELECT namespace, name, type FROM attribute_name ORDER BY namespace, name")
    var found: [StoredAttributeName] = []
    while try statement.step() {
      found.append(
        StoredAttributeName(
          namespace: statement.text(0), name: statement.text(1),
          type: SearchAttributeType(rawValue: Int32(statement.int(2)))))
    }
    return found
  }

  func opened(window: Int) throws(StoreError) -> OpenedStore {
    let epoch = try database.query("SELECT value FROM meta WHERE name = 'epoch'")
    let newest = try database.query("SELECT coalesce(max(run), 0) FROM run")
    // 'last_run' is there when newer runs have been removed.
    let last = try database.query(
      "SELECT max(\(newest), coalesce(max(value), 0)) FROM meta WHERE name = 'last_run'")
    // It is there when time has been skipped.
    let skipped = try database.query(
      "SELECT coalesce(max(value), -1) FROM meta WHERE name = 'skipped_ms'")
    let letter = try database.query("SELECT coalesce(max(letter), 0) FROM letter")
    var filter = IDFilter(expected: Int(newest) * 2)
    var counts: [String: RunCounts] = [:]
    let ids = try Statement(
      database, "SELECT namespace, workflow_id, close_ms IS NULL FROM run NOT INDEXED")
    while try ids.step() {
      let namespace = ids.text(0)
      filter.insert(IDFilter.key(namespace: namespace, workflowID: ids.text(1)))
      if ids.int(2) != 0 {
        counts[namespace, default: RunCounts()].open += 1
      } else {
        counts[namespace, default: RunCounts()].closed += 1
      }
    }
    let keys = try Statement(database, "SELECT key FROM request")
    while try keys.step() {
      let key = keys.words(0)
      filter.insert(Fingerprint(high: key.high, low: key.low))
    }
    let names = try readAttributeNames()
    do throws(Fault) {
      return OpenedStore(
        epoch: UInt64(epoch), nextRun: RunNumber(last + 1),
        deadlines: try readDeadlines(Instant(ms: -1), RunNumber(0), window), filter: filter,
        lastLetter: letter, zones: try readZones(), schedules: try readSchedules(),
        namespaces: try readNamespaces(), runCounts: counts, attributeNames: names,
        batchJobs: try readBatchJobs(),
        queueLimits: try readQueueLimits(),
        workflowTypeLimits: try readWorkflowTypeLimits(), permits: try readPermits(),
        skipped: skipped < 0 ? nil : Span(ms: skipped))
    } catch {
      switch error {
      case .store(let error): throw error
      case .damage(let place): throw .corrupt(path: database.path, what: place)
      }
    }
  }
}
