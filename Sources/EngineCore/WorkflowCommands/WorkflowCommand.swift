import Basics
import Messages

/// The commands of a workflow's code: what is wrong with them, and which event records each.
extension Engine {
  /// What makes the completion unacceptable, in words; nil when it is fine.
  func fault(
    in commands: [Command], of run: Run, _ lease: WorkflowTask.Lease
  ) -> String? {
    if commands.count > limits.commandsMax { return tooManyCommands }
    var check = CommandCheck(
      run, asked: lease.shown.updates, limits: limits, taskTimeoutMax: times.taskTimeoutMax,
      details: DetailCheck(run, attributeNames, limits))
    for (index, command) in commands.enumerated() {
      if let fault = check.fault(in: command) {
        let place = command.location.isEmpty ? "" : " at \(command.location)"
        return "command \(index)\(place): \(fault)"
      }
    }
    return nil
  }

  var tooManyCommands: String {
    "more than \(limits.commandsMax) commands in one workflow task"
  }

  /// Records the command's one event; the scheduled event id when it scheduled an activity.
  mutating func execute(_ command: Command, of run: Run, _ completedEvent: Int64) -> Int64? {
    switch command.kind {
    case .scheduleActivity(let c): return schedule(c, command, run, completedEvent)
    case .scheduleLocalActivity(let c): return scheduleLocal(c, command, run, completedEvent)
    case .requestCancelActivity(let c): requestCancel(c, command, run, completedEvent)
    case .startTimer(let c): startTimer(c, command, run, completedEvent)
    case .cancelTimer(let c): cancelTimer(c, command, run, completedEvent)
    case .completeWorkflow(let c): complete(c, run, completedEvent)
    case .failWorkflow(let c): fail(c, run, completedEvent)
    case .cancelledWorkflow(let c): cancelled(c, run, completedEvent)
    case .continueAsNew(let c): continueAsNew(c, command, run, completedEvent)
    case .recordMarker(let c): recordMarker(c, command, run, completedEvent)
    case .upsertSearchAttributes(let c): upsertSearchAttributes(c, command, run, completedEvent)
    case .upsertMemo(let c): upsertMemo(c, command, run, completedEvent)
    case .setCurrentDetails: break  // It is in the completion's own event.
    case .updateAccepted(let c): acceptUpdate(c, command, run, completedEvent)
    case .updateCompleted(let c): completeUpdate(c, command, run, completedEvent)
    case .startChild(let c): startChild(c, command, run, completedEvent)
    case .cancelChild(let c): cancelChild(c, command, run, completedEvent)
    case .signalExternal(let c): signalExternal(c, command, run, completedEvent)
    case .cancelExternal(let c): cancelExternal(c, command, run, completedEvent)
    case nil: preconditionFailure("a command without a kind passed the check")
    }
    return nil
  }
}

extension Command {
  /// What it holds beside the payloads, which are checked by themselves: its event fits a frame.
  fileprivate var ownBytes: Int {
    var bytes = location.utf8.count
    if let metadata = userMetadata {
      bytes += metadata.summary.utf8.count + metadata.details.utf8.count
    }
    switch kind {
    case .scheduleActivity(let c): return bytes + Command.bytes(c.header, c.retryPolicy)
    case .scheduleLocalActivity(let c): return bytes + Command.bytes(c.header, c.retryPolicy)
    case .continueAsNew(let c): return bytes + Command.bytes(c.header, c.retryPolicy)
    case .startChild(let c): return bytes + Command.bytes(c.header, c.retryPolicy)
    case .signalExternal(let c): return bytes + Command.bytes(c.header, nil)
    case .upsertSearchAttributes(let c): return bytes + (c.searchAttributes?.bytes ?? 0)
    case .setCurrentDetails(let c): return bytes + c.text.utf8.count
    case .cancelChild(let c): return bytes + c.reason.utf8.count
    case .cancelExternal(let c): return bytes + c.reason.utf8.count
    default: return bytes
    }
  }

  private static func bytes(_ header: Header?, _ policy: RetryPolicy?) -> Int {
    (header?.bytes ?? 0)
      + (policy?.nonRetryableErrorTypes.reduce(0) { $0 + $1.utf8.count } ?? 0)
  }

  var isClosing: Bool {
    switch kind {
    case .completeWorkflow, .failWorkflow, .cancelledWorkflow, .continueAsNew: return true
    default: return false
    }
  }

  /// It ends the workflow for good, so that it must not pass by a request that the code has not
  /// seen; the next run of a chain takes such requests over.
  var isFinal: Bool {
    if case .continueAsNew = kind { return false }
    return isClosing
  }
}

