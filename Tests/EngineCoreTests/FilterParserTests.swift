import Basics
import Messages
import Testing

@testable import EngineCore

/// What a query means, and what is said of one that means nothing.
@Suite("The reader of queries") struct FilterParserTests {
  /// Those of every run, and one of each kind that they do not have.
  private static let attributes =
    ListAttribute.all + [
      ListAttribute(name: "Note", kind: .text, source: .workflowID),
      ListAttribute(name: "Tags", kind: .keywordList, source: .workflowID),
      ListAttribute(name: "Weight", kind: .double, source: .workflowID),
      ListAttribute(name: "Paid", kind: .bool, source: .workflowID),
      ListAttribute(name: "Order by", kind: .int, source: .historyLength),
    ]

  private func parse(_ query: String, _ purpose: ListSelection.Purpose = .list)
    throws(FilterError) -> ListSelection
  {
    try ListSelection(
      parsing: query, purpose, EngineLimits(), attributes: FilterParserTests.attributes)
  }

  @Test(arguments: [
    ("", "every run"),
    (" \n", "every run"),
    ("WorkflowId = 'a'", "WorkflowId = a"),
    ("WorkflowId='a'", "WorkflowId = a"),
    ("`WorkflowId` = \"a\"", "WorkflowId = a"),
    ("WorkflowId = 'it''s'", "WorkflowId = it's"),
    ("WorkflowId = \"say \"\"x\"\"\"", "WorkflowId = say \"x\""),
    ("WorkflowId = ''", "WorkflowId = "),
    ("WorkflowId STARTS_WITH 'eu-'", "WorkflowId starts with eu-"),
    ("RunId NOT starts_with '0'", "not(RunId starts with 0)"),
    (
      "WorkflowId = 'a' AND RunId = 'b' AND TaskQueue = 'c'",
      "all(WorkflowId = a, RunId = b, TaskQueue = c)"
    ),
    (
      "WorkflowId = 'a' OR RunId = 'b' AND TaskQueue = 'c'",
      "any(WorkflowId = a, all(RunId = b, TaskQueue = c))"
    ),
    (
      "WorkflowId = 'a' AND RunId = 'b' OR TaskQueue = 'c'",
      "any(all(WorkflowId = a, RunId = b), TaskQueue = c)"
    ),
    (
      "(WorkflowId = 'a' or RunId = 'b') and TaskQueue = 'c'",
      "all(any(WorkflowId = a, RunId = b), TaskQueue = c)"
    ),
    ("NOT WorkflowId = 'a' AND RunId = 'b'", "all(not(WorkflowId = a), RunId = b)"),
    ("NOT (WorkflowId = 'a' AND RunId = 'b')", "not(all(WorkflowId = a, RunId = b))"),
    ("NOT NOT ((WorkflowId = 'a'))", "not(not(WorkflowId = a))"),
    ("ExecutionStatus = 'TimedOut'", "ExecutionStatus = TIMED_OUT"),
    ("ExecutionStatus != 'timed_out'", "ExecutionStatus != TIMED_OUT"),
    ("ExecutionStatus IN ('Running', \"failed\")", "ExecutionStatus in RUNNING, FAILED"),
    ("WorkflowType NOT IN ('a')", "not(WorkflowType in a)"),
    (
      "HistoryLength BETWEEN 2 AND +5 AND WorkflowId = 'a'",
      "all(all(HistoryLength >= 2, HistoryLength <= 5), WorkflowId = a)"
    ),
    (
      "HistorySizeBytes NOT BETWEEN -2 AND 5",
      "not(all(HistorySizeBytes >= -2, HistorySizeBytes <= 5))"
    ),
    ("CloseTime IS NULL", "CloseTime is absent"),
    ("CloseTime is not null", "not(CloseTime is absent)"),
    ("StartTime < '2023-11-14T22:13:20.5Z'", "StartTime < 1700000000500ms"),
    ("StartTime >= '2023-11-15T00:13:20+02:00'", "StartTime >= 1700000000000ms"),
    ("ExecutionDuration > '1h30m'", "ExecutionDuration > 5400000ms"),
    ("Weight <= -1.5e-3", "Weight <= -0.0015"),
    ("Weight = 7", "Weight = 7.0"),
    ("Paid = TRUE OR Paid != false", "any(Paid = true, Paid != false)"),
    ("Tags IN ('a', 'b')", "Tags in a, b"),
    ("Note = 'two words'", "Note = two words"),
    ("`Order by` = 1", "Order by = 1"),
  ])
  func aFilterIsATree(_ query: String, _ tree: String) throws {
    #expect(try parse(query).filter.tree == tree)
    #expect(try parse(query, .count).filter.tree == tree)
  }

