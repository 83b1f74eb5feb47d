import Basics
import CHoldfast
import Glibc
internal import Messages

/// The local activities in this worker's hands: those that run, and those that wait for a place or
/// for the record of the completion that gives leave to run them.
final class RunningLocals: @unchecked Sendable {
  struct Key: Hashable {
    let run: RunID
    let seq: UInt32
  }

  /// One that has begun, or waits for a place.
  private final class Local: @unchecked Sendable {
    let key: Key
    let workflowID: String
    let work: LocalWork
    let first: Int32
    // Invariant: the rest is touched only while the owner's `mutex` is held.
    var task: Task<Void, Never>?
    var isCancelled = false

    init(_ key: Key, _ workflowID: String, _ work: LocalWork, attempt: Int32) {
      self.key = key
      self.workflowID = workflowID
      self.work = work
      first = attempt
    }
  }

  /// What a completion gives leave to run.
  private struct Leave {
    let run: WorkflowRun
    var attempts: [LocalAttempt]
    /// Cancelled before they have begun; the engine waits for their ends all the same.
    var cancelled: Set<UInt32> = []
  }

  /// Touched only by the worker's workflow thread.
  private var leaves: [[UInt8]: Leave] = [:]

  // Invariant: what follows is touched only while `mutex` is held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var locals: [Key: Local] = [:]
  private var waiting = Queue<Local>()
  private var running = 0

  private let worker: WorkerHandle
  private let activities: [String: ActivityDefinition]
  private let runningMax: Int

