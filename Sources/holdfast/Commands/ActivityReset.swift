import ArgumentParser
import Messages

struct ActivityReset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Count attempts from one again, and start the next one without waiting.",
    discussion: ExitCodes.after("holdfast activity reset --id o-1 --activity-id charge"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activities: ActivitySelectionOptions
  @Flag(help: "Leave a paused activity paused.") var keepPaused = false
  @Flag(help: "Give the next attempt no heartbeat details.") var resetHeartbeats = false
  @Flag(help: "Let the options that the workflow gave count again.")
  var restoreOriginalOptions = false

  func run() throws {
    var request = ResetActivityRequest()
    request.namespace = engine.namespace
    request.execution = try activities.execution()
    request.activities = activities.selection()
    request.reason = activities.reason
    request.keepPaused = keepPaused
    request.resetHeartbeat = resetHeartbeats
    request.restoreOriginalOptions = restoreOriginalOptions
    let response: ResetActivityResponse = try engine.connect().call(
      .activityResetActivity, request)
    print(engine.output == .json ? response.json() : "reset \(activities.name)")
  }
}
