import Basics
internal import Messages

/// What a workflow's code may ask for. Given to `Workflow.run`; valid within that run only.
public struct WorkflowContext: Sendable {
  let handle: RunHandle
  private var run: WorkflowRun { handle.run }

  init(_ handle: RunHandle) { self.handle = handle }

  public var workflowID: String { run.workflowID }
  public var runID: String { run.runID.description }
  public var workflowType: String { run.workflowType }
  public var taskQueue: String { run.taskQueue }

  /// The time of this activation, in milliseconds since the Unix epoch: the same in every replay.
  public var nowMs: Int64 { run.now.ms }

  /// Random numbers from the run's seed: the same in every replay.
  public func random() -> UInt64 { run.nextRandom() }

  /// A random number within the range, the same in every replay.
  public func random(in range: ClosedRange<Int>) -> Int {
    var generator = Generator(run: run)
    return Int.random(in: range, using: &generator)
  }

  private struct Generator: RandomNumberGenerator {
    let run: WorkflowRun
    mutating func next() -> UInt64 { run.nextRandom() }
  }

  /// The history is long: continue as new soon.
  public var continueAsNewSuggested: Bool { run.continueAsNewSuggested }

  /// Ends this run and begins the next one of the workflow, with this input: throws what `run` has
  /// to let pass. Signals that this run has not seen are shown to the next one.
  public func continueAsNew<Input: Encodable & Sendable>(
    _ input: Input, options: ContinueOptions = ContinueOptions(), file: String = #fileID,
    line: Int = #line
  ) throws -> Never {
    var command = try options.command()
    command.input = try Payloads.encode(input)
    throw ContinueAsNewError(command: command, location: "\(file):\(line)")
  }

  /// The run before this one in its chain.
  public var continuedRunID: String? {
    run.beginning.continuedRunID == .none ? nil : run.beginning.continuedRunID.description
  }

  /// Of the workflow's retry policy, from 1.
  public var attempt: Int { max(Int(run.beginning.attempt), 1) }

  /// How the attempt before this one failed, outermost first; empty for the first.
  public var lastFailure: [ActivityError.Cause] {
    (run.beginning.continuedFailure?.layers ?? []).map(ActivityError.Cause.init)
  }

  /// With a cron schedule: what the last run that completed returned; nil before that.
  public func lastResult<Output: Decodable & Sendable>(
    as: Output.Type = Output.self
  ) throws -> Output? {
    try run.beginning.lastCompletionResult.map {
      try Payloads.decode($0.payloads, as: Output.self)
    }
  }

  /// Runs an activity and returns its result. Throws `ActivityError` when it failed for good, and
  /// `CancellationError` when it was cancelled.
  public func activity<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    _ type: String, _ input: Input, returning: Output.Type = Output.self, options: ActivityOptions,
    file: String = #fileID, line: Int = #line
  ) async throws -> Output {
    try await handle.checkAlive()
    var schedule = options.schedule
    schedule.activityType = type
    schedule.input = try Payloads.encode(input)
    let result = try await run.activity(
      schedule, summary: options.summary, at: "\(file):\(line)")
    return try Payloads.decode(result, as: Output.self)
  }

  /// Runs an activity that tells nothing but its end.
  public func activity<Input: Encodable & Sendable>(
    _ type: String, _ input: Input, options: ActivityOptions, file: String = #fileID,
    line: Int = #line
  ) async throws {
    let _: Nothing = try await activity(
      type, input, returning: Nothing.self, options: options, file: file, line: line)
  }

  /// A durable timer. Throws `CancellationError` when the task is cancelled.
  /// `summary`: a line for people, shown with the timer.
  public func sleep(
    for duration: Duration, summary: String = "", file: String = #fileID, line: Int = #line
  ) async throws {
    try await handle.checkAlive()
    try await run.sleep(duration.span, summary: summary, at: "\(file):\(line)")
  }

  /// Guards changed code: true in runs that come here for the first time with it, and for ever in
  /// the same run; false in runs whose history came here before the change. The guard stays until
  /// no run from before the change is left, then `deprecatePatch` takes its place.
  public func patched(_ id: String, file: String = #fileID, line: Int = #line) -> Bool {
    run.patched(id, at: "\(file):\(line)")
  }

  /// Says that every open run has the patch: the old path is gone from the code. When all runs that
  /// came by `patched` have ended, this call can go too.
  public func deprecatePatch(_ id: String, file: String = #fileID, line: Int = #line) {
    run.deprecatePatch(id, at: "\(file):\(line)")
  }

  /// A value that is not the same each time (a local file's, an environment variable's): `body`
  /// runs once, and its value is recorded and given back in every replay. At most 256 KiB; what can
  /// fail or takes time belongs into an activity.
  public func sideEffect<Value: Codable & Sendable>(
    file: String = #fileID, line: Int = #line, _ body: () throws -> Value
  ) throws -> Value {
    let value = try run.sideEffect(at: "\(file):\(line)") { try Payloads.encode(try body()) }
    return try Payloads.decode(value, as: Value.self)
  }

  /// Waits until the condition holds; it is looked at after each turn of the code.
  public func wait(
    file: String = #fileID, line: Int = #line, until holds: @escaping @Sendable () -> Bool
  ) async throws {
    try await handle.checkAlive()
    _ = try await run.wait(nil, at: "\(file):\(line)", until: holds)
  }

  /// Waits until the condition holds, at most so long; false when the time has passed.
  public func wait(
    timeout: Duration, file: String = #fileID, line: Int = #line,
    until holds: @escaping @Sendable () -> Bool
  ) async throws -> Bool {
    try await handle.checkAlive()
    return try await run.wait(timeout.span, at: "\(file):\(line)", until: holds)
  }

  /// Runs code that a cancel of the workflow does not reach: compensations, clean-up.
  public func shielded<T: Sendable>(_ body: @escaping @Sendable () async throws -> T)
    async throws -> T
  {
    try await run.shielded(body)
  }
}

