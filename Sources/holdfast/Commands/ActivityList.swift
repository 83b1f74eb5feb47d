import ArgumentParser
import Messages

struct ActivityList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List activities without a workflow, newest first.",
    discussion: """
      holdfast activity list --query "ExecutionStatus = 'Failed' AND ActivityType = 'charge'"

      Attributes: ActivityId, RunId, ActivityType, ExecutionStatus, TaskQueue, StartTime, \
      CloseTime, ExecutionDuration, and those that `holdfast search-attribute list` shows; the \
      rest is as `holdfast help workflow list` says.
      With -o json: one document a line.

      \(ExitCodes.help)
      """)

  @OptionGroup var engine: EngineOptions
  @Option(help: "Which activities.") var query = ""
  @Option(help: "Attributes, each perhaps with DESC, like \"CloseTime DESC, ActivityId\".")
  var orderBy: String?
  @Option(help: "How many at most, LIMIT in the query or not; 0: all.") var limit: Int64 = 100

  func run() throws {
    var request = ListActivitiesRequest()
    request.namespace = engine.namespace
    request.query = query + (orderBy.map { " ORDER BY \($0)" } ?? "")
    request.limit = limit
    var rows: [[String]] = []
    try engine.connect().stream(.activityListActivities, request) {
      (response: ListActivitiesResponse) in
      if engine.output == .json {
        for activity in response.activities { print(activity.json()) }
      } else {
        rows += response.activities.map(row)
      }
    }
    guard engine.output == .table else { return }
    if rows.isEmpty { return print("no activities") }
    print(Show.table(["ACTIVITY ID", "TYPE", "STATUS", "STARTED", "CLOSED", "NOTE"], rows))
  }

  private func row(_ activity: StandaloneActivity) -> [String] {
    [
      activity.activityID, activity.activityType, activity.status.name,
      Show.time(activity.startTimeMs), Show.time(activity.closeTimeMs),
      activity.problems.first ?? activity.userMetadata?.summary ?? "",
    ]
  }
}

struct ActivityCount: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "count", abstract: "Count activities without a workflow.",
    discussion: ExitCodes.after("holdfast activity count --query \"ExecutionStatus = 'Failed'\""))

  @OptionGroup var engine: EngineOptions
  @Option(help: "Which activities; see `holdfast help activity list`.") var query = ""

  func run() throws {
    var request = CountActivitiesRequest()
    request.namespace = engine.namespace
    request.query = query
    let response: CountActivitiesResponse = try engine.connect().call(
      .activityCountActivities, request)
    if engine.output == .json { print(response.json()) } else { print(response.count) }
  }
}

struct ActivityDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Show how an activity without a workflow is doing, and what keeps it from going on.",
    discussion: ExitCodes.after("holdfast activity describe --activity-id c-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: StandaloneOptions

  func run() throws {
    var request = DescribeActivityRequest()
    request.namespace = engine.namespace
    request.activityID = activity.activityID
    request.runID = try activity.run()
    let response: DescribeActivityResponse = try engine.connect().call(
      .activityDescribeActivity, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    print(Show.fields(ActivityDescribe.fields(response)))
    let shown = response.activity ?? StandaloneActivity()
    for attribute in shown.searchAttributes?.fields ?? [] {
      print("search attribute \(attribute.name): \(DetailText.of(attribute))")
    }
    for entry in shown.memo?.fields ?? [] { print("memo \(entry.key): \(DetailText.of(entry))") }
    for problem in shown.problems { print("warning: \(problem)") }
    if let pending = response.pending { WorkflowDescribe.show(pending) }
    for line in Show.failure(response.lastAttempt?.failure, indent: "  ") { print(line) }
  }

  private static func fields(_ response: DescribeActivityResponse) -> [(String, String)] {
    let activity = response.activity ?? StandaloneActivity()
    return [
      ("activity id", activity.activityID), ("run id", activity.runID.description),
      ("type", activity.activityType), ("task queue", activity.taskQueue),
      ("status", activity.status.name), ("started", Show.time(activity.startTimeMs)),
      ("closed", Show.time(activity.closeTimeMs)),
      ("summary", activity.userMetadata?.summary ?? ""),
      ("details", activity.userMetadata?.details ?? ""),
      ("attempt", response.lastAttempt.map { "\($0.attempt)" } ?? ""),
      ("worker", response.lastAttempt?.identity ?? ""),
    ]
  }
}
