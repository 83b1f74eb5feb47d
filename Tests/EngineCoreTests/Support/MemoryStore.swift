import Basics
import EngineCore
import Messages

/// The store's contract in plain Swift: what the engine may rely on, nothing else.
struct MemoryStore {
  struct StoredRow {
    var row: RunRow
    var state: (through: Int64, bytes: [UInt8])?
    var history: [StoredBatch] = []
    var activities: [Int64: [UInt8]] = [:]
    var requests: [RequestRecord] = []
    /// Of a run that began as a copy, the event that tells of it.
    var copyEvent: Int64 = 0
    var resetTo = RunID.none
  }

  private(set) var runs: [RunNumber: StoredRow] = [:]
  private(set) var letters: [Int64: [UInt8]] = [:]
  private(set) var schedules: [ScheduleNumber: StoredSchedule] = [:]
  private(set) var batchJobs: [BatchJobNumber: StoredBatchJob] = [:]
  private(set) var zones: [String: [UInt8]] = [:]
  private(set) var namespaces: [String: [UInt8]] = [:]
  private(set) var attributeNames: [StoredAttributeName] = []
  private(set) var queueLimits: [StoredQueueLimits] = []
  private(set) var workflowTypeLimits: [StoredWorkflowTypeLimits] = []
  private(set) var permits: [RunNumber: PermitRow] = [:]
  /// The zones of the system.
  var systemZones: (String) -> [UInt8]? = { try? SystemZones.bytes($0) }
  private(set) var epoch: UInt64 = 0
  /// Of all runs that there were.
  private var lastRun = RunNumber(0)
  /// More rows than that take too much memory at once.
  var rowsPerSlice = Int.max
  /// As many rows of other namespaces are passed for one slice.
  var othersPerSlice = Int.max
  /// Runs whose bytes do not match their checksum.
  var corrupt: Set<RunNumber> = []

  mutating func open(window: Int = 100_000) -> OpenedStore {
    epoch += 1
    var filter = IDFilter()
    var counts: [String: RunCounts] = [:]
    for run in runs.values {
      if run.row.closeTime == nil {
        counts[run.row.namespace, default: RunCounts()].open += 1
      } else {
        counts[run.row.namespace, default: RunCounts()].closed += 1
      }
      filter.insert(
        IDFilter.key(namespace: run.row.namespace, workflowID: run.row.workflowID))
      for request in run.requests { filter.insert(request.key) }
    }
    return OpenedStore(
      epoch: epoch, nextRun: RunNumber(lastRun.value + 1),
      deadlines: Array(deadlines(after: (Instant(ms: -1), RunNumber(0))).prefix(window)),
      filter: filter, lastLetter: letters.keys.max() ?? 0,
      zones: zones.sorted { $0.key < $1.key }.map {
        StoredZone(name: $0.key, kept: $0.value, fresh: systemZones($0.key))
      },
      schedules: schedules.sorted { $0.key < $1.key }.map(\.value),
      namespaces: storedNamespaces, runCounts: counts, attributeNames: attributeNames,
      batchJobs: batchJobs.sorted { $0.key < $1.key }.map(\.value), queueLimits: queueLimits,
      workflowTypeLimits: workflowTypeLimits,
      permits: permits.sorted { $0.key < $1.key }.map { StoredPermit(run: $0.key, row: $0.value) })
  }

  private var storedNamespaces: [StoredNamespace] {
    namespaces.sorted { $0.key < $1.key }.map { name, bytes in
      guard let definition = try? NamespaceDefinition(bytes: bytes) else {
        preconditionFailure("namespace \(name) cannot be read")
      }
      return StoredNamespace(name: name, definition: definition)
    }
  }

  /// As a store that was restored from a backup goes on.
  mutating func moveOn(branches: UInt32) {
    epoch = Epoch.first(after: epoch, branches: branches) ?? epoch
  }

  private func deadlines(after: (Instant, RunNumber)) -> [StoredDeadline] {
    runs.values.compactMap { stored in
      stored.row.deadline.map { StoredDeadline(run: stored.row.number, deadline: $0) }
    }
    .filter { ($0.deadline, $0.run) > after }
    .sorted { ($0.deadline, $0.run) < ($1.deadline, $1.run) }
  }

  /// The file has lost the last batch of a run's events.
  mutating func append(_ event: HistoryEvent, to run: RunNumber) {
    var batch = HistoryBatch()
    batch.events = [event]
    runs[run]?.history.append(
      StoredBatch(first: event.eventID, last: event.eventID, bytes: batch.serialized()))
  }

  mutating func loseLastBatch(of run: RunNumber) { runs[run]?.history.removeLast() }

  mutating func apply(_ writes: [Write]) {
    for write in writes { apply(write) }
  }

