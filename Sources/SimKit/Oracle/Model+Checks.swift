import Basics
import EngineCore
import Messages

/// What is wrong with a request by itself.
extension Model {
  func fault(of request: Request) -> Status? {
    switch request {
    case .startWorkflow(let r): first(fault(of: r, ""), zone("", r))
    case .signalWithStartWorkflow(let r): fault(of: r)
    case .signalWorkflow(let r):
      first(
        namespace(r.namespace), execution(r.execution), name("signal_name", r.signalName),
        payloads("input", r.input), id("request_id", r.requestID))
    case .cancelWorkflow(let r): of(r.namespace, r.execution, r.requestID)
    case .deleteWorkflow(let r): first(namespace(r.namespace), execution(r.execution))
    case .pauseWorkflow(let r): of(r.namespace, r.execution, r.requestID)
    case .unpauseWorkflow(let r): of(r.namespace, r.execution, r.requestID)
    case .resetWorkflow(let r):
      first(
        point(r.point, r.reapplyExclude), execution(r.execution), namespace(r.namespace),
        id("request_id", r.requestID))
    case .forkWorkflow(let r): fault(of: r)
    case .terminateWorkflow(let r):
      first(
        namespace(r.namespace), execution(r.execution), payloads("details", r.details),
        id("request_id", r.requestID))
    case .queryWorkflow(let r):
      first(
        namespace(r.namespace), execution(r.execution), name("query_type", r.queryType),
        payloads("args", r.args))
    case .updateWorkflow(let r):
      first(namespace(r.namespace), execution(r.execution), update(r, ""))
    case .updateWithStartWorkflow(let r):
      first(
        fault(of: r.start ?? StartWorkflowRequest(), "start."),
        update(r.update ?? UpdateWorkflowRequest(), "update."), target(r))
    case .pollUpdate(let r):
      first(
        namespace(r.namespace), execution(r.execution), name("update_id", r.updateID),
        stage("wait_for", r.waitFor))
    case .describeWorkflow(let r): first(namespace(r.namespace), execution(r.execution))
    case .getWorkflowResult(let r): first(namespace(r.namespace), execution(r.execution))
    case .getHistory(let r): first(namespace(r.namespace), execution(r.execution))
    case .listWorkflows(let r): first(namespace(r.namespace), fault(of: r))
    case .countWorkflows(let r): first(namespace(r.namespace), query(r.query))
    case .completeActivity(let r):
      first(
        namespace(r.namespace), activity(r.activity), payloads("result", r.result),
        id("request_id", r.requestID))
    case .failActivity(let r):
      first(
        namespace(r.namespace),
        r.failure == nil ? .of(.invalidArgument, .fieldMissing, field: "failure") : nil,
        activity(r.activity), id("request_id", r.requestID))
    case .reportActivityCancelled(let r):
      first(
        namespace(r.namespace), activity(r.activity), payloads("details", r.details),
        id("request_id", r.requestID))
    case .heartbeatActivity(let r): first(namespace(r.namespace), activity(r.activity))
    case .pauseActivity(let r):
      control(r.activities, r.namespace, r.execution, r.requestID)
    case .unpauseActivity(let r):
      control(r.activities, r.namespace, r.execution, r.requestID)
    case .resetActivity(let r):
      control(r.activities, r.namespace, r.execution, r.requestID)
    case .updateActivityOptions(let r):
      options(r) ?? control(r.activities, r.namespace, r.execution, r.requestID)
    case .workflowType, .schedule, .attribute, .namespace, .batch: nil
    case .activityRun(let r): fault(of: r)
    case .setTaskQueueLimits(let r):
      first(name("task_queue", r.taskQueue), namespace(r.namespace), isBad(r.limits))
    case .describeTaskQueue(let r):
      first(missing("task_queue", r.taskQueue), namespace(r.namespace))
    }
  }

  /// Of a request about the life of a run.
  private func of(
    _ namespace: String, _ execution: WorkflowExecution?, _ requestID: String
  ) -> Status? {
    first(self.namespace(namespace), self.execution(execution), id("request_id", requestID))
  }

