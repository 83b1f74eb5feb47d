import Basics
import Messages

/// A list or a count under way: rows are read newest first and filtered here.
struct ListReader {
  /// What is made of the rows that the filter accepts.
  enum Aim {
    /// They are shown as they are found; `left` may still be, nil: all.
    case show(left: Int64?)
    /// The first ones of an order are gathered, then shown.
    case order(OrderedRows)
    case count(Int64)
    case group(Groups)
  }

  /// Of a list in pages.
  struct Page {
    let query: Fingerprint
    /// Rows that a limit leaves for this page and those to come; nil: there is no limit.
    let left: Int64?
    /// Where the page before has ended.
    let after: ListToken?
    /// Rows that this page has shown.
    var shown: Int64 = 0
    var last: (run: RunNumber, values: [AttributeValue])?
  }

  let kind: RunKind
  let selection: ListSelection
  var aim: Aim
  var page: Page?
  /// Rows with lower numbers come next.
  var before: RunNumber?

  init(_ kind: RunKind, _ selection: ListSelection, _ aim: Aim, _ page: Page? = nil) {
    self.kind = kind
    self.selection = selection
    self.aim = aim
    self.page = page
    if selection.order.isEmpty { before = page?.after?.run }
    #if MUTANTS
      if Mutant.isOn(.pagesOverlap), let run = before { before = RunNumber(run.value + 1) }
    #endif
  }

  /// It needs no further row.
  var isGathered: Bool {
    if case .order(let rows) = aim { return rows.isComplete }
    return false
  }

  /// Memory for what it has gathered.
  var gatheredBytes: Int {
    switch aim {
    case .show, .count: 0
    case .order(let rows): rows.byteCount
    case .group(let groups): groups.byteCount
    }
  }
}

extension ListReader {
  /// What a row that is accepted means for the list.
  enum Step {
    case taken
    /// It stays for the next part.
    case partIsFull
    /// Nothing more is to be read; `hasMore`: for another page.
    case done(hasMore: Bool)
  }

  /// A row that the filter accepts.
  mutating func take(_ info: WorkflowInfo, _ run: RunNumber, _ part: inout ListPart) -> Step {
    switch aim {
    case .show(let left):
      if left == 0 { return .done(hasMore: true) }
      guard part.add(info) else { return .partIsFull }
      note(run, [])
      aim = .show(left: left.map { $0 - 1 })
      // A page looks on for one row more, so that it can tell whether it is the last.
      let isLast = page.map { $0.left == $0.shown } ?? true
      return left == 1 && isLast ? .done(hasMore: false) : .taken
    case .order(var rows):
      if isBehind(info, run) {
        aim = .count(0)  // One owner, so that nothing is copied.
        rows.insert(info, run)
        aim = .order(rows)
      }
      return .taken
    case .count(let count): aim = .count(count + 1)
    case .group(var groups):
      aim = .count(0)
      groups.add(info)
      aim = .group(groups)
    }
    return .taken
  }

  /// Behind the page before.
  private func isBehind(_ info: WorkflowInfo, _ run: RunNumber) -> Bool {
    guard let after = page?.after else { return true }
    let values = selection.order.map { $0.attribute.value(in: info) }
    return OrderedRows.precedes(after.values, after.run, values, run, selection.order)
  }

  /// A row is shown.
  mutating func note(_ run: RunNumber, _ values: [AttributeValue]) {
    page?.shown += 1
    page?.last = (run, values)
  }

  /// For the page after this one; nil if this one was the last.
  func token(hasMore: Bool) -> ListToken? {
    guard hasMore, let page, let last = page.last else { return nil }
    let left = page.left.map { $0 - page.shown }
    if left == 0 { return nil }
    return ListToken(query: page.query, left: left ?? 0, run: last.run, values: last.values)
  }
}

/// Rows for one message.
struct ListPart {
  private let bytesMax: Int
  private var bytes = 0
  private(set) var infos: [WorkflowInfo] = []

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Whether it had room; one row always has.
  mutating func add(_ info: WorkflowInfo) -> Bool {
    bytes += info.serialized().count
    if !infos.isEmpty && bytes > bytesMax { return false }
    infos.append(info)
    return true
  }
}

/// How many runs have which values.
struct Groups {
  private let attributes: [ListAttribute]
  /// By the bytes of the values: texts are compared so.
  private var counts: [[[UInt8]]: Int64] = [:]
  private(set) var byteCount = 0

  init(_ attributes: [ListAttribute]) { self.attributes = attributes }

  var count: Int { counts.count }
  /// Of all rows.
  var total: Int64 { counts.values.reduce(0, +) }

  mutating func add(_ info: WorkflowInfo) {
    let values = attributes.map { attribute -> [UInt8] in
      Array(attribute.value(in: info).groupName.utf8)
    }
    if counts[values] == nil { byteCount += values.reduce(100) { $0 + 32 + $1.count } }
    counts[values, default: 0] += 1
  }

  /// The largest first, then by their values.
  var inOrder: [WorkflowGroup] {
    let groups = counts.map { values, count in
      var group = WorkflowGroup()
      group.groupValues = values.map { String(decoding: $0, as: UTF8.self) }
      group.count = count
      return group
    }
    return groups.sorted { a, b in
      if a.count != b.count { return a.count > b.count }
      let orders = zip(a.groupValues, b.groupValues).lazy.map { $0.order($1) }
      return orders.first { $0 != 0 } ?? 0 < 0
    }
  }
}
