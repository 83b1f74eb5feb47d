import Basics
import Messages

/// A row of a list with ORDER BY.
struct OrderedRow: Sendable {
  /// What it is ordered by.
  let values: [AttributeValue]
  let number: RunNumber
  let info: WorkflowInfo
}

/// The first rows of an order, as many as are asked for, out of any number.
struct OrderedRows: Sendable {
  private let order: [ListSelection.Key]
  private let max: Int
  /// In order up to the last cut, what came since then behind.
  private var rows: [OrderedRow] = []
  private var shown = 0
  /// The last one that would be shown, if there are enough already.
  private var worst: OrderedRow?
  /// There are rows that come after these.
  private(set) var hasMore = false
  /// No further row comes; they are shown.
  private(set) var isComplete = false
  private(set) var byteCount = 0

  init(_ order: [ListSelection.Key], max: Int) {
    self.order = order
    self.max = max
  }

  mutating func insert(_ info: WorkflowInfo, _ number: RunNumber) {
    let row = OrderedRow(
      values: order.map { $0.attribute.value(in: info) }, number: number, info: info)
    if let worst, !OrderedRows.precedes(row, worst, order) {
      hasMore = true
      return
    }
    rows.append(row)
    byteCount += row.byteCount
    if rows.count >= 2 * max { cut() }
  }

  private mutating func cut() {
    rows.sort { OrderedRows.precedes($0, $1, order) }
    guard rows.count >= max else { return }
    hasMore = hasMore || rows.count > max
    rows.removeLast(rows.count - max)
    worst = rows.last
    byteCount = rows.reduce(0) { $0 + $1.byteCount }
  }

  mutating func complete() {
    cut()
    isComplete = true
  }

  /// The next rows, about `bytesMax` bytes of them, at least one.
  mutating func next(bytesMax: Int) -> [OrderedRow] {
    let start = shown
    var bytes = 0
    while shown < rows.count {
      bytes += rows[shown].info.serialized().count
      if shown > start && bytes > bytesMax { break }
      shown += 1
    }
    return Array(rows[start..<shown])
  }

  var isShown: Bool { shown == rows.count }

  /// By what they are ordered by, what a run does not have last; then newest first.
  static func precedes(_ a: OrderedRow, _ b: OrderedRow, _ order: [ListSelection.Key]) -> Bool {
    precedes(a.values, a.number, b.values, b.number, order)
  }

  static func precedes(
    _ a: [AttributeValue], _ aNumber: RunNumber, _ b: [AttributeValue], _ bNumber: RunNumber,
    _ order: [ListSelection.Key]
  ) -> Bool {
    for (place, key) in order.enumerated() {
      let difference = a[place].order(b[place])
      if difference == 0 { continue }
      let isTurned = key.isDescending && !a[place].isAbsent && !b[place].isAbsent
      #if MUTANTS
        if Mutant.isOn(.descendsNever) { return difference < 0 }
      #endif
      return isTurned ? difference > 0 : difference < 0
    }
    return aNumber > bNumber
  }
}

extension OrderedRow {
  /// About how much memory it takes.
  fileprivate var byteCount: Int {
    values.reduce(300 + info.serialized().count) { $0 + $1.byteCount }
  }
}
