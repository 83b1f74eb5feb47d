import Basics
internal import Messages

/// One cached run: its code, what the code awaits, and the commands that it has given.
///
/// Touched only by the worker's workflow thread, which drives the executor.
final class WorkflowRun: @unchecked Sendable {
  let runID: RunID
  let workflowID: String
  let workflowType: String
  let taskQueue: String
  private let executor = RunExecutor()
  let instance: any WorkflowInstance
  /// Errors beside those that always do.
  private let failsWorkflow: @Sendable (any Error) -> Bool
  /// The code of `run`, and that of updates' handlers that go on.
  private var root: Task<Void, Never>?
  private var tasks: [UInt64: Task<Void, Never>] = [:]
  private var lastTask: UInt64 = 0

  /// What the first activation told.
  private(set) var beginning = InitializeWorkflow()
  var notes = Notes()
  private(set) var now = Instant(ms: 0)
  private(set) var random = SeededRandom(seed: 0)
  private(set) var historyLength: Int64 = 0
  private(set) var continueAsNewSuggested = false
  private var lastSeq: UInt32 = 0
  private var commands: [Command] = []
  private var markers = Markers()
  /// Updates of the activation under way that the code does not take on.
  private(set) var rejections: [UpdateRejection] = []
  private var activities: [UInt32: UnsafeContinuation<[Payload], any Error>] = [:]
  /// Local activities that have not ended.
  private(set) var locals: [UInt32: LocalWork] = [:]
  private var timers: [UInt32: UnsafeContinuation<Void, any Error>] = [:]
  var children = Children()
  private var conditions: [Condition] = []
  private var closing: Command.Kind?
  private var closedAt = ""
  private var taskFailure: (any Error)?
  private(set) var isEvicted = false
  private var isCancelRequested = false

  /// Jobs that an evicted run's code may still run before it is let go.
  static let jobsAfterEviction = 1_000
  private var jobsSinceEviction = 0
  /// The tasks that the run has started itself.
  private var exits: [TaskExit] = []
  private var mustEnd = false

  private struct Condition {
    let seq: UInt32
    let holds: @Sendable () -> Bool
    let continuation: UnsafeContinuation<Bool, any Error>
    /// The timer that ends the wait; 0: none.
    let timer: UInt32
  }

  init(
    runID: RunID, workflowID: String, workflowType: String, taskQueue: String,
    instance: any WorkflowInstance,
    failsWorkflow: @escaping @Sendable (any Error) -> Bool = { _ in false }
  ) {
    self.runID = runID
    self.workflowID = workflowID
    self.workflowType = workflowType
    self.taskQueue = taskQueue
    self.instance = instance
    self.failsWorkflow = failsWorkflow
  }

  // MARK: - Activations

  /// Shows the code the jobs and runs it until it waits; the commands that it gave. `markers`: what
  /// a past activation recorded, nil for a live one.
  func activate(
    at time: Instant, _ jobs: [Job], markers recorded: [RecordMarker]?, historyLength: Int64,
    suggested: Bool
  ) throws -> [Command] {
    now = time
    markers.begin(recorded)
    self.historyLength = historyLength
    continueAsNewSuggested = suggested
    commands = []
    rejections = []
    try executor.driving {
      var begin: InitializeWorkflow?
      for job in jobs { try take(job, &begin) }
      if let begin { start(begin) }
      drive()
    }
    if let taskFailure { throw taskFailure }
    if executor.hasLeftTheWorkflow {
      throw ApplicationError(
        "the workflow awaited something that is not its context's (a Task.sleep, a network call,"
          + " another actor's executor): everything that it awaits must come from the context",
        type: "NondeterministicAwait")
    }
    if let closing {
      var command = Command()
      command.kind = closing
      command.location = closedAt
      commands.append(command)
    }
    return commands
  }