/// Checks the commands of one completion in their order, before any of them is recorded.
struct CommandCheck {
  private let limits: EngineLimits
  private let taskTimeoutMax: Span
  private var lastSeq: UInt32
  private var activityIDs: Set<String>
  private var timerIDs: Set<String>
  private var children: Int
  private var signalsSent: Int
  private var cancelsSent: Int
  private var markerBytes = 0
  /// Updates of the activation, and those that are accepted and have no outcome.
  private let asked: [String]
  private var updateIDs: Set<String>
  private var details: DetailCheck
  private var isClosed = false

  /// Of the run's fold only members are read: a fold that is handed over is copied.
  init(
    _ run: Run, asked: [String], limits: EngineLimits, taskTimeoutMax: Span, details: DetailCheck
  ) {
    self.asked = asked
    self.details = details
    self.limits = limits
    self.taskTimeoutMax = taskTimeoutMax
    lastSeq = run.fold.lastSeq
    activityIDs = Set(run.fold.activities.map { $0.scheduled.activityID })
    timerIDs = Set(run.fold.timers.map { $0.timerID })
    children = run.fold.children.count
    signalsSent = run.fold.sent.count { !$0.isCancel }
    cancelsSent = run.fold.sent.count { $0.isCancel }
    updateIDs = Set(run.fold.updates.map { $0.updateID })
  }

  mutating func fault(in command: Command) -> String? {
    if isClosed { return "it comes after the command that closes the workflow" }
    isClosed = command.isClosing
    let bytes = command.ownBytes
    if bytes > limits.commandBytesMax {
      return "\(bytes) bytes beside its payloads; \(limits.commandBytesMax) are allowed"
    }
    switch command.kind {
    case .scheduleActivity(let c): return fault(in: c)
    case .scheduleLocalActivity(let c): return fault(in: c)
    case .requestCancelActivity(let c):
      return c.seq == 0 || c.seq > lastSeq ? "seq \(c.seq) was never given" : nil
    case .startTimer(let c): return fault(in: c)
    case .cancelTimer(let c):
      return c.seq == 0 || c.seq > lastSeq ? "seq \(c.seq) was never given" : nil
    case .completeWorkflow(let c): return payloads(c.result, "result")
    case .failWorkflow(let c):
      guard let failure = c.failure, failure.info != nil else { return "failure is empty" }
      return failure.approximateBytes > limits.payloadBytesMax
        ? "failure is over \(limits.payloadBytesMax) bytes" : nil
    case .cancelledWorkflow(let c): return payloads(c.details, "details")
    case .continueAsNew(let c): return fault(in: c)
    case .recordMarker(let c): return fault(in: c)
    case .upsertSearchAttributes(let c): return details.change(c.searchAttributes)
    case .upsertMemo(let c):
      let memo = c.memo ?? Memo()
      return unsorted(memo.fields.map(\.key), "memo") ?? payloads(memo.payloads, "memo")
        ?? details.change(memo)
    case .setCurrentDetails(let c):
      return c.text.utf8.count > limits.textBytesMax
        ? "text is over \(limits.textBytesMax) bytes" : nil
    case .updateAccepted(let c):
      updateIDs.insert(c.updateID)
      return asked.contains(c.updateID)
        ? nil : "update '\(c.updateID)' was not asked for by this activation"
    case .updateCompleted(let c): return fault(in: c)
    case .startChild(let c): return fault(in: c)
    case .cancelChild(let c):
      return c.seq == 0 || c.seq > lastSeq ? "seq \(c.seq) was never given" : reason(c.reason)
    case .signalExternal(let c): return fault(in: c)
    case .cancelExternal(let c): return fault(in: c)
    case nil: return "it has no kind that this engine knows"
    }
  }

  private mutating func fault(in c: ScheduleActivity) -> String? {
    if let fault = take(c.seq) { return fault }
    if c.activityType.isEmpty { return "activity_type is empty" }
    if let fault = ids([
      ("activity_type", c.activityType), ("activity_id", c.activityID),
      ("task_queue", c.taskQueue),
    ]) {
      return fault
    }
    if let fault = pending(c.activityID, c.seq) { return fault }
    for (field, span) in [
      ("schedule_to_start_timeout_ms", c.scheduleToStartTimeoutMs),
      ("heartbeat_timeout_ms", c.heartbeatTimeoutMs),
    ] where span.ms < 0 { return "\(field) is negative" }
    return closing(c.scheduleToCloseTimeoutMs, c.startToCloseTimeoutMs, c.retryPolicy)
      ?? priority(c.priority) ?? payloads(c.input, "input", c.header)
  }

