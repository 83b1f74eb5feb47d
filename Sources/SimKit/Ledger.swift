import Basics
import EngineCore
import Messages
import SQLiteStore

/// What the store holds, as the checkers see it: kept from the writes of each commit, and read anew
/// from the file after each start of the engine.
final class Ledger {
  struct Run {
    var row: RunRow
    var events: [HistoryEvent] = []
    /// Rows of pending activities, by the event that scheduled them.
    var activities: [Int64: ActivityRow] = [:]

    var isOpen: Bool { row.closeTime == nil }
    /// Of one without a workflow.
    var isOfActivity: Bool { row.kind == .activity }

    /// How the event ends the run; nil when it does not.
    func status(after event: HistoryEvent) -> WorkflowStatus? {
      event.closingStatus ?? (isOfActivity ? event.activityStatus : nil)
    }

    func fairnessKey(scheduledEvent: Int64) -> String {
      for event in events where event.eventID == scheduledEvent {
        if case .activityTaskScheduled(let m) = event.attributes {
          return m.priority?.fairnessKey ?? ""
        }
      }
      return ""
    }

    func activityID(scheduledEvent: Int64) -> String? {
      for event in events where event.eventID == scheduledEvent {
        if case .activityTaskScheduled(let m) = event.attributes { return m.activityID }
      }
      return nil
    }
  }

  /// In order of their numbers, which begin with 1.
  private(set) var runs: [Run] = []
  /// Runs that were removed after their retention, as they were.
  private(set) var removed: [RunID: Run] = [:]
  /// A schedule, as the store has it.
  struct KeptSchedule {
    let number: ScheduleNumber
    var definition = ScheduleDefinition()
    var progress = ScheduleProgress()

    /// No action waits.
    var isIdle: Bool { progress.waiting.isEmpty }
  }

  private(set) var schedules: [ScheduleNumber: KeptSchedule] = [:]

  /// A batch job, as the store has it.
  struct KeptBatch {
    var definition = BatchJobDefinition()
    var progress = BatchJobProgress()

    var id: String { definition.request?.batchID ?? "" }
    var hasEnded: Bool { progress.status != .running }
  }

  private(set) var batches: [BatchJobNumber: KeptBatch] = [:]
  /// Of workflow types, and what runs have of them.
  private(set) var typeLimits: [String: WorkflowTypeLimits] = [:]
  private(set) var permits: [RunNumber: PermitRow] = [:]
  /// The runs of namespaces beside `default`.
  private(set) var others: [RunNumber: Run] = [:]
  /// All that there ever were of them.
  private var otherRuns: [RunID: Run] = [:]
  private(set) var namespaces: [String: NamespaceDefinition] = [:]
  private(set) var namesEver: Set<String> = []
  /// Those of the last batch.
  private(set) var justRemoved: [Run] = []
  /// How long their namespaces kept those of them that are not in `default`, as these said then;
  /// what a deleted one held is not among them: it goes when it will.
  private(set) var keptFor: [RunNumber: Span] = [:]
  private var places: [RunNumber: Int] = [:]
  private var numbers: [RunID: RunNumber] = [:]
  /// Results of activities in any history.
  private var results: Set<String> = []
  /// Attempts whose start became durable, though they may have ended since.
  private var starts: Set<AttemptKey> = []

  private struct AttemptKey: Hashable {
    let run: RunID
    let event: Int64
    let attempt: Int32
  }

  /// What is wrong with the bytes themselves.
  private(set) var faults: [String] = []
  /// What the store holds of runs that are not there, or are there again.
  private(set) var leftovers: [String] = []

