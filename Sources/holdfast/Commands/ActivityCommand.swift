import ArgumentParser
import Messages

struct ActivityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activity",
    abstract: "Start activities without a workflow; pause, reset, change and end pending ones.",
    discussion: """
      holdfast activity pause --id o-1 --type charge --reason 'the bank is down'

      Activities of a workflow are named by its --id and their own --activity-id; an activity
      without a workflow by its --activity-id alone.

      \(ExitCodes.help)
      """,
    subcommands: [
      ActivityStart.self, ActivityResult.self, ActivityDescribe.self, ActivityList.self,
      ActivityCount.self, ActivityCancelCommand.self, ActivityTerminate.self,
      ActivityDelete.self, ActivityComplete.self, ActivityFail.self, ActivityPause.self,
      ActivityUnpause.self, ActivityReset.self, ActivityUpdateOptions.self,
    ])
}

/// Which activity: the attempt that has a token, or the current attempt of one that has an id.
struct AttemptOptions: ParsableArguments {
  @Option(help: "The attempt's token, in base64, as its code knows it; instead of the ids.")
  var token: String?
  @Option(help: "The workflow id; without it, an activity without a workflow.") var id: String?
  @Option(help: "The run id; the current run if it is left out.") var runID: String?
  @Option(help: "The activity's id, within its workflow if it has one.") var activityID: String?

  func validate() throws {
    if token != nil {
      guard id == nil, runID == nil, activityID == nil else {
        throw ValidationError("--token names the attempt: leave out --id, --run-id, --activity-id")
      }
    } else if activityID == nil {
      throw ValidationError("name the activity with --activity-id, or with --token")
    }
  }

  func reference() throws -> ActivityReference {
    var reference = ActivityReference()
    if let token {
      guard let bytes = Base64.decode(token), !bytes.isEmpty else {
        throw Fault(text: "--token '\(token)' is not base64", code: ExitCodes.usage)
      }
      reference.token = bytes
    } else {
      reference.execution = try WorkflowExecution(id ?? "", run: runID)
      reference.activityID = activityID ?? ""
    }
    return reference
  }

  /// As people are told of it.
  var name: String { activityID.map { "'\($0)'" } ?? "the activity" }
}

struct ActivityComplete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete", abstract: "Complete an activity that has started, or is held.",
    discussion: ExitCodes.after(
      "holdfast activity complete --id o-1 --activity-id approval --input true"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: AttemptOptions
  @OptionGroup var input: InputOptions

  func run() throws {
    var request = CompleteActivityRequest()
    request.namespace = engine.namespace
    request.activity = try activity.reference()
    request.result = try input.payloads()
    let response: CompleteActivityResponse = try engine.connect().call(
      .activityCompleteActivity, request)
    print(engine.output == .json ? response.json() : "completed \(activity.name)")
  }
}

struct ActivityFail: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail",
    abstract: "Fail an activity that has started, by its policy; one that is held, for good.",
    discussion: ExitCodes.after(
      "holdfast activity fail --id o-1 --activity-id approval --reason 'nobody is there'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: AttemptOptions
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
    print(engine.output == .json ? response.json() : "failed \(activity.name)")
  }
}