  @Test(arguments: [
    ("ORDER BY StartTime", "StartTime up", nil),
    (
      "CloseTime IS NULL order by CloseTime desc, WorkflowId asc LIMIT 20",
      "CloseTime down, WorkflowId up", 20 as Int64?
    ),
    ("LIMIT 9223372036854775807", "", Int64.max),
    ("WorkflowId = 'a' limit 1", "", 1),
  ])
  func aListIsOrderedAndLimited(_ query: String, _ order: String, _ limit: Int64?) throws {
    let selection = try parse(query)
    let keys = selection.order.map { "\($0.attribute.name) \($0.isDescending ? "down" : "up")" }
    #expect(keys.joined(separator: ", ") == order)
    #expect(selection.limit == limit)
  }

  @Test func aCountIsGrouped() throws {
    let selection = try parse("CloseTime IS NULL GROUP BY ExecutionStatus, TaskQueue", .count)
    #expect(selection.groups.map(\.name) == ["ExecutionStatus", "TaskQueue"])
  }

  private static let known =
    "WorkflowId, RunId, WorkflowType, ExecutionStatus, TaskQueue, StartTime, CloseTime,"
    + " ExecutionDuration, HistoryLength, HistorySizeBytes, WaitingSince, Note, Tags, Weight, Paid,"
    + " Order by"
  private static let statuses =
    "'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'CONTINUED_AS_NEW', 'TIMED_OUT',"
    + " 'PAUSED'"

