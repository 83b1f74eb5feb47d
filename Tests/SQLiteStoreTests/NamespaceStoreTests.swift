import Basics
import EngineCore
import Messages
import Testing

@testable import SQLiteStore

@Suite struct NamespaceStoreTests {
  private func made(_ number: Int64, in namespace: String) -> Write {
    var row = row(number, "w-\(number)")
    row.namespace = namespace
    return .createRun(row)
  }

  private func closed(_ number: Int64) -> Write {
    .closeRun(
      run: RunNumber(number), status: .completed, closeTime: Instant(ms: 9), historyLength: 2,
      historySizeBytes: 8)
  }

  @Test func whatWasSaidAndWhatTheyHoldIsThereAfterTheNextStart() throws {
    let place = Place()
    var bills = NamespaceDefinition()
    bills.retentionMs = Span(ms: 5_000)
    bills.description = "what we owe"
    var count = RunCounts()
    do {
      let (store, opened) = try Store.open(path: place.path, options: place.options)
      #expect(opened.namespaces.isEmpty && opened.runCounts.isEmpty)
      try store.commit([
        .putNamespace(name: "zoo", NamespaceDefinition().serialized()),
        .putNamespace(name: "bills", NamespaceDefinition().serialized()),
        .putNamespace(name: "bills", bills.serialized()), .deleteNamespace(name: "zoo"),
        made(1, in: "bills"), made(2, in: "bills"), made(3, in: "default"), closed(2),
      ])
    }
    let (store, opened) = try Store.open(path: place.path, options: place.options)
    #expect(opened.namespaces == [StoredNamespace(name: "bills", definition: bills)])
    count.open = 1
    #expect(opened.runCounts["default"] == count)
    count.closed = 1
    #expect(opened.runCounts["bills"] == count)
    try store.database.execute("UPDATE namespace SET name = 'other'")
    #expect {
      _ = try store.openAgain()
    } throws: { error in
      "\(error)".contains("namespace 'other' does not match its checksum")
    }
  }

  /// A slice of a small namespace ends although there are many rows of others.
  @Test func aSlicePassesSoManyOfOthers() throws {
    let (store, _) = try Store.open(path: nil)
    let others = Int64(Loader.othersMax) + 500
    try store.commit(
      [made(1, in: "bills")] + (2...others).map { made($0, in: "default") }
        + [made(others + 1, in: "bills")])
    func slice(before: RunNumber?) throws -> Loaded.Content {
      try load(
        store, .rows(namespace: "bills", key: nil, before: before, countMax: 10))
    }
    guard case .rows(let first, true, let seen?) = try slice(before: nil) else {
      Issue.record("the slice does not end")
      return
    }
    #expect(first.map(\.number.value) == [others + 1])
    #expect(seen.value == others + 1 - Int64(Loader.othersMax))
    guard case .rows(let second, false, nil) = try slice(before: seen) else {
      Issue.record("the second slice is cut")
      return
    }
    #expect(second.map(\.number.value) == [1])
  }
}
