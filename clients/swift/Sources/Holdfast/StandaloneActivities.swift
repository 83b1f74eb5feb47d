import Basics
internal import Messages

/// How an activity without a workflow is run, and what is known of it. One of `startToClose` and
/// `scheduleToClose` is required.
public struct ActivityStartOptions: Sendable {
  /// The longest that one attempt may take.
  public var startToClose: Duration?
  /// The longest that the activity may take, over all attempts.
  public var scheduleToClose: Duration?
  /// The longest that an attempt may wait for a worker.
  public var scheduleToStart: Duration?
  /// The longest between two heartbeats.
  public var heartbeat: Duration?
  public var retry: Retry
  public var exhaustion: ActivityOptions.Exhaustion
  /// What a start does where a run that has ended has the id.
  public var reuse: StartOptions.Reuse
  /// What it does where an open run has it.
  public var conflict: StartOptions.Conflict
  /// The first attempt waits so long, and the timeouts count from then.
  public var startDelay: Duration?
  /// The same id makes the same start, however often it is sent; one is made if it is nil.
  public var requestID: String?
  /// Text for people: a line, shown in lists, and more, shown by describe.
  public var summary: String
  public var details: String
  /// What is noted of the activity, by keys.
  public var memo: [String: any Encodable & Sendable]
  /// What lists find it by; a name that nobody has used gets its type by it.
  public var searchAttributes: [String: SearchValue]
  public var priority: Priority?

  public init(
    startToClose: Duration? = nil, scheduleToClose: Duration? = nil,
    scheduleToStart: Duration? = nil, heartbeat: Duration? = nil, retry: Retry = Retry(),
    exhaustion: ActivityOptions.Exhaustion = .fail, reuse: StartOptions.Reuse = .allowDuplicate,
    conflict: StartOptions.Conflict = .fail, startDelay: Duration? = nil,
    requestID: String? = nil, summary: String = "", details: String = "",
    memo: [String: any Encodable & Sendable] = [:],
    searchAttributes: [String: SearchValue] = [:], priority: Priority? = nil
  ) {
    self.startToClose = startToClose
    self.scheduleToClose = scheduleToClose
    self.scheduleToStart = scheduleToStart
    self.heartbeat = heartbeat
    self.retry = retry
    self.exhaustion = exhaustion
    self.reuse = reuse
    self.conflict = conflict
    self.startDelay = startDelay
    self.requestID = requestID
    self.summary = summary
    self.details = details
    self.memo = memo
    self.searchAttributes = searchAttributes
    self.priority = priority
  }

  fileprivate func request(_ taskQueue: String) throws -> StartActivityRequest {
    var options = ActivityTaskOptions()
    options.taskQueue = taskQueue
    options.startToCloseTimeoutMs = startToClose?.span ?? .zero
    options.scheduleToCloseTimeoutMs = scheduleToClose?.span ?? .zero
    options.scheduleToStartTimeoutMs = scheduleToStart?.span ?? .zero
    options.heartbeatTimeoutMs = heartbeat?.span ?? .zero
    options.retryPolicy = retry.policy
    var request = StartActivityRequest()
    request.options = options
    if case .hold = exhaustion { request.onExhausted = .pause }
    request.idReusePolicy = reuse.policy
    request.idConflictPolicy = conflict.policy
    request.startDelayMs = startDelay?.span ?? .zero
    request.requestID = requestID ?? ""
    request.memo = memo.isEmpty ? nil : try Memo(memo)
    request.searchAttributes =
      searchAttributes.isEmpty ? nil : SearchAttributes(searchAttributes)
    request.priority = priority?.message
    guard !summary.isEmpty || !details.isEmpty else { return request }
    var metadata = UserMetadata()
    metadata.summary = summary
    metadata.details = details
    request.userMetadata = metadata
    return request
  }
}

/// An activity without a workflow ended without a result.
public struct ActivityFailedError: Error, Sendable, CustomStringConvertible {
  /// FAILED, TIMED_OUT, CANCELED or TERMINATED.
  public let status: String
  public let message: String
  /// With FAILED and TIMED_OUT: how its last attempt failed, and why there was no further one.
  public let failure: ActivityError?
  public let runID: String