  @Test(arguments: [
    ("Color = 'red'", "at character 1: expected one of the attributes \(known), found 'Color'"),
    (
      "workflowid = 'a'",
      "at character 1: expected one of the attributes \(known), found 'workflowid'"
    ),
    ("NOT", "at character 4: expected one of the attributes \(known), found the end"),
    ("= 'a'", "at character 1: expected one of the attributes \(known), found '='"),
    (
      "'a' = WorkflowId",
      "at character 1: expected one of the attributes \(known), found the text 'a'"
    ),
    (
      "WorkflowId = 'a' AND",
      "at character 21: expected one of the attributes \(known), found the end"
    ),
    (
      "WorkflowId = 'a' OR AND",
      "at character 21: expected one of the attributes \(known), found 'AND'"
    ),
    ("\u{E9} = 'a'", "at character 1: expected one of the attributes \(known), found '\u{E9}'"),
    (
      "WorkflowId",
      "at character 11: expected one of = != < <= > >= IN BETWEEN STARTS_WITH IS"
        + " (WorkflowId: Keyword), found the end"
    ),
    (
      "HistoryLength ~ 5",
      "at character 15: expected one of = != < <= > >= IN BETWEEN IS (HistoryLength: Int),"
        + " found '~'"
    ),
    (
      "ExecutionStatus > 'Running'",
      "at character 17: expected one of = != IN IS (ExecutionStatus: Status), found '>'"
    ),
    (
      "Paid BETWEEN true AND false",
      "at character 6: expected one of = != IN IS (Paid: Bool), found 'BETWEEN'"
    ),
    (
      "StartTime STARTS_WITH '2026'",
      "at character 11: expected one of = != < <= > >= IN BETWEEN IS (StartTime: Datetime),"
        + " found 'STARTS_WITH'"
    ),
    (
      "WorkflowId NOT = 'a'",
      "at character 16: expected one of IN BETWEEN STARTS_WITH, found '='"
    ),
    (
      "WorkflowId = 5",
      "at character 14: expected a text in quotes (WorkflowId: Keyword), found the number 5"
    ),
    (
      "WorkflowId = NULL",
      "at character 14: expected a text in quotes (WorkflowId: Keyword), found 'NULL'"
    ),
    (
      "WorkflowId = 'a",
      "at character 16: expected the ' that ends what begins at character 14, found the end"
    ),
    (
      "HistoryLength = '5'",
      "at character 17: expected a whole number (HistoryLength: Int), found the text '5'"
    ),
    (
      "HistoryLength = 1.5",
      "at character 17: expected a whole number (HistoryLength: Int), found the number 1.5"
    ),
    (
      "HistoryLength = 9223372036854775808",
      "at character 17: expected a whole number (HistoryLength: Int), found the number"
        + " 9223372036854775808"
    ),
    (
      "Weight = 1e999",
      "at character 10: expected a number (Weight: Double), found the number 1e999"
    ),
    (
      "Paid = 'true'",
      "at character 8: expected true or false (Paid: Bool), found the text 'true'"
    ),
    (
      "StartTime > '2026-02-30T00:00:00Z'",
      "at character 13: expected a time like '2026-01-31T12:00:00Z' (StartTime: Datetime),"
        + " found the text '2026-02-30T00:00:00Z'"
    ),
    (
      "ExecutionDuration > '5'",
      "at character 21: expected a duration like '1h30m' or '250ms' (ExecutionDuration:"
        + " Duration), found the text '5'"
    ),
    (
      "ExecutionStatus = 'Asleep'",
      "at character 19: expected one of \(statuses) (ExecutionStatus: Status), found the text"
        + " 'Asleep'"
    ),
    ("WorkflowId IN 'a'", "at character 15: expected '(', found the text 'a'"),
    ("WorkflowId IN ('a' 'b')", "at character 20: expected ',' or ')', found the text 'b'"),
    (
      "WorkflowId IN ()",
      "at character 16: expected a text in quotes (WorkflowId: Keyword), found ')'"
    ),
    ("HistoryLength BETWEEN 1 5", "at character 25: expected AND, found the number 5"),
    ("CloseTime IS 5", "at character 14: expected NULL or NOT NULL, found the number 5"),
    ("CloseTime IS NOT 5", "at character 18: expected NULL, found the number 5"),
    ("(WorkflowId = 'a'", "at character 18: expected AND, OR or ')', found the end"),
    (
      "WorkflowId = 'a')",
      "at character 17: expected AND, OR, ORDER BY, LIMIT or the end, found ')'"
    ),
    (
      "WorkflowId = 'a' GROUP BY TaskQueue",
      "at character 18: expected AND, OR, ORDER BY, LIMIT or the end, found 'GROUP'"
    ),
    ("ORDER StartTime", "at character 7: expected BY, found 'StartTime'"),
    (
      "ORDER BY RunId, RunId",
      "at character 17: expected one of the attributes WorkflowId, WorkflowType, ExecutionStatus,"
        + " TaskQueue,"
        + " StartTime, CloseTime, ExecutionDuration, HistoryLength, HistorySizeBytes, WaitingSince,"
        + " Weight, Paid, Order by, found 'RunId'"
    ),
    ("ORDER BY StartTime up", "at character 20: expected ',', LIMIT or the end, found 'up'"),
    ("LIMIT 0", "at character 7: expected a whole number above 0, found the number 0"),
    ("LIMIT 5 ORDER BY RunId", "at character 9: expected the end, found 'ORDER'"),
    (
      "WorkflowId = '\(String(repeating: "x", count: 60))' x",
      "at character 77: expected AND, OR, ORDER BY, LIMIT or the end, found 'x'"
    ),
    (
      "\(String(repeating: "x", count: 60)) = 1",
      "at character 1: expected one of the attributes \(known), found"
        + " '\(String(repeating: "x", count: 40))…'"
    ),
  ])
  func anErrorSaysWhereAndWhat(_ query: String, _ message: String) {
    let error = #expect(throws: FilterError.self) { try parse(query) }
    #expect(error?.status.message == "query: " + message)
    #expect(error?.status.reason == .filterInvalid)
    #expect(error?.status.field == "query")
  }

  @Test(arguments: [
    ("LIMIT 5", "at character 1: expected AND, OR, GROUP BY or the end, found 'LIMIT'"),
    ("GROUP BY TaskQueue ASC", "at character 20: expected ',' or the end, found 'ASC'"),
    (
      "GROUP BY WorkflowId",
      "at character 10: expected one of the attributes WorkflowType, ExecutionStatus, TaskQueue,"
        + " found"
        + " 'WorkflowId'"
    ),
  ])
  func aCountIsNoList(_ query: String, _ message: String) {
    let error = #expect(throws: FilterError.self) { try parse(query, .count) }
    #expect(error?.status.message == "query: " + message)
  }