  func run(_ number: RunNumber) -> Run? { places[number].map { runs[$0] } }
  func run(_ id: RunID) -> Run? { numbers[id].flatMap { run($0) } ?? removed[id] }
  /// Whose history a batch has made longer.
  func runs(extendedBy writes: [Write]) -> [Run] {
    writes.compactMap { write in
      if case .appendHistory(let number, _, _, _) = write { run(number) } else { nil }
    }
  }
  func runs(of id: String, _ kind: RunKind = .workflow) -> [Run] {
    runs.filter { $0.row.workflowID == id && $0.row.kind == kind }
  }
  /// Those that were removed too.
  func everyRun(of id: String, _ kind: RunKind = .workflow) -> [Run] {
    runs(of: id, kind) + removed.values.filter { $0.row.workflowID == id && $0.row.kind == kind }
  }
  var openRuns: [Run] { runs.filter(\.isOpen) }
  func batch(_ id: String) -> KeptBatch? { batches.values.first { $0.id == id } }

  /// An activity of some run has completed with this result.
  func holds(result mark: String) -> Bool { results.contains(mark) }

  func fairnessKey(of event: Int64, _ run: RunNumber) -> String {
    written(run)?.fairnessKey(scheduledEvent: event) ?? ""
  }

  /// Of which the last batch wrote, though it may have removed it since.
  private func written(_ number: RunNumber) -> Run? {
    run(number) ?? justRemoved.first { $0.row.number == number }
  }

  /// It is in no queue.
  func isLocal(_ event: Int64, _ run: RunNumber) -> Bool {
    guard let event = written(run)?.events.first(where: { $0.eventID == event }),
      case .activityTaskScheduled(let m) = event.attributes
    else { return false }
    return m.local
  }

  func hasStarted(_ run: Run, event: Int64, attempt: Int32) -> Bool {
    starts.contains(AttemptKey(run: run.row.runID, event: event, attempt: attempt))
  }

  // MARK: - Commits

  func apply(_ writes: [Write]) {
    justRemoved = []
    keptFor = [:]
    for write in writes {
      switch write {
      case .createRun(let row): add(Run(row: row))
      case .appendHistory(let run, _, _, let bytes):
        let events = events(bytes, run)
        change(run) {
          for event in events { note(event, of: $0) }
          $0.events += events
        }
      case .putDetails(let run, let details): change(run) { $0.row.details = details }
      case .copyHistory(let from, let to, let through, _, _):
        let events = self.run(from)?.events.prefix(Int(through)) ?? []
        change(to) { $0.events = Array(events) }
      case .setStatus(let run, let status): change(run) { $0.row.status = status }
      case .closeRun(let run, let status, let time, let length, let size):
        change(run) {
          $0.row.status = status
          $0.row.closeTime = time
          $0.row.historyLength = length
          $0.row.historySizeBytes = size
          $0.activities = [:]
        }
      case .putActivity(let run, let event, let bytes):
        let row = activity(bytes, run)
        change(run) {
          $0.activities[event] = row
          guard row.startedTimeMs.ms != 0 else { return }
          starts.insert(
            AttemptKey(
              run: $0.row.runID, event: event, attempt: row.attempt - row.attemptsBefore))
        }
      case .deleteActivity(let run, let event): change(run) { $0.activities[event] = nil }
      case .deleteRun(let run): remove(run)
      case .putSchedule(let number, let bytes):
        keep(number) { $0.definition = decoded(bytes, number) }
      case .putScheduleProgress(let number, let bytes):
        keep(number) { $0.progress = decoded(bytes, number) }
      case .deleteSchedule(let number): schedules[number] = nil
      case .putBatchJob(let number, let bytes):
        batches[number, default: KeptBatch()].definition = decoded(bytes, number)
      case .putBatchJobProgress(let number, let bytes):
        batches[number, default: KeptBatch()].progress = decoded(bytes, number)
      case .deleteBatchJob(let number): batches[number] = nil
      case .putNamespace(let name, let bytes): put(bytes, of: name)
      case .deleteNamespace(let name): namespaces[name] = nil
      case .wakeRun, .saveState, .sleepRun, .putRequest, .putZone, .putLetter, .deleteLetter,
        .putSkipped, .putAttributeName, .deleteAttributeName, .putQueueLimits:
        break
      case .putPermit(let run, let bytes): permits[run] = permit(bytes, run)
      case .deletePermit(let run): permits[run] = nil
      case .putWorkflowTypeLimits(_, let type, let bytes):
        typeLimits[type] = bytes.flatMap { try? WorkflowTypeLimits(bytes: $0) }
      }
    }
  }