  init(_ response: GetActivityResultResponse) {
    status = response.status.name
    message = response.failure?.info?.message ?? ""
    runID = response.runID.description
    switch response.status {
    case .failed, .timedOut: failure = ActivityError(response.failure ?? Failure())
    default: failure = nil
    }
  }

  public var description: String { "activity \(status): \(failure?.description ?? message)" }
}

extension Client {
  /// Starts an activity without a workflow: whichever worker serves its type runs it, by the same
  /// rules as a workflow's. Its ids are a space of their own.
  ///
  ///     let charge = try await client.startActivity(
  ///       "charge", card, id: "charge-1", taskQueue: "bank", returning: Receipt.self,
  ///       options: ActivityStartOptions(startToClose: .seconds(30)))
  ///     let receipt = try await charge.result()
  public func startActivity<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    _ type: String, _ input: Input, id: String, taskQueue: String,
    returning: Output.Type = Output.self, options: ActivityStartOptions
  ) async throws -> StandaloneActivityHandle<Output> {
    var request = try options.request(taskQueue)
    request.activityID = id
    request.activityType = type
    request.input = try Payloads.encode(input)
    let response = try await call(
      .activityStartActivity, request, as: StartActivityResponse.self)
    return StandaloneActivityHandle(
      client: self, activityID: id, runID: response.runID.description)
  }

  /// Starts an activity without a workflow and waits for its result. Throws `ActivityFailedError`
  /// when it did not complete.
  public func executeActivity<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    _ type: String, _ input: Input, id: String, taskQueue: String,
    returning: Output.Type = Output.self, options: ActivityStartOptions
  ) async throws -> Output {
    try await startActivity(
      type, input, id: id, taskQueue: taskQueue, returning: Output.self, options: options
    ).result()
  }

  /// A handle on an activity without a workflow that was started elsewhere.
  public func standaloneActivity<Output: Decodable & Sendable>(
    _ id: String, runID: String? = nil, returning: Output.Type = Output.self
  ) -> StandaloneActivityHandle<Output> {
    StandaloneActivityHandle(client: self, activityID: id, runID: runID)
  }

  /// The activities without a workflow that a query asks for, newest first if it has no ORDER BY.
  public func listActivities(_ query: String = "", limit: Int? = nil) async throws
    -> [ActivitySummary]
  {
    var request = ListActivitiesRequest()
    request.query = query
    request.limit = Int64(limit ?? 0)
    let parts = try await stream(.activityListActivities, request)
    return try parts.flatMap { try ListActivitiesResponse(bytes: $0).activities }
      .map(ActivitySummary.init)
  }

  /// Counts them: `ActivityType = 'charge' GROUP BY ExecutionStatus`.
  public func countActivities(_ query: String = "") async throws -> WorkflowCount {
    var request = CountActivitiesRequest()
    request.query = query
    let response = try await call(
      .activityCountActivities, request, as: CountActivitiesResponse.self)
    return WorkflowCount(
      count: Int(response.count),
      groups: response.groups.map {
        WorkflowCount.Group(values: $0.groupValues, count: Int($0.count))
      })
  }
}

/// An activity without a workflow, as its client sees it.
public struct StandaloneActivityHandle<Output: Decodable & Sendable>: Sendable {
  let client: Client
  public let activityID: String
  /// nil: whichever run is the newest.
  public let runID: String?

  private var run: RunID { runID.flatMap { RunID(parsing: $0) } ?? .none }

  /// Waits for the end. Throws `ActivityFailedError` when the activity did not complete.
  public func result() async throws -> Output {
    var request = GetActivityResultRequest()
    request.activityID = activityID
    request.runID = run
    let response = try await client.call(
      .activityGetActivityResult, request, timeoutMs: -1, as: GetActivityResultResponse.self)
    guard response.status == .completed else { throw ActivityFailedError(response) }
    return try Payloads.decode(response.result, as: Output.self)
  }

  public func describe() async throws -> ActivityDescription {
    var request = DescribeActivityRequest()
    request.activityID = activityID
    request.runID = run
    return ActivityDescription(
      try await client.call(
        .activityDescribeActivity, request, as: DescribeActivityResponse.self))
  }

