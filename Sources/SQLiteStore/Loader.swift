import Basics
import EngineCore
import Messages

/// Answers loads. Every stored blob is checked before it is handed out.
final class Loader {
  private static let columns =
    "run, namespace, workflow_id, run_id, workflow_type, task_queue, status, start_ms, close_ms,"
    + " history_length, history_bytes, deadline, summary, checksum, bytes, kind, problems"
  private static let run = "SELECT \(columns) FROM run LEFT JOIN detail USING (run) WHERE"
  /// In the order of the runs, those of other namespaces too: so a slice of a small one ends. The
  /// last column tells the namespace's own.
  static let page =
    "SELECT \(columns), namespace = ?1 FROM run LEFT JOIN detail USING (run)"
    + " WHERE run < ?2 ORDER BY run DESC"
  /// By the index over ids, whose entries of one id are in the order of their runs.
  static let pageOfWorkflow =
    "SELECT \(columns), 1 FROM run LEFT JOIN detail USING (run)"
    + " WHERE run < ?2 AND namespace = ?1 AND workflow_id = ?3 ORDER BY run DESC"

  /// By the index over attributes, as `pageOfWorkflow`.
  static let pageOfAttribute =
    "SELECT \(columns), namespace = ?1"
    + " FROM attribute CROSS JOIN run USING (run) LEFT JOIN detail USING (run)"
    + " WHERE attribute.name = ?3 AND attribute.value = ?4 AND run < ?2 ORDER BY run DESC"

  private let newest: Statement
  private let named: Statement
  private let byNumber: Statement
  private let page: Statement
  private let pageOfWorkflow: Statement
  private let pageOfAttribute: Statement
  private let state: Statement
  private let history: Statement
  private let firstBatch: Statement
  private let lastBatch: Statement
  private let activities: Statement
  private let batchOf: Statement
  private let copyEvent: Statement
  private let resetTo: Statement
  private let requests: Statement
  private let request: Statement
  private let deadlines: Statement
  private let lifetimes: Statement
  private let letters: Statement
  let database: Database
  let zones: ZoneDirectory

  init(_ database: Database, _ zones: ZoneDirectory) throws(StoreError) {
    self.database = database
    self.zones = zones
    let run = Loader.run
    newest = try Statement(
      database,
      "\(run) namespace = ? AND workflow_id = ? AND kind = ? ORDER BY run DESC LIMIT 1")
    named = try Statement(
      database, "\(run) namespace = ? AND workflow_id = ? AND run_id = ? LIMIT 1")
    byNumber = try Statement(database, "\(run) run = ?")
    page = try Statement(database, Loader.page)
    pageOfWorkflow = try Statement(database, Loader.pageOfWorkflow)
    pageOfAttribute = try Statement(database, Loader.pageOfAttribute)
    state = try Statement(
      database, "SELECT through_event, checksum, bytes FROM state WHERE run = ?")
    let batch = "SELECT first, last, checksum, bytes FROM history WHERE run = ?1"
    // The batch that holds event ?2 begins at or before it.
    history = try Statement(
      database,
      "\(batch) AND first >= coalesce((SELECT max(first) FROM history"
        + " WHERE run = ?1 AND first <= ?2), ?2) ORDER BY first")
    batchOf = try Statement(
      database, "\(batch) AND first <= ?2 ORDER BY first DESC LIMIT 1")
    firstBatch = try Statement(database, "\(batch) AND first = 1")
    lastBatch = try Statement(database, "\(batch) ORDER BY first DESC LIMIT 1")
    activities = try Statement(
      database,
      "SELECT scheduled_event, checksum, bytes FROM activity WHERE run = ?"
        + " ORDER BY scheduled_event")
    copyEvent = try Statement(database, "SELECT event FROM copy WHERE run = ?")
    resetTo = try Statement(
      database,
      "SELECT reset_to FROM copy WHERE base = ? AND reset_to <> zeroblob(16)"
        + " ORDER BY run DESC LIMIT 1")
    requests = try Statement(database, "SELECT key, hash, event FROM request WHERE run = ?")
    request = try Statement(
      database,
      "SELECT run.run, run.run_id, request.hash, request.event FROM run JOIN request"
        + " ON request.run = run.run AND request.key = ?3"
        + " WHERE namespace = ?1 AND workflow_id = ?2 ORDER BY run.run DESC LIMIT 1")
    lifetimes = try Statement(
      database,
      "SELECT run, start_ms, close_ms, history_bytes, namespace FROM run WHERE run > ?"
        + " ORDER BY run LIMIT ?")
    letters = try Statement(
      database,
      "SELECT letter, checksum, bytes FROM letter WHERE letter > ? ORDER BY letter")
    deadlines = try Statement(
      database,
      "SELECT run, deadline FROM run WHERE deadline IS NOT NULL AND deadline >= ?1"
        + " AND (deadline > ?1 OR run > ?2) ORDER BY deadline, run LIMIT ?3")
  }

