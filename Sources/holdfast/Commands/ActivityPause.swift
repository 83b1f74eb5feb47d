import ArgumentParser
import Messages

/// Which pending activities of a workflow, or which activity without one.
struct ActivitySelectionOptions: ParsableArguments {
  @Option(help: "The workflow id; without it, an activity without a workflow.") var id: String?
  @Option(help: "The run id; the current run if it is left out.") var runID: String?
  @Option(help: "The activity's id, within its workflow if it has one.") var activityID: String?
  @Option(help: "All pending activities of this type.") var type: String?
  @Flag(help: "All pending activities of the workflow.") var all = false
  @Option(help: "Why.") var reason = ""

  func validate() throws {
    let given = [activityID != nil, type != nil, all].count { $0 }
    if given != 1 {
      throw ValidationError("say which activities: one of --activity-id, --type, --all")
    }
    if id == nil && activityID == nil {
      throw ValidationError("say which workflow with --id, or which activity with --activity-id")
    }
  }

  func execution() throws -> WorkflowExecution { try WorkflowExecution(id ?? "", run: runID) }

  func selection() -> ActivitySelection {
    var selection = ActivitySelection()
    if let activityID {
      selection.which = .activityID(activityID)
    } else if let type {
      selection.which = .activityType(type)
    } else {
      selection.which = .all(true)
    }
    return selection
  }

  /// As people are told of them.
  var name: String {
    guard let id else { return "activity '\(activityID ?? "")'" }
    if let activityID { return "activity '\(activityID)' of '\(id)'" }
    if let type { return "activities of type '\(type)' of '\(id)'" }
    return "all activities of '\(id)'"
  }
}

struct ActivityPause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Let no attempt start; one that has started is told, and may end.",
    discussion: ExitCodes.after(
      "holdfast activity pause --id o-1 --type charge --reason 'the bank is down'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activities: ActivitySelectionOptions

  func run() throws {
    var request = PauseActivityRequest()
    request.namespace = engine.namespace
    request.execution = try activities.execution()
    request.activities = activities.selection()
    request.reason = activities.reason
    let response: PauseActivityResponse = try engine.connect().call(
      .activityPauseActivity, request)
    print(engine.output == .json ? response.json() : "paused \(activities.name)")
  }
}

struct ActivityUnpause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause",
    abstract: "Let paused activities go on; one whose attempts are used up has one more.",
    discussion: ExitCodes.after("holdfast activity unpause --id o-1 --all --reset-attempts"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activities: ActivitySelectionOptions
  @Flag(help: "Count attempts from one again.") var resetAttempts = false
  @Flag(help: "Give the next attempt no heartbeat details.") var resetHeartbeats = false

  func run() throws {
    var request = UnpauseActivityRequest()
    request.namespace = engine.namespace
    request.execution = try activities.execution()
    request.activities = activities.selection()
    request.reason = activities.reason
    request.resetAttempts = resetAttempts
    request.resetHeartbeat = resetHeartbeats
    let response: UnpauseActivityResponse = try engine.connect().call(
      .activityUnpauseActivity, request)
    print(engine.output == .json ? response.json() : "unpaused \(activities.name)")
  }
}