  private mutating func applyPermit(_ write: Write) {
    switch write {
    case .putWorkflowTypeLimits(let namespace, let type, let bytes):
      workflowTypeLimits.removeAll { $0.workflowType == type && $0.namespace == namespace }
      guard let limits = bytes.flatMap({ try? WorkflowTypeLimits(bytes: $0) }) else { break }
      workflowTypeLimits.append(
        StoredWorkflowTypeLimits(namespace: namespace, workflowType: type, limits: limits))
    case .putPermit(let run, let bytes): permits[run] = try? PermitRow(bytes: bytes)
    case .deletePermit(let run): permits[run] = nil
    default: break
    }
  }

  private mutating func remove(_ namespace: String) {
    precondition(
      !runs.values.contains { $0.row.namespace == namespace }, "\(namespace) goes before its runs")
    namespaces[namespace] = nil
  }

  private mutating func apply(_ write: Write) {
    switch write {
    case .createRun(let row):
      precondition(runs[row.number] == nil, "\(row.number) is created twice")
      runs[row.number] = StoredRow(row: row)
      lastRun = max(lastRun, row.number)
    case .appendHistory(let run, let first, let last, let bytes):
      let expected = (runs[run]!.history.last?.last ?? 0) + 1
      precondition(first == expected, "\(run): event \(first) where \(expected) is next")
      runs[run]!.history.append(StoredBatch(first: first, last: last, bytes: bytes))
    case .copyHistory(let from, let to, let through, let event, let resetTo):
      precondition(runs[to]!.history.isEmpty, "\(to): it has events before it begins as a copy")
      runs[to]!.history = runs[from]!.history.filter { $0.last <= through }
      runs[to]!.copyEvent = event
      if resetTo != .none { runs[from]!.resetTo = resetTo }
    case .wakeRun(let run): runs[run]!.row.deadline = RunRow.immediately
    case .putDetails(let run, let details): runs[run]!.row.details = details
    case .putNamespace(let name, let bytes): namespaces[name] = bytes
    case .deleteNamespace(let name): remove(name)
    case .putAttributeName(let namespace, let name, let type):
      attributeNames.append(StoredAttributeName(namespace: namespace, name: name, type: type))
    case .deleteAttributeName(let namespace, let name):
      attributeNames.removeAll { $0.name == name && $0.namespace == namespace }
    case .putQueueLimits(let namespace, let name, let bytes):
      queueLimits.removeAll { $0.taskQueue == name && $0.namespace == namespace }
      guard let limits = bytes.flatMap({ try? TaskQueueLimits(bytes: $0) }) else { break }
      queueLimits.append(StoredQueueLimits(namespace: namespace, taskQueue: name, limits: limits))
    case .putPermit, .deletePermit, .putWorkflowTypeLimits: applyPermit(write)
    case .setStatus(let run, let status): runs[run]?.row.status = status
    case .closeRun(let run, let status, let closeTime, let length, let bytes):
      runs[run]!.row.status = status
      runs[run]!.row.closeTime = closeTime
      runs[run]!.row.historyLength = length
      runs[run]!.row.historySizeBytes = bytes
      runs[run]!.row.deadline = nil
      runs[run]!.state = nil
      runs[run]!.activities = [:]
    case .saveState(let run, let through, let bytes, let rest):
      runs[run]!.state = (through, bytes)
      runs[run]!.row.rest(rest)
    case .sleepRun(let run, let rest): runs[run]!.row.rest(rest)
    case .putActivity(let run, let event, let bytes): runs[run]!.activities[event] = bytes
    case .deleteActivity(let run, let event): runs[run]!.activities[event] = nil
    case .putRequest(let run, let record): runs[run]!.requests.append(record)
    case .putLetter(let number, let bytes):
      precondition(letters[number] == nil, "letter \(number) is posted twice")
      letters[number] = bytes
    case .deleteLetter(let number):
      precondition(letters.removeValue(forKey: number) != nil, "letter \(number) is not there")
    case .putZone(let name, let bytes): zones[name] = bytes
    case .putSchedule(let number, let bytes):
      let progress = schedules[number]?.progress ?? []
      schedules[number] = StoredSchedule(number: number, definition: bytes, progress: progress)
    case .putScheduleProgress(let number, let bytes): schedules[number]!.progress = bytes
    case .putSkipped: break
    case .deleteSchedule(let number): schedules[number] = nil
    case .putBatchJob(let number, let bytes):
      batchJobs[number] = StoredBatchJob(number: number, definition: bytes, progress: [])
    case .putBatchJobProgress(let number, let bytes): batchJobs[number]!.progress = bytes
    case .deleteBatchJob(let number): batchJobs[number] = nil
    case .deleteRun(let run):
      precondition(runs[run]!.row.closeTime != nil, "\(run) is removed while it is open")
      runs[run] = nil
    }
  }

