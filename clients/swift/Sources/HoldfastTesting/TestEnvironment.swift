import Holdfast

/// An engine of its own for a test, which ends with the environment.
///
///     let env = try await TestEnvironment.startTimeSkipping()
///     var worker = env.worker(taskQueue: "orders")
///     worker.register(Reminder.self)
///     let answer = try await env.run(worker) {
///       try await env.client.start(Reminder.self, 30, id: "r-1", taskQueue: "orders").result()
///     }
///
/// Where time skips, the code above returns at once, though the workflow sleeps for 30 days: while
/// `client` waits for a result or an update, or the test is in `sleep`, time jumps from event to
/// event. It does not jump while a workflow task waits or is out (also one that no worker serves,
/// or that fails and is tried again), nor while an activity waits or runs. What else waits (timers,
/// back-offs of activities, timeouts, schedules, cron) is jumped to.
public final class TestEnvironment: Sendable {
  public struct Options: Sendable {
    /// The `holdfast` binary; nil: the one in $PATH.
    public var executable: String?
    /// The engine's file; nil: everything ends with the environment.
    public var database: String?
    /// Further words for `holdfast serve`.
    public var arguments: [String]

    public init(executable: String? = nil, database: String? = nil, arguments: [String] = []) {
      self.executable = executable
      self.database = database
      self.arguments = arguments
    }
  }

  /// Waiting with it lets time skip; with another client on `socket`, it does not.
  public let client: Client
  private let engine: LocalEngine
  private let skipsTime: Bool

  private init(_ options: Options, skipsTime: Bool) async throws {
    engine = try LocalEngine(options, skipsTime: skipsTime)
    self.skipsTime = skipsTime
    client = try await engine.connect()
    if skipsTime { try await client.skipTimeWhileWaiting() }
  }

  /// Time passes as it does outside.
  public static func startLocal(_ options: Options = Options()) async throws -> TestEnvironment {
    try await TestEnvironment(options, skipsTime: false)
  }

  /// Time in which nothing happens is skipped.
  public static func startTimeSkipping(_ options: Options = Options()) async throws
    -> TestEnvironment
  {
    try await TestEnvironment(options, skipsTime: true)
  }

  /// Of the engine: for further clients, and for workers in other processes.
  public var socket: String { engine.socket }

  // MARK: - Time

  /// The engine's time, in milliseconds since 1970.
  public var nowMs: Int64 {
    get async throws { skipsTime ? try await client.engineTimeMs() : engine.wallMs }
  }

  /// Returns when so much of the engine's time has passed; what happens meanwhile has happened.
  public func sleep(for duration: Duration) async throws {
    guard skipsTime else { return try await Task.sleep(for: duration) }
    try await client.sleepSkipping(for: duration)
  }

  /// Moves time on at once, whatever holds it, as if the machine had been suspended: what is under
  /// way may time out by it. Only where time skips.
  public func advanceTime(by duration: Duration) async throws {
    try await client.advanceTime(by: duration)
  }

  /// During `body` no waiting lets time skip, whoever waits; only `sleep` of this environment does.
  public func withAutoTimeSkippingDisabled<Result>(
    _ body: () async throws -> Result
  ) async throws -> Result {
    guard skipsTime else { return try await body() }
    try await client.lockTime()
    let result: Result
    do {
      result = try await body()
    } catch {
      // Without this, a test that goes on would wait for what it skipped before.
      try? await client.unlockTime()
      throw error
    }
    try await client.unlockTime()
    return result
  }

  // MARK: - Workers

  /// A worker for this engine, to be given workflows and activities.
  public func worker(taskQueue: String, options: Worker.Options = .init()) -> Worker {
    Worker(taskQueue: taskQueue, socket: socket, options: options)
  }

  /// Runs the worker, on a thread of its own, for the length of `body`.
  public func run<Result>(
    _ worker: Worker, _ body: () async throws -> Result
  ) async throws -> Result {
    let thread = WorkerThread(worker)
    let result: Result
    do {
      result = try await body()
    } catch {
      try? await thread.stop()
      throw error
    }
    try await thread.stop()
    return result
  }
}

/// Why an environment cannot be started.
public struct TestEnvironmentError: Error, CustomStringConvertible {
  public let description: String
}
