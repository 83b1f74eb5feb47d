import ArgumentParser
import Basics
import Messages

struct WorkflowDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Show what a workflow is doing, and what keeps it from going on.",
    discussion: ExitCodes.after("holdfast workflow describe --id o-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    var request = DescribeWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    let response: DescribeWorkflowResponse = try engine.connect().call(
      .workflowDescribeWorkflow, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    print(Show.fields(WorkflowDescribe.fields(response)))
    WorkflowDescribe.showDetails(response)
    for warning in response.warnings { print("warning: \(warning)") }
    WorkflowDescribe.showTask(response.pendingWorkflowTask)
    for activity in response.pendingActivities { WorkflowDescribe.show(activity) }
    for update in response.pendingUpdates {
      let isAccepted = update.acceptedEventID != 0
      print("\nupdate \(update.updateID) \(isAccepted ? "is accepted" : "waits for the code")")
    }
    for child in response.pendingChildren {
      let run = WorkflowDescribe.text(child.execution?.runID ?? .none)
      print(
        "\nchild '\(child.execution?.workflowID ?? "")' (\(child.workflowType)) "
          + (run.isEmpty ? "is being started" : "runs, run \(run)")
          + (child.cancelRequested ? ", asked to cancel" : ""))
    }
    for timer in response.pendingTimers {
      print("\ntimer \(timer.timerID) fires at \(Show.time(timer.fireTimeMs))")
    }
  }

  /// What the workflow says of itself.
  private static func showDetails(_ response: DescribeWorkflowResponse) {
    let attributes = response.info?.searchAttributes?.fields ?? []
    let memo = response.info?.memo?.fields ?? []
    if !attributes.isEmpty {
      print("\nsearch attributes")
      print(Show.fields(attributes.map { ("  " + $0.name, DetailText.of($0)) }))
    }
    if !memo.isEmpty {
      print("\nmemo")
      print(Show.fields(memo.map { ("  " + $0.key, DetailText.of($0)) }))
    }
    for (title, text) in [
      ("details", response.info?.userMetadata?.details ?? ""),
      ("current details", response.currentDetails),
    ] where !text.isEmpty {
      print("\n\(title)")
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        print("  \(line)")
      }
    }
  }

  private static func fields(_ response: DescribeWorkflowResponse) -> [(String, String)] {
    let info = response.info ?? WorkflowInfo()
    return [
      ("workflow id", info.execution?.workflowID ?? ""),
      ("run id", info.execution?.runID.description ?? ""), ("type", info.workflowType),
      ("task queue", info.taskQueue), ("status", info.status.name),
      ("started", Show.time(info.startTimeMs)), ("closed", Show.time(info.closeTimeMs)),
      (
        "history",
        "\(info.historyLength) event\(info.historyLength == 1 ? "" : "s"),"
          + " \(info.historySizeBytes) bytes"
      ),
      ("run timeout", Show.duration(response.runTimeoutMs)),
      ("attempt", response.retryPolicy == nil ? "" : attempt(response)),
      ("cron", response.cronSchedule), ("cron time zone", response.cronTimeZone),
      ("priority", Show.priority(response.priority)),
      ("concurrency key", response.concurrencyKey),
      ("waiting since", Show.time(info.waitingSinceTimeMs)),
      ("schedule", response.scheduleID), ("scheduled for", Show.time(response.scheduledTimeMs)),
      ("follows run", text(response.continuedRunID)), ("goes on in", text(response.newRunID)),
      ("reset to run", text(response.resetRunID)), ("copy of", origin(response.copy)),
      ("child of", response.parent.map { "'\($0.workflowID)', run \($0.runID)" } ?? ""),
      ("summary", info.userMetadata?.summary ?? ""),
      ("cancel requested", response.cancelRequested ? "yes" : ""),
    ]
  }

  private static func attempt(_ response: DescribeWorkflowResponse) -> String {
    let most = response.retryPolicy?.maximumAttempts ?? 0
    return "\(response.attempt)" + (most == 0 ? "" : " of \(most)")
  }

  private static func origin(_ copy: RunCopy?) -> String {
    guard let copy else { return "" }
    let isFork = copy.baseExecution?.workflowID != copy.execution?.workflowID
    let base = isFork ? "'\(copy.baseExecution?.workflowID ?? "")', " : ""
    return base + "run \(copy.baseExecution?.runID ?? .none), before event \(copy.baseEventID)"
      + (copy.reason.isEmpty ? "" : ": \(copy.reason)")
  }

  private static func text(_ runID: RunID) -> String { runID == .none ? "" : runID.description }

  private static func showTask(_ task: PendingWorkflowTask?) {
    guard let task else { return }
    print(
      "\nworkflow task: \(task.state.name), attempt \(task.attempt)"
        + (task.identity.isEmpty ? "" : ", with \(task.identity)")
        + (task.nextAttemptTimeMs.ms == 0 ? "" : ", next try \(Show.time(task.nextAttemptTimeMs))"))
    for line in Show.failure(task.lastFailure, indent: "  ") { print(line) }
    guard let diff = task.lastDiff else { return }
    print("  event     \(diff.eventID)")
    let expected = diff.expected.map { "\($0.type.name) \($0.name) \($0.id)" }
    let actual = diff.actual.map { "\($0.type.name) \($0.name) \($0.id) \($0.location)" }
    print("  expected  \(expected ?? "nothing")")
    print("  actual    \(actual ?? "nothing")")
  }

  static func show(_ activity: PendingActivity) {
    let of = activity.maximumAttempts == 0 ? "" : " of \(activity.maximumAttempts)"
    let type = activity.activityType + (activity.local ? ", local" : "")
    print("\nactivity \(activity.activityID) (\(type)): \(activity.state.name)")
    print(
      Show.fields([
        ("  attempt", "\(activity.attempt)\(of), \(activity.failedAttemptsCount) failed"),
        ("  task queue", activity.taskQueue), ("  worker", activity.lastWorkerIdentity),
        ("  started", Show.time(activity.startedTimeMs)),
        ("  next attempt", Show.time(activity.nextAttemptTimeMs)),
        ("  heartbeat", Show.time(activity.lastHeartbeatTimeMs)),
        ("  details", Show.payloads(activity.heartbeatDetails)),
        ("  paused", activity.pause.map(WorkflowDescribe.text) ?? ""),
        ("  options", activity.optionsChanged ? WorkflowDescribe.text(activity.options) : ""),
      ]))
    for line in Show.failure(activity.lastFailure, indent: "  ") { print(line) }
  }

  private static func text(_ pause: Messages.ActivityPause) -> String {
    let since = "since \(Show.time(pause.pausedTimeMs))"
    let who = pause.identity.isEmpty ? "" : " by \(pause.identity)"
    let why = pause.reason.isEmpty ? "" : ": \(pause.reason)"
    return "\(since)\(who)\(why)\(pause.exhausted ? "; its attempts are used up" : "")"
  }

  private static func text(_ options: ActivityTaskOptions?) -> String {
    "changed: \(options?.json() ?? "")"
  }
}
