import ArgumentParser
import Messages

struct ActivityCancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "Cancel an activity without a workflow: at once, or by its worker if it has started.",
    discussion: ExitCodes.after("holdfast activity cancel --activity-id c-1 --reason 'sold out'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: StandaloneOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = RequestCancelActivityRequest()
    request.namespace = engine.namespace
    request.activityID = activity.activityID
    request.runID = try activity.run()
    request.reason = reason
    let response: RequestCancelActivityResponse = try engine.connect().call(
      .activityRequestCancelActivity, request)
    print(engine.output == .json ? response.json() : "asked '\(activity.activityID)' to end")
  }
}

struct ActivityTerminate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "terminate", abstract: "End an activity without a workflow at once.",
    discussion: ExitCodes.after("holdfast activity terminate --activity-id c-1 --reason 'fraud'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: StandaloneOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = TerminateActivityRequest()
    request.namespace = engine.namespace
    request.activityID = activity.activityID
    request.runID = try activity.run()
    request.reason = reason
    let response: TerminateActivityResponse = try engine.connect().call(
      .activityTerminateActivity, request)
    print(engine.output == .json ? response.json() : "terminated '\(activity.activityID)'")
  }
}

struct ActivityDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Remove a run of an activity without a workflow; an open one ends first.",
    discussion: ExitCodes.after("holdfast activity delete --activity-id c-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: StandaloneOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = DeleteActivityRequest()
    request.namespace = engine.namespace
    request.activityID = activity.activityID
    request.runID = try activity.run()
    request.reason = reason
    let response: DeleteActivityResponse = try engine.connect().call(
      .activityDeleteActivity, request)
    print(
      engine.output == .json
        ? response.json() : "deleted '\(activity.activityID)', run \(response.runID)")
  }
}
