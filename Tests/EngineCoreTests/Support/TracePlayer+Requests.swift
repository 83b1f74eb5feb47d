import EngineCore
import Messages

/// The verbs that are requests. Each is called `verb#n` in the effects.
extension TracePlayer {
  func playRequest(_ verb: String, _ words: inout TraceWords) throws(TraceFault) -> Bool {
    switch verb {
    case "abandon": world.step(.requestAbandoned(try text.names.request(words.next("whose"))))
    case "more": world.step(.readMore(try text.names.request(words.next("whose"))))
    case "signal-with-start": try signalWithStart(&words)
    case "update-with-start": try updateWithStart(&words)
    default:
      var request = try request(verb, &words)
      if request == nil { request = try scheduleRequest(verb, &words) }
      if request == nil { request = try activityRunRequest(verb, &words) }
      guard let request else { return false }
      ask(request, verb)
    }
    return true
  }

  private func ask(_ request: Request, _ verb: String) {
    text.names.add(world.nextRequest, verb: verb)
    world.request(request)
  }

  private func request(_ verb: String, _ words: inout TraceWords) throws(TraceFault) -> Request? {
    switch verb {
    case "start":
      return .startWorkflow(
        try make(&words, ["workflow_id"], ["workflow_type": "order", "task_queue": "q"]))
    case "signal":
      return .signalWorkflow(try make(&words, ["execution.workflow_id", "signal_name"]))
    case "query":
      return .queryWorkflow(try make(&words, ["execution.workflow_id", "query_type"]))
    case "update":
      return .updateWorkflow(try make(&words, ["execution.workflow_id", "update_name"]))
    case "poll-update":
      return .pollUpdate(try make(&words, ["execution.workflow_id", "update_id"]))
    case "cancel": return .cancelWorkflow(try make(&words, ["execution.workflow_id"]))
    case "delete": return .deleteWorkflow(try make(&words, ["execution.workflow_id"]))
    case "pause": return .pauseWorkflow(try make(&words, ["execution.workflow_id"]))
    case "reset": return .resetWorkflow(try make(&words, ["execution.workflow_id"]))
    case "fork": return .forkWorkflow(try make(&words, ["execution.workflow_id"]))
    case "unpause": return .unpauseWorkflow(try make(&words, ["execution.workflow_id"]))
    case "terminate": return .terminateWorkflow(try make(&words, ["execution.workflow_id"]))
    case "describe": return .describeWorkflow(try make(&words, ["execution.workflow_id"]))
    case "result": return .getWorkflowResult(try make(&words, ["execution.workflow_id"]))
    case "history": return .getHistory(try make(&words, ["execution.workflow_id"]))
    case "list": return .listWorkflows(try make(&words, ["query"]))
    case "count": return .countWorkflows(try make(&words, ["query"]))
    case "limit-queue": return .setTaskQueueLimits(try make(&words, ["task_queue"]))
    case "describe-queue": return .describeTaskQueue(try make(&words, ["task_queue"]))
    case "limit-type": return .workflowType(.setLimits(try make(&words, ["workflow_type"])))
    case "describe-type": return .workflowType(.describe(try make(&words, ["workflow_type"])))
    case "list-types": return .workflowType(.list(try make(&words, [])))
    case "start-batch": return .batch(.start(try make(&words, ["batch_id"])))
    case "describe-batch": return .batch(.describe(try make(&words, ["batch_id"])))
    case "list-batches": return .batch(.list(try make(&words, [])))
    case "stop-batch": return .batch(.stop(try make(&words, ["batch_id"])))
    case "create-namespace": return .namespace(.create(try make(&words, ["namespace"])))
    case "describe-namespace": return .namespace(.describe(try make(&words, ["namespace"])))
    case "list-namespaces": return .namespace(.list(try make(&words, [])))
    case "update-namespace": return .namespace(.update(try make(&words, ["namespace"])))
    case "delete-namespace": return .namespace(.delete(try make(&words, ["namespace"])))
    case "add-attribute": return .attribute(.add(try make(&words, ["name", "type"])))
    case "list-attributes": return .attribute(.list(try make(&words, [])))
    case "remove-attribute": return .attribute(.remove(try make(&words, ["name"])))
    case "complete-activity": return .completeActivity(try report(&words))
    case "fail-activity": return .failActivity(try report(&words))
    case "cancelled-activity": return .reportActivityCancelled(try report(&words))
    case "heartbeat-activity": return .heartbeatActivity(try report(&words))
    case "pause-activity": return .pauseActivity(try control(&words))
    case "unpause-activity": return .unpauseActivity(try control(&words))
    case "reset-activity": return .resetActivity(try control(&words))
    case "activity-options": return .updateActivityOptions(try control(&words))
    default: return nil
    }
  }

