import ArgumentParser
import Messages

struct WorkflowList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List workflows, newest first.",
    discussion: """
      holdfast workflow list --query "ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'eu-'"

      Attributes: WorkflowId, RunId, WorkflowType, ExecutionStatus, TaskQueue, StartTime, CloseTime.
      Comparisons: = != < <= > >= STARTS_WITH, joined by AND; times like '2026-01-31T12:00:00Z'.
      With -o json: one document a line.

      \(ExitCodes.help)
      """)

  @OptionGroup var engine: EngineOptions
  @Option(help: "Which workflows.") var query = ""
  @Option(help: "How many at most; 0: all.") var limit: Int64 = 100

  func run() throws {
    var request = ListWorkflowsRequest()
    request.namespace = engine.namespace
    request.query = query
    request.limit = limit
    var rows: [[String]] = []
    try engine.connect().stream(.workflowListWorkflows, request) {
      (response: ListWorkflowsResponse) in
      for info in response.workflows {
        if engine.output == .json {
          print(info.json())
        } else {
          rows.append([
            info.execution?.workflowID ?? "", info.workflowType, info.status.name,
            Show.time(info.startTimeMs), Show.time(info.closeTimeMs),
            info.problems.first ?? info.userMetadata?.summary ?? "",
          ])
        }
      }
    }
    guard engine.output == .table else { return }
    if rows.isEmpty { return print("no workflows") }
    print(Show.table(["WORKFLOW ID", "TYPE", "STATUS", "STARTED", "CLOSED", "NOTE"], rows))
  }
}

struct WorkflowCount: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "count", abstract: "Count workflows.",
    discussion: ExitCodes.after("holdfast workflow count --query \"ExecutionStatus = 'Failed'\""))

  @OptionGroup var engine: EngineOptions
  @Option(help: "Which workflows; see `holdfast help workflow list`.") var query = ""

  func run() throws {
    var request = CountWorkflowsRequest()
    request.namespace = engine.namespace
    request.query = query
    let response: CountWorkflowsResponse = try engine.connect().call(
      .workflowCountWorkflows, request)
    print(engine.output == .json ? response.json() : String(response.count))
  }
}
