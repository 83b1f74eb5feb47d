import Basics
import Messages

/// The errors that the engine answers with. Every text says what happened and what to do.
extension Status {
  static func refusal(
    _ code: StatusCode, _ reason: Reason, _ message: String, field: String = "",
    runID: RunID = .none, retryAfter: Span = .zero
  ) -> Status {
    var status = Status()
    status.code = code
    status.reason = reason
    status.message = message
    status.field = field
    status.runID = runID
    status.retryAfterMs = retryAfter
    return status
  }

  static func missing(_ field: String) -> Status {
    refusal(.invalidArgument, .fieldMissing, "\(field) is empty; it is required", field: field)
  }

  static func invalid(_ field: String, _ message: String) -> Status {
    refusal(.invalidArgument, .fieldInvalid, "\(field): \(message)", field: field)
  }

  static func workflowNotFound(_ key: WorkflowKey, _ runID: RunID = .none) -> Status {
    let run = runID == .none ? "" : " with run id \(runID)"
    return refusal(
      .notFound, .workflowNotFound,
      "no workflow '\(key.workflowID)'\(run) in namespace '\(key.namespace)'", runID: runID)
  }

  static func workflowClosed(_ run: Run) -> Status {
    refusal(
      .failedPrecondition, .workflowClosed,
      "workflow '\(run.key.workflowID)' is closed (\(run.fold.status.name))", runID: run.runID)
  }

  /// Of a run that is not the newest one of its workflow id, and so has closed.
  static func workflowClosed(_ key: WorkflowKey, _ runID: RunID) -> Status {
    refusal(
      .failedPrecondition, .workflowClosed,
      "the run \(runID) of workflow '\(key.workflowID)' is closed", runID: runID)
  }

  static func runNotFound(_ key: WorkflowKey, _ runID: RunID = .none) -> Status {
    guard key.kind == .activity else { return workflowNotFound(key, runID) }
    let run = runID == .none ? "" : " with run id \(runID)"
    return refusal(
      .notFound, .activityNotFound,
      "no activity '\(key.workflowID)'\(run) without a workflow in namespace '\(key.namespace)'",
      runID: runID)
  }

  static func runClosed(_ run: Run) -> Status {
    guard run.key.kind == .activity else { return workflowClosed(run) }
    return refusal(
      .failedPrecondition, .activityClosed,
      "activity '\(run.key.workflowID)' has ended (\(run.fold.status.name))", runID: run.runID)
  }

  /// The same fault in a message that is the field `outer` of the request.
  func within(_ outer: String) -> Status {
    var status = self
    status.field = "\(outer).\(field)"
    if message.hasPrefix(field) { status.message = "\(outer).\(message)" }
    return status
  }

  static let staleLease = refusal(
    .failedPrecondition, .staleLease,
    "this lease is no longer valid: the attempt has ended or belongs to another worker")

  static func activityNotFound(_ what: String) -> Status {
    refusal(.notFound, .activityNotFound, "no pending activity \(what)")
  }

  static func notBegun(_ run: Run, in span: Span) -> Status {
    // Where its time has come and its timer not yet, the same request may succeed as well.
    let wait = max(span, Span(ms: 1))
    return refusal(
      .unavailable, .workflowNotBegun,
      "the workflow's code begins in \(wait.ms) ms: until then it cannot answer",
      runID: run.runID, retryAfter: wait)
  }

  /// It waits for a permit.
  static func notBegun(_ run: Run) -> Status {
    refusal(
      .unavailable, .workflowNotBegun,
      "as many workflows of type '\(run.workflowType)' run as may: until this one may run it cannot"
        + " answer", runID: run.runID, retryAfter: Span(ms: 1_000))
  }

  static func requestIDReused(_ id: String, _ field: String, _ runID: RunID) -> Status {
    let name = field == "update_id" ? "update id" : "request id"
    return refusal(
      .invalidArgument, .requestIDReused,
      "\(name) '\(id)' was used for another request; choose a new one", field: field, runID: runID)
  }

  static let draining = refusal(
    .unavailable, .draining, "the engine is going away", retryAfter: Span(ms: 1_000))

  static let closing = refusal(
    .failedPrecondition, .closing, "the workflow closed while the request waited")
}

extension Failure {
  /// A failure with one layer.
  static func engine(_ message: String, _ kind: FailureInfo.Kind, causes: [FailureInfo] = [])
    -> Failure
  {
    var info = FailureInfo()
    info.message = message
    info.source = "holdfast"
    info.kind = kind
    var failure = Failure()
    failure.info = info
    failure.causes = causes
    return failure
  }

  static func timeout(
    _ type: TimeoutType, details: [Payload] = [], causes: [FailureInfo] = []
  ) -> Failure {
    var timeout = TimeoutFailure()
    timeout.timeoutType = type
    timeout.lastHeartbeatDetails = details
    return engine("activity timed out (\(type.name))", .timeout(timeout), causes: causes)
  }

  static func server(_ message: String) -> Failure {
    var server = ServerFailure()
    server.nonRetryable = true
    return engine(message, .server(server))
  }

  /// All layers, outermost first.
  var layers: [FailureInfo] { (info.map { [$0] } ?? []) + causes }
}
