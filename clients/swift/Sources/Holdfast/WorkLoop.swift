import Basics
import CHoldfast
internal import Messages

/// Pulls tasks and answers them: workflows on this thread, activities as Swift tasks.
final class WorkLoop {
  private let worker: OpaquePointer
  private let handle: WorkerHandle
  private let workflows: [String: WorkflowDefinition]
  private let activities: [String: ActivityDefinition]
  private let cachedRunsMax: Int
  private var runs: [RunID: CachedRun] = [:]
  private var leaving = LeavingRuns()
  private let running = RunningAttempts()
  private let locals: RunningLocals
  private let failsWorkflow: @Sendable (any Error) -> Bool
  private var uses: UInt64 = 0

  private struct CachedRun {
    let state: WorkflowRun
    var lastUse: UInt64
  }

  init(
    _ worker: OpaquePointer, _ handle: WorkerHandle, _ workflows: [String: WorkflowDefinition],
    _ activities: [String: ActivityDefinition], _ options: Worker.Options
  ) {
    self.worker = worker
    self.handle = handle
    self.workflows = workflows
    self.activities = activities
    cachedRunsMax = options.cachedRunsMax
    failsWorkflow = options.failsWorkflow
    locals = RunningLocals(handle, activities, max: options.localActivitiesMax)
  }

  func run() throws {
    defer {
      dropAll()
      running.cancelAll()
    }
    while true {
      var task: UnsafeMutablePointer<holdfast_task>?
      var error: UnsafeMutablePointer<holdfast_error>?
      let wait: Int64 = leaving.isEmpty ? 60_000 : 0
      let status = holdfast_worker_next_task(worker, wait, &task, &error)
      leaving.turn()
      try leaving.check()
      switch status {
      case HOLDFAST_OK:
        guard let task else { continue }
        defer { holdfast_task_free(task) }
        try take(task.pointee)
      case HOLDFAST_TIMEOUT: continue
      case HOLDFAST_CLOSED:
        holdfast_error_free(error)
        return
      default: throw HoldfastError(status, error)
      }
    }
  }

  private func take(_ task: holdfast_task) throws {
    switch task.kind {
    case HOLDFAST_TASK_ACTIVATION: activate(try Activation(bytes: task.message.array))
    case HOLDFAST_TASK_REPLAY_HISTORY: replay(try ReplayHistory(bytes: task.message.array))
    case HOLDFAST_TASK_EVICT: drop(try Evict(bytes: task.message.array).runID)
    case HOLDFAST_TASK_ACTIVITY: begin(try ActivityTask(bytes: task.message.array))
    case HOLDFAST_TASK_ACTIVITY_CANCEL:
      running.cancel(task.token.array)
    case HOLDFAST_TASK_RECORDED: locals.begin(task.token.array)
    case HOLDFAST_TASK_DISCONNECTED: dropAll()
    default: break  // A kind of a later version of the library.
    }
  }

  // MARK: - Workflows

  private func activate(_ activation: Activation) {
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    do {
      let run = try cached(activation)
      if activation.jobs.contains(where: \.isQuery) {
        completed.queryResults = activation.jobs.map { answer($0, run) }
      } else {
        completed.commands = try run.activate(
          at: activation.activationTimeMs, activation.jobs, markers: nil,
          historyLength: activation.historyLength,
          suggested: activation.continueAsNewSuggested)
        completed.updateRejections = run.rejections
        locals.prepare(activation, completed.commands, run)
      }
    } catch {
      completed.commands = []
      completed.failure = WorkflowTaskFailure(error)
      drop(activation.runID)
    }
    let closes = completed.commands.last?.closes ?? false
    _ = completed.serialized().withView { holdfast_worker_complete_workflow_task(worker, $0) }
    if closes { drop(activation.runID) }
  }

  private func cached(_ activation: Activation) throws -> WorkflowRun {
    uses += 1
    if let run = runs[activation.runID]?.state {
      runs[activation.runID]?.lastUse = uses
      return run
    }
    guard case .initializeWorkflow = activation.jobs.first?.kind else {
      throw ApplicationError("the run is not in this worker's memory", type: "NotCached")
    }
    return try make(
      activation.runID, activation.workflowID, activation.workflowType, activation.taskQueue)
  }

  private func make(
    _ runID: RunID, _ workflowID: String, _ type: String, _ taskQueue: String
  ) throws -> WorkflowRun {
    guard let definition = workflows[type] else {
      throw ApplicationError("this worker has no workflow type '\(type)'", type: "UnknownType")
    }
    let run = WorkflowRun(
      runID: runID, workflowID: workflowID, workflowType: type, taskQueue: taskQueue,
      instance: definition.make(), failsWorkflow: failsWorkflow)
    runs[runID] = CachedRun(state: run, lastUse: uses)
    trim()
    return run
  }

  private func answer(_ job: Job, _ run: WorkflowRun) -> QueryResult {
    var result = QueryResult()
    guard case .queryWorkflow(let query) = job.kind else { return result }
    result.queryID = query.queryID
    do {
      var list = PayloadList()
      list.payloads = try run.query(query.queryType, query.args)
      result.result = .succeeded(list)
    } catch {
      result.result = .failed(Failure(error))
    }
    return result
  }

