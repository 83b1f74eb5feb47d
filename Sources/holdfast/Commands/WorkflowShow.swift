import ArgumentParser
import Basics
import Glibc
import Messages

struct WorkflowShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a workflow's history, event by event.",
    discussion: ExitCodes.after(
      """
      Failed attempts of activities, which are no events, are shown among them. With -o json: the
      events alone, all of each, one a line.
      """))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Flag(help: "Stay, and show each new event, until the workflow has closed.") var follow = false

  func run() throws {
    var request = GetHistoryRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.follow = follow
    let connection = try engine.connect()
    try connection.stream(.workflowGetHistory, request) { (batch: HistoryBatch) in
      for event in batch.events {
        if engine.output == .json {
          print(event.json())
        } else {
          for line in AttemptText.merged(event, of: batch) { print(line) }
        }
      }
      // Into a pipe too, each event is shown when it comes.
      if follow { fflush(nil) }
    }
    if engine.output != .json && !follow { try showPending(connection) }
  }

  /// The failed attempts of activities that are not at their end.
  private func showPending(_ connection: EngineConnection) throws {
    var request = DescribeWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    let response: DescribeWorkflowResponse = try connection.call(
      .workflowDescribeWorkflow, request)
    for activity in response.pendingActivities {
      let lines = AttemptText.lines(
        activity.failedAttempts, activity.failedAttemptsCount,
        of: "activity '\(activity.activityID)'")
      for line in lines { print(line) }
    }
  }
}

/// Failed attempts of activities, among the events.
enum AttemptText {
  /// The event, and before the first one that tells of an activity's end its failed attempts.
  static func merged(_ event: HistoryEvent, of batch: HistoryBatch) -> [String] {
    guard let attempts = batch.activityAttempts.first(where: { isShown($0, with: event, batch) })
    else { return EventText.lines(event) }
    var event = event
    if case .activityTaskStarted(var started) = event.attributes {
      // It is the last one of them.
      started.lastFailure = nil
      event.attributes = .activityTaskStarted(started)
    }
    return lines(
      attempts.failedAttempts, attempts.failedAttemptsCount,
      of: "event \(attempts.scheduledEventID)") + EventText.lines(event)
  }

  private static func isShown(
    _ attempts: ActivityAttempts, with event: HistoryEvent, _ batch: HistoryBatch
  ) -> Bool {
    if event.startsAttempt(of: attempts.scheduledEventID) { return true }
    return event.eventID == attempts.endedEventID
      && !batch.events.contains { $0.startsAttempt(of: attempts.scheduledEventID) }
  }

  static func lines(_ attempts: [FailedAttempt], _ count: Int32, of what: String) -> [String] {
    var lines: [String] = []
    for (place, attempt) in attempts.enumerated() {
      if place > 0, attempt.attempt > attempts[place - 1].attempt + 1 {
        lines.append("      … \(Int(count) - attempts.count) more attempts of \(what) failed")
      }
      let time = Show.time(attempt.endedTimeMs)
      let took = Show.duration(attempt.endedTimeMs - attempt.startedTimeMs)
      lines.append(
        "      \(time)  attempt \(attempt.attempt) of \(what) failed after \(took), by"
          + " \(attempt.identity)")
      lines += Show.failure(attempt.failure, indent: "      ")
    }
    return lines
  }
}

extension HistoryEvent {
  fileprivate func startsAttempt(of scheduledEvent: Int64) -> Bool {
    if case .activityTaskStarted(let started) = attributes {
      started.scheduledEventID == scheduledEvent
    } else {
      false
    }
  }
}

/// An event as a person reads it.
enum EventText {
  static func lines(_ event: HistoryEvent) -> [String] {
    let (name, details, failure) = parts(event)
    let id = String(event.eventID)
    let head =
      String(repeating: " ", count: max(0, 4 - id.count)) + id + "  "
      + Show.time(event.eventTimeMs) + "  " + name
    return [details.isEmpty ? head : head + "  " + details]
      + Show.failure(failure, indent: "      ")
  }