/// How an activity is run. One of `startToClose` and `scheduleToClose` is required.
public struct ActivityOptions: Sendable {
  /// The longest that one attempt may take.
  public var startToClose: Duration?
  /// The longest that the activity may take, over all attempts.
  public var scheduleToClose: Duration?
  /// The longest that an attempt may wait for a worker.
  public var scheduleToStart: Duration?
  /// The longest between two heartbeats.
  public var heartbeat: Duration?
  public var retry: Retry
  /// The workflow's own if nil.
  public var taskQueue: String?
  /// A number in the order of the calls if nil.
  public var activityID: String?
  public var cancellation: Cancellation
  public var exhaustion: Exhaustion
  /// A line for people, shown in the history.
  public var summary: String
  /// What is not set comes from the workflow.
  public var priority: Priority?

  /// What becomes of the activity when its attempts are used up.
  public enum Exhaustion: Sendable {
    /// It fails.
    case fail
    /// It is held until somebody lets it go on, or brings its outcome: `Client.activity`,
    /// `WorkflowHandle.activities`, `holdfast activity`.
    case hold
  }

  /// What a cancel of the awaiting task does.
  public enum Cancellation: Sendable {
    /// Asks the activity to stop and goes on at once.
    case tryCancel
    /// Asks the activity to stop and waits for its end.
    case waitCompleted
    /// Goes on at once; the activity is not told.
    case abandon
  }

  public init(
    startToClose: Duration? = nil, scheduleToClose: Duration? = nil,
    scheduleToStart: Duration? = nil, heartbeat: Duration? = nil, retry: Retry = Retry(),
    taskQueue: String? = nil, activityID: String? = nil, cancellation: Cancellation = .tryCancel,
    exhaustion: Exhaustion = .fail, summary: String = "", priority: Priority? = nil
  ) {
    self.startToClose = startToClose
    self.scheduleToClose = scheduleToClose
    self.scheduleToStart = scheduleToStart
    self.heartbeat = heartbeat
    self.retry = retry
    self.taskQueue = taskQueue
    self.activityID = activityID
    self.cancellation = cancellation
    self.exhaustion = exhaustion
    self.summary = summary
    self.priority = priority
  }

  var schedule: ScheduleActivity {
    var schedule = ScheduleActivity()
    schedule.startToCloseTimeoutMs = startToClose?.span ?? .zero
    schedule.scheduleToCloseTimeoutMs = scheduleToClose?.span ?? .zero
    schedule.scheduleToStartTimeoutMs = scheduleToStart?.span ?? .zero
    schedule.heartbeatTimeoutMs = heartbeat?.span ?? .zero
    schedule.taskQueue = taskQueue ?? ""
    schedule.activityID = activityID ?? ""
    schedule.retryPolicy = retry.policy
    schedule.priority = priority?.message
    schedule.cancellationType = cancellation.type
    if case .hold = exhaustion { schedule.onExhausted = .pause }
    return schedule
  }
}