  /// What has not started ends at once; the code of an attempt that has is cancelled.
  public func cancel(reason: String = "") async throws {
    var request = RequestCancelActivityRequest()
    request.activityID = activityID
    request.runID = run
    request.reason = reason
    _ = try await client.call(
      .activityRequestCancelActivity, request, as: RequestCancelActivityResponse.self)
  }

  /// Ends it at once; what its worker brings counts for nothing.
  public func terminate(reason: String = "") async throws {
    var request = TerminateActivityRequest()
    request.activityID = activityID
    request.runID = run
    request.reason = reason
    _ = try await client.call(
      .activityTerminateActivity, request, as: TerminateActivityResponse.self)
  }

  /// Removes the run; an open one is terminated first.
  public func delete(reason: String = "") async throws {
    var request = DeleteActivityRequest()
    request.activityID = activityID
    request.runID = run
    request.reason = reason
    _ = try await client.call(
      .activityDeleteActivity, request, as: DeleteActivityResponse.self)
  }

  /// To pause it, let it go on, begin it anew or change its options.
  public var pending: PendingActivities {
    var execution = WorkflowExecution()
    execution.runID = run
    return PendingActivities(
      client: client, execution: execution, selection: ActivityChoice.id(activityID).selection)
  }

  /// To end its current attempt from elsewhere.
  public var attempt: ActivityHandle {
    var reference = ActivityReference()
    reference.activityID = activityID
    if run != .none {
      reference.execution = WorkflowExecution()
      reference.execution?.runID = run
    }
    return ActivityHandle(client: client, reference: reference)
  }
}

/// An activity without a workflow, as lists show it.
public struct ActivitySummary: Sendable, Equatable {
  public let activityID: String
  public let runID: String
  public let activityType: String
  public let taskQueue: String
  /// RUNNING, COMPLETED, FAILED, CANCELED, TERMINATED, TIMED_OUT.
  public let status: String
  public let started: Moment
  /// nil while it is open.
  public let ended: Moment?
  /// Text for people.
  public let summary: String
  public let memo: WorkflowMemo
  public let searchAttributes: [String: SearchValue]

  init(_ activity: StandaloneActivity) {
    activityID = activity.activityID
    runID = activity.runID.description
    activityType = activity.activityType
    taskQueue = activity.taskQueue
    status = activity.status.name
    started = Moment(milliseconds: activity.startTimeMs.ms)
    ended =
      activity.closeTimeMs == .epoch ? nil : Moment(milliseconds: activity.closeTimeMs.ms)
    summary = activity.userMetadata?.summary ?? ""
    memo = WorkflowMemo(activity.memo)
    searchAttributes = activity.searchAttributes?.values ?? [:]
  }
}

/// How an activity without a workflow is doing.
public struct ActivityDescription: Sendable {
  public let activity: ActivitySummary
  /// SCHEDULED, STARTED, BACKING_OFF, CANCEL_REQUESTED, PAUSED, PAUSE_REQUESTED; empty once it has
  /// ended.
  public let state: String
  /// The attempt that waits or runs, or by which it ended; 0: none had started.
  public let attempt: Int
  /// Of the last worker that ran it.
  public let workerIdentity: String
  /// How the last attempt that failed did so.
  public let lastFailure: ActivityError?
  /// nil: it waits for none.
  public let nextAttempt: Moment?
  private let heartbeatDetails: [Payload]

  init(_ response: DescribeActivityResponse) {
    activity = ActivitySummary(response.activity ?? StandaloneActivity())
    let pending = response.pending
    state = pending?.state.name ?? ""
    attempt = Int(pending?.attempt ?? response.lastAttempt?.attempt ?? 0)
    workerIdentity = pending?.lastWorkerIdentity ?? response.lastAttempt?.identity ?? ""
    lastFailure = (pending?.lastFailure ?? response.lastAttempt?.failure).map { ActivityError($0) }
    let next = pending?.nextAttemptTimeMs ?? .epoch
    nextAttempt = next == .epoch ? nil : Moment(milliseconds: next.ms)
    heartbeatDetails = pending?.heartbeatDetails ?? []
  }

  /// What its last heartbeat said; nil if there was none, or it has ended.
  public func lastHeartbeat<Details: Decodable>(as type: Details.Type) throws -> Details? {
    heartbeatDetails.isEmpty ? nil : try Payloads.decode(heartbeatDetails, as: type)
  }
}