  private func keep(_ number: ScheduleNumber, _ change: (inout KeptSchedule) -> Void) {
    change(&schedules[number, default: KeptSchedule(number: number)])
  }

  private func decoded<M: Message>(_ bytes: [UInt8], _ number: some Any) -> M {
    guard let message = try? M(bytes: bytes) else {
      faults.append("\(number) cannot be read")
      return M()
    }
    return message
  }

  /// After a start of the engine.
  func reload(_ opened: OpenedStore) {
    batches = [:]
    for job in opened.batchJobs {
      batches[job.number] = KeptBatch(
        definition: decoded(job.definition, job.number),
        progress: decoded(job.progress, job.number))
    }
    typeLimits = [:]
    permits = [:]
    for limits in opened.workflowTypeLimits { typeLimits[limits.workflowType] = limits.limits }
    for permit in opened.permits { permits[permit.run] = permit.row }
    namespaces = [:]
    for namespace in opened.namespaces { namespaces[namespace.name] = namespace.definition }
    schedules = [:]
    for schedule in opened.schedules {
      keep(schedule.number) {
        $0.definition = decoded(schedule.definition, schedule.number)
        $0.progress = decoded(schedule.progress, schedule.number)
      }
    }
  }

  func otherRun(_ id: RunID) -> Run? { otherRuns[id] }

  private func put(_ bytes: [UInt8], of namespace: String) {
    guard let definition = try? NamespaceDefinition(bytes: bytes) else {
      return faults.append("namespace '\(namespace)' cannot be read")
    }
    namespaces[namespace] = definition
    namesEver.insert(namespace)
  }

  private func add(_ run: Run) {
    guard run.row.namespace == "default" else {
      others[run.row.number] = run
      otherRuns[run.row.runID] = run
      return
    }
    places[run.row.number] = runs.count
    numbers[run.row.runID] = run.row.number
    runs.append(run)
  }

  private func remove(_ number: RunNumber) {
    if let run = others.removeValue(forKey: number) {
      if let own = namespaces[run.row.namespace], !own.deleted { keptFor[number] = own.retentionMs }
      return justRemoved.append(run)
    }
    guard let place = places.removeValue(forKey: number) else {
      return faults.append("\(number) is removed and is not there")
    }
    let run = runs.remove(at: place)
    numbers[run.row.runID] = nil
    removed[run.row.runID] = run
    justRemoved.append(run)
    for later in runs[place...] { places[later.row.number, default: 0] -= 1 }
  }

  private func note(_ event: HistoryEvent, of run: Run) {
    switch event.attributes {
    case .activityTaskCompleted(let end):
      if let mark = end.result.first { results.insert(mark.text) }
    case .activityTaskStarted(let start):
      // One that ended in the step in which it began has had no row.
      starts.insert(
        AttemptKey(
          run: run.row.runID, event: start.scheduledEventID, attempt: start.attempt))
    default: break
    }
  }

  private func change(_ number: RunNumber, _ body: (inout Run) -> Void) {
    if others[number] != nil { return body(&others[number]!) }
    guard let place = places[number] else {
      return faults.append("\(number) is written to and was never made")
    }
    body(&runs[place])
  }

  private func events(_ bytes: [UInt8], _ run: RunNumber) -> [HistoryEvent] {
    guard let batch = try? HistoryBatch(bytes: bytes) else {
      faults.append("\(run): a batch of events cannot be read")
      return []
    }
    return batch.events
  }

  private func activity(_ bytes: [UInt8], _ run: RunNumber) -> ActivityRow {
    guard let row = try? ActivityRow(bytes: bytes) else {
      faults.append("\(run): an activity row cannot be read")
      return ActivityRow()
    }
    return row
  }