  init(_ worker: WorkerHandle, _ activities: [String: ActivityDefinition], max: Int) {
    self.worker = worker
    self.activities = activities
    runningMax = max
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  private func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  // MARK: - The workflow thread

  /// The answer to the activation is about to leave: what it gives leave to run, and what the code
  /// has cancelled of what runs.
  func prepare(_ activation: Activation, _ commands: [Command], _ run: WorkflowRun) {
    for job in activation.jobs {
      // It has ended: what still runs counts for nothing.
      if case .resolveActivity(let end) = job.kind { leave(Key(run: run.runID, seq: end.seq)) }
    }
    var attempts = activation.localAttempts
    for command in commands {
      switch command.kind {
      case .scheduleLocalActivity(let schedule):
        var attempt = LocalAttempt()
        attempt.seq = schedule.seq
        attempt.attempt = 1
        attempts.append(attempt)
      case .requestCancelActivity(let cancel):
        attempts.removeAll { $0.seq == cancel.seq }
        self.cancel(cancel.seq, of: run)
      default: break
      }
    }
    guard !attempts.isEmpty else { return }
    leaves[activation.token] = Leave(run: run, attempts: attempts)
    _ = worker.use { worker in
      activation.token.withView { holdfast_worker_await_recorded(worker, $0) }
    }
  }

  /// The completion is recorded.
  func begin(_ token: [UInt8]) {
    guard let leave = leaves.removeValue(forKey: token) else { return }
    let run = leave.run
    for attempt in leave.attempts {
      // It may have ended since.
      guard let work = run.locals[attempt.seq] else { continue }
      let local = Local(
        Key(run: run.runID, seq: attempt.seq), run.workflowID, work, attempt: attempt.attempt)
      local.isCancelled = leave.cancelled.contains(attempt.seq)
      locked {
        locals[local.key] = local
        waiting.append(local)
        fill()
      }
    }
  }

  private func cancel(_ seq: UInt32, of run: WorkflowRun) {
    let key = Key(run: run.runID, seq: seq)
    let ours = leaves.keys.filter { leaves[$0]?.run === run }
    switch run.locals[seq]?.schedule.cancellationType {
    case .waitCancellationCompleted:
      // The leave to begin may come after this: for the engine the activity is in our hands by
      // then, and it waits for our word.
      for token in ours { leaves[token]?.cancelled.insert(seq) }
      locked {
        locals[key]?.isCancelled = true
        locals[key]?.task?.cancel()
      }
      return
    case .abandon: locked { forget(key) }
    default: leave(key)
    }
    // What has not begun never will.
    for token in ours { leaves[token]?.attempts.removeAll { $0.seq == seq } }
  }

  /// The run is not here any more, and what its code asked for counts for nothing.
  func drop(_ run: RunID) {
    leaves = leaves.filter { $0.value.run.runID != run }
    for key in locked({ locals.keys.filter { $0.run == run } }) { leave(key) }
  }

  func dropAll() {
    leaves = [:]
    for key in locked({ Array(locals.keys) }) { leave(key) }
  }

  /// The attempt should stop, and nobody hears of it any more.
  private func leave(_ key: Key) {
    locked {
      locals[key]?.task?.cancel()
      forget(key)
    }
  }

  // MARK: - Attempts

  /// With the lock: nobody hears of the activity any more.
  private func forget(_ key: Key) {
    locals[key] = nil
    tellCount()
  }

  /// With the lock: the worker's stop waits for these.
  private func tellCount() {
    let count = locals.count
    _ = worker.use { holdfast_worker_set_local_activities($0, count) }
  }

  /// With the lock: begins what has a place.
  private func fill() {
    tellCount()
    while running < runningMax, let local = waiting.popFirst() {
      guard locals[local.key] === local else { continue }
      running += 1
      local.task = Task.detached { await self.run(local) }
      if local.isCancelled { local.task?.cancel() }
    }
  }

  private func run(_ local: Local) async {
    var done = LocalActivityDone()
    (done.attempt, done.result) = await attempts(local)
    done.runID = local.key.run
    done.seq = local.key.seq
    done.token = Array("\(local.key.seq)/\(done.attempt)".utf8)
    let bytes = done.serialized()
    locked {
      running -= 1
      if locals[local.key] === local {
        _ = worker.use { worker in
          bytes.withView { holdfast_worker_local_activity_done(worker, $0) }
        }
        forget(local.key)
      }
      fill()
    }
  }

  /// The attempts that this worker makes one after the other, and how the last one ended.
  private func attempts(_ local: Local) async -> (Int32, LocalActivityDone.Result) {
    let clock = ContinuousClock()
    let begin = clock.now
    var attempt = local.first
    while true {
      do {
        return (attempt, .completed(PayloadList(try await once(local, attempt))))
      } catch is CancellationError {
        return (attempt, .canceled(PayloadList()))
      } catch {
        let failure = (error as? LocalTimeout)?.failure ?? Failure(error)
        let wait = local.work.wait(
          after: attempt, failure, sinceBegin: begin.duration(to: clock.now))
        guard let wait else { return (attempt, .failed(failure)) }
        do { try await clock.sleep(for: wait) } catch { return (attempt, .canceled(PayloadList())) }
        attempt += 1
      }
    }
  }

  private func once(_ local: Local, _ attempt: Int32) async throws -> [Payload] {
    let schedule = local.work.schedule
    guard let definition = activities[schedule.activityType] else {
      throw ApplicationError(
        "this worker has no activity type '\(schedule.activityType)'", type: "UnknownType")
    }
    let context = ActivityContext(local.key, local.workflowID, local.work, attempt: attempt)
    let limit = schedule.startToCloseTimeoutMs
    do {
      return try await within(limit == .zero ? nil : .milliseconds(limit.ms)) {
        try await definition.run(context, schedule.input)
      }
    } catch is CompletesElsewhere {
      throw ApplicationError(
        "a local activity cannot be completed from elsewhere", type: "LocalActivity",
        nonRetryable: true)
    }
  }
}

/// An attempt took longer than its start-to-close timeout.
private struct LocalTimeout: Error {
  var failure: Failure {
    var timeout = TimeoutFailure()
    timeout.timeoutType = .startToClose
    var info = FailureInfo()
    info.source = "swift"
    info.message = "activity timed out (START_TO_CLOSE)"
    info.kind = .timeout(timeout)
    var failure = Failure()
    failure.info = info
    return failure
  }
}

/// Runs the body; when its time is over it is cancelled and left, whether it takes notice or not.
private func within(
  _ limit: Duration?, _ body: @escaping @Sendable () async throws -> [Payload]
) async throws -> [Payload] {
  guard let limit else { return try await body() }
  let (stream, first) = AsyncStream<Result<[Payload], any Error>>.makeStream()
  let work = Task {
    do { first.yield(.success(try await body())) } catch { first.yield(.failure(error)) }
  }
  let clock = Task {
    guard (try? await ContinuousClock().sleep(for: limit)) != nil else { return }
    first.yield(.failure(LocalTimeout()))
  }
  defer {
    work.cancel()
    clock.cancel()
  }
  let result = await withTaskCancellationHandler {
    // The stream ends when this task is cancelled, but the body is to be heard.
    await Task { await stream.first { _ in true } }.value
  } onCancel: {
    work.cancel()
  }
  guard let result else { throw CancellationError() }
  return try result.get()
}
