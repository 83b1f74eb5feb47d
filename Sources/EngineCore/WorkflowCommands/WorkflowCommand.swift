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
      fold: run.fold, asked: lease.shown.updates, limits: limits,
      taskTimeoutMax: times.taskTimeoutMax)
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
    case .requestCancelActivity(let c): requestCancel(c, command, run, completedEvent)
    case .startTimer(let c): startTimer(c, command, run, completedEvent)
    case .cancelTimer(let c): cancelTimer(c, command, run, completedEvent)
    case .completeWorkflow(let c): complete(c, run, completedEvent)
    case .failWorkflow(let c): fail(c, run, completedEvent)
    case .cancelledWorkflow(let c): cancelled(c, run, completedEvent)
    case .continueAsNew(let c): continueAsNew(c, command, run, completedEvent)
    case .recordMarker(let c): recordMarker(c, command, run, completedEvent)
    case .updateAccepted(let c): acceptUpdate(c, command, run, completedEvent)
    case .updateCompleted(let c): completeUpdate(c, command, run, completedEvent)
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
    case .continueAsNew(let c): return bytes + Command.bytes(c.header, c.retryPolicy)
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
  private var markerBytes = 0
  /// Updates of the activation, and those that are accepted and have no outcome.
  private let asked: [String]
  private var updateIDs: Set<String>
  private var isClosed = false

  init(fold: Fold, asked: [String], limits: EngineLimits, taskTimeoutMax: Span) {
    self.asked = asked
    self.limits = limits
    self.taskTimeoutMax = taskTimeoutMax
    lastSeq = fold.lastSeq
    activityIDs = Set(fold.activities.map { $0.scheduled.activityID })
    timerIDs = Set(fold.timers.map { $0.timerID })
    updateIDs = Set(fold.updates.map { $0.updateID })
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
    case .updateAccepted(let c):
      updateIDs.insert(c.updateID)
      return asked.contains(c.updateID)
        ? nil : "update '\(c.updateID)' was not asked for by this activation"
    case .updateCompleted(let c): return fault(in: c)
    case nil: return "it has no kind that this engine knows"
    }
  }

  private mutating func fault(in c: ScheduleActivity) -> String? {
    if let fault = take(c.seq) { return fault }
    if c.activityType.isEmpty { return "activity_type is empty" }
    for (field, text) in [
      ("activity_type", c.activityType), ("activity_id", c.activityID),
      ("task_queue", c.taskQueue),
    ] where text.utf8.count > limits.idBytesMax {
      return "\(field) is over \(limits.idBytesMax) bytes"
    }
    let id = c.activityID.isEmpty ? String(c.seq) : c.activityID
    if !activityIDs.insert(id).inserted { return "activity id '\(id)' is pending already" }
    #if MUTANTS
      if Mutant.isOn(.activitiesUnbounded) { return nil }
    #endif
    if activityIDs.count > limits.pendingActivitiesMax {
      return "more than \(limits.pendingActivitiesMax) pending activities"
    }
    let timeouts = [
      ("schedule_to_close_timeout_ms", c.scheduleToCloseTimeoutMs),
      ("schedule_to_start_timeout_ms", c.scheduleToStartTimeoutMs),
      ("start_to_close_timeout_ms", c.startToCloseTimeoutMs),
      ("heartbeat_timeout_ms", c.heartbeatTimeoutMs),
    ]
    for (field, span) in timeouts where span.ms < 0 { return "\(field) is negative" }
    if c.startToCloseTimeoutMs.ms == 0 && c.scheduleToCloseTimeoutMs.ms == 0 {
      return "one of start_to_close_timeout_ms and schedule_to_close_timeout_ms is required"
    }
    if let fault = c.retryPolicy?.fault { return "retry_policy.\(fault.field) \(fault.message)" }
    return payloads(c.input, "input", c.header)
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

  private func fault(in c: ContinueAsNew) -> String? {
    for (field, text) in [("workflow_type", c.workflowType), ("task_queue", c.taskQueue)]
    where text.utf8.count > limits.idBytesMax {
      return "\(field) is over \(limits.idBytesMax) bytes"
    }
    if c.runTimeoutMs < .zero { return "run_timeout_ms is negative" }
    if c.taskTimeoutMs < .zero { return "task_timeout_ms is negative" }
    if c.taskTimeoutMs > taskTimeoutMax { return "task_timeout_ms is over \(taskTimeoutMax.ms)" }
    if let fault = c.retryPolicy?.fault { return "retry_policy.\(fault.field) \(fault.message)" }
    return payloads(c.input, "input", c.header)
  }

  /// The markers of one completion travel together when the run's past is shown.
  private mutating func fault(in c: RecordMarker) -> String? {
    if c.seq != 0, let fault = take(c.seq) { return fault }
    if c.markerName.isEmpty { return "marker_name is empty" }
    for (field, text) in [("marker_name", c.markerName), ("marker_id", c.markerID)]
    where text.utf8.count > limits.idBytesMax {
      return "\(field) is over \(limits.idBytesMax) bytes"
    }
    for (a, b) in zip(c.details, c.details.dropFirst()) where a.key >= b.key {
      return "the keys of details must be sorted and without duplicates ('\(a.key)', '\(b.key)')"
    }
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

  private func payloads(
    _ payloads: [Payload], _ field: String, _ header: Header? = nil
  ) -> String? {
    let bytes = payloads.bytes + (header?.bytes ?? 0)
    for payload in payloads where payload.data.count > limits.payloadBytesMax {
      return "\(field) holds \(payload.data.count) bytes; \(limits.payloadBytesMax) are allowed"
    }
    return bytes > limits.requestPayloadBytesMax
      ? "\(header == nil ? field : "\(field) and header") is over"
        + " \(limits.requestPayloadBytesMax) bytes in all" : nil
  }
}
