import ArgumentParser
import Messages

struct WorkflowList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List workflows, newest first.",
    discussion: """
      holdfast workflow list --query "ExecutionStatus = 'Failed' AND WorkflowType != 'Test'"
      holdfast workflow list --query "WorkflowId STARTS_WITH 'eu-'" --order-by "CloseTime DESC"

      \(WorkflowList.queries)
      With -o json: one document a line.

      \(ExitCodes.help)
      """)

  static let queries = """
    Attributes: WorkflowId, RunId, WorkflowType, ExecutionStatus, TaskQueue, StartTime, CloseTime, \
    ExecutionDuration, HistoryLength, HistorySizeBytes, WaitingSince, and those that `holdfast \
    search-attribute list` shows.
    Tests: = != < <= > >=, IN ('a', 'b'), BETWEEN 'a' AND 'b', STARTS_WITH 'a', each but the signs \
    also after NOT; IS NULL, IS NOT NULL. They are joined by AND, OR, NOT and parentheses.
    Values: 'texts' in quotes, doubled within them; times like '2026-01-31T12:00:00Z'; durations \
    like '1h30m'; numbers; true and false.
    An open workflow has no CloseTime and no ExecutionDuration: what is asked about them is \
    neither true nor false, and NOT does not make it true.
    """

  /// Rows asked for at a time.
  private static let pageRows: Int64 = 1_000

  @OptionGroup var engine: EngineOptions
  @Option(help: "Which workflows.") var query = ""
  @Option(help: "Attributes, each perhaps with DESC, like \"CloseTime DESC, WorkflowId\".")
  var orderBy: String?
  @Option(
    parsing: .unconditionalSingleValue,
    help: "A search attribute or a key of the memo to show; may be given several times.")
  var column: [String] = []
  @Option(help: "How many at most, LIMIT in the query or not; 0: all.") var limit: Int64 = 100

  func run() throws {
    var request = ListWorkflowsRequest()
    request.namespace = engine.namespace
    request.query = query + (orderBy.map { " ORDER BY \($0)" } ?? "")
    request.limit = limit
    request.pageSize = WorkflowList.pageRows
    let connection = try engine.connect()
    var rows: [[String]] = []
    repeat {
      var next: [UInt8] = []
      try connection.stream(.workflowListWorkflows, request) {
        (response: ListWorkflowsResponse) in
        next = response.nextPageToken
        if engine.output == .json {
          for info in response.workflows { print(info.json()) }
        } else {
          rows += response.workflows.map(row)
        }
      }
      request.nextPageToken = next
    } while !request.nextPageToken.isEmpty
    guard engine.output == .table else { return }
    if rows.isEmpty { return print("no workflows") }
    let titles = ["WORKFLOW ID", "TYPE", "STATUS", "STARTED", "CLOSED"]
    print(Show.table(titles + column + ["NOTE"], rows))
  }

  private func row(_ info: WorkflowInfo) -> [String] {
    [
      info.execution?.workflowID ?? "", info.workflowType, info.status.name,
      Show.time(info.startTimeMs), Show.time(info.closeTimeMs),
    ] + column.map { DetailText.of($0, in: info) }
      + [info.problems.first ?? info.userMetadata?.summary ?? ""]
  }
}

struct WorkflowCount: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "count", abstract: "Count workflows.",
    discussion: """
      holdfast workflow count --query "ExecutionStatus = 'Failed'"
      holdfast workflow count --group-by "WorkflowType, ExecutionStatus"

      \(ExitCodes.help)
      """)

  @OptionGroup var engine: EngineOptions
  @Option(help: "Which workflows; see `holdfast help workflow list`.") var query = ""
  @Option(
    help: ArgumentHelp(
      "Some of ExecutionStatus, WorkflowType, TaskQueue, or search attributes of the types"
        + " Keyword, Int and Bool: a count for each."))
  var groupBy: String?

  func run() throws {
    var request = CountWorkflowsRequest()
    request.namespace = engine.namespace
    request.query = query + (groupBy.map { " GROUP BY \($0)" } ?? "")
    let response: CountWorkflowsResponse = try engine.connect().call(
      .workflowCountWorkflows, request)
    if engine.output == .json { return print(response.json()) }
    guard !response.groups.isEmpty else { return print(response.count) }
    var titles = groupBy.map { $0.uppercased().split { ", `".contains($0) }.map(String.init) } ?? []
    if titles.isEmpty { titles = response.groups[0].groupValues.map { _ in "GROUP" } }
    let rows = response.groups.map { $0.groupValues + [String($0.count)] }
    let total = ["all"] + titles.dropFirst().map { _ in "" } + [String(response.count)]
    print(Show.table(titles + ["COUNT"], rows + [total]))
  }
}
