import Basics
import Messages
import Testing

@testable import EngineCore

/// What comparisons mean for values of each kind, and for what a run does not have.
@Suite("Values of attributes") struct AttributeValueTests {
  @Test(arguments: [
    (AttributeValue.keyword("b"), Comparison.less, AttributeValue.keyword("c"), true),
    (.keyword("b"), .less, .keyword("b"), false),
    (.keyword("b"), .greaterOrEqual, .keyword("b"), true),
    (.keyword("eu-1"), .startsWith, .keyword("eu-"), true),
    (.keyword("eu"), .startsWith, .keyword("eu-"), false),
    (.keyword("e\u{301}"), .startsWith, .keyword("e"), true),
    // Two spellings of one character are two texts.
    (.keyword("e\u{301}"), .equal, .keyword("\u{E9}"), false),
    (.keyword("Z"), .less, .keyword("a"), true),
    (.keywords(["a", "b"]), .equal, .keyword("b"), true),
    (.keywords(["a", "b"]), .notEqual, .keyword("b"), false),
    (.keywords(["a", "b"]), .equal, .keyword("c"), false),
    (.keywords([]), .equal, .keyword("c"), false),
    (.text("The quick, brown fox"), .equal, .text("BROWN the"), true),
    (.text("The quick, brown fox"), .equal, .text("brow"), false),
    (.text("The quick, brown fox"), .notEqual, .text("brown hen"), true),
    (.int(-3), .less, .int(2), true),
    (.double(0.5), .greater, .double(0.25), true),
    (.bool(false), .notEqual, .bool(true), true),
    (.instant(Instant(ms: 5)), .lessOrEqual, .instant(Instant(ms: 5)), true),
    (.duration(Span(ms: 5)), .greater, .duration(Span(ms: 5)), false),
  ])
  func aComparisonHoldsOrNot(
    _ value: AttributeValue, _ comparison: Comparison, _ wanted: AttributeValue, _ holds: Bool
  ) {
    #expect(value.compares(comparison, wanted) == (holds ? .yes : .no))
  }

  /// An open run has no close time: what is asked about it is neither true nor false.
  @Test(arguments: [
    ("CloseTime > '2020-01-01T00:00:00Z'", false), ("CloseTime != '2020-01-01T00:00:00Z'", false),
    ("NOT CloseTime > '2020-01-01T00:00:00Z'", false),
    ("CloseTime NOT IN ('2020-01-01T00:00:00Z')", false),
    ("CloseTime NOT BETWEEN '2020-01-01T00:00:00Z' AND '2020-01-01T00:00:00Z'", false),
    ("CloseTime > '2020-01-01T00:00:00Z' OR WorkflowId = 'a'", true),
    ("NOT (CloseTime > '2020-01-01T00:00:00Z' AND WorkflowId = 'b')", true),
    ("NOT (CloseTime > '2020-01-01T00:00:00Z' AND WorkflowId = 'a')", false),
    ("NOT (CloseTime > '2020-01-01T00:00:00Z' OR WorkflowId = 'b')", false),
    ("CloseTime IS NULL", true), ("CloseTime IS NOT NULL", false),
    ("ExecutionDuration IS NULL AND NOT StartTime IS NULL", true),
  ])
  func whatARunDoesNotHaveIsUnknown(_ query: String, _ accepts: Bool) throws {
    var info = WorkflowInfo()
    info.execution = WorkflowExecution()
    info.execution?.workflowID = "a"
    info.startTimeMs = Instant(ms: 1)
    let filter = try ListSelection(parsing: query, .list, EngineLimits()).filter
    #expect(filter.accepts(info) == accepts)
  }

  @Test func eachAttributeIsLookedUp() throws {
    var info = WorkflowInfo()
    info.execution = WorkflowExecution()
    info.execution?.workflowID = "a"
    info.execution?.runID = RunID(high: 1, low: 2)
    info.workflowType = "order"
    info.taskQueue = "q"
    info.status = .timedOut
    info.startTimeMs = Instant(ms: 1_700_000_000_000)
    info.closeTimeMs = Instant(ms: 1_700_000_001_500)
    info.historyLength = 7
    info.historySizeBytes = 900
    for query in [
      "WorkflowId = 'a'", "RunId = '\(RunID(high: 1, low: 2))'", "WorkflowType = 'order'",
      "TaskQueue = 'q'", "ExecutionStatus = 'TimedOut'", "StartTime = '2023-11-14T22:13:20Z'",
      "CloseTime = '2023-11-14T22:13:21.500Z'", "ExecutionDuration = '1s500ms'",
      "HistoryLength = 7", "HistorySizeBytes = 900",
    ] {
      let filter = try ListSelection(parsing: query, .list, EngineLimits()).filter
      #expect(filter.accepts(info), "\(query)")
      let name = query.prefix { $0 != " " }
      let absent = try ListSelection(parsing: "\(name) IS NULL", .list, EngineLimits()).filter
      #expect(!absent.accepts(info), "\(name)")
    }
  }

  @Test func aTokenOfAPageIsReadAsItWasWritten() throws {
    let values: [AttributeValue] = [
      .absent, .keyword("é'"), .keyword(""), .int(-1), .double(0.1), .bool(true),
      .instant(Instant(ms: -5)), .duration(Span(ms: 7)),
    ]
    let token = ListToken(
      query: Fingerprint(of: "q"), left: 9, run: RunNumber(4), values: values)
    let read = try #require(ListToken(token.bytes))
    #expect(read.query == token.query && read.left == 9 && read.run == token.run)
    #expect(read.values.count == values.count)
    for (a, b) in zip(read.values, values) { #expect(a.order(b) == 0 && a.isAbsent == b.isAbsent) }
    for length in 0..<token.bytes.count {
      let short = ListToken(Array(token.bytes.prefix(length)))
      #expect((short?.values.count ?? 0) < values.count)
    }
    #expect(ListToken(token.bytes + [9]) == nil)
  }
}