  private func take(_ job: Job, _ begin: inout InitializeWorkflow?) throws {
    switch job.kind {
    case .initializeWorkflow(let initialize):
      random = SeededRandom(seed: initialize.randomSeed)
      beginning = initialize
      beginning.input = []
      notes.begin(initialize)
      begin = initialize
    case .updateRandomSeed(let update): random = SeededRandom(seed: update.randomSeed)
    case .signalWorkflow(let signal): try instance.signal(signal.signalName, signal.input)
    case .cancelWorkflow:
      isCancelRequested = true
      // The code must exist before it can be cancelled.
      if let initialize = begin {
        begin = nil
        start(initialize)
      }
      root?.cancel()
    case .fireTimer(let fired): fire(fired.seq)
    case .resolveActivity(let resolved): try resolve(resolved)
    case .doUpdate(let update): take(update)
    case .resolveChildStart(let resolved): try resolve(resolved)
    case .resolveChild(let resolved): try resolve(resolved)
    case .resolveSignalExternal(let resolved): arrived(resolved.seq, resolved.failure)
    case .resolveCancelExternal(let resolved): arrived(resolved.seq, resolved.failure)
    case .queryWorkflow, nil:
      throw ApplicationError("a job that this SDK does not know", type: "UnknownJob")
    }
  }

  // The two that follow are written out, and share no function that takes the code as a closure:
  // code that is made to end leaves in memory what its frames hold, and such a closure holds the
  // run.

  private func start(_ initialize: InitializeWorkflow) {
    let input = initialize.input
    let handle = RunHandle(self)
    let context = WorkflowContext(handle)
    nonisolated(unsafe) let instance = instance
    let number = nextTask()
    root = Task(executorPreference: executor) { [self] in
      await withExit {
        do {
          let result = try await instance.run(context, input)
          var complete = CompleteWorkflow()
          complete.result = result
          closing = .completeWorkflow(complete)
        } catch {
          end(with: error)
        }
      }
      taskEnded(number, handle)
    }
    tasks[number] = root
  }

  /// Runs the handler of an update that was accepted.
  func begin(_ update: DoUpdate) {
    let handle = RunHandle(self)
    let context = WorkflowContext(handle)
    nonisolated(unsafe) let instance = instance
    let number = nextTask()
    tasks[number] = Task(executorPreference: executor) { [self] in
      await withExit {
        do {
          let result = try await instance.update(update.updateName, context, update.args)
          end(update, .succeeded(PayloadList(result)))
        } catch let error where isOfTheWorkflow(error) {
          end(update, .failed(Failure(error)))
        } catch {
          if !isEvicted { taskFailure = error }
        }
      }
      taskEnded(number, handle)
    }
  }

  /// Ends a workflow, or an update's handler, as failed; any other error fails the workflow task.
  private func isOfTheWorkflow(_ error: any Error) -> Bool {
    error is ApplicationError || error is ActivityError || error is ChildWorkflowError
      || failsWorkflow(error)
  }

  private func nextTask() -> UInt64 {
    lastTask += 1
    return lastTask
  }

  private func taskEnded(_ number: UInt64, _ handle: RunHandle) {
    tasks[number] = nil
    if mustEnd { handle.letGo() }
  }

  private func end(_ update: DoUpdate, _ result: UpdateOutcome.Result) {
    var completed = UpdateCompleted()
    completed.updateID = update.updateID
    completed.outcome = UpdateOutcome()
    completed.outcome?.result = result
    emit(.updateCompleted(completed))
  }

  func reject(_ update: DoUpdate, _ failure: Failure) {
    var rejection = UpdateRejection()
    rejection.updateID = update.updateID
    rejection.failure = failure
    rejections.append(rejection)
  }

  /// Runs what a task of this run is for; returns when it ends or is made to.
  private func withExit(_ body: () async -> Void) async {
    let exit = TaskExit()
    exits.append(exit)
    await exit.run(body)
    exits.removeAll { $0 === exit }
  }

  /// Typed failures end the workflow; anything else is a fault of the code and fails the task.
  private func end(with error: any Error) {
    if isEvicted { return }
    if let next = error as? ContinueAsNewError {
      closing = .continueAsNew(next.command)
      closedAt = next.location
    } else if error is CancellationError && isCancelRequested {
      closing = .cancelledWorkflow(CancelledWorkflow())
    } else if isOfTheWorkflow(error) {
      var fail = FailWorkflow()
      fail.failure = Failure(error)
      closing = .failWorkflow(fail)
    } else {
      taskFailure = error
    }
  }