  private func permit(_ bytes: [UInt8], _ run: RunNumber) -> PermitRow {
    guard let row = try? PermitRow(bytes: bytes) else {
      faults.append("\(run): its permit cannot be read")
      return PermitRow()
    }
    return row
  }

  /// The events of a batch that has been applied, for the trace.
  func summary(of writes: [Write]) -> String {
    var text = ""
    for write in writes {
      guard case .appendHistory(let number, let first, let last, _) = write,
        let run = run(number)
      else { continue }
      let events = (first...last).compactMap { run.event($0)?.short }
      text += " \(number) \(first): \(events.joined(separator: ", "))"
    }
    return text
  }

  // MARK: - Starts

  /// `uncertain`: the batch whose commit was under way when the last process ended.
  func reload(_ store: Store, uncertain: [Write]) throws(StoreError) {
    let found = try readAll(store)
    let before = runs
    runs = []
    others = [:]
    places = [:]
    numbers = [:]
    results = []
    for run in found { add(run) }
    // What was being removed when the process ended may be gone or not.
    for case .deleteRun(let number) in uncertain {
      let known = before.first { $0.row.number == number } ?? made(number, in: uncertain)
      guard places[number] == nil, var run = known else { continue }
      // What it did in its last batch it did.
      for case .appendHistory(number, _, _, let bytes) in uncertain {
        run.events += events(bytes, number)
      }
      removed[run.row.runID] = run
    }
    for run in runs + removed.values { for event in run.events { note(event, of: run) } }
    leftovers += try store.leftovers()
    for run in runs where removed[run.row.runID] != nil {
      leftovers.append("\(run.row.number), run \(run.row.runID), is there again")
    }
    for fault in try store.integrityFaults() { faults.append("integrity: \(fault)") }
  }

  /// A run that came and went with one batch.
  private func made(_ number: RunNumber, in writes: [Write]) -> Run? {
    for case .createRun(let row) in writes where row.number == number { return Run(row: row) }
    return nil
  }

  private func readAll(_ store: Store) throws(StoreError) -> [Run] {
    var numbers: [RunNumber] = []
    while true {
      let load = Load.Subject.lifetimes(after: numbers.last ?? RunNumber(0), countMax: 100)
      guard case .lifetimes(let page) = try read(store, load), !page.isEmpty else { break }
      numbers += page.map(\.run)
    }
    var found: [Run] = []
    for number in numbers {
      guard case .run(let stored?, _) = try read(store, .run(number)) else { continue }
      var run = Run(row: stored.row)
      if case .history(let batches, _) = try read(
        store, .history(number, from: 1, bytesMax: .max))
      {
        for batch in batches { run.events += events(batch.bytes, number) }
      }
      for activity in stored.activities where run.isOpen {
        run.activities[activity.scheduledEvent] = self.activity(activity.bytes, number)
      }
      found.append(run)
    }
    return found
  }

  private func read(_ store: Store, _ subject: Load.Subject) throws(StoreError) -> Loaded.Content {
    let content = try store.load(Load(id: .init(0), subject: subject)).content
    if case .corrupt(let place) = content { faults.append(place) }
    return content
  }
}

extension Ledger.Run {
  func event(_ id: Int64) -> HistoryEvent? {
    id >= 1 && id <= events.count ? events[Int(id) - 1] : nil
  }
}

