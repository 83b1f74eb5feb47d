import Basics
internal import Messages

/// How a local activity is run. One of `startToClose` and `scheduleToClose` is required.
public struct LocalActivityOptions: Sendable {
  /// The longest that one attempt may take.
  public var startToClose: Duration?
  /// The longest that the activity may take, over all attempts.
  public var scheduleToClose: Duration?
  public var retry: Retry
  /// The longest wait for the next attempt that this worker waits for by itself; a longer one is a
  /// timer of the engine, and survives the worker.
  public var workerWaitMax: Duration
  /// A number in the order of the calls if nil.
  public var activityID: String?
  public var cancellation: ActivityOptions.Cancellation
  /// A line for people, shown in the history.
  public var summary: String

  public init(
    startToClose: Duration? = nil, scheduleToClose: Duration? = nil, retry: Retry = Retry(),
    workerWaitMax: Duration = .seconds(60), activityID: String? = nil,
    cancellation: ActivityOptions.Cancellation = .tryCancel, summary: String = ""
  ) {
    self.startToClose = startToClose
    self.scheduleToClose = scheduleToClose
    self.retry = retry
    self.workerWaitMax = workerWaitMax
    self.activityID = activityID
    self.cancellation = cancellation
    self.summary = summary
  }

  var schedule: ScheduleLocalActivity {
    var schedule = ScheduleLocalActivity()
    schedule.startToCloseTimeoutMs = startToClose?.span ?? .zero
    schedule.scheduleToCloseTimeoutMs = scheduleToClose?.span ?? .zero
    schedule.activityID = activityID ?? ""
    schedule.retryPolicy = retry.policy
    schedule.cancellationType = cancellation.type
    return schedule
  }
}

extension ActivityOptions.Cancellation {
  var type: ActivityCancellationType {
    switch self {
    case .tryCancel: .tryCancel
    case .waitCompleted: .waitCancellationCompleted
    case .abandon: .abandon
    }
  }
}

extension WorkflowContext {
  /// Runs an activity in this worker, without a task queue: for what is short. Its function is one
  /// that this worker serves. If the worker loses the run meanwhile, whoever has it next begins the
  /// activity again, unless its attempts are used up. Throws as `activity`.
  public func localActivity<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    _ type: String, _ input: Input, returning: Output.Type = Output.self,
    options: LocalActivityOptions, file: String = #fileID, line: Int = #line
  ) async throws -> Output {
    try await handle.checkAlive()
    var schedule = options.schedule
    schedule.activityType = type
    schedule.input = try Payloads.encode(input)
    let result = try await handle.run.localActivity(
      LocalWork(schedule, waitMax: options.workerWaitMax.span), summary: options.summary,
      at: "\(file):\(line)")
    return try Payloads.decode(result, as: Output.self)
  }

  /// Runs a local activity that tells nothing but its end.
  public func localActivity<Input: Encodable & Sendable>(
    _ type: String, _ input: Input, options: LocalActivityOptions, file: String = #fileID,
    line: Int = #line
  ) async throws {
    let _: Nothing = try await localActivity(
      type, input, returning: Nothing.self, options: options, file: file, line: line)
  }
}

/// What the code asked for by a local activity that has not ended.
struct LocalWork: Sendable {
  var schedule: ScheduleLocalActivity
  let waitMax: Span

  init(_ schedule: ScheduleLocalActivity, waitMax: Span) {
    self.schedule = schedule
    self.waitMax = waitMax
  }

  var activityID: String {
    schedule.activityID.isEmpty ? String(schedule.seq) : schedule.activityID
  }

  /// How long this worker waits before the next attempt; nil: the engine decides what follows.
  func wait(after attempt: Int32, _ failure: Failure, sinceBegin: Duration) -> Duration? {
    let policy = schedule.retryPolicy ?? RetryPolicy()
    if policy.maximumAttempts > 0 && attempt >= policy.maximumAttempts { return nil }
    var wait = policy.interval(afterAttempt: attempt)
    switch failure.info?.kind {
    case .application(let application):
      if application.nonRetryable || policy.nonRetryableErrorTypes.contains(application.type) {
        return nil
      }
      if application.nextRetryDelayMs > .zero { wait = application.nextRetryDelayMs }
    case .timeout:
      if policy.nonRetryableErrorTypes.contains("TemporalTimeout:StartToClose") { return nil }
    default: break
    }
    let end = schedule.scheduleToCloseTimeoutMs
    if wait > waitMax || end > .zero && sinceBegin.span + wait > end { return nil }
    return .milliseconds(wait.ms)
  }
}

extension RetryPolicy {
  fileprivate func interval(afterAttempt attempt: Int32) -> Span {
    let initial = initialIntervalMs == .zero ? 1_000 : Double(initialIntervalMs.ms)
    let factor = backoffCoefficient == 0 ? 2 : backoffCoefficient
    let most = maximumIntervalMs == .zero ? initial * 100 : Double(maximumIntervalMs.ms)
    var interval = initial
    var left = attempt - 1
    while left > 0 && interval < most && factor > 1 {
      interval *= factor
      left -= 1
    }
    return Span(ms: Int64(min(interval, most, 1e15)))
  }
}