  private func replay(_ part: ReplayHistory) {
    var completed = ReplayCompleted()
    completed.token = part.token
    if part.first { drop(part.runID) }
    do {
      uses += 1
      let run =
        try part.first
        ? make(part.runID, part.workflowID, part.workflowType, part.taskQueue)
        : kept(part.runID)
      for past in part.activations { completed.completions.append(try run.replay(past)) }
    } catch {
      completed.failure = WorkflowTaskFailure(error)
      drop(part.runID)
    }
    _ = completed.serialized().withView { holdfast_worker_complete_replay(worker, $0) }
  }

  private func kept(_ runID: RunID) throws -> WorkflowRun {
    guard let run = runs[runID]?.state else {
      throw ApplicationError("the replay's first part is missing", type: "NotCached")
    }
    return run
  }

  // MARK: - The cache

  private func drop(_ runID: RunID) {
    locals.drop(runID)
    if let run = runs.removeValue(forKey: runID)?.state { leaving.evict(run) }
  }

  private func dropAll() {
    let all = runs.values.sorted { $0.lastUse < $1.lastUse }
    runs = [:]
    locals.dropAll()
    for run in all { leaving.evict(run.state) }
  }

  /// Over the limit the run that was used longest ago goes, and the engine is told; but none whose
  /// local activities would be lost with it.
  private func trim() {
    guard runs.count > cachedRunsMax else { return }
    let idle = runs.filter { $0.value.state.locals.isEmpty }
    // The newest is the one that has just come.
    guard idle.count > 1, let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse })
    else { return }
    drop(oldest.key)
    _ = oldest.key.description.withView { id in
      withUnsafePointer(to: id) { holdfast_worker_evicted(worker, $0, 1) }
    }
  }

  // MARK: - Activities

  private func begin(_ task: ActivityTask) {
    let attempt = AttemptState(worker: handle, token: task.token)
    guard let definition = activities[task.activityType] else {
      return attempt.fail(
        ApplicationError(
          "this worker has no activity type '\(task.activityType)'", type: "UnknownType"))
    }
    let context = ActivityContext(attempt, task)
    running.start(task.token) {
      do {
        attempt.complete(try await definition.run(context, task.input))
      } catch is CompletesElsewhere {
        attempt.goesElsewhere()
      } catch is CancellationError {
        attempt.cancelled()
      } catch {
        attempt.fail(error)
      }
    }
  }
}

extension Job {
  fileprivate var isQuery: Bool {
    if case .queryWorkflow = kind { return true }
    return false
  }
}

extension Command {
  fileprivate var closes: Bool {
    switch kind {
    case .completeWorkflow, .failWorkflow, .cancelledWorkflow, .continueAsNew: return true
    default: return false
    }
  }
}

extension WorkflowTaskFailure {
  init(_ error: any Error) {
    self.init()
    failure = Failure(error)
    cause = .workerFailure
  }
}

extension CommandHead {
  /// What of a command is compared with history.
  init(_ command: Command) {
    self.init()
    location = command.location
    switch command.kind {
    case .scheduleActivity(let c):
      type = .scheduleActivity
      seq = c.seq
      name = c.activityType
      id = c.activityID.isEmpty ? String(c.seq) : c.activityID
    case .scheduleLocalActivity(let c):
      type = .scheduleLocalActivity
      seq = c.seq
      name = c.activityType
      id = c.activityID.isEmpty ? String(c.seq) : c.activityID
    case .requestCancelActivity(let c):
      type = .requestCancelActivity
      seq = c.seq
    case .startTimer(let c):
      type = .startTimer
      seq = c.seq
      id = c.timerID.isEmpty ? String(c.seq) : c.timerID
    case .cancelTimer(let c):
      type = .cancelTimer
      seq = c.seq
    case .completeWorkflow: type = .completeWorkflow
    case .failWorkflow: type = .failWorkflow
    case .cancelledWorkflow: type = .cancelledWorkflow
    case .continueAsNew: type = .continueAsNew
    case .recordMarker(let c):
      type = .recordMarker
      seq = c.seq
      name = c.markerName
      id = c.markerID
    case .upsertSearchAttributes: type = .upsertSearchAttributes
    case .upsertMemo: type = .upsertMemo
    case .setCurrentDetails: type = .setCurrentDetails
    case .updateAccepted(let c):
      type = .updateAccepted
      id = c.updateID
    case .updateCompleted(let c):
      type = .updateCompleted
      id = c.updateID
    case .startChild(let c):
      type = .startChild
      seq = c.seq
      name = c.workflowType
      id = c.workflowID
    case .cancelChild(let c):
      type = .cancelChild
      seq = c.seq
    case .signalExternal(let c):
      type = .signalExternal
      seq = c.seq
      name = c.signalName
      id = c.execution?.workflowID ?? ""
    case .cancelExternal(let c):
      type = .cancelExternal
      seq = c.seq
      id = c.execution?.workflowID ?? ""
    case nil: break
    }
  }
}