  private func fault(of start: StartWorkflowRequest, _ path: String) -> Status? {
    let policies =
      isUnknown(start.idReusePolicy.rawValue)
      ? invalid(path + "id_reuse_policy")
      : isUnknown(start.idConflictPolicy.rawValue) ? invalid(path + "id_conflict_policy") : nil
    return first(
      namespace(start.namespace, path + "namespace"),
      name(path + "workflow_id", start.workflowID),
      name(path + "workflow_type", start.workflowType),
      name(path + "task_queue", start.taskQueue), id(path + "request_id", start.requestID),
      time(path + "execution_timeout_ms", start.executionTimeoutMs),
      time(path + "run_timeout_ms", start.runTimeoutMs),
      time(path + "task_timeout_ms", start.taskTimeoutMs, max: times.taskTimeoutMax), policies,
      retry(path + "retry_policy", start.retryPolicy), delay(path, start),
      payloads(path + "input", start.input), details(path, start), cron(path, start),
      isBad(start.priority).map { invalid(path + "priority." + $0) },
      id(path + "concurrency_key", start.concurrencyKey))
  }

  func retry(_ field: String, _ policy: RetryPolicy?) -> Status? {
    guard let policy, policy.backoffCoefficient != 0, policy.backoffCoefficient < 1 else {
      return nil
    }
    return invalid(field + ".backoff_coefficient")
  }

  /// The field that is.
  func isBad(_ priority: WorkPriority?) -> String? {
    guard let priority else { return nil }
    if priority.priorityKey < 0 || priority.priorityKey > 5 { return "priority_key" }
    if priority.fairnessKey.utf8.count > 64 { return "fairness_key" }
    let isWeight = priority.fairnessWeight >= 0.001 && priority.fairnessWeight <= 1_000
    return isWeight || priority.fairnessWeight == 0 ? nil : "fairness_weight"
  }

  private func isBad(_ limits: TaskQueueLimits?) -> Status? {
    guard let limits else { return nil }
    func isRate(_ rate: Double) -> Bool { rate == 0 || (rate >= 0.001 && rate <= 1_000_000) }
    if !isRate(limits.activitiesPerSecond) { return invalid("limits.activities_per_second") }
    return isRate(limits.activitiesPerSecondOfKey)
      ? nil : invalid("limits.activities_per_second_of_key")
  }

  private func details(_ path: String, _ start: StartWorkflowRequest) -> Status? {
    if isBad(start.memo) { return invalid(path + "memo") }
    return isBad(start.searchAttributes) ? invalid(path + "search_attributes") : nil
  }

  private func delay(_ path: String, _ start: StartWorkflowRequest) -> Status? {
    if start.startDelayMs != .zero && start.startAtTimeMs != .epoch {
      return invalid(path + "start_at_time_ms")
    }
    return time(path + "start_delay_ms", start.startDelayMs)
  }

  private func cron(_ path: String, _ start: StartWorkflowRequest) -> Status? {
    guard !start.cronSchedule.isEmpty else { return nil }
    let isDelayed = start.startDelayMs != .zero || start.startAtTimeMs != .epoch
    return isDelayed || ModelCron.named(start.cronSchedule) == nil
      ? invalid(path + "cron_schedule") : nil
  }

  /// A zone's file is read when all else is as it must be.
  private func zone(_ path: String, _ start: StartWorkflowRequest) -> Status? {
    ModelZone(start.cronTimeZone) == nil ? invalid(path + "cron_time_zone") : nil
  }

  private func fault(of r: SignalWithStartWorkflowRequest) -> Status? {
    guard let start = r.start else {
      return .of(.invalidArgument, .fieldMissing, field: "start")
    }
    return first(
      fault(of: start, "start."),
      start.idConflictPolicy == .fail ? invalid("start.id_conflict_policy") : nil,
      name("signal_name", r.signalName), payloads("signal_input", r.signalInput),
      zone("start.", start))
  }

  private func update(_ r: UpdateWorkflowRequest, _ path: String) -> Status? {
    first(
      name(path + "update_id", r.updateID), name(path + "update_name", r.updateName),
      stage(path + "wait_for", r.waitFor), payloads(path + "args", r.args))
  }

