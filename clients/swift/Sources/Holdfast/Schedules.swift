import Basics
internal import Messages

/// A point in time.
public struct Moment: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z.
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// `2026-01-31T12:00:00Z`; nil for other texts.
  public init?(_ text: String) {
    guard let instant = Instant(iso8601: text) else { return nil }
    milliseconds = instant.ms
  }

  public static func < (a: Moment, b: Moment) -> Bool { a.milliseconds < b.milliseconds }

  var instant: Instant { Instant(ms: milliseconds) }
}

extension Instant {
  fileprivate var moment: Moment { Moment(milliseconds: ms) }
}

/// When a workflow is started again and again, and what happens where two would run at once.
///
///     let mornings = WorkflowSchedule(crons: ["30 9 * * MON-FRI"], timeZone: "Europe/Berlin")
///     let handle = try await client.createSchedule(
///       "report", mornings, starting: "report", "eu", taskQueue: "reports")
public struct WorkflowSchedule: Sendable {
  /// What an action does while the workflow of an earlier one is open.
  public enum Overlap: Sendable {
    case skip, bufferOne, bufferAll, cancelOther, terminateOther, allowAll
  }

  /// Times at a fixed distance since 1970, each `phase` later.
  public struct Interval: Sendable {
    public var every: Duration
    public var phase: Duration

    public init(every: Duration, phase: Duration = .zero) {
      self.every = every
      self.phase = phase
    }
  }

  /// `30 9 * * MON-FRI`, `@daily`, `@every 1h30m`.
  public var crons: [String]
  public var intervals: [Interval]
  public var moments: [Moment]
  /// The zone of the cron strings: `Europe/Berlin`; empty: UTC.
  public var timeZone: String
  /// No times before, and none after.
  public var start: Moment?
  public var end: Moment?
  /// Each workflow is started up to so much later than its time.
  public var jitter: Duration?
  public var overlap: Overlap
  /// How late a workflow may be started after the engine was away; nil: a year.
  public var catchUpWindow: Duration?
  public var pausesOnFailure: Bool
  /// Only so many workflows more; nil: no limit.
  public var remainingActions: Int?
  public var isPaused: Bool
  /// Text for people.
  public var note: String

  public init(
    crons: [String] = [], intervals: [Interval] = [], moments: [Moment] = [],
    timeZone: String = "", start: Moment? = nil, end: Moment? = nil, jitter: Duration? = nil,
    overlap: Overlap = .skip, catchUpWindow: Duration? = nil, pausesOnFailure: Bool = false,
    remainingActions: Int? = nil, isPaused: Bool = false, note: String = ""
  ) {
    self.crons = crons
    self.intervals = intervals
    self.moments = moments
    self.timeZone = timeZone
    self.start = start
    self.end = end
    self.jitter = jitter
    self.overlap = overlap
    self.catchUpWindow = catchUpWindow
    self.pausesOnFailure = pausesOnFailure
    self.remainingActions = remainingActions
    self.isPaused = isPaused
    self.note = note
  }

  fileprivate var message: Schedule {
    var schedule = Schedule()
    var spec = ScheduleSpec()
    spec.crons = crons
    spec.intervals = intervals.map { interval in
      var message = IntervalSpec()
      message.everyMs = interval.every.span
      message.phaseMs = interval.phase.span
      return message
    }
    spec.instantsAtMs = moments.map(\.instant)
    spec.timeZone = timeZone
    spec.startAtMs = start?.instant ?? .epoch
    spec.endAtMs = end?.instant ?? .epoch
    spec.jitterMs = jitter?.span ?? .zero
    schedule.spec = spec
    var policies = SchedulePolicies()
    policies.overlapPolicy = overlap.policy
    policies.catchupWindowMs = catchUpWindow?.span ?? .zero
    policies.pauseOnFailure = pausesOnFailure
    schedule.policies = policies
    var state = ScheduleState()
    state.paused = isPaused
    state.note = note
    state.limitedActions = remainingActions != nil
    state.remainingActions = Int64(remainingActions ?? 0)
    schedule.state = state
    return schedule
  }
}

extension WorkflowSchedule.Overlap {
  fileprivate var policy: ScheduleOverlapPolicy {
    switch self {
    case .skip: .skip
    case .bufferOne: .bufferOne
    case .bufferAll: .bufferAll
    case .cancelOther: .cancelOther
    case .terminateOther: .terminateOther
    case .allowAll: .allowAll
    }
  }
}

/// What a schedule has done, and what comes next.
public struct ScheduleDescription: Sendable {
  public let isPaused: Bool
  public let note: String
  /// Workflows started.
  public let actionCount: Int
  /// Times that were over when the engine came back.
  public let missedCount: Int
  public let skippedCount: Int
  public let waitingCount: Int
  /// The ids of its open workflows.
  public let running: [String]
  public let nextTimes: [Moment]
  /// For `update`.
  public let conflictToken: UInt64