extension HistoryEvent {
  /// The event's kind, and what tells it from others of its kind.
  fileprivate var short: String {
    switch attributes {
    case .workflowTaskFailed(let failed) where failed.copy != nil:
      return "a copy of \(failed.copy?.baseExecution?.runID ?? .none)"
    case .workflowTaskFailed(let failed):
      return "workflowTaskFailed \(failed.cause.name) \(failed.failure?.info?.message ?? "")"
        + " \(failed.diff?.message ?? "")"
    case .activityTaskScheduled(let scheduled): return "scheduled \(scheduled.seq)"
    case .activityTaskCompleted(let end): return "completed \(end.seq)"
    case .activityTaskFailed(let end):
      let cause = end.failure?.causes.first?.message ?? ""
      return "failed \(end.seq) \(end.retryState.name) \(cause)"
    case .activityTaskTimedOut(let end): return "timed out \(end.seq) \(end.retryState.name)"
    case .activityTaskStarted(let started): return "attempt \(started.attempt)"
    case .timerStarted(let timer): return "timer \(timer.seq) \(timer.startToFireTimeoutMs.ms) ms"
    case .timerFired(let timer): return "fired \(timer.seq)"
    default: return kind
    }
  }

  /// Spelled out: to ask the value for its name would print the whole of it.
  private var kind: String {
    switch attributes {
    case .workflowExecutionStarted(let start): "started \(start.workflowID) by \(start.requestID)"
    case .workflowExecutionCompleted: "closed: completed"
    case .workflowExecutionFailed: "closed: failed"
    case .workflowExecutionTimedOut: "closed: timed out"
    case .workflowExecutionCanceled: "closed: cancelled"
    case .workflowExecutionTerminated: "closed: terminated"
    case .workflowExecutionContinuedAsNew: "closed: continued as new"
    case .workflowExecutionCancelRequested: "cancel requested"
    case .workflowExecutionSignaled(let signal): "signal \(signal.requestID)"
    case .workflowTaskCompleted(let task): "task completed through \(task.throughEventID)"
    case .workflowTaskTimedOut: "task timed out"
    case .activityTaskCancelRequested(let cancel): "cancel of \(cancel.scheduledEventID)"
    case .activityTaskCanceled(let end): "cancelled \(end.seq)"
    case .timerCanceled(let timer): "timer \(timer.seq) cancelled"
    case .markerRecorded(let marker): "marker \(marker.markerName) \(marker.markerID)"
    case .upsertWorkflowSearchAttributes: "attributes"
    case .workflowPropertiesModified: "memo"
    case .workflowExecutionPaused: "paused"
    case .workflowExecutionUnpaused: "unpaused"
    case .workflowExecutionUpdateAccepted(let m): "update \(m.updateID) accepted"
    case .workflowExecutionUpdateAdmitted(let m): "update \(m.updateID) admitted"
    case .workflowExecutionUpdateCompleted(let m): "update \(m.updateID) completed"
    case .startChildWorkflowExecutionInitiated(let m): "child \(m.seq) '\(m.workflowID)'"
    case .startChildWorkflowExecutionFailed(let m): "child \(m.seq) not started: \(m.cause.name)"
    case .childWorkflowExecutionStarted(let m): "child \(m.seq) runs"
    case .childWorkflowExecutionCompleted(let m): "child \(m.seq) completed"
    case .childWorkflowExecutionFailed(let m): "child \(m.seq) failed"
    case .childWorkflowExecutionCanceled(let m): "child \(m.seq) canceled"
    case .childWorkflowExecutionTimedOut(let m): "child \(m.seq) timed out"
    case .childWorkflowExecutionTerminated(let m): "child \(m.seq) terminated"
    case .signalExternalWorkflowExecutionInitiated(let m): "signal \(m.seq) sent"
    case .signalExternalWorkflowExecutionFailed(let m): "signal \(m.seq) \(m.cause.name)"
    case .externalWorkflowExecutionSignaled(let m): "signal \(m.seq) arrived"
    case .requestCancelExternalWorkflowExecutionInitiated(let m):
      "cancel \(m.seq) sent, child \(m.childSeq)"
    case .requestCancelExternalWorkflowExecutionFailed(let m): "cancel \(m.seq) \(m.cause.name)"
    case .externalWorkflowExecutionCancelRequested(let m): "cancel \(m.seq) arrived"
    default: "event"
    }
  }
}