  private func target(_ r: UpdateWithStartWorkflowRequest) -> Status? {
    if r.update?.execution != nil { return invalid("update.execution") }
    let isDelayed = r.start?.startDelayMs != .zero || r.start?.startAtTimeMs != .epoch
    return isDelayed ? invalid("start.start_delay_ms") : nil
  }

  private func stage(_ field: String, _ stage: UpdateStage) -> Status? {
    [.unspecified, .accepted, .completed].contains(stage) ? nil : invalid(field)
  }

  // MARK: - Fields

  func first(_ faults: Status?...) -> Status? { faults.compactMap { $0 }.first }

  func invalid(_ field: String) -> Status {
    .of(.invalidArgument, .fieldInvalid, field: field)
  }

  private func namespace(_ name: String, _ field: String = "namespace") -> Status? {
    name.isEmpty || name == "default"
      ? nil : .of(.notFound, .namespaceNotFound, field: field)
  }

  private func id(_ field: String, _ text: String) -> Status? {
    text.utf8.count > limits.idBytesMax ? invalid(field) : nil
  }

  private func missing(_ field: String, _ text: String) -> Status? {
    text.isEmpty ? .of(.invalidArgument, .fieldMissing, field: field) : nil
  }

  private func name(_ field: String, _ text: String) -> Status? {
    missing(field, text) ?? id(field, text)
  }

  private func fault(of r: ForkWorkflowRequest) -> Status? {
    let policies =
      isUnknown(r.idReusePolicy.rawValue)
      ? invalid("id_reuse_policy")
      : isUnknown(r.idConflictPolicy.rawValue) ? invalid("id_conflict_policy") : nil
    let isOwn = r.workflowID.utf8.elementsEqual((r.execution?.workflowID ?? "").utf8)
    return first(
      execution(r.execution), namespace(r.namespace),
      r.workflowID.isEmpty ? .of(.invalidArgument, .fieldMissing, field: "workflow_id") : nil,
      isOwn ? invalid("workflow_id") : nil, point(r.point, r.reapplyExclude),
      id("workflow_id", r.workflowID), id("request_id", r.requestID), policies)
  }

  private func point(_ point: WorkflowPoint?, _ excluded: [ReapplyExclude]) -> Status? {
    guard let point else { return .of(.invalidArgument, .fieldMissing, field: "point") }
    if excluded.contains(where: { $0 != .signals && $0 != .updates }) {
      return invalid("reapply_exclude")
    }
    switch point.kind {
    case .firstWorkflowTask, .lastWorkflowTask: return nil
    case .event: return point.eventID > 0 ? nil : invalid("point.event_id")
    case .beforeActivity: return name("point.activity_type", point.activityType)
    default: return invalid("point.kind")
    }
  }

  private func execution(_ execution: WorkflowExecution?) -> Status? {
    name("execution.workflow_id", execution?.workflowID ?? "")
  }

  private func activity(_ reference: ActivityReference?) -> Status? {
    guard let reference else { return .of(.invalidArgument, .fieldMissing, field: "activity") }
    if !reference.token.isEmpty {
      return reference.token.count < OracleWalk.tokenBytesMin ? invalid("activity.token") : nil
    }
    if let fault = name("activity.activity_id", reference.activityID) { return fault }
    return reference.isOfActivityRun ? nil : execution(reference.execution)
  }

  private func control(
    _ selection: ActivitySelection?, _ namespace: String, _ execution: WorkflowExecution?,
    _ requestID: String
  ) -> Status? {
    first(
      selection?.which == nil
        ? .of(.invalidArgument, .fieldMissing, field: "activities") : nil,
      self.namespace(namespace),
      selection.activityRun(execution) == nil ? self.execution(execution) : nil,
      id("request_id", requestID))
  }

