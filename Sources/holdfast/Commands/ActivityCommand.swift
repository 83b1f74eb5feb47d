import ArgumentParser
import Messages

struct ActivityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activity", abstract: "End activities from outside of their workers.",
    discussion: "holdfast activity complete --id o-1 --activity-id approval --input true",
    subcommands: [ActivityComplete.self, ActivityFail.self])
}

/// Which activity: the current attempt.
struct ActivityOptions: ParsableArguments {
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "The activity's id within its workflow.") var activityID: String

  func reference() throws -> ActivityReference {
    var reference = ActivityReference()
    reference.execution = try execution.execution()
    reference.activityID = activityID
    return reference
  }
}

struct ActivityComplete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete", abstract: "Complete an activity that has started.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: ActivityOptions
  @OptionGroup var input: InputOptions

  func run() throws {
    var request = CompleteActivityRequest()
    request.namespace = engine.namespace
    request.activity = try activity.reference()
    request.result = try input.payloads()
    let response: CompleteActivityResponse = try engine.connect().call(
      .activityCompleteActivity, request)
    print(engine.output == .json ? response.json() : "completed '\(activity.activityID)'")
  }
}

struct ActivityFail: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail", abstract: "Fail an activity that has started; its policy goes on.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: ActivityOptions
  @Option(help: "Why.") var reason: String
  @Option(help: "The kind of error; retry policies match it.") var errorType = "CommandLine"
  @Flag(help: "No further attempt.") var nonRetryable = false

  func run() throws {
    var application = ApplicationFailure()
    application.type = errorType
    application.nonRetryable = nonRetryable
    var info = FailureInfo()
    info.message = reason
    info.source = "holdfast activity fail"
    info.kind = .application(application)
    var request = FailActivityRequest()
    request.namespace = engine.namespace
    request.activity = try activity.reference()
    request.failure = Failure()
    request.failure?.info = info
    let response: FailActivityResponse = try engine.connect().call(
      .activityFailActivity, request)
    print(engine.output == .json ? response.json() : "failed '\(activity.activityID)'")
  }
}
