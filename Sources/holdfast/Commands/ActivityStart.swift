import ArgumentParser
import Basics
import Messages

/// How an activity without a workflow is started.
struct ActivityStartArguments: ParsableArguments {
  @Option(help: "The activity type.") var type: String
  @Option(help: "The activity's id.") var activityID: String
  @Option(help: "The task queue of its workers.") var taskQueue: String
  @OptionGroup var input: InputOptions
  @Option(help: "The longest that an attempt may take; this or --schedule-to-close-timeout.")
  var startToCloseTimeout: Interval?
  @Option(help: "The longest that the activity may take, over all attempts.")
  var scheduleToCloseTimeout: Interval?
  @Option(help: "The longest that an attempt may wait for a worker.")
  var scheduleToStartTimeout: Interval?
  @Option(help: "The longest between two heartbeats.") var heartbeatTimeout: Interval?
  @Option(help: "Attempts in all; without it, no end; 1: at most once.")
  var retryMaximumAttempts: Int32?
  @Option(help: "The pause before the second attempt.") var retryInitialInterval: Interval?
  @Option(help: "How much longer each pause is than the one before.")
  var retryBackoffCoefficient: Double?
  @Option(help: "The longest pause.") var retryMaximumInterval: Interval?
  @Flag(help: "When its attempts are used up, hold it for a person instead of failing it.")
  var holdExhausted = false
  @Option(help: "The first attempt waits so long.") var startDelay: Interval?
  @Option(help: "The first attempt waits until then: 2026-01-31T12:00:00Z.") var startAt: Moment?
  @Option(help: "The same request id makes the same start, however often it is sent.")
  var requestID: String?
  @Option(help: "What to do where a run that has ended has the id.")
  var idReusePolicy: ReusePolicy?
  @Option(help: "What to do where an open run has the id.")
  var idConflictPolicy: ConflictPolicy?
  @Option(help: "A line for people, shown in lists.") var summary: String?
  @Option(help: "More for people, shown by describe.") var details: String?
  @OptionGroup var noted: DetailOptions
  @OptionGroup var priority: PriorityOptions

  private var options: ActivityTaskOptions {
    var policy = RetryPolicy()
    policy.maximumAttempts = retryMaximumAttempts ?? 0
    policy.initialIntervalMs = retryInitialInterval?.span ?? .zero
    policy.backoffCoefficient = retryBackoffCoefficient ?? 0
    policy.maximumIntervalMs = retryMaximumInterval?.span ?? .zero
    var options = ActivityTaskOptions()
    options.taskQueue = taskQueue
    options.scheduleToCloseTimeoutMs = scheduleToCloseTimeout?.span ?? .zero
    options.scheduleToStartTimeoutMs = scheduleToStartTimeout?.span ?? .zero
    options.startToCloseTimeoutMs = startToCloseTimeout?.span ?? .zero
    options.heartbeatTimeoutMs = heartbeatTimeout?.span ?? .zero
    options.retryPolicy = policy
    return options
  }

  func request(_ namespace: String) throws -> StartActivityRequest {
    var request = StartActivityRequest()
    request.namespace = namespace
    request.activityID = activityID
    request.activityType = type
    request.options = options
    request.input = try input.payloads()
    request.onExhausted = holdExhausted ? .pause : .unspecified
    request.startDelayMs = startDelay?.span ?? .zero
    request.startAtTimeMs = startAt?.instant ?? .epoch
    request.requestID = requestID ?? ""
    request.idReusePolicy = idReusePolicy?.policy ?? .unspecified
    request.idConflictPolicy = idConflictPolicy?.policy ?? .unspecified
    if summary != nil || details != nil {
      request.userMetadata = UserMetadata()
      request.userMetadata?.summary = summary ?? ""
      request.userMetadata?.details = details ?? ""
    }
    request.memo = try noted.notedMemo()
    request.searchAttributes = try noted.notedAttributes()
    request.priority = priority.message
    return request
  }
}

struct ActivityStart: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start an activity without a workflow and return at once.",
    discussion: ExitCodes.after(
      "holdfast activity start --type charge --activity-id c-1 --task-queue bank"
        + " --start-to-close-timeout 30s --input '\"card-1\"'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var start: ActivityStartArguments

  func run() throws {
    let response: StartActivityResponse = try engine.connect().call(
      .activityStartActivity, try start.request(engine.namespace))
    switch engine.output {
    case .json: print(response.json())
    case .table:
      print(
        response.started
          ? "started activity '\(start.activityID)', run \(response.runID)"
          : "activity '\(start.activityID)' was there already, run \(response.runID)")
    }
  }
}

/// Which activity without a workflow.
struct StandaloneOptions: ParsableArguments {
  @Option(help: "The activity's id.") var activityID: String
  @Option(help: "The run id; the newest run if it is left out.") var runID: String?

  func run() throws -> RunID { try WorkflowExecution("", run: runID).runID }
}

struct ActivityResult: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "result",
    abstract: "Wait for the end of an activity without a workflow and print its result.",
    discussion: ExitCodes.after("holdfast activity result --activity-id c-1 --timeout 30s"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activity: StandaloneOptions

  func run() throws {
    var request = GetActivityResultRequest()
    request.namespace = engine.namespace
    request.activityID = activity.activityID
    request.runID = try activity.run()
    let response: GetActivityResultResponse = try engine.connect().call(
      .activityGetActivityResult, request, waits: true)
    if engine.output == .json { print(response.json()) }
    if response.status == .completed {
      if engine.output == .table { print(Show.payloads(response.result)) }
      return
    }
    throw Fault(
      text: (["the activity ended as \(response.status.name)"] + Show.failure(response.failure))
        .joined(separator: "\n  "), code: ExitCodes.workflowNotCompleted)
  }
}