  /// Of activities without a workflow.
  private func activityRunRequest(_ verb: String, _ words: inout TraceWords)
    throws(TraceFault) -> Request?
  {
    let request: ActivityRunRequest
    switch verb {
    case "start-activity":
      let defaults = [
        "activity_type": "charge", "options.task_queue": "q",
        "options.start_to_close_timeout_ms": "10s",
      ]
      request = .start(try make(&words, ["activity_id"], defaults))
    case "describe-activity": request = .describe(try make(&words, ["activity_id"]))
    case "activity-result": request = .result(try make(&words, ["activity_id"]))
    case "list-activities": request = .list(try make(&words, ["query"]))
    case "count-activities": request = .count(try make(&words, ["query"]))
    case "cancel-activity": request = .cancel(try make(&words, ["activity_id"]))
    case "terminate-activity": request = .terminate(try make(&words, ["activity_id"]))
    case "delete-activity": request = .delete(try make(&words, ["activity_id"]))
    default: return nil
    }
    return .activityRun(request)
  }

  /// A message of the words, which are the values of `places`, and of the options.
  func make<M: Message>(
    _ words: inout TraceWords, _ places: [String], _ defaults: [String: String] = [:]
  ) throws(TraceFault) -> M {
    var fields = TraceFields(text.names)
    for place in places where !words.words.isEmpty {
      try fields.set(place, words.next(place), of: M.table)
    }
    for (name, value) in defaults.sorted(by: { $0.key < $1.key })
    where !words.options.contains(where: { TraceFields.full($0.name) == name }) {
      try fields.set(name, value, of: M.table)
    }
    for option in words.options { try fields.set(option.name, option.value, of: M.table) }
    words.options = []
    return try fields.message(M.self)
  }

  /// `run#1/3/1` names an activity by its lease, `o-1:charge` by its ids.
  private func report<M: Message>(_ words: inout TraceWords) throws(TraceFault) -> M {
    guard let reference = words.words.first else { return try make(&words, []) }
    words.words.removeFirst()
    if let colon = reference.firstIndex(of: ":") {
      let activity = String(reference[reference.index(after: colon)...])
      words.options.append(
        ("activity.execution.workflow_id", String(reference[..<colon])))
      words.options.append(("activity.activity_id", activity))
    } else {
      words.options.append(("activity.token", reference))
    }
    return try make(&words, [])
  }

  /// `o-1:1` is an activity by its id, `o-1:*` all of the workflow, and `o-1` what options say.
  private func control<M: Message>(_ words: inout TraceWords) throws(TraceFault) -> M {
    guard let reference = words.words.first, let colon = reference.firstIndex(of: ":") else {
      return try make(&words, ["execution.workflow_id"])
    }
    let activity = String(reference[reference.index(after: colon)...])
    words.words[0] = String(reference[..<colon])
    words.options.append(
      activity == "*" ? ("activities.all", "true") : ("activities.activity_id", activity))
    return try make(&words, ["execution.workflow_id"])
  }

  /// `update-with-start o-1 change u1`: the options are those of the start, but for `args`,
  /// `wait_for` and what begins with `update.`.
  private func updateWithStart(_ words: inout TraceWords) throws(TraceFault) {
    var request = UpdateWithStartWorkflowRequest()
    let id = words.words.isEmpty ? nil : words.words.removeFirst()
    var update = words
    update.options = words.options.filter { ["args", "wait_for"].contains($0.name) }
    words.options.removeAll { ["args", "wait_for"].contains($0.name) }
    if !words.words.isEmpty {
      request.update = try make(&update, ["update_name", "update_id"])
      words.words = []
    }
    if let id {
      words.words = [id]
      request.start = try make(
        &words, ["workflow_id"], ["workflow_type": "order", "task_queue": "q"])
    }
    ask(.updateWithStartWorkflow(request), "update-with-start")
  }

  /// The options are those of the start, but for the signal's own.
  private func signalWithStart(_ words: inout TraceWords) throws(TraceFault) {
    var request = SignalWithStartWorkflowRequest()
    let id = words.words.isEmpty ? nil : words.words.removeFirst()
    if !words.words.isEmpty { request.signalName = TraceFields.sized(words.words.removeFirst()) }
    if let input = words.take("signal_input") {
      request.signalInput = [TraceFields.payload(TraceFields.sized(input))]
    }
    if let id {
      words.words = [id]
      request.start = try make(
        &words, ["workflow_id"], ["workflow_type": "order", "task_queue": "q"])
    }
    ask(.signalWithStartWorkflow(request), "signal-with-start")
  }
}
