import Basics
import EngineCore
import Messages

/// One thing that a step did, as far as its meaning goes: what the engine and the model are
/// compared by. Texts for people are left out, and when something leaves is the gate's matter.
enum Fact: Equatable {
  /// The next event of a run's history.
  case event(RunID, HistoryEvent)
  case closed(RunID, WorkflowStatus)
  /// What stays of an activity's failed attempts.
  case attempts(RunID, ActivityAttempts)
  /// A request id is remembered with its run and the event that it made.
  case remembered(RunID, event: Int64)
  case answered(RequestID, Response)
  /// A message to a session.
  case told(SessionID, EngineMessage.Kind)
  case ended(SessionID, Status)
  /// It is to be told when the process ends.
  case watched(ProcessIdentity)

  /// In a line or a few, for people.
  var text: String {
    switch self {
    case .event(let run, let event): "event of \(run): \(event.json())"
    case .closed(let run, let status): "\(run) closes: \(status)"
    case .attempts(let run, let attempts): "attempts of \(run): \(attempts.json())"
    case .remembered(let run, let event): "request id of \(run), event \(event)"
    case .answered(let request, let answer): "answer \(request.stream): \(answer.text)"
    case .told(let session, let kind):
      "\(session) is told: \(EngineMessage.of(kind).json())"
    case .ended(let session, let status): "\(session) is ended: \(status.json())"
    case .watched(let process): "process \(process.process) is watched"
    }
  }
}

/// An answer to a request, streamed ones as a whole.
enum Response: Equatable {
  case failure(Status)
  case start(StartWorkflowResponse)
  case signal(SignalWorkflowResponse)
  case reset(RunID)
  case query(QueryWorkflowResponse)
  case update(UpdateWorkflowResponse)
  case describe(DescribeWorkflowResponse)
  case result(GetWorkflowResultResponse)
  case count(CountWorkflowsResponse)
  /// `hasMore`: another page follows.
  case list([WorkflowInfo], hasMore: Bool)
  case history([HistoryEvent])
  case heartbeat(HeartbeatActivityResponse)
  /// The run that was deleted.
  case delete(RunID)
  case schedule(DescribeScheduleResponse)
  case schedules(ListSchedulesResponse)
  case times(ListScheduleMatchingTimesResponse)
  /// The conflict token of a schedule that was created or updated.
  case token(UInt64)
  /// The id of the workflow that a trigger starts.
  case trigger(String)
  case queue(DescribeTaskQueueResponse)
  case workflowType(DescribeWorkflowTypeResponse)
  case workflowTypes(ListWorkflowTypesResponse)
  case names(ListSearchAttributesResponse)
  case activity(DescribeActivityResponse)
  case activities([StandaloneActivity])
  case outcome(GetActivityResultResponse)
  case batch(DescribeBatchResponse)
  case batches([BatchInfo])
  case batchStarted(Bool)
  case namespaces([NamespaceInfo])
  case namespaceMade(Bool)
  /// Of a request whose answer says nothing but that it was done.
  case done

  var text: String {
    switch self {
    case .failure(let m): "failure \(m.json())"
    case .start(let m): "start \(m.json())"
    case .signal(let m): "signal \(m.json())"
    case .reset(let run): "goes on in \(run)"
    case .query(let m): "query \(m.json())"
    case .update(let m): "update \(m.json())"
    case .describe(let m): "describe \(m.json())"
    case .result(let m): "result \(m.json())"
    case .count(let m): "count \(m.json())"
    case .list(let infos, let hasMore):
      "list \(infos.map { $0.json() })\(hasMore ? ", and more" : "")"
    case .history(let events): "history \(events.map { $0.json() })"
    case .heartbeat(let m): "heartbeat \(m.json())"
    case .schedule(let m): "schedule \(m.json())"
    case .schedules(let m): "schedules \(m.json())"
    case .times(let m): "times \(m.json())"
    case .token(let token): "conflict token \(token)"
    case .trigger(let workflowID): "triggers '\(workflowID)'"
    case .queue(let m): "queue \(m.json())"
    case .delete(let run): "deleted \(run)"
    case .workflowType(let m): "workflow type \(m.json())"
    case .workflowTypes(let m): "workflow types \(m.json())"
    case .names(let m): "names \(m.json())"
    case .activity(let m): "activity \(m.json())"
    case .activities(let infos): "activities \(infos.map { $0.json() })"
    case .outcome(let m): "outcome \(m.json())"
    case .batch(let m): "batch \(m.json())"
    case .batches(let infos): "batches \(infos.map { $0.json() })"
    case .batchStarted(let isNew): isNew ? "starts the batch" : "the batch is there"
    case .namespaces(let infos): "namespaces \(infos.map { $0.json() })"
    case .namespaceMade(let isNew): isNew ? "makes the namespace" : "the namespace is there"
    case .done: "done"
    }
  }
}