  enum Fault: Error {
    /// A blob does not match its checksum; the text names the place.
    case damage(String)
    case store(StoreError)
  }

  func load(_ load: Load) throws(StoreError) -> Loaded {
    do throws(Fault) {
      return Loaded(id: load.id, content: try content(load.subject))
    } catch {
      switch error {
      case .damage(let place): return Loaded(id: load.id, content: .corrupt(place))
      case .store(let error): throw error
      }
    }
  }

  private func content(_ subject: Load.Subject) throws(Fault) -> Loaded.Content {
    switch subject {
    case .workflow(let namespace, let workflowID, let kind, let key):
      newest.bind(1, namespace)
      newest.bind(2, workflowID)
      newest.bind(3, kind.rawValue)
      let found = try key.flatMap { key throws(Fault) in
        try find(key, namespace, workflowID)
      }
      return .run(try run(newest), request: found)
    case .runNamed(let namespace, let workflowID, let runID):
      named.bind(1, namespace)
      named.bind(2, workflowID)
      named.bind(3, high: runID.high, low: runID.low)
      return .run(try run(named), request: nil)
    case .run(let number):
      byNumber.bind(1, number.value)
      return .run(try run(byNumber), request: nil)
    case .history(let number, let from, let bytesMax):
      return try slice(number, from: from, bytesMax: bytesMax)
    case .rows(let namespace, let key, let before, let countMax):
      let page =
        switch key {
        case nil: page
        case .workflowID: pageOfWorkflow
        case .attribute: pageOfAttribute
        }
      page.bind(1, namespace)
      page.bind(2, before?.value ?? .max)
      switch key {
      case nil: break
      case .workflowID(let id): page.bind(3, id)
      case .attribute(let name, let value):
        page.bind(3, name)
        page.bind(4, value)
      }
      return try rows(page, countMax)
    case .deadlines(let after, let run, let countMax):
      return .deadlines(try readDeadlines(after, run, countMax))
    case .lifetimes(let after, let countMax):
      return .lifetimes(try readLifetimes(after, countMax))
    case .letters(let after, let countMax):
      return try readLetters(after, countMax)
    case .zone(let name): return .zone(zones.read(name))
    }
  }

  /// Runs the statement row by row; it is reset in any case.
  func each(_ statement: Statement, _ body: (Statement) throws(Fault) -> Void)
    throws(Fault)
  {
    defer { statement.reset() }
    while try next(statement) { try body(statement) }
  }

  private func next(_ statement: Statement) throws(Fault) -> Bool {
    do throws(StoreError) {
      return try statement.step()
    } catch { throw .store(error) }
  }

  // MARK: - Runs

  private func run(_ statement: Statement) throws(Fault) -> StoredRun? {
    var found: RunRow?
    try each(statement) { statement throws(Fault) in found = try row(statement) }
    guard let found else { return nil }
    var stored = StoredRun(
      row: found, state: nil, stateEvent: 0, tail: [], activities: [], requests: [])
    requests.bind(1, found.number.value)
    try each(requests) { statement in
      let key = statement.words(0)
      stored.requests.append(
        RequestRecord(
          key: Fingerprint(high: key.high, low: key.low),
          requestHash: UInt64(bitPattern: statement.int(1)), event: statement.int(2)))
    }
    copyEvent.bind(1, found.number.value)
    try each(copyEvent) { stored.copyEvent = $0.int(0) }
    resetTo.bind(1, found.number.value)
    try each(resetTo) { statement in
      let id = statement.words(0)
      stored.resetTo = RunID(high: id.high, low: id.low)
    }
    if found.closeTime == nil { try complete(&stored) } else { try borders(&stored) }
    return stored
  }