  private func fault(of r: ActivityRunRequest) -> Status? {
    switch r {
    case .start(let r): fault(of: r)
    case .describe(let r): first(namespace(r.namespace), name("activity_id", r.activityID))
    case .result(let r): first(namespace(r.namespace), name("activity_id", r.activityID))
    case .list(let r):
      first(namespace(r.namespace), r.limit < 0 ? invalid("limit") : nil, query(r.query))
    case .count(let r): first(namespace(r.namespace), query(r.query))
    case .cancel(let r):
      first(
        namespace(r.namespace), name("activity_id", r.activityID), id("request_id", r.requestID))
    case .terminate(let r):
      first(
        namespace(r.namespace), name("activity_id", r.activityID), id("request_id", r.requestID))
    case .delete(let r): first(namespace(r.namespace), name("activity_id", r.activityID))
    }
  }

  private func fault(of r: StartActivityRequest) -> Status? {
    let options = r.options ?? ActivityTaskOptions()
    let isUnbounded =
      options.scheduleToCloseTimeoutMs == .zero && options.startToCloseTimeoutMs == .zero
    let policies =
      isUnknown(r.idReusePolicy.rawValue)
      ? invalid("id_reuse_policy")
      : isUnknown(r.idConflictPolicy.rawValue) ? invalid("id_conflict_policy") : nil
    let isTwice = r.startDelayMs != .zero && r.startAtTimeMs != .epoch
    return first(
      namespace(r.namespace), name("activity_id", r.activityID),
      name("activity_type", r.activityType), name("options.task_queue", options.taskQueue),
      id("request_id", r.requestID),
      time("options.heartbeat_timeout_ms", options.heartbeatTimeoutMs),
      isUnbounded ? invalid("options.start_to_close_timeout_ms") : nil,
      retry("options.retry_policy", options.retryPolicy), policies,
      isTwice ? invalid("start_at_time_ms") : time("start_delay_ms", r.startDelayMs),
      payloads("input", r.input), isBad(r.memo) ? invalid("memo") : nil,
      isBad(r.searchAttributes) ? invalid("search_attributes") : nil,
      isBad(r.priority).map { invalid("priority." + $0) })
  }

  private func options(_ r: UpdateActivityOptionsRequest) -> Status? {
    let new = r.options ?? ActivityTaskOptions()
    if r.updateMask.contains("nothing") { return invalid("update_mask") }
    if r.updateMask.isEmpty, !r.restoreOriginal, new == ActivityTaskOptions() {
      return invalid("options")
    }
    return first(
      r.updateMask.contains("task_queue") ? name("options.task_queue", new.taskQueue) : nil,
      time("options.heartbeat_timeout_ms", new.heartbeatTimeoutMs),
      new.retryPolicy?.backoffCoefficient == 0.5
        ? invalid("options.retry_policy.backoff_coefficient") : nil)
  }

  private func time(_ field: String, _ span: Span, max: Span = .longest) -> Status? {
    span < .zero || span > max ? invalid(field) : nil
  }

  private func isUnknown(_ policy: Int32) -> Bool { !(0...3).contains(policy) }

  private func payloads(_ field: String, _ payloads: [Payload]) -> Status? {
    payloads.contains { $0.data.count > limits.payloadBytesMax }
      ? .of(.invalidArgument, .payloadTooLarge, field: field) : nil
  }

  private func query(_ query: String) -> Status? {
    // What a name means may have changed since the query was drawn.
    let isKnown = selections[query]?.names.allSatisfy { names[$0.key] == $0.value } ?? false
    return isKnown ? nil : .of(.invalidArgument, .filterInvalid, field: "query")
  }

  private func fault(of list: ListWorkflowsRequest) -> Status? {
    if list.limit < 0 { return invalid("limit") }
    if list.pageSize < 0 || list.pageSize > limits.pageRowsMax { return invalid("page_size") }
    if let fault = query(list.query) { return fault }
    if !list.nextPageToken.isEmpty
      && (list.pageSize == 0 || pages[list.nextPageToken]?.query != list.query)
    {
      return invalid("next_page_token")
    }
    let isOrdered = selections[list.query]?.order.isEmpty == false
    let isBounded =
      list.limit > 0 || list.pageSize > 0 || selections[list.query]?.limit != nil
    return isOrdered && !isBounded
      ? .of(.invalidArgument, .filterInvalid, field: "query") : nil
  }
}
