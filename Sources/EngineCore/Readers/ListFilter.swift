import Basics
import Messages

/// Which runs a list shows: comparisons joined by AND.
///
///     WorkflowType = 'order' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'eu-'
struct ListFilter: Sendable {
  enum Attribute: String, CaseIterable {
    case workflowID = "WorkflowId"
    case runID = "RunId"
    case workflowType = "WorkflowType"
    case status = "ExecutionStatus"
    case taskQueue = "TaskQueue"
    case startTime = "StartTime"
    case closeTime = "CloseTime"

    var isTime: Bool { self == .startTime || self == .closeTime }
  }

  enum Comparison: String, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case lessOrEqual = "<="
    case less = "<"
    case greaterOrEqual = ">="
    case greater = ">"
    case startsWith = "STARTS_WITH"
  }

  enum Value: Sendable {
    case text(String)
    case time(Instant)
  }

  struct Term: Sendable {
    let attribute: Attribute
    let comparison: Comparison
    let value: Value
  }

  let terms: [Term]

  func accepts(_ info: WorkflowInfo) -> Bool { terms.allSatisfy { $0.accepts(info) } }
}

extension ListFilter.Attribute: Sendable {}
extension ListFilter.Comparison: Sendable {}

extension ListFilter.Term {
  fileprivate func accepts(_ info: WorkflowInfo) -> Bool {
    switch value {
    case .text(let wanted): return compare(text(of: info), wanted)
    case .time(let wanted):
      let time = attribute == .startTime ? info.startTimeMs : info.closeTimeMs
      // An open run has no close time: no comparison holds for it.
      return time.ms != 0 && compare(time, wanted)
    }
  }

  private func text(of info: WorkflowInfo) -> String {
    switch attribute {
    case .workflowID: return info.execution?.workflowID ?? ""
    case .runID: return info.execution?.runID.description ?? ""
    case .workflowType: return info.workflowType
    case .status: return info.status.name
    case .taskQueue: return info.taskQueue
    case .startTime, .closeTime: preconditionFailure("a time is not compared as a text")
    }
  }

  private func compare<V: Comparable>(_ actual: V, _ wanted: V) -> Bool {
    switch comparison {
    case .equal: return actual == wanted
    case .notEqual: return actual != wanted
    case .less: return actual < wanted
    case .lessOrEqual: return actual <= wanted
    case .greater: return actual > wanted
    case .greaterOrEqual: return actual >= wanted
    case .startsWith:
      guard let actual = actual as? String, let wanted = wanted as? String else { return false }
      return actual.hasPrefix(wanted)
    }
  }
}

// MARK: - Parsing

/// Why a filter is not one: where, and what was expected.
struct FilterError: Error {
  let position: Int
  let expected: String

  var status: Status {
    .refusal(
      .invalidArgument, .filterInvalid, "query: at character \(position): expected \(expected)",
      field: "query")
  }
}

extension ListFilter {
  init(parsing text: String) throws(FilterError) {
    var scanner = FilterScanner(text)
    var terms: [Term] = []
    scanner.skipSpace()
    while !scanner.isAtEnd {
      terms.append(try scanner.term())
      scanner.skipSpace()
      if scanner.isAtEnd { break }
      try scanner.keyword("AND")
      scanner.skipSpace()
      if scanner.isAtEnd { throw scanner.error("a comparison after AND") }
    }
    self.terms = terms
  }
}

private struct FilterScanner {
  private let characters: [Character]
  private var position = 0

  init(_ text: String) { characters = Array(text) }

  var isAtEnd: Bool { position == characters.count }

  func error(_ expected: String) -> FilterError {
    FilterError(position: position + 1, expected: expected)
  }

  mutating func skipSpace() {
    while !isAtEnd, characters[position].isWhitespace { position += 1 }
  }

  mutating func term() throws(FilterError) -> ListFilter.Term {
    let start = position
    let name = word()
    guard let attribute = ListFilter.Attribute(rawValue: name) else {
      position = start
      throw error(
        "one of " + ListFilter.Attribute.allCases.map(\.rawValue).joined(separator: ", "))
    }
    skipSpace()
    let comparison = try comparison()
    if comparison == .startsWith && attribute.isTime {
      throw error("a comparison of times (\(attribute.rawValue) is one)")
    }
    skipSpace()
    let place = position
    let text = try quoted()
    return ListFilter.Term(
      attribute: attribute, comparison: comparison,
      value: try value(text, attribute, at: place))
  }

  private func value(_ text: String, _ attribute: ListFilter.Attribute, at place: Int)
    throws(FilterError) -> ListFilter.Value
  {
    if attribute.isTime {
      guard let time = Instant(iso8601: text) else {
        throw FilterError(position: place + 1, expected: "a time like '2026-01-31T12:00:00Z'")
      }
      return .time(time)
    }
    guard attribute == .status else { return .text(text) }
    // Statuses are written as people know them: Running, TimedOut, ContinuedAsNew.
    let plain = text.uppercased().filter { $0 != "_" }
    guard
      let status = WorkflowStatus.names.first(where: { $0.name.filter { $0 != "_" } == plain })
    else {
      throw FilterError(
        position: place + 1,
        expected: "one of "
          + WorkflowStatus.names.dropFirst().map(\.name).joined(separator: ", "))
    }
    return .text(status.name)
  }

  mutating func keyword(_ word: String) throws(FilterError) {
    let start = position
    guard self.word().uppercased() == word else {
      position = start
      throw error(word)
    }
  }

  private mutating func word() -> String {
    let start = position
    while !isAtEnd, characters[position].isLetter || characters[position] == "_" { position += 1 }
    return String(characters[start..<position])
  }

  private mutating func comparison() throws(FilterError) -> ListFilter.Comparison {
    for comparison in ListFilter.Comparison.allCases {
      let symbol = Array(comparison.rawValue)
      let rest = characters[position...].prefix(symbol.count)
      if String(rest).uppercased() == comparison.rawValue {
        position += symbol.count
        return comparison
      }
    }
    throw error(
      "one of " + ListFilter.Comparison.allCases.map(\.rawValue).joined(separator: " "))
  }

  private mutating func quoted() throws(FilterError) -> String {
    guard !isAtEnd, characters[position] == "'" || characters[position] == "\"" else {
      throw error("a text in quotes")
    }
    let quote = characters[position]
    var end = position + 1
    while end < characters.count, characters[end] != quote { end += 1 }
    guard end < characters.count else { throw error("a closing \(quote)") }
    defer { position = end + 1 }
    return String(characters[position + 1..<end])
  }
}