  init(_ response: DescribeScheduleResponse) {
    let info = response.info ?? ScheduleInfo()
    isPaused = response.schedule?.state?.paused ?? false
    note = response.schedule?.state?.note ?? ""
    actionCount = Int(info.actionCount)
    missedCount = Int(info.missedCount)
    skippedCount = Int(info.skippedCount)
    waitingCount = Int(info.waitingCount)
    running = info.running.map(\.workflowID)
    nextTimes = info.nextActionTimeMs.map(\.moment)
    conflictToken = response.conflictToken
  }
}

extension Client {
  /// Makes a schedule of a workflow type. Throws `HoldfastError` with the reason
  /// SCHEDULE_ALREADY_EXISTS where one has the id.
  public func createSchedule<Input: Encodable & Sendable>(
    _ id: String, _ schedule: WorkflowSchedule, starting type: String, _ input: Input,
    taskQueue: String, options: StartOptions = StartOptions(), triggersNow: Bool = false
  ) async throws -> ScheduleHandle {
    var request = CreateScheduleRequest()
    request.scheduleID = id
    request.schedule = try definition(schedule, type, input, taskQueue, options)
    request.triggerImmediately = triggersNow
    request.requestID = options.requestID ?? ""
    _ = try await call(.scheduleCreateSchedule, request, as: CreateScheduleResponse.self)
    return ScheduleHandle(client: self, id: id)
  }

  /// A handle on a schedule that was made elsewhere.
  public func schedule(_ id: String) -> ScheduleHandle { ScheduleHandle(client: self, id: id) }

  fileprivate func definition<Input: Encodable & Sendable>(
    _ schedule: WorkflowSchedule, _ type: String, _ input: Input, _ taskQueue: String,
    _ options: StartOptions
  ) throws -> Schedule {
    var start = StartWorkflowRequest()
    try options.apply(to: &start)
    var action = ScheduleAction()
    action.workflowType = type
    action.taskQueue = taskQueue
    action.input = try Payloads.encode(input)
    action.executionTimeoutMs = start.executionTimeoutMs
    action.runTimeoutMs = start.runTimeoutMs
    action.retryPolicy = start.retryPolicy
    action.userMetadata = start.userMetadata
    action.memo = start.memo
    action.searchAttributes = start.searchAttributes
    action.priority = start.priority
    action.concurrencyKey = start.concurrencyKey
    var definition = schedule.message
    definition.action = action
    return definition
  }
}

/// A schedule, as its client sees it.
public struct ScheduleHandle: Sendable {
  let client: Client
  public let id: String

  public func describe() async throws -> ScheduleDescription {
    var request = DescribeScheduleRequest()
    request.scheduleID = id
    return ScheduleDescription(
      try await client.call(
        .scheduleDescribeSchedule, request, as: DescribeScheduleResponse.self))
  }

  /// Puts another definition in its place; with a token, only if nobody has changed it since.
  public func update<Input: Encodable & Sendable>(
    _ schedule: WorkflowSchedule, starting type: String, _ input: Input, taskQueue: String,
    options: StartOptions = StartOptions(), conflictToken: UInt64 = 0
  ) async throws {
    var request = UpdateScheduleRequest()
    request.scheduleID = id
    request.schedule = try client.definition(schedule, type, input, taskQueue, options)
    request.conflictToken = conflictToken
    _ = try await client.call(.scheduleUpdateSchedule, request, as: UpdateScheduleResponse.self)
  }

  /// Its open workflows stay.
  public func delete() async throws {
    var request = DeleteScheduleRequest()
    request.scheduleID = id
    _ = try await client.call(.scheduleDeleteSchedule, request, as: DeleteScheduleResponse.self)
  }

  /// Times pass without workflows from now on.
  public func pause(note: String = "") async throws {
    var request = PauseScheduleRequest()
    request.scheduleID = id
    request.note = note
    _ = try await client.call(.schedulePauseSchedule, request, as: PauseScheduleResponse.self)
  }

  public func unpause(note: String = "") async throws {
    var request = UnpauseScheduleRequest()
    request.scheduleID = id
    request.note = note
    _ = try await client.call(.scheduleUnpauseSchedule, request, as: UnpauseScheduleResponse.self)
  }

  /// A workflow now. Returns its id; nil when the overlap policy leaves it out.
  @discardableResult
  public func trigger(
    overlap: WorkflowSchedule.Overlap? = nil, requestID: String? = nil
  ) async throws -> String? {
    var request = TriggerScheduleRequest()
    request.scheduleID = id
    request.overlapPolicy = overlap?.policy ?? .unspecified
    request.requestID = requestID ?? ""
    let response = try await client.call(
      .scheduleTriggerSchedule, request, as: TriggerScheduleResponse.self)
    return response.workflowID.isEmpty ? nil : response.workflowID
  }

  /// The workflows of all times in the range, both ends included, one after the other.
  public func backfill(
    from start: Moment, through end: Moment, overlap: WorkflowSchedule.Overlap? = nil,
    requestID: String? = nil
  ) async throws {
    var request = BackfillScheduleRequest()
    request.scheduleID = id
    request.startAtMs = start.instant
    request.endAtMs = end.instant
    request.overlapPolicy = overlap?.policy ?? .unspecified
    request.requestID = requestID ?? ""
    _ = try await client.call(
      .scheduleBackfillSchedule, request, as: BackfillScheduleResponse.self)
  }
}