  /// An open run: its state row, the events after it, and its activities.
  private func complete(_ stored: inout StoredRun) throws(Fault) {
    let run = stored.row.number.value
    state.bind(1, run)
    try each(state) { statement throws(Fault) in
      stored.stateEvent = statement.int(0)
      stored.state = try checked(
        statement, 1, run, place: statement.int(0), "state row")
    }
    history.bind(1, run)
    history.bind(2, stored.stateEvent + 1)
    try each(history) { statement throws(Fault) in
      let batch = try batch(statement, run)
      if batch.last > stored.stateEvent { stored.tail.append(batch) }
    }
    activities.bind(1, run)
    try each(activities) { statement throws(Fault) in
      let event = statement.int(0)
      stored.activities.append(
        StoredActivity(
          scheduledEvent: event,
          bytes: try checked(statement, 1, run, place: event, "activity row")))
    }
  }

  /// A closed run: its first and its last batch, and the one that tells what it is a copy of.
  private func borders(_ stored: inout StoredRun) throws(Fault) {
    let run = stored.row.number.value
    let statements =
      stored.copyEvent == 0 ? [firstBatch, lastBatch] : [firstBatch, batchOf, lastBatch]
    for statement in statements {
      statement.bind(1, run)
      if statement === batchOf { statement.bind(2, stored.copyEvent) }
      try each(statement) { statement throws(Fault) in
        let batch = try batch(statement, run)
        if stored.tail.last?.first != batch.first { stored.tail.append(batch) }
      }
    }
  }

  /// As many as are wanted, until what they say of themselves fills a message, or too many of other
  /// namespaces were between them.
  private func rows(_ statement: Statement, _ countMax: Int) throws(Fault) -> Loaded.Content {
    defer { statement.reset() }
    var rows: [RunRow] = []
    var left = Loader.detailBytesMax
    var others = 0
    var seen: RunNumber?
    while rows.count < countMax, try next(statement) {
      if left < 0 || others == Loader.othersMax { return .rows(rows, isCut: true, seen: seen) }
      seen = RunNumber(statement.int(0))
      guard Loader.isOwn(statement) else {
        others += 1
        continue
      }
      left -= statement.bytes(14).count
      rows.append(try row(statement))
    }
    return .rows(rows)
  }

  private static let detailBytesMax = 1 << 20
  /// Rows of other namespaces that one slice passes.
  static let othersMax = 2_000