extension Response {
  init(_ reply: Reply) {
    switch reply {
    case .failure(let status): self = .failure(status.plain)
    case .startWorkflow(let m): self = .start(m)
    case .signalWorkflow(let m): self = .signal(m)
    case .queryWorkflow(let m): self = .query(m)
    case .updateWorkflow(let m): self = .update(m)
    case .cancelWorkflow, .terminateWorkflow, .pauseWorkflow, .unpauseWorkflow, .completeActivity,
      .failActivity, .reportActivityCancelled, .pauseActivity, .unpauseActivity, .resetActivity,
      .updateActivityOptions, .setTaskQueueLimits:
      self = .done
    case .resetWorkflow(let m): self = .reset(m.runID)
    case .forkWorkflow(let m): self = .start(.of(m.runID, started: m.started))
    case .deleteWorkflow(let m): self = .delete(m.runID)
    case .describeWorkflow(let m): self = .describe(m.plain)
    case .getWorkflowResult(let m): self = .result(m)
    case .countWorkflows(let m): self = .count(m)
    case .heartbeatActivity(let m): self = .heartbeat(m)
    case .describeTaskQueue(let m): self = .queue(m.plain)
    case .schedule(let reply): self = Response(reply)
    case .workflowType(.setLimits): self = .done
    case .workflowType(.describe(let m)): self = .workflowType(m)
    case .workflowType(.list(let m)): self = .workflowTypes(m)
    case .attribute(.list(let m)): self = .names(m)
    case .attribute: self = .done
    case .namespace(let reply): self = Response(reply)
    case .activityRun(let reply): self = Response(reply)
    case .batch(.start(let m)): self = .batchStarted(m.started)
    case .batch(.describe(let m)): self = .batch(m.plain)
    case .batch(.list(let m)): self = .batches(m.batches.map(\.plain))
    case .batch(.stop): self = .done
    }
  }

  private init(_ reply: ActivityRunReply) {
    switch reply {
    case .start(let m): self = .start(.of(m.runID, started: m.started))
    case .describe(let m): self = .activity(m.plain)
    case .result(let m): self = .outcome(m)
    case .count(let m):
      var count = CountWorkflowsResponse()
      count.count = m.count
      count.groups = m.groups
      self = .count(count)
    case .cancel, .terminate: self = .done
    case .delete(let m): self = .delete(m.runID)
    }
  }

  private init(_ reply: ScheduleReply) {
    switch reply {
    case .create(let m): self = .token(m.conflictToken)
    case .update(let m): self = .token(m.conflictToken)
    case .describe(let m): self = .schedule(m.plain)
    case .list(let m): self = .schedules(m.plain)
    case .matchingTimes(let m): self = .times(m)
    case .trigger(let m): self = .trigger(m.workflowID)
    case .delete, .pause, .unpause, .backfill: self = .done
    }
  }
}

// MARK: - Without texts for people

extension Status {
  var plain: Status {
    var status = self
    status.message = ""
    return status
  }
}

extension BatchInfo {
  /// How far it has come is told by numbers of runs.
  fileprivate var plain: BatchInfo {
    var info = self
    info.progress = 0
    return info
  }
}

extension DescribeBatchResponse {
  fileprivate var plain: DescribeBatchResponse {
    var response = self
    response.info = info?.plain
    for place in failures.indices {
      response.failures[place].status = failures[place].status?.plain
    }
    return response
  }
}

extension DescribeWorkflowResponse {
  var plain: DescribeWorkflowResponse {
    var response = self
    response.warnings = []
    response.info = info?.plain
    if info?.status != .running, var task = response.pendingWorkflowTask {
      // Queries of a closed run: what is left of its last task in memory says nothing.
      task.attempt = 0
      task.scheduledTimeMs = .epoch
      task.lastFailure = nil
      task.lastCause = .unspecified
      task.lastDiff = nil
      response.pendingWorkflowTask = task
    }
    if let task = response.pendingWorkflowTask, task.lastCause.isTheEnginesWord {
      response.pendingWorkflowTask?.lastFailure?.info?.message = ""
      response.pendingWorkflowTask?.lastDiff?.message = ""
    }
    return response
  }
}

extension StandaloneActivity {
  var plain: StandaloneActivity {
    var activity = self
    activity.problems = []
    return activity
  }
}

