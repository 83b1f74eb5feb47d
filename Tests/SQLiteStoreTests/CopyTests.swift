import Basics
import EngineCore
import Messages
import Testing

@testable import SQLiteStore

/// Histories that the store copies from run to run.
@Suite struct CopyTests {
  private let to = RunID(high: 2, low: 2)

  /// Run 1 with three batches, and run 2 that begins with two of them.
  private func copied() throws -> Store {
    let (store, _) = try Store.open(path: nil)
    try store.commit([
      .createRun(row(1, "a")), append(1, 1, 2, "first"), append(1, 3, 3, "second"),
      append(1, 4, 6, "third"),
    ])
    try store.commit([
      .createRun(row(2, "a")),
      .copyHistory(
        from: RunNumber(1), to: RunNumber(2), through: 3, event: 5, resetTo: to),
      append(2, 4, 4, "cut"), append(2, 5, 5, "own"),
    ])
    return store
  }

  @Test func theCopyHoldsTheFirstBatchesAndIsReadAsItsOwn() throws {
    let store = try copied()
    let stored = try #require(try run(store, 2))
    let words = ["first", "second", "cut", "own"]
    #expect(stored.tail.map(\.bytes) == words.map { Array($0.utf8) })
    #expect(stored.tail.map(\.first) == [1, 3, 4, 5])
    #expect(stored.copyEvent == 5)
    #expect(stored.resetTo == .none)
    #expect(try run(store, 1)?.resetTo == to)
    #expect(try run(store, 1)?.copyEvent == 0)
  }

  @Test func aClosedCopyIsTheBatchesAtItsEndsAndThatOfItsPoint() throws {
    let store = try copied()
    try store.commit([
      append(2, 6, 6, "between"), append(2, 7, 7, "last"),
      .closeRun(
        run: RunNumber(2), status: .completed, closeTime: Instant(ms: 9_000), historyLength: 7,
        historySizeBytes: 8),
    ])
    let stored = try #require(try run(store, 2))
    #expect(stored.tail.map(\.first) == [1, 5, 7])
  }

  @Test func damageIsCopiedAsDamage() throws {
    let (store, _) = try Store.open(path: nil)
    try store.commit([.createRun(row(1, "a")), append(1, 1, 2, "first")])
    try store.database.execute("UPDATE history SET bytes = CAST('fjrst' AS BLOB)")
    try store.commit([
      .createRun(row(2, "a")),
      .copyHistory(from: RunNumber(1), to: RunNumber(2), through: 2, event: 3, resetTo: to),
    ])
    let load = Load(id: .init(1), subject: .run(RunNumber(2)))
    guard case .corrupt = try store.load(load).content else {
      Issue.record("the damage was not seen")
      return
    }
  }

  @Test func eitherRunIsRemovedWithoutTheOther() throws {
    for first in [1, 2] as [Int64] {
      let store = try copied()
      try store.commit([.deleteRun(run: RunNumber(first))])
      #expect(try store.leftovers() == [])
      if first == 1 {
        #expect(try run(store, 2)?.copyEvent == 5)
        #expect(try run(store, 2)?.tail.count == 4)
      } else {
        #expect(try run(store, 1)?.resetTo == to, "it was reset, whatever became of that run")
      }
      try store.commit([.deleteRun(run: RunNumber(3 - first))])
      #expect(try store.database.query("SELECT count(*) FROM copy") == 0)
    }
  }
}