  private mutating func fault(in c: ScheduleLocalActivity) -> String? {
    if let fault = take(c.seq) { return fault }
    if c.activityType.isEmpty { return "activity_type is empty" }
    return ids([("activity_type", c.activityType), ("activity_id", c.activityID)])
      ?? pending(c.activityID, c.seq)
      ?? closing(c.scheduleToCloseTimeoutMs, c.startToCloseTimeoutMs, c.retryPolicy)
      ?? payloads(c.input, "input", c.header)
  }

  /// One more activity, local or not.
  private mutating func pending(_ givenID: String, _ seq: UInt32) -> String? {
    let id = givenID.isEmpty ? String(seq) : givenID
    if !activityIDs.insert(id).inserted { return "activity id '\(id)' is pending already" }
    #if MUTANTS
      if Mutant.isOn(.activitiesUnbounded) { return nil }
    #endif
    return activityIDs.count > limits.pendingActivitiesMax
      ? "more than \(limits.pendingActivitiesMax) pending activities" : nil
  }

  /// When an activity and its attempts end at the latest, and when it is tried again.
  private func closing(_ scheduleToClose: Span, _ startToClose: Span, _ policy: RetryPolicy?)
    -> String?
  {
    for (field, span) in [
      ("schedule_to_close_timeout_ms", scheduleToClose),
      ("start_to_close_timeout_ms", startToClose),
    ] where span.ms < 0 { return "\(field) is negative" }
    if startToClose.ms == 0 && scheduleToClose.ms == 0 {
      return "one of start_to_close_timeout_ms and schedule_to_close_timeout_ms is required"
    }
    return policy?.fault.map { "retry_policy.\($0.field) \($0.message)" }
  }

  private func priority(_ priority: WorkPriority?) -> String? {
    priority?.fault.map { "priority.\($0.field) \($0.message)" }
  }

  private mutating func fault(in c: StartChild) -> String? {
    if let fault = take(c.seq) { return fault }
    if c.workflowType.isEmpty { return "workflow_type is empty" }
    if let fault = ids([
      ("workflow_type", c.workflowType), ("workflow_id", c.workflowID),
      ("task_queue", c.taskQueue), ("concurrency_key", c.concurrencyKey),
    ]) {
      return fault
    }
    children += 1
    if children > limits.pendingChildrenMax {
      return "more than \(limits.pendingChildrenMax) pending children"
    }
    for (field, span) in [
      ("execution_timeout_ms", c.executionTimeoutMs), ("run_timeout_ms", c.runTimeoutMs),
      ("task_timeout_ms", c.taskTimeoutMs),
    ] where span < .zero { return "\(field) is negative" }
    if c.taskTimeoutMs > taskTimeoutMax { return "task_timeout_ms is over \(taskTimeoutMax.ms)" }
    if case .unrecognized(let n) = c.idReusePolicy { return "no id_reuse_policy is \(n)" }
    if case .unrecognized(let n) = c.parentClosePolicy { return "no parent_close_policy is \(n)" }
    if case .unrecognized(let n) = c.cancellationType { return "no cancellation_type is \(n)" }
    if let fault = priority(c.priority) { return fault }
    if let fault = c.retryPolicy?.fault { return "retry_policy.\(fault.field) \(fault.message)" }
    return payloads(c.input, "input", c.header)
      ?? beginning(c.input, c.header, c.memo, c.searchAttributes)
  }

  /// What a new run is to have, by itself and beside its input.
  private mutating func beginning(
    _ input: [Payload], _ header: Header?, _ memo: Memo?, _ attributes: SearchAttributes?
  ) -> String? {
    let fields = memo?.fields ?? []
    return unsorted(fields.map(\.key), "memo") ?? payloads(fields.compactMap(\.value), "memo")
      ?? details.beginning(input.bytes + (header?.bytes ?? 0), memo, attributes)
  }

  private mutating func fault(in c: SignalExternal) -> String? {
    if let fault = take(c.seq) ?? target(c.execution) { return fault }
    if c.signalName.isEmpty { return "signal_name is empty" }
    if let fault = ids([("signal_name", c.signalName)]) { return fault }
    signalsSent += 1
    if signalsSent > limits.sentRequestsMax {
      return "more than \(limits.sentRequestsMax) signals that have not arrived"
    }
    return payloads(c.input, "input", c.header)
  }

  private mutating func fault(in c: CancelExternal) -> String? {
    if let fault = take(c.seq) ?? target(c.execution) { return fault }
    if let fault = reason(c.reason) { return fault }
    cancelsSent += 1
    return cancelsSent > limits.sentRequestsMax
      ? "more than \(limits.sentRequestsMax) cancel requests that have not arrived" : nil
  }