  private static func parts(_ event: HistoryEvent) -> (String, String, Failure?) {
    switch event.attributes {
    case .workflowExecutionStarted(let e):
      return ("WorkflowExecutionStarted", "\(e.workflowType) \(Show.payloads(e.input))", nil)
    case .workflowExecutionCompleted(let e):
      return ("WorkflowExecutionCompleted", Show.payloads(e.result), nil)
    case .workflowExecutionFailed(let e):
      return ("WorkflowExecutionFailed", next(e.newRunID), e.failure)
    case .workflowExecutionTimedOut(let e):
      return ("WorkflowExecutionTimedOut", next(e.newRunID), nil)
    case .workflowExecutionContinuedAsNew(let e):
      return (
        "WorkflowExecutionContinuedAsNew", "\(Show.payloads(e.input)), \(next(e.newRunID))", nil
      )
    case .workflowExecutionSignaled(let e):
      return ("WorkflowExecutionSignaled", "\(e.signalName) \(Show.payloads(e.input))", nil)
    case .workflowExecutionCancelRequested(let e):
      return ("WorkflowExecutionCancelRequested", e.reason, nil)
    case .workflowExecutionCanceled(let e):
      return ("WorkflowExecutionCanceled", Show.payloads(e.details), nil)
    case .workflowExecutionTerminated(let e):
      let end = "\(e.reason) by \(e.identity)"
      let parts = e.newRunID == .none ? [end] : [end, next(e.newRunID)]
      return ("WorkflowExecutionTerminated", parts.joined(separator: ", "), nil)
    case .workflowTaskCompleted(let e):
      return ("WorkflowTaskCompleted", "by \(e.identity), \(e.commands) commands", nil)
    case .workflowTaskTimedOut(let e): return ("WorkflowTaskTimedOut", "with \(e.identity)", nil)
    case .workflowTaskFailed(let e):
      guard let copy = e.copy else { return ("WorkflowTaskFailed", e.cause.name, e.failure) }
      let base = copy.baseExecution ?? WorkflowExecution()
      return (
        "WorkflowTaskFailed",
        "\(e.cause.name): up to here a copy of '\(base.workflowID)', run \(base.runID)", nil
      )
    case .timerStarted(let e):
      return ("TimerStarted", "\(e.timerID), \(Show.duration(e.startToFireTimeoutMs))", nil)
    case .timerFired(let e): return ("TimerFired", e.timerID, nil)
    case .timerCanceled(let e): return ("TimerCanceled", e.timerID, nil)
    default: return code(event) ?? OutsideText.parts(event) ?? activity(event)
    }
  }

  /// What the code leaves in its history of itself.
  private static func code(_ event: HistoryEvent) -> (String, String, Failure?)? {
    switch event.attributes {
    case .markerRecorded(let e):
      let values = Show.payloads(e.details.compactMap(\.value))
      let what = [e.markerName, e.markerID, values, e.deprecated ? "deprecated" : ""]
      return ("MarkerRecorded", what.filter { !$0.isEmpty }.joined(separator: " "), e.failure)
    case .upsertWorkflowSearchAttributes(let e):
      let fields = e.searchAttributes?.fields ?? []
      let text = fields.map { "\($0.name)=\(DetailText.of($0))" }.joined(separator: " ")
      return ("UpsertWorkflowSearchAttributes", text, nil)
    case .workflowPropertiesModified(let e):
      let fields = e.upsertedMemo?.fields ?? []
      let text = fields.map { "\($0.key)=\(DetailText.of($0))" }.joined(separator: " ")
      return ("WorkflowPropertiesModified", text, nil)
    case .workflowExecutionPaused(let e):
      return ("WorkflowExecutionPaused", "\(e.reason) by \(e.identity)", nil)
    case .workflowExecutionUnpaused(let e):
      return ("WorkflowExecutionUnpaused", "\(e.reason) by \(e.identity)", nil)
    case .workflowExecutionUpdateAdmitted(let e):
      return (
        "WorkflowExecutionUpdateAdmitted",
        "\(e.updateName) \(Show.payloads(e.args)), id '\(e.updateID)'", nil
      )
    case .workflowExecutionUpdateAccepted(let e):
      return (
        "WorkflowExecutionUpdateAccepted",
        "\(e.updateName) \(Show.payloads(e.args)), id '\(e.updateID)'", nil
      )
    case .workflowExecutionUpdateCompleted(let e):
      switch e.outcome?.result {
      case .succeeded(let list):
        let result = "\(Show.payloads(list.payloads)), id '\(e.updateID)'"
        return ("WorkflowExecutionUpdateCompleted", result, nil)
      case .failed(let failure):
        return ("WorkflowExecutionUpdateCompleted", "id '\(e.updateID)'", failure)
      case nil: return ("WorkflowExecutionUpdateCompleted", "id '\(e.updateID)'", nil)
      }
    default: return nil
    }
  }

  private static func next(_ runID: RunID) -> String {
    runID == .none ? "" : "goes on in run \(runID)"
  }

  private static func activity(_ event: HistoryEvent) -> (String, String, Failure?) {
    switch event.attributes {
    case .activityTaskScheduled(let e):
      let place = e.local ? "locally" : "on '\(e.taskQueue)'"
      return (
        "ActivityTaskScheduled", "\(e.activityType) \(place) \(Show.payloads(e.input))", nil
      )
    case .activityTaskStarted(let e):
      return ("ActivityTaskStarted", "attempt \(e.attempt) by \(e.identity)", e.lastFailure)
    case .activityTaskCompleted(let e):
      return ("ActivityTaskCompleted", Show.payloads(e.result), nil)
    case .activityTaskFailed(let e):
      return ("ActivityTaskFailed", e.retryState.name, e.failure)
    case .activityTaskTimedOut(let e):
      return ("ActivityTaskTimedOut", e.retryState.name, e.failure)
    case .activityTaskCancelRequested(let e):
      return ("ActivityTaskCancelRequested", "seq \(e.seq)", nil)
    case .activityTaskCanceled(let e):
      return ("ActivityTaskCanceled", Show.payloads(e.details), nil)
    default: return ("an event that this version does not know", "", nil)
    }
  }
}