  /// Each at its bound and one beyond it.
  @Test func aQueryHasBounds() {
    func message(_ query: String) -> String? {
      #expect(throws: FilterError.self) { try parse(query) }?.status.message
    }
    func nested(_ depth: Int) -> String {
      String(repeating: "NOT (", count: depth / 2) + "WorkflowId = 'a'"
        + String(repeating: ")", count: depth / 2)
    }
    #expect(throws: Never.self) { try parse(nested(48)) }
    for (depth, found) in [(50, "WorkflowId"), (10_000, "NOT")] {
      #expect(
        message(nested(depth))
          == "query: at character 126: expected at most 50 levels of NOT and parentheses,"
          + " found '\(found)'")
    }
    func values(_ count: Int) -> String {
      "HistoryLength IN (" + (1...count).map { "\($0)" }.joined(separator: ",") + ")"
    }
    #expect(throws: Never.self) { try parse(values(1_000)) }
    #expect(
      message(values(1_001))
        == "query: at character 3912: expected at most 1000 values, found the number 1001")
    let long = "WorkflowId = '" + String(repeating: "x", count: 65_521) + "'"
    #expect(throws: Never.self) { try parse(long) }
    #expect(
      message(long + " ") == "query: at character 1: expected at most 65536 bytes, found 65537")
  }

  @Test(
    arguments: [
      ("WorkflowId = 'x'", "x"), ("WorkflowId IN ('x')", "x"),
      ("ExecutionStatus = 'Running' AND (WorkflowId = 'x' AND RunId = 'y')", "x"),
      ("WorkflowId IN ('x', 'y')", nil), ("NOT WorkflowId = 'x'", nil),
      ("WorkflowId = 'x' OR RunId = 'y'", nil), ("WorkflowType = 'x'", nil), ("", nil),
    ] as [(String, String?)])
  func onlyTheRunsOfAnIDAreRead(_ query: String, _ id: String?) throws {
    #expect(try parse(query).filter.key == id.map { .workflowID($0) })
  }

  @Test(
    arguments: [
      ("Customer = 'x'", "Customer", "x"), ("Customer IN ('x')", "Customer", "x"),
      ("Tags = 'x' AND RunId = 'y'", "Tags", "x"), ("Amount = -7", "Amount", "-7"),
      ("Paid = TRUE", "Paid", "true"), ("Customer != 'x'", nil, ""), ("Amount > 7", nil, ""),
      ("Note = 'x'", nil, ""), ("Score = 2", nil, ""), ("Due = '2026-01-31T12:00:00Z'", nil, ""),
      ("Customer IN ('x', 'y')", nil, ""), ("Customer = 'x' OR Paid = TRUE", nil, ""),
    ] as [(String, String?, String)])
  func onlyTheRunsWithAnAttributeAreRead(_ query: String, _ name: String?, _ value: String) throws {
    let types: [(String, SearchAttributeType)] = [
      ("Amount", .int), ("Customer", .keyword), ("Due", .datetime), ("Note", .text),
      ("Paid", .bool), ("Score", .double), ("Tags", .keywordList),
    ]
    let attributes = types.compactMap { name, type in
      ListAttribute.Kind(type).map { ListAttribute(name: name, kind: $0, source: .own(type)) }
    }
    let selection = try ListSelection(
      parsing: query, .list, EngineLimits(), attributes: ListAttribute.all + attributes)
    #expect(selection.filter.key == name.map { .attribute(name: $0, value: value) })
  }

  /// The rows of an id are fewer, most likely.
  @Test func anIDIsLookedForFirst() throws {
    let attribute = ListAttribute(name: "Customer", kind: .keyword, source: .own(.keyword))
    let selection = try ListSelection(
      parsing: "Customer = 'x' AND WorkflowId = 'y'", .list, EngineLimits(),
      attributes: ListAttribute.all + [attribute])
    #expect(selection.filter.key == .workflowID("y"))
  }
}

extension ListFilter {
  /// In words.
  fileprivate var tree: String {
    switch self {
    case .all(let parts) where parts.isEmpty: "every run"
    case .all(let parts): "all(\(parts.map(\.tree).joined(separator: ", ")))"
    case .any(let parts): "any(\(parts.map(\.tree).joined(separator: ", ")))"
    case .not(let filter): "not(\(filter.tree))"
    case .compares(let attribute, let comparison, let value):
      "\(attribute.name) \(comparison.text) \(value.words)"
    case .isAmong(let attribute, let values):
      "\(attribute.name) in \(values.map(\.words).joined(separator: ", "))"
    case .isAbsent(let attribute): "\(attribute.name) is absent"
    }
  }
}

extension Comparison {
  fileprivate var text: String {
    switch self {
    case .equal: "="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    case .startsWith: "starts with"
    }
  }
}

extension AttributeValue {
  fileprivate var words: String {
    switch self {
    case .absent: "nothing"
    case .text(let text), .keyword(let text): text
    case .keywords(let all): "\(all)"
    case .int(let int): "\(int)"
    case .double(let double): "\(double)"
    case .bool(let bool): "\(bool)"
    case .instant(let instant): "\(instant.ms)ms"
    case .duration(let span): "\(span.ms)ms"
    }
  }
}