  private func target(_ execution: WorkflowExecution?) -> String? {
    guard let execution, !execution.workflowID.isEmpty else {
      return "execution.workflow_id is empty"
    }
    return ids([("execution.workflow_id", execution.workflowID)])
  }

  private func reason(_ text: String) -> String? {
    text.utf8.count > limits.textBytesMax ? "reason is over \(limits.textBytesMax) bytes" : nil
  }

  private func ids(_ ids: [(field: String, text: String)]) -> String? {
    for (field, text) in ids where text.utf8.count > limits.idBytesMax {
      return "\(field) is over \(limits.idBytesMax) bytes"
    }
    return nil
  }

  private mutating func fault(in c: StartTimer) -> String? {
    if let fault = take(c.seq) { return fault }
    if c.startToFireTimeoutMs.ms < 0 { return "start_to_fire_timeout_ms is negative" }
    if c.timerID.utf8.count > limits.idBytesMax {
      return "timer_id is over \(limits.idBytesMax) bytes"
    }
    let id = c.timerID.isEmpty ? String(c.seq) : c.timerID
    if !timerIDs.insert(id).inserted { return "timer id '\(id)' is running already" }
    return timerIDs.count > limits.pendingTimersMax
      ? "more than \(limits.pendingTimersMax) timers" : nil
  }

  private mutating func fault(in c: ContinueAsNew) -> String? {
    if let fault = ids([("workflow_type", c.workflowType), ("task_queue", c.taskQueue)]) {
      return fault
    }
    if c.runTimeoutMs < .zero { return "run_timeout_ms is negative" }
    if c.taskTimeoutMs < .zero { return "task_timeout_ms is negative" }
    if c.taskTimeoutMs > taskTimeoutMax { return "task_timeout_ms is over \(taskTimeoutMax.ms)" }
    if let fault = c.retryPolicy?.fault { return "retry_policy.\(fault.field) \(fault.message)" }
    return payloads(c.input, "input", c.header)
      ?? beginning(c.input, c.header, c.memo ?? details.memo, c.searchAttributes)
  }

  /// The markers of one completion travel together when the run's past is shown.
  private mutating func fault(in c: RecordMarker) -> String? {
    if c.seq != 0, let fault = take(c.seq) { return fault }
    if c.markerName.isEmpty { return "marker_name is empty" }
    if let fault = ids([("marker_name", c.markerName), ("marker_id", c.markerID)]) {
      return fault
    }
    if let fault = unsorted(c.details.map(\.key), "details") { return fault }
    markerBytes += c.bytes
    if markerBytes > limits.markerBytesMax {
      return "the markers of one workflow task hold over \(limits.markerBytesMax) bytes: an"
        + " activity's result may be larger"
    }
    return payloads(c.details.compactMap(\.value), "details", c.header)
  }

  private mutating func fault(in c: UpdateCompleted) -> String? {
    guard updateIDs.remove(c.updateID) != nil else {
      return "update '\(c.updateID)' is not accepted, or has come to its end"
    }
    switch c.outcome?.result {
    case .succeeded(let list): return payloads(list.payloads, "outcome")
    case .failed(let failure):
      return failure.approximateBytes > limits.payloadBytesMax
        ? "outcome is over \(limits.payloadBytesMax) bytes" : nil
    case nil: return "outcome is empty"
    }
  }

  /// Seqs are given by one counter, without gaps.
  private mutating func take(_ seq: UInt32) -> String? {
    guard seq == lastSeq + 1 else { return "seq \(seq) where \(lastSeq + 1) is next" }
    lastSeq = seq
    return nil
  }

  private func unsorted(_ keys: [String], _ field: String) -> String? {
    for (a, b) in zip(keys, keys.dropFirst()) where a >= b {
      return "the keys of \(field) must be sorted and without duplicates ('\(a)', '\(b)')"
    }
    return nil
  }

  private func payloads(
    _ payloads: [Payload], _ field: String, _ header: Header? = nil
  ) -> String? {
    if let header, let fault = unsorted(header.fields.map(\.key), "header") { return fault }
    let bytes = payloads.bytes + (header?.bytes ?? 0)
    for payload in payloads where payload.data.count > limits.payloadBytesMax {
      return "\(field) holds \(payload.data.count) bytes; \(limits.payloadBytesMax) are allowed"
    }
    return bytes > limits.requestPayloadBytesMax
      ? "\(header == nil ? field : "\(field) and header") is over"
        + " \(limits.requestPayloadBytesMax) bytes in all" : nil
  }
}
