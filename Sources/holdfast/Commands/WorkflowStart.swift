import ArgumentParser
import Messages

/// How a workflow is started.
struct StartArguments: ParsableArguments {
  @Option(help: "The workflow type.") var type: String
  @Option(help: "The workflow id.") var id: String
  @Option(help: "The task queue of its workers.") var taskQueue: String
  @OptionGroup var input: InputOptions
  @Option(help: "The same request id makes the same start, however often it is sent.")
  var requestID: String?
  @Option(help: "The longest that the workflow may live, over all its runs.")
  var executionTimeout: Interval?
  @Option(help: "The longest that one run may live.") var runTimeout: Interval?
  @Option(help: "The longest that a worker may take for one turn.") var taskTimeout: Interval?
  @Option(help: "The code begins so long after the start, or with the first signal.")
  var startDelay: Interval?
  @Option(help: "The code begins then: 2026-01-31T12:00:00Z.") var startAt: Moment?
  @Option(help: "Begin it at each time of a cron string: '30 9 * * MON-FRI', @daily, '@every 1h'.")
  var cron: String?
  @Option(help: "The time zone of the cron string: Europe/Berlin; without it, UTC.")
  var cronTimeZone: String?
  @Option(help: "Begin a run that fails or times out again, up to so many times in all; 0: always.")
  var maximumAttempts: Int32?
  @Option(help: "The pause before the second attempt; it doubles with each further one.")
  var retryInterval: Interval?
  @Option(help: "What to do where a closed run has the id.")
  var idReusePolicy: ReusePolicy?
  @Option(help: "What to do where an open run has the id.")
  var idConflictPolicy: ConflictPolicy?
  @Option(help: "A line for people, shown in lists.") var summary: String?
  @Option(help: "More for people, shown by describe.") var details: String?
  @OptionGroup var noted: DetailOptions
  @OptionGroup var priority: PriorityOptions

  func request(_ namespace: String) throws -> StartWorkflowRequest {
    var request = StartWorkflowRequest()
    request.namespace = namespace
    request.workflowType = type
    request.workflowID = id
    request.taskQueue = taskQueue
    request.input = try input.payloads()
    request.requestID = requestID ?? ""
    request.executionTimeoutMs = executionTimeout?.span ?? .zero
    request.runTimeoutMs = runTimeout?.span ?? .zero
    request.taskTimeoutMs = taskTimeout?.span ?? .zero
    request.startDelayMs = startDelay?.span ?? .zero
    request.startAtTimeMs = startAt?.instant ?? .epoch
    request.cronSchedule = cron ?? ""
    request.cronTimeZone = cronTimeZone ?? ""
    if maximumAttempts != nil || retryInterval != nil {
      var policy = RetryPolicy()
      policy.maximumAttempts = maximumAttempts ?? 0
      policy.initialIntervalMs = retryInterval?.span ?? .zero
      request.retryPolicy = policy
    }
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
    request.concurrencyKey = priority.concurrencyKey ?? ""
    return request
  }
}

enum ReusePolicy: String, CaseIterable, ExpressibleByArgument {
  case allowDuplicate = "allow-duplicate"
  case failedOnly = "failed-only"
  case rejectDuplicate = "reject-duplicate"

  var policy: WorkflowIdReusePolicy {
    switch self {
    case .allowDuplicate: return .allowDuplicate
    case .failedOnly: return .allowDuplicateFailedOnly
    case .rejectDuplicate: return .rejectDuplicate
    }
  }
}

enum ConflictPolicy: String, CaseIterable, ExpressibleByArgument {
  case fail
  case useExisting = "use-existing"
  case terminateExisting = "terminate-existing"

  var policy: WorkflowIdConflictPolicy {
    switch self {
    case .fail: return .fail
    case .useExisting: return .useExisting
    case .terminateExisting: return .terminateExisting
    }
  }
}

struct WorkflowStart: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start a workflow and return at once.",
    discussion: ExitCodes.after(
      "holdfast workflow start --type order --id o-1 --task-queue orders --input '{\"sku\":\"x\"}'")
  )

  @OptionGroup var engine: EngineOptions
  @OptionGroup var start: StartArguments

  func run() throws {
    let response: StartWorkflowResponse = try engine.connect().call(
      .workflowStartWorkflow, try start.request(engine.namespace))
    switch engine.output {
    case .json: print(response.json())
    case .table:
      print(
        response.started
          ? "started workflow '\(start.id)', run \(response.runID)"
          : "workflow '\(start.id)' was running already, run \(response.runID)")
    }
  }
}

struct WorkflowExecute: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "execute", abstract: "Start a workflow, wait for its end, print its result.",
    discussion: ExitCodes.after(
      "holdfast workflow execute --type order --id o-1 --task-queue orders --input '\"card-1\"'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var start: StartArguments

  func run() throws {
    let connection = try engine.connect()
    let started: StartWorkflowResponse = try connection.call(
      .workflowStartWorkflow, try start.request(engine.namespace))
    Progress.say("started '\(start.id)', run \(started.runID); waiting for its end")
    var request = GetWorkflowResultRequest()
    request.namespace = engine.namespace
    request.execution = WorkflowExecution()
    request.execution?.workflowID = start.id
    request.execution?.runID = started.runID
    try WorkflowResult.show(
      try connection.call(.workflowGetWorkflowResult, request, waits: true), engine.output)
  }
}
