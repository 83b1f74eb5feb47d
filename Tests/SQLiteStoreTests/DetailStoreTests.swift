import Basics
import EngineCore
import Messages
import Testing

@testable import SQLiteStore

/// What the store keeps of what runs say of themselves.
@Suite struct DetailStoreTests {
  private func details(_ text: String, bytes: Int = 0) -> RunDetails {
    var entry = PayloadEntry()
    entry.key = "long"
    entry.value = Payload()
    entry.value?.data = [UInt8](repeating: 0x20, count: bytes)
    var details = RunDetails()
    details.currentDetails = text
    details.memo = bytes == 0 ? nil : Memo()
    details.memo?.fields = [entry]
    return details
  }

  private func row(_ number: Int64, _ details: RunDetails) -> RunRow {
    var row = SQLiteStoreTests.row(number, "w")
    row.details = details
    return row
  }

  @Test func theyAreReadWithTheirRunAlsoWhenItHasClosed() throws {
    let place = Place()
    do {
      let (store, _) = try Store.open(path: place.path, options: place.options)
      try store.commit([
        .createRun(row(1, details("begins"))), .createRun(row(2, RunDetails())),
        append(1, 1, 1, "a"),
      ])
      #expect(try run(store, 1)?.row.details == details("begins"))
      #expect(try run(store, 2)?.row.details == RunDetails())
      try store.commit([
        .putDetails(run: RunNumber(1), details("ends")),
        .closeRun(
          run: RunNumber(1), status: .completed, closeTime: Instant(ms: 9), historyLength: 1,
          historySizeBytes: 1),
      ])
    }
    let (store, _) = try Store.open(path: place.path, options: place.options)
    #expect(try run(store, 1)?.row.details == details("ends"))
  }

  @Test func nothingOfThemOutlivesTheRun() throws {
    let (store, _) = try Store.open(path: nil)
    try store.commit([.createRun(row(1, details("a"))), .createRun(row(2, details("b")))])
    try store.commit([.deleteRun(run: RunNumber(1))])
    #expect(try store.leftovers() == [])
    #expect(try store.database.query("SELECT count(*) FROM detail") == 1)
  }

  private func attributes(_ customer: String, _ tags: [String]) -> RunDetails {
    var list = KeywordList()
    list.keywords = tags
    var details = RunDetails()
    details.searchAttributes = SearchAttributes()
    for (name, content) in [
      ("Customer", .keyword(customer)), ("Tags", .keywordList(list)),
    ] as [(String, SearchAttribute.Content)] {
      var attribute = SearchAttribute()
      attribute.name = name
      attribute.content = content
      details.searchAttributes?.fields.append(attribute)
    }
    return details
  }

  @Test func runsAreFoundByTheirSearchAttributes() throws {
    let (store, _) = try Store.open(path: nil)
    func found(_ name: String, _ value: String) throws -> [Int64] {
      let subject = Load.Subject.rows(
        namespace: "default", key: .attribute(name: name, value: value), before: RunNumber(9),
        countMax: 3)
      guard case .rows(let rows, _, _) = try load(store, subject) else { return [] }
      return rows.map(\.number.value)
    }
    try store.commit(
      (1...9).map { .createRun(row($0, attributes($0 % 2 == 0 ? "even" : "odd", ["a", "b"]))) })
    #expect(try found("Customer", "odd") == [7, 5, 3])
    #expect(try found("Tags", "b") == [8, 7, 6])
    try store.commit([
      .putDetails(run: RunNumber(7), attributes("even", [])), .deleteRun(run: RunNumber(5)),
    ])
    #expect(try found("Customer", "odd") == [3, 1])
    #expect(try found("Customer", "even") == [8, 7, 6])
    #expect(try found("Tags", "b") == [8, 6, 4])
    #expect(try store.leftovers() == [])
  }

  @Test func theyAreFoundByTheIndexInItsOrder() throws {
    let (store, _) = try Store.open(path: nil)
    let plan = try Statement(store.database, "EXPLAIN QUERY PLAN \(Loader.pageOfAttribute)")
    var steps: [String] = []
    while try plan.step() { steps.append(plan.text(3)) }
    #expect(
      steps == [
        "SEARCH attribute USING PRIMARY KEY (name=? AND value=? AND run<?)",
        "SEARCH run USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH detail USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
      ])
  }

  @Test func aDamagedRowIsSeen() throws {
    let (store, _) = try Store.open(path: nil)
    try store.commit([.createRun(row(1, details("a")))])
    try store.database.execute("UPDATE detail SET bytes = x'1a0162'")
    #expect(
      try load(store, .run(RunNumber(1)))
        == .corrupt("run#1: detail row at event 0 does not match its checksum"))
  }

  @Test func aSliceOfRowsThatSayMuchEndsEarly() throws {
    let (store, _) = try Store.open(path: nil)
    let long = details("", bytes: 400_000)
    try store.commit((1...5).map { .createRun(row($0, long)) })
    func slice(before number: Int64?) throws -> (numbers: [Int64], isCut: Bool) {
      let subject = Load.Subject.rows(
        namespace: "default", key: nil, before: number.map { RunNumber($0) }, countMax: 100)
      guard case .rows(let rows, let isCut, _) = try load(store, subject) else {
        return ([], false)
      }
      return (rows.map(\.number.value), isCut)
    }
    #expect(try slice(before: nil) == ([5, 4, 3], true))
    #expect(try slice(before: 3) == ([2, 1], false))
  }

  @Test func theNamesOfSearchAttributesAreThereAfterTheNextStart() throws {
    let place = Place()
    do {
      let (store, _) = try Store.open(path: place.path, options: place.options)
      try store.commit([
        .putAttributeName(namespace: "default", name: "Paid", type: .bool),
        .putAttributeName(namespace: "default", name: "Amount", type: .int),
        .deleteAttributeName(namespace: "default", name: "Paid"),
      ])
    }
    let (_, opened) = try Store.open(path: place.path, options: place.options)
    #expect(
      opened.attributeNames
        == [StoredAttributeName(namespace: "default", name: "Amount", type: .int)])
  }
}
