import Basics
import EngineCore
import Glibc
import Messages
import Testing

@testable import SQLiteStore

@Suite struct StoreTests {
  @Test func howMuchTimeWasSkippedIsTold() throws {
    let (store, opened) = try Store.open(path: nil)
    #expect(opened.skipped == nil)
    try store.commit([.putSkipped(Span(ms: 5)), .putSkipped(Span(ms: 7))])
    #expect(try store.openAgain().skipped == Span(ms: 7))
  }

  @Test func aRemovedRunLeavesNothing() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    for number in 1...2 as ClosedRange<Int64> {
      try store.commit([
        .createRun(row(number, "o-\(number)")), append(number, 1, 3, "begin"),
        append(number, 4, 5, "end"),
        .putRequest(
          run: RunNumber(number),
          RequestRecord(
            key: Fingerprint(of: "r-\(number)"), requestHash: 1, event: 0)),
        .closeRun(
          run: RunNumber(number), status: .completed, closeTime: Instant(ms: 2_000 + number),
          historyLength: 5, historySizeBytes: 8),
      ])
    }
    #expect(
      try load(store, .lifetimes(after: RunNumber(0), countMax: 9))
        == .lifetimes([
          StoredLifetime(
            run: RunNumber(1), namespace: "default",
            startTime: Instant(ms: 1_001), closeTime: Instant(ms: 2_001),
            historySizeBytes: 8),
          StoredLifetime(
            run: RunNumber(2), namespace: "default",
            startTime: Instant(ms: 1_002), closeTime: Instant(ms: 2_002),
            historySizeBytes: 8),
        ]))
    try store.commit([.deleteRun(run: RunNumber(1))])
    #expect(try run(store, 1) == nil)
    #expect(try run(store, 2) != nil)
    for table in ["run", "history", "request", "state", "activity"] {
      #expect(try store.database.query("SELECT count(*) FROM \(table) WHERE run = 1") == 0)
    }
    #expect(try store.integrityFaults() == [])
  }

  /// Pages of lists, and leases of activities, name runs by their numbers.
  @Test func aNumberIsNeverGivenAgain() throws {
    let (store, _) = try Store.open(path: nil)
    try store.commit((1...3).map { .createRun(row($0, "w-\($0)")) })
    for removed in [2, 3, 1] as [Int64] {
      try store.commit([.deleteRun(run: RunNumber(removed))])
      #expect(try store.openAgain().nextRun == RunNumber(4))
    }
    try store.commit([.createRun(row(4, "w-4"))])
    try store.commit([.deleteRun(run: RunNumber(4))])
    #expect(try store.openAgain().nextRun == RunNumber(5))
  }

  @Test func whatWasCommittedIsThereAfterReopening() throws {
    let place = Place()
    do {
      let (store, opened) = try Store.open(path: place.path, options: place.options)
      #expect(opened.epoch == 1)
      #expect(opened.nextRun == RunNumber(1))
      let request = RequestRecord(
        key: Fingerprint(high: 1, low: .max), requestHash: .max, event: 3)
      try store.commit([
        .createRun(row(1, "a")), append(1, 1, 2, "first"), append(1, 3, 3, "second"),
        .putActivity(run: RunNumber(1), scheduledEvent: 2, bytes: [1, 2, 3]),
        .putRequest(run: RunNumber(1), request),
      ])
    }
    let (store, opened) = try Store.open(path: place.path, options: place.options)
    #expect(opened.epoch == 2)
    #expect(opened.nextRun == RunNumber(2))
    #expect(opened.deadlines == [StoredDeadline(run: RunNumber(1), deadline: RunRow.immediately)])
    #expect(opened.filter.mayContain(IDFilter.key(namespace: "default", workflowID: "a")))
    #expect(opened.filter.mayContain(Fingerprint(high: 1, low: .max)))
    let stored = try #require(try run(store, 1))
    #expect(stored.row == row(1, "a"))
    #expect(stored.tail.map(\.bytes) == [Array("first".utf8), Array("second".utf8)])
    #expect(stored.activities == [StoredActivity(scheduledEvent: 2, bytes: [1, 2, 3])])
    #expect(stored.requests.map(\.event) == [3])
    #expect(try store.integrityFaults() == [])
  }

  @Test func aStateRowStandsForTheEventsBeforeIt() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    try store.commit([.createRun(row(1, "a")), append(1, 1, 4, "old")])
    try store.commit([
      .saveState(
        run: RunNumber(1), throughEvent: 4, bytes: [9],
        RunAtRest(
          deadline: Instant(ms: 500), historyLength: 4, historySizeBytes: 3,
          problems: "it is held")), append(1, 5, 6, "new"),
    ])
    let stored = try #require(try run(store, 1))
    #expect(stored.state == [9])
    #expect(stored.stateEvent == 4)
    #expect(stored.tail.map(\.first) == [5])
    #expect(stored.row.deadline == Instant(ms: 500))
    #expect(stored.row.problems == "it is held")
    try store.commit([.wakeRun(run: RunNumber(1))])
    #expect(try run(store, 1)?.row.deadline == RunRow.immediately)
  }

  @Test func aClosedRunIsLoadedByItsFirstAndLastBatch() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    try store.commit([
      .createRun(row(1, "a")), append(1, 1, 1, "first"), append(1, 2, 5, "middle"),
      append(1, 6, 6, "last"),
      .putActivity(run: RunNumber(1), scheduledEvent: 2, bytes: [1]),
      .closeRun(
        run: RunNumber(1), status: .completed, closeTime: Instant(ms: 9), historyLength: 6,
        historySizeBytes: 15),
    ])
    let stored = try #require(try run(store, 1))
    #expect(stored.tail.map(\.first) == [1, 6])
    #expect(stored.activities.isEmpty)
    #expect(stored.row.status == .completed)
    #expect(stored.row.deadline == nil)
  }

  @Test func historiesAreReadInSlicesOfWholeBatches() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    try store.commit(
      [.createRun(row(1, "a"))] + (0..<10).map { append(1, $0 * 2 + 1, $0 * 2 + 2, "0123456789") })
    let slice = try load(store, .history(RunNumber(1), from: 4, bytesMax: 25))
    guard case .history(let batches, let more) = slice else {
      Issue.record("not a history")
      return
    }
    #expect(batches.map(\.first) == [3, 5], "the batch that holds event 4, and what fits")
    #expect(more)
    #expect(
      try load(store, .history(RunNumber(1), from: 19, bytesMax: 25))
        == .history(
          [StoredBatch(first: 19, last: 20, bytes: Array("0123456789".utf8))], more: false))
  }

  @Test func rowsComeNewestFirstAndDeadlinesInOrder() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    try store.commit(
      (1...5).map { .createRun(row($0, "w-\($0)", deadline: Instant(ms: 100 - $0))) })
    guard
      case .rows(let rows, _, _) = try load(
        store,
        .rows(namespace: "default", key: nil, before: RunNumber(4), countMax: 2))
    else { return }
    #expect(rows.map(\.number.value) == [3, 2])
    guard
      case .deadlines(let due) = try load(
        store, .deadlines(afterDeadline: Instant(ms: 95), afterRun: RunNumber(5), countMax: 2))
    else { return }
    #expect(due.map(\.run.value) == [4, 3])
  }

  @Test func theRowsOfAWorkflowAreReadByItsIDAlone() throws {
    let (store, _) = try Store.open(path: nil)
    try store.commit(
      (1...9).map { .createRun(row($0, $0 % 2 == 0 ? "even" : "odd", deadline: nil)) })
    let subject = Load.Subject.rows(
      namespace: "default", key: .workflowID("odd"), before: RunNumber(9), countMax: 3)
    guard case .rows(let rows, _, _) = try load(store, subject) else { return }
    #expect(rows.map(\.number.value) == [7, 5, 3])
  }

  /// No slice of a list sorts, or reads more than it shows.
  @Test(arguments: [
    (Loader.page, "SEARCH run USING INTEGER PRIMARY KEY (rowid<?)"),
    (
      Loader.pageOfWorkflow,
      "SEARCH run USING INDEX run_by_workflow (namespace=? AND workflow_id=? AND rowid<?)"
    ),
  ])
  func aSliceIsReadInItsOrder(_ sql: String, _ step: String) throws {
    let (store, _) = try Store.open(path: nil)
    let plan = try Statement(store.database, "EXPLAIN QUERY PLAN \(sql)")
    var steps: [String] = []
    while try plan.step() { steps.append(plan.text(3)) }
    #expect(
      steps == [step, "SEARCH detail USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN"])
  }

  @Test func aRequestIsFoundOverAllRunsOfItsWorkflow() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    let key = Fingerprint(high: 4, low: 2)
    try store.commit([
      .createRun(row(1, "a")),
      .putRequest(run: RunNumber(1), RequestRecord(key: key, requestHash: 5, event: 0)),
      .createRun(row(2, "a")),
    ])
    guard
      case .run(let newest, let found) = try load(
        store, .workflow(namespace: "default", workflowID: "a", kind: .workflow, request: key))
    else { return }
    #expect(newest?.row.number == RunNumber(2))
    #expect(found?.run == RunNumber(1))
  }

  @Test func aSecondEngineIsRefused() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    do {
      _ = try Store.open(path: place.path, options: place.options)
      Issue.record("two engines have one file")
    } catch {
      guard case .inUse = error else {
        Issue.record("\(error)")
        return
      }
    }
    try store.commit([.createRun(row(1, "a"))])
  }

  @Test func aNewerFormatIsRefusedAndNotTouched() throws {
    let place = Place()
    do {
      let (store, _) = try Store.open(path: place.path, options: place.options)
      try store.database.execute("PRAGMA user_version = 99")
      try store.checkpointIfNeeded(isIdle: true)
    }
    let before = try bytes(place.path)
    do {
      _ = try Store.open(path: place.path, options: place.options)
      Issue.record("a newer format was opened")
    } catch {
      guard case .newerFormat(_, let found, let known) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(found == 99 && known == Schema.format)
    }
    #expect(try bytes(place.path) == before)
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    let fd = open(path, O_RDONLY)
    defer { close(fd) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(fd, &buffer, buffer.count)
      if count <= 0 { return all }
      all += buffer[..<count]
    }
  }

  @Test func damagedBytesAreFound() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    try store.commit([.createRun(row(1, "a")), append(1, 1, 1, "bytes")])
    try store.database.execute("UPDATE history SET bytes = x'6279746573ff' WHERE run = 1")
    guard case .corrupt(let place) = try load(store, .run(RunNumber(1))) else {
      Issue.record("damage was not noticed")
      return
    }
    #expect(place == "run#1: history at event 1 does not match its checksum")
  }

  @Test func aFullDiskAppliesNothingAndTheSameBatchSucceedsLater() throws {
    let place = Place()
    let (store, _) = try Store.open(path: place.path, options: place.options)
    let pages = try store.database.query("PRAGMA page_count")
    try store.database.execute("PRAGMA max_page_count = \(pages + 2)")
    let batch: [Write] = [
      .createRun(row(1, "a")), append(1, 1, 1, String(repeating: "x", count: 100_000)),
    ]
    do {
      try store.commit(batch)
      Issue.record("the batch fitted")
    } catch {
      guard case .full = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(try run(store, 1) == nil)
    try store.database.execute("PRAGMA max_page_count = 100000")
    try store.commit(batch)
    #expect(try run(store, 1)?.tail.first?.bytes.count == 100_000)
  }
}