  /// Runs jobs, and wakes those whose condition has come to hold, until nothing moves.
  private func drive() {
    repeat { _ = executor.drain() } while wakeOne()
  }

  private func wakeOne() -> Bool {
    guard let index = conditions.firstIndex(where: { $0.holds() }) else { return false }
    let condition = conditions.remove(at: index)
    if condition.timer != 0 {
      var cancel = CancelTimer()
      cancel.seq = condition.timer
      emit(.cancelTimer(cancel))
    }
    condition.continuation.resume(returning: true)
    return true
  }

  func query(_ name: String, _ input: [Payload]) throws -> [Payload] {
    try instance.query(name, input)
  }

  // MARK: - Resolutions

  private func fire(_ seq: UInt32) {
    if let index = conditions.firstIndex(where: { $0.timer == seq }) {
      conditions.remove(at: index).continuation.resume(returning: false)
    } else if let timer = timers.removeValue(forKey: seq) {
      timer.resume()
    } else {
      unknown(seq)
    }
  }

  private func resolve(_ resolved: ResolveActivity) throws {
    guard let waiting = activities.removeValue(forKey: resolved.seq) else {
      return unknown(resolved.seq)
    }
    locals[resolved.seq] = nil
    switch resolved.result {
    case .completed(let list): waiting.resume(returning: list.payloads)
    case .failed(let failure): waiting.resume(throwing: ActivityError(failure))
    case .canceled: waiting.resume(throwing: CancellationError())
    case nil: throw ApplicationError("an activity ended in a way that this SDK does not know")
    }
  }

  func unknown(_ seq: UInt32) {
    taskFailure = ApplicationError(
      "the history resolves command \(seq), which the code never gave",
      type: "Nondeterminism")
  }

  // MARK: - What the context asks for

  func emit(_ kind: Command.Kind, at location: String = "", summary: String = "") {
    guard !isEvicted else { return }
    var command = Command()
    command.kind = kind
    command.location = location
    if !summary.isEmpty {
      command.userMetadata = UserMetadata()
      command.userMetadata?.summary = summary
    }
    commands.append(command)
  }

  func takeSeq() -> UInt32 {
    lastSeq += 1
    return lastSeq
  }

  /// Where a task of evicted code is made to end. While another job waits, code of a child task may
  /// still use what the exit would free.
  var exitToTake: TaskExit.Place? {
    guard mustEnd, executor.isIdle else { return nil }
    return exits.first(where: \.isOpen)?.place
  }

  func activity(_ schedule: ScheduleActivity, summary: String, at location: String) async throws
    -> [Payload]
  {
    var schedule = schedule
    let seq = takeSeq()
    schedule.seq = seq
    emit(.scheduleActivity(schedule), at: location, summary: summary)
    return try await end(of: seq, at: location)
  }

  func localActivity(_ work: LocalWork, summary: String, at location: String) async throws
    -> [Payload]
  {
    var work = work
    work.schedule.seq = takeSeq()
    locals[work.schedule.seq] = work
    emit(.scheduleLocalActivity(work.schedule), at: location, summary: summary)
    return try await end(of: work.schedule.seq, at: location)
  }

