import ArgumentParser
import Messages

struct ActivityUpdateOptions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update-options",
    abstract: "Change options of pending activities, from now on; what is left out stays.",
    discussion: ExitCodes.after(
      "holdfast activity update-options --id o-1 --type charge --start-to-close-timeout 5m"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var activities: ActivitySelectionOptions
  @Option(help: "The task queue of the workers that take the next attempts.")
  var taskQueue: String?
  @Option(help: "The longest that the activity may take, over all attempts, from its schedule.")
  var scheduleToCloseTimeout: Interval?
  @Option(help: "The longest that an attempt may wait for a worker.")
  var scheduleToStartTimeout: Interval?
  @Option(help: "The longest that an attempt may take.") var startToCloseTimeout: Interval?
  @Option(help: "The longest between two heartbeats.") var heartbeatTimeout: Interval?
  @Option(help: "Attempts in all; 0: without an end.") var retryMaximumAttempts: Int32?
  @Option(help: "The pause before the second attempt.") var retryInitialInterval: Interval?
  @Option(help: "How much longer each pause is than the one before.")
  var retryBackoffCoefficient: Double?
  @Option(help: "The longest pause.") var retryMaximumInterval: Interval?
  @Flag(help: "First let the options that the workflow gave count again.")
  var restoreOriginalOptions = false

  func validate() throws {
    if fields.isEmpty && !restoreOriginalOptions {
      throw ValidationError("say what is to be changed, or --restore-original-options")
    }
  }

  /// Those that are given, by their names in the protocol.
  private var fields: [String] {
    [
      ("task_queue", taskQueue != nil),
      ("schedule_to_close_timeout_ms", scheduleToCloseTimeout != nil),
      ("schedule_to_start_timeout_ms", scheduleToStartTimeout != nil),
      ("start_to_close_timeout_ms", startToCloseTimeout != nil),
      ("heartbeat_timeout_ms", heartbeatTimeout != nil),
      ("retry_policy.maximum_attempts", retryMaximumAttempts != nil),
      ("retry_policy.initial_interval_ms", retryInitialInterval != nil),
      ("retry_policy.backoff_coefficient", retryBackoffCoefficient != nil),
      ("retry_policy.maximum_interval_ms", retryMaximumInterval != nil),
    ].filter(\.1).map(\.0)
  }

  func run() throws {
    var policy = RetryPolicy()
    policy.maximumAttempts = retryMaximumAttempts ?? 0
    policy.initialIntervalMs = retryInitialInterval?.span ?? .zero
    policy.backoffCoefficient = retryBackoffCoefficient ?? 0
    policy.maximumIntervalMs = retryMaximumInterval?.span ?? .zero
    var options = ActivityTaskOptions()
    options.taskQueue = taskQueue ?? ""
    options.scheduleToCloseTimeoutMs = scheduleToCloseTimeout?.span ?? .zero
    options.scheduleToStartTimeoutMs = scheduleToStartTimeout?.span ?? .zero
    options.startToCloseTimeoutMs = startToCloseTimeout?.span ?? .zero
    options.heartbeatTimeoutMs = heartbeatTimeout?.span ?? .zero
    options.retryPolicy = policy
    var request = UpdateActivityOptionsRequest()
    request.namespace = engine.namespace
    request.execution = try activities.execution()
    request.activities = activities.selection()
    request.reason = activities.reason
    request.options = options
    request.updateMask = fields
    request.restoreOriginal = restoreOriginalOptions
    let response: UpdateActivityOptionsResponse = try engine.connect().call(
      .activityUpdateActivityOptions, request)
    print(engine.output == .json ? response.json() : "changed options of \(activities.name)")
  }
}