extension DescribeActivityResponse {
  fileprivate var plain: DescribeActivityResponse {
    var response = self
    response.activity = activity?.plain
    return response
  }
}

extension DescribeScheduleResponse {
  /// That an action has failed counts, not what is said of it.
  var plain: DescribeScheduleResponse {
    var response = self
    for place in response.info?.recentActions.indices ?? 0..<0
    where !(response.info?.recentActions[place].error.isEmpty ?? true) {
      response.info?.recentActions[place].error = "it failed"
    }
    let note = response.schedule?.state?.note ?? ""
    response.schedule?.state?.note = Schedule.plain(note)
    return response
  }
}

extension ListSchedulesResponse {
  fileprivate var plain: ListSchedulesResponse {
    var response = self
    for place in schedules.indices {
      response.schedules[place].note = Schedule.plain(schedules[place].note)
    }
    return response
  }
}

extension Schedule {
  /// Of workflows that ended in one moment, any may have paused it.
  static func plain(_ note: String) -> String {
    guard note.hasPrefix("workflow '"), let word = note.split(separator: " ").last else {
      return note
    }
    return "a workflow ended \(word)"
  }
}

extension DescribeTaskQueueResponse {
  /// What a cache holds is the engine's matter, as long as the tasks are right.
  var plain: DescribeTaskQueueResponse {
    var response = self
    response.warnings = []
    response.workflowTasks?.priorities = []
    response.workflowTasks?.addedPerSecond = 0
    response.workflowTasks?.givenPerSecond = 0
    response.activityTasks = response.activityTasks?.withoutArrivals
    for place in response.workers.indices { response.workers[place].cachedRuns = 0 }
    return response
  }
}

extension QueueBacklog {
  /// Whether something that comes again after a loss came once or twice is the engine's matter.
  fileprivate var withoutArrivals: QueueBacklog {
    var backlog = self
    backlog.addedPerSecond = 0
    for place in priorities.indices { backlog.priorities[place].addedPerSecond = 0 }
    backlog.priorities.removeAll { $0.count == 0 && $0.givenPerSecond == 0 }
    return backlog
  }
}

extension WorkflowInfo {
  /// How many bytes a history takes is the store's matter.
  var plain: WorkflowInfo {
    var info = self
    info.problems = []
    info.historySizeBytes = 0
    return info
  }
}

extension WorkflowTaskFailedCause {
  /// The engine itself found the fault, and describes it in words.
  var isTheEnginesWord: Bool { self == .badCommand || self == .nondeterminism }
}

extension HistoryEvent {
  var plain: HistoryEvent {
    var event = self
    switch attributes {
    case .workflowTaskCompleted(var completed):
      completed.historySizeBytes = 0
      event.attributes = .workflowTaskCompleted(completed)
    case .workflowTaskFailed(var failed) where failed.cause.isTheEnginesWord:
      failed.failure?.info?.message = ""
      failed.diff?.message = ""
      event.attributes = .workflowTaskFailed(failed)
    case .startChildWorkflowExecutionFailed(var failed):
      failed.message = ""
      event.attributes = .startChildWorkflowExecutionFailed(failed)
    default: break
    }
    return event
  }
}

extension Job {
  fileprivate var plain: Job {
    guard case .resolveChildStart(var start) = kind, case .failed(var failure) = start.result,
      !failure.causes.isEmpty
    else { return self }
    failure.causes[0].message = ""
    start.result = .failed(failure)
    var job = self
    job.kind = .resolveChildStart(start)
    return job
  }
}

extension EngineMessage.Kind {
  var plain: EngineMessage.Kind {
    switch self {
    case .activation(var m):
      m.historySizeBytes = 0
      m.jobs = m.jobs.map(\.plain)
      return .activation(m)
    case .replayHistory(var m):
      for index in m.activations.indices {
        m.activations[index].historySizeBytes = 0
        m.activations[index].jobs = m.activations[index].jobs.map(\.plain)
      }
      return .replayHistory(m)
    case .evict(var m):
      m.message = ""
      return .evict(m)
    case .refused(var m):
      m.status = m.status?.plain
      return .refused(m)
    case .drain: return .drain(Drain())
    case .attached, .activityTask, .activityCancel, .recorded: return self
    }
  }
}

extension EngineMessage {
  static func of(_ kind: Kind) -> EngineMessage {
    var message = EngineMessage()
    message.kind = kind
    return message
  }
}

extension WorkerMessage {
  static func of(_ kind: Kind) -> WorkerMessage {
    var message = WorkerMessage()
    message.kind = kind
    return message
  }
}