  func load(_ load: Load) -> Loaded {
    let content = content(load.subject)
    switch (load.subject, content) {
    case (.history(let run, _, _), _) where corrupt.contains(run):
      return Loaded(id: load.id, content: .corrupt("bad checksum"))
    case (_, .run(let stored?, _)) where corrupt.contains(stored.row.number):
      return Loaded(id: load.id, content: .corrupt("bad checksum"))
    default: return Loaded(id: load.id, content: content)
    }
  }

  private func content(_ subject: Load.Subject) -> Loaded.Content {
    switch subject {
    case .workflow(let namespace, let workflowID, let kind, let request):
      let own = runs.values.filter {
        $0.row.namespace == namespace && $0.row.workflowID == workflowID && $0.row.kind == kind
      }
      var found: FoundRequest?
      for run in own.sorted(by: { $0.row.number < $1.row.number }) {
        for record in run.requests where record.key == request {
          found = FoundRequest(run: run.row.number, runID: run.row.runID, record: record)
        }
      }
      let newest = own.max { $0.row.number < $1.row.number }
      return .run(newest.map(stored), request: found)
    case .runNamed(let namespace, let workflowID, let runID):
      let run = runs.values.first {
        $0.row.namespace == namespace && $0.row.workflowID == workflowID && $0.row.runID == runID
      }
      return .run(run.map(stored), request: nil)
    case .run(let number): return .run(runs[number].map(stored), request: nil)
    case .history(let number, let from, let bytesMax):
      var batches: [StoredBatch] = []
      var bytes = 0
      var more = false
      for batch in runs[number]?.history ?? [] where batch.last >= from {
        if !batches.isEmpty && bytes + batch.bytes.count > bytesMax {
          more = true
          break
        }
        bytes += batch.bytes.count
        batches.append(batch)
      }
      return .history(batches, more: more)
    case .zone(let name): return .zone(systemZones(name))
    case .rows(let namespace, let key, let before, let countMax):
      let end = before ?? RunNumber(.max)
      let found = runs.values.map(\.row).filter { $0.number < end && $0.has(key) }
        .sorted { $0.number > $1.number }
      let others = found.filter { $0.namespace != namespace }
      let rows = found.filter { $0.namespace == namespace }
      if others.count > othersPerSlice {
        let seen = others[othersPerSlice - 1].number
        let wanted = rows.prefix(countMax).filter { $0.number > seen }
        if wanted.count < countMax { return .rows(wanted, isCut: true, seen: seen) }
      }
      let wanted = rows.prefix(countMax)
      return .rows(Array(wanted.prefix(rowsPerSlice)), isCut: wanted.count > rowsPerSlice)
    case .deadlines(let deadline, let run, let countMax):
      return .deadlines(Array(deadlines(after: (deadline, run)).prefix(countMax)))
    case .letters(let after, let countMax):
      let numbers = letters.keys.filter { $0 > after }.sorted()
      let read = numbers.prefix(countMax).map { number in
        guard let letter = try? Letter(bytes: letters[number]!) else {
          preconditionFailure("letter \(number) cannot be read")
        }
        return PostedLetter(number: number, letter: letter, isStored: true)
      }
      return .letters(read, more: numbers.count > countMax)
    case .lifetimes(let after, let countMax):
      let rows = runs.values.map(\.row).filter { $0.number > after }
      return .lifetimes(
        rows.sorted { $0.number < $1.number }.prefix(countMax).map {
          StoredLifetime(
            run: $0.number, namespace: $0.namespace, startTime: $0.startTime,
            closeTime: $0.closeTime,
            historySizeBytes: $0.historySizeBytes)
        })
    }
  }

  private func stored(_ run: StoredRow) -> StoredRun {
    let tail: [StoredBatch]
    if run.row.closeTime != nil {
      let ends = [run.history.first?.first, run.history.last?.first]
      tail = run.history.filter { batch in
        ends.contains(batch.first)
          || (batch.first...batch.last).contains(run.copyEvent)
      }
    } else {
      tail = run.history.filter { $0.last > run.state?.through ?? 0 }
    }
    var stored = StoredRun(
      row: run.row, state: run.state?.bytes, stateEvent: run.state?.through ?? 0, tail: tail,
      activities: run.activities.sorted { $0.key < $1.key }.map {
        StoredActivity(scheduledEvent: $0.key, bytes: $0.value)
      }, requests: run.requests)
    stored.copyEvent = run.copyEvent
    stored.resetTo = run.resetTo
    return stored
  }

  /// All events of a run.
  func history(_ run: RunNumber) -> [HistoryEvent] {
    (runs[run]?.history ?? []).flatMap { batch in
      (try? HistoryBatch(bytes: batch.bytes))?.events ?? []
    }
  }
}

extension RunRow {
  fileprivate func has(_ key: RowKey?) -> Bool {
    switch key {
    case nil: true
    case .workflowID(let id): workflowID == id
    case .attribute(let name, let value):
      details.searchAttributes?.fields.contains { $0.name == name && $0.indexed.contains(value) }
        ?? false
    }
  }
}
