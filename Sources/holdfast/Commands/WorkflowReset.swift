import ArgumentParser
import Messages

struct WorkflowReset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Let a workflow go on anew from an earlier point of its history.",
    discussion: ExitCodes.after(
      """
      A new run has the history up to the point, and what the code did from there on is undone:
      activities that had been scheduled before it and have not ended run again, timers keep their
      time. Signals and updates that came later come again, in their order. An open run ends.

      holdfast workflow reset --id o-1 --to last --reason 'the fix is deployed'
      holdfast workflow reset --id o-1 --before-activity charge
      holdfast workflow reset --id o-1 --to first --exclude signals --exclude updates

      `holdfast workflow show --id o-1` shows the events; --event-id takes that of a
      WorkflowTaskCompleted.
      """))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @OptionGroup var point: PointOptions
  @Option(help: "The same request id makes the same new run, however often it is sent.")
  var requestID: String?
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = ResetWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.point = try point.point()
    request.reapplyExclude = point.exclude.map(\.value)
    request.reason = reason
    request.requestID = requestID ?? ""
    let response: ResetWorkflowResponse = try engine.connect().call(
      .workflowResetWorkflow, request)
    print(
      engine.output == .json
        ? response.json() : "'\(execution.id)' goes on in run \(response.runID)")
  }
}

struct WorkflowFork: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fork",
    abstract: "Begin another workflow from a point of a workflow's history.",
    discussion: ExitCodes.after(
      """
      As reset, but under a new workflow id, and the workflow itself goes on as it is: its code can
      be tried on a copy. Activities that were pending at the point run for both.

      holdfast workflow fork --id o-1 --new-id o-1-test --to last
      """))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "The id of the new workflow.") var newID: String
  @OptionGroup var point: PointOptions
  @Option(help: "What to do where a closed run has the new id.")
  var idReusePolicy: ReusePolicy?
  @Option(help: "What to do where an open run has the new id.")
  var idConflictPolicy: ConflictPolicy?
  @Option(help: "The same request id makes the same new workflow, however often it is sent.")
  var requestID: String?
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = ForkWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.point = try point.point()
    request.workflowID = newID
    request.idReusePolicy = idReusePolicy?.policy ?? .unspecified
    request.idConflictPolicy = idConflictPolicy?.policy ?? .unspecified
    request.reapplyExclude = point.exclude.map(\.value)
    request.reason = reason
    request.requestID = requestID ?? ""
    let response: ForkWorkflowResponse = try engine.connect().call(.workflowForkWorkflow, request)
    guard engine.output == .table else { return print(response.json()) }
    print(
      response.started
        ? "forked '\(newID)', run \(response.runID)"
        : "'\(newID)' is there already, run \(response.runID)")
  }
}

/// A point of a history, and what of the time since then does not come again.
struct PointOptions: ParsableArguments {
  enum Task: String, ExpressibleByArgument, CaseIterable {
    case first, last
  }

  enum Exclude: String, ExpressibleByArgument, CaseIterable {
    case signals, updates

    var value: ReapplyExclude { self == .signals ? .signals : .updates }
  }

  @Option(help: "Undo the first workflow task and all after it, or the last one.") var to: Task?
  @Option(help: "Undo the workflow task that this event, a WorkflowTaskCompleted, tells of.")
  var eventID: Int64?
  @Option(help: "Undo the workflow task that first scheduled an activity of this type.")
  var beforeActivity: String?
  @Option(help: "What came later and does not come again.") var exclude: [Exclude] = []

  func validate() throws {
    guard [to != nil, eventID != nil, beforeActivity != nil].count(where: { $0 }) == 1 else {
      throw ValidationError(
        "say to which point: one of --to first, --to last, --event-id and --before-activity")
    }
  }

  func point() throws -> WorkflowPoint {
    var point = WorkflowPoint()
    if let eventID {
      point.kind = .event
      point.eventID = eventID
    } else if let beforeActivity {
      point.kind = .beforeActivity
      point.activityType = beforeActivity
    } else {
      point.kind = to == .first ? .firstWorkflowTask : .lastWorkflowTask
    }
    return point
  }
}