  private static func isOwn(_ statement: Statement) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.listsShowOthers) { return true }
    #endif
    return statement.int(17) != 0
  }

  private func details(_ statement: Statement, _ run: Int64) throws(Fault) -> RunDetails {
    guard statement.optionalInt(13) != nil else { return RunDetails() }
    let bytes = try checked(statement, 13, run, place: 0, "detail row")
    guard let details = try? RunDetails(bytes: bytes) else {
      throw .damage("run#\(run): its detail row cannot be decoded")
    }
    return details
  }

  private func row(_ statement: Statement) throws(Fault) -> RunRow {
    let id = statement.words(3)
    guard let kind = RunKind(rawValue: statement.int(15)) else {
      throw .damage("run#\(statement.int(0)): there is no kind \(statement.int(15))")
    }
    var row = RunRow(
      number: RunNumber(statement.int(0)), namespace: statement.text(1),
      workflowID: statement.text(2), runID: RunID(high: id.high, low: id.low),
      workflowType: statement.text(4), taskQueue: statement.text(5),
      status: WorkflowStatus(rawValue: Int32(statement.int(6))),
      startTime: Instant(ms: statement.int(7)),
      closeTime: statement.optionalInt(8).map { Instant(ms: $0) },
      historyLength: statement.int(9), historySizeBytes: statement.int(10),
      deadline: statement.optionalInt(11).map { Instant(ms: $0) }, summary: statement.text(12),
      details: try details(statement, statement.int(0)), kind: kind)
    row.problems = statement.text(16)
    return row
  }

  private func find(_ key: Fingerprint, _ namespace: String, _ workflowID: String)
    throws(Fault) -> FoundRequest?
  {
    request.bind(1, namespace)
    request.bind(2, workflowID)
    request.bind(3, high: key.high, low: key.low)
    var found: FoundRequest?
    try each(request) { statement in
      let id = statement.words(1)
      found = FoundRequest(
        run: RunNumber(statement.int(0)), runID: RunID(high: id.high, low: id.low),
        record: RequestRecord(
          key: key, requestHash: UInt64(bitPattern: statement.int(2)), event: statement.int(3)))
    }
    return found
  }

  // MARK: - Histories

  private func slice(_ number: RunNumber, from: Int64, bytesMax: Int) throws(Fault)
    -> Loaded.Content
  {
    history.bind(1, number.value)
    history.bind(2, from)
    defer { history.reset() }
    var batches: [StoredBatch] = []
    var bytes = 0
    while try next(history) {
      let batch = try batch(history, number.value)
      if batch.last < from { continue }
      if !batches.isEmpty && bytes + batch.bytes.count > bytesMax {
        return .history(batches, more: true)
      }
      bytes += batch.bytes.count
      batches.append(batch)
    }
    return .history(batches, more: false)
  }

  private func batch(_ statement: Statement, _ run: Int64) throws(Fault) -> StoredBatch {
    let first = statement.int(0)
    return StoredBatch(
      first: first, last: statement.int(1),
      bytes: try checked(statement, 2, run, place: first, "history"))
  }

  /// The blob after its checksum column.
  private func checked(
    _ statement: Statement, _ column: Int32, _ run: Int64, place: Int64, _ table: String
  ) throws(Fault) -> [UInt8] {
    let bytes = statement.bytes(column + 1)
    guard Checksum.of(bytes, run: run, place: place) == statement.int(column) else {
      throw .damage("run#\(run): \(table) at event \(place) does not match its checksum")
    }
    return bytes
  }

  // MARK: - Runs and letters, in pages

  func readDeadlines(_ after: Instant, _ run: RunNumber, _ countMax: Int) throws(Fault)
    -> [StoredDeadline]
  {
    deadlines.bind(1, after.ms)
    deadlines.bind(2, run.value)
    deadlines.bind(3, Int64(countMax))
    var found: [StoredDeadline] = []
    try each(deadlines) { statement in
      found.append(
        StoredDeadline(run: RunNumber(statement.int(0)), deadline: Instant(ms: statement.int(1))))
    }
    return found
  }

  private func readLifetimes(_ after: RunNumber, _ countMax: Int) throws(Fault)
    -> [StoredLifetime]
  {
    lifetimes.bind(1, after.value)
    lifetimes.bind(2, Int64(countMax))
    var found: [StoredLifetime] = []
    try each(lifetimes) { statement in
      found.append(
        StoredLifetime(
          run: RunNumber(statement.int(0)), namespace: statement.text(4),
          startTime: Instant(ms: statement.int(1)),
          closeTime: statement.optionalInt(2).map { Instant(ms: $0) },
          historySizeBytes: statement.int(3)))
    }
    return found
  }

  private func readLetters(_ after: Int64, _ countMax: Int) throws(Fault) -> Loaded.Content {
    letters.bind(1, after)
    defer { letters.reset() }
    var found: [PostedLetter] = []
    var left = Loader.letterBytesMax
    while try next(letters) {
      if found.count == countMax || left < 0 { return .letters(found, more: true) }
      let number = letters.int(0)
      let bytes = try checked(letters, 1, 0, place: number, "letter")
      left -= bytes.count
      guard let letter = try? Letter(bytes: bytes) else {
        throw .damage("letter \(number) cannot be decoded")
      }
      found.append(PostedLetter(number: number, letter: letter, isStored: true))
    }
    return .letters(found, more: false)
  }

  /// About as many bytes of letters are in memory at once.
  private static let letterBytesMax = 4 << 20
}