  /// Of an activity, local or not.
  private func end(of seq: UInt32, at location: String) async throws -> [Payload] {
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { activities[seq] = $0 }
    } onCancel: {
      guard activities[seq] != nil else { return }
      var cancel = RequestCancelActivity()
      cancel.seq = seq
      emit(.requestCancelActivity(cancel), at: location)
    }
  }

  func sleep(_ span: Span, summary: String, at location: String) async throws {
    let seq = startTimer(span, summary: summary, at: location)
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { timers[seq] = $0 }
    } onCancel: {
      guard let timer = timers.removeValue(forKey: seq) else { return }
      cancelTimer(seq, at: location)
      timer.resume(throwing: CancellationError())
    }
  }

  private func startTimer(_ span: Span, summary: String = "", at location: String) -> UInt32 {
    var start = StartTimer()
    start.seq = takeSeq()
    start.startToFireTimeoutMs = span
    emit(.startTimer(start), at: location, summary: summary)
    return start.seq
  }

  private func cancelTimer(_ seq: UInt32, at location: String) {
    var cancel = CancelTimer()
    cancel.seq = seq
    emit(.cancelTimer(cancel), at: location)
  }

  private var lastCondition: UInt32 = 0

  func wait(_ timeout: Span?, at location: String, until holds: @escaping @Sendable () -> Bool)
    async throws -> Bool
  {
    if holds() { return true }
    let timer = timeout.map { startTimer($0, at: location) } ?? 0
    lastCondition += 1
    let seq = lastCondition
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation {
        conditions.append(Condition(seq: seq, holds: holds, continuation: $0, timer: timer))
      }
    } onCancel: {
      guard let index = conditions.firstIndex(where: { $0.seq == seq }) else { return }
      let condition = conditions.remove(at: index)
      if timer != 0 { cancelTimer(timer, at: location) }
      condition.continuation.resume(throwing: CancellationError())
    }
  }

  func shielded<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await Task(executorPreference: executor) { [self] in
      var result: Result<T, any Error> = .failure(WorkflowEvictedError.one)
      await withExit {
        do { result = .success(try await body()) } catch { result = .failure(error) }
      }
      return try result.get()
    }.value
  }

  func nextRandom() -> UInt64 { random.next() }

  // MARK: - Markers

  func patched(_ id: String, at location: String) -> Bool {
    let answer = markers.answer(id)
    if answer.isFirst {
      emit(.recordMarker(RecordMarker(patch: id, deprecated: false)), at: location)
    }
    return answer.isPatched
  }

  func deprecatePatch(_ id: String, at location: String) {
    guard markers.answer(id).isFirst else { return }
    emit(.recordMarker(RecordMarker(patch: id, deprecated: true)), at: location)
  }

  /// What `body` gives the first time, and its recorded value in every replay.
  func sideEffect(at location: String, _ body: () throws -> [Payload]) throws -> [Payload] {
    let seq = takeSeq()
    let value: [Payload]
    if markers.isPast {
      guard let recorded = markers.value(seq) else {
        let error = ApplicationError(
          "the history holds no value of the side effect that is command \(seq)",
          type: "Nondeterminism")
        taskFailure = error
        throw error
      }
      value = recorded
    } else {
      value = try body()
    }
    emit(.recordMarker(RecordMarker(sideEffect: seq, value)), at: location)
    return value
  }

  /// Commands that would leave with the next answer.
  var pendingCommands: Int { commands.count }

  // MARK: - Eviction

  /// Ends everything that the code awaits and discards what it does from now on. The code itself
  /// then has to `leave`.
  func evict() {
    isEvicted = true
    commands = []
    executor.driving {
      let awaited = activities.sorted { $0.key < $1.key }.map(\.value)
      let slept = timers.sorted { $0.key < $1.key }.map(\.value)
      let waited = conditions
      activities = [:]
      locals = [:]
      timers = [:]
      conditions = []
      children.evict()
      for waiting in awaited { waiting.resume(throwing: WorkflowEvictedError.one) }
      for waiting in slept { waiting.resume(throwing: WorkflowEvictedError.one) }
      for waiting in waited { waiting.continuation.resume(throwing: WorkflowEvictedError.one) }
      // For code that looks at Task.isCancelled only.
      for task in tasks.values { task.cancel() }
    }
    root = nil
    tasks = [:]
  }

  enum Departure {
    case ended
    case goesOn
    /// It has had its jobs and was made to end.
    case madeToEnd
    /// It has had its jobs and could not be made to end: it gets no more.
    case abandoned
  }

  /// Lets the code of an evicted run do some of the jobs that it needs to end.
  func leave(jobs: Int) -> Departure {
    let limit = min(jobs, WorkflowRun.jobsAfterEviction - jobsSinceEviction)
    jobsSinceEviction += executor.driving { executor.drain(limit: limit) }
    if executor.isIdle { return .ended }
    guard jobsSinceEviction >= WorkflowRun.jobsAfterEviction else { return .goesOn }
    mustEnd = true
    _ = executor.driving { executor.drain(limit: jobs) }
    return executor.isIdle ? .madeToEnd : .abandoned
  }
}
