import CHoldfast
import Glibc
internal import Messages

/// What an activity's code knows of its attempt, and what it can tell the engine.
public struct ActivityContext: Sendable {
  /// nil: it is local.
  private let attempt: AttemptState?
  /// The same for every attempt of this activity and for no other: what the activity touches can
  /// use it to do its effect once.
  public let idempotencyKey: String
  public let attemptNumber: Int
  /// Empty for an activity without a workflow (`Client.startActivity`).
  public let workflowID: String
  /// The workflow's run, or the run of an activity without a workflow.
  public let runID: String
  public let activityID: String
  public let activityType: String
  /// The attempt's own name: for ending it from elsewhere (`Client.activity(token:)`). Empty for a
  /// local activity, which cannot be ended so.
  public var token: [UInt8] { attempt?.token ?? [] }
  /// It runs in the worker that has the workflow's run, as `WorkflowContext.localActivity` asks.
  public var isLocal: Bool { attempt == nil }
  private let heartbeatDetails: [Payload]

  init(_ attempt: AttemptState, _ task: ActivityTask) {
    self.attempt = attempt
    idempotencyKey = task.idempotencyKey
    attemptNumber = Int(task.attempt)
    workflowID = task.workflowID
    runID = task.runID.description
    activityID = task.activityID
    activityType = task.activityType
    heartbeatDetails = task.heartbeatDetails
  }

  init(_ key: RunningLocals.Key, _ workflowID: String, _ work: LocalWork, attempt number: Int32) {
    attempt = nil
    idempotencyKey = "\(key.run)/local/\(key.seq)"
    attemptNumber = Int(number)
    self.workflowID = workflowID
    runID = key.run.description
    activityID = work.activityID
    activityType = work.schedule.activityType
    heartbeatDetails = []
  }

  /// What the last heartbeat of an earlier attempt said; nil if there was none.
  public func lastHeartbeat<Details: Decodable>(as type: Details.Type) throws -> Details? {
    heartbeatDetails.isEmpty ? nil : try Payloads.decode(heartbeatDetails, as: type)
  }

  /// Says that the attempt is alive, and how far it is. Throws `CancellationError` when the
  /// activity should stop. What a local activity says is kept nowhere.
  public func heartbeat<Details: Encodable & Sendable>(_ details: Details) throws {
    guard let attempt else { return try Task.checkCancellation() }
    try attempt.heartbeat(try Payloads.encode(details))
  }
}

/// An attempt that runs in this worker.
final class AttemptState: Sendable {
  private let worker: WorkerHandle
  let token: [UInt8]

  init(worker: WorkerHandle, token: [UInt8]) {
    self.worker = worker
    self.token = token
  }

  func heartbeat(_ details: [Payload]) throws {
    var heartbeat = Heartbeat()
    heartbeat.token = token
    heartbeat.details = details
    let bytes = heartbeat.serialized()
    let status = worker.use { worker in bytes.withView { holdfast_worker_heartbeat(worker, $0) } }
    // A worker that is gone runs nothing: the attempt is somebody else's by now.
    if status == HOLDFAST_CANCELLED || status == nil { throw CancellationError() }
  }

  func complete(_ result: [Payload]) {
    var completed = ActivityCompleted()
    completed.token = token
    completed.result = result
    tell(completed.serialized(), holdfast_worker_complete_activity)
  }

  func fail(_ error: any Error) {
    var failed = ActivityFailed()
    failed.token = token
    failed.failure = Failure(error)
    tell(failed.serialized(), holdfast_worker_fail_activity)
  }

  func goesElsewhere() {
    tell(token, holdfast_worker_will_complete_elsewhere)
  }

  func cancelled() {
    var cancelled = ReportActivityCancelled()
    cancelled.token = token
    tell(cancelled.serialized(), holdfast_worker_report_activity_cancelled)
  }

  private func tell(
    _ bytes: [UInt8], _ call: (OpaquePointer?, holdfast_bytes) -> holdfast_status
  ) {
    _ = worker.use { worker in bytes.withView { call(worker, $0) } }
  }
}

struct ActivityDefinition: Sendable {
  let type: String
  let run: @Sendable (ActivityContext, [Payload]) async throws -> [Payload]
}

/// The attempts that run in this worker, so that a cancel finds its task.
final class RunningAttempts: @unchecked Sendable {
  // Invariant: `tasks` is touched only while `mutex` is held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var tasks: [[UInt8]: Task<Void, Never>] = [:]

  init() {
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  private func locked(_ body: () -> Void) {
    pthread_mutex_lock(mutex)
    body()
    pthread_mutex_unlock(mutex)
  }

  func start(_ token: [UInt8], _ body: @escaping @Sendable () async -> Void) {
    locked {
      // The task waits for the lock before it removes itself, so it is there to be removed.
      tasks[token] = Task.detached {
        await body()
        self.remove(token)
      }
    }
  }

  private func remove(_ token: [UInt8]) { locked { tasks.removeValue(forKey: token) } }

  func cancel(_ token: [UInt8]) { locked { tasks[token]?.cancel() } }

  func cancelAll() { locked { for task in tasks.values { task.cancel() } } }
}
