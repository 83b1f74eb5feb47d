internal import Messages

/// Thrown by an activity's function: the attempt goes on, and its end is told from elsewhere,
/// through an `ActivityHandle` made from its token or its ids. From then on the loss of this worker
/// does not end it; its timeouts do.
public struct CompletesElsewhere: Error, Sendable {
  public init() {}
}

extension Client {
  /// The attempt that has this token (`ActivityContext.token`).
  public func activity(token: [UInt8]) -> ActivityHandle {
    var reference = ActivityReference()
    reference.token = token
    return ActivityHandle(client: self, reference: reference)
  }

  /// The current attempt of an activity of the workflow's current run.
  public func activity(workflowID: String, activityID: String) -> ActivityHandle {
    var reference = ActivityReference()
    reference.execution = WorkflowExecution()
    reference.execution?.workflowID = workflowID
    reference.activityID = activityID
    return ActivityHandle(client: self, reference: reference)
  }
}

/// An activity whose end is told from outside its worker.
public struct ActivityHandle: Sendable {
  let client: Client
  let reference: ActivityReference

  /// Ends the activity with a result; durable when this returns. By its ids, an activity that is
  /// paused or held can be ended without an attempt.
  public func complete<Result: Encodable & Sendable>(_ result: Result) async throws {
    var request = CompleteActivityRequest()
    request.activity = reference
    request.result = try Payloads.encode(result)
    _ = try await client.call(
      .activityCompleteActivity, request, as: CompleteActivityResponse.self)
  }

  /// Fails the attempt; the retry policy decides what follows. By its ids, an activity that is
  /// paused or held fails for good.
  public func fail(_ error: any Error) async throws {
    var request = FailActivityRequest()
    request.activity = reference
    request.failure = Failure(error)
    _ = try await client.call(.activityFailActivity, request, as: FailActivityResponse.self)
  }

  /// Ends an activity that was asked to stop.
  public func reportCancelled() async throws {
    var request = ReportActivityCancelledRequest()
    request.activity = reference
    _ = try await client.call(
      .activityReportActivityCancelled, request, as: ReportActivityCancelledResponse.self)
  }

  /// Says that the attempt is alive. Throws `CancellationError` when it should stop.
  public func heartbeat<Details: Encodable & Sendable>(_ details: Details) async throws {
    var request = HeartbeatActivityRequest()
    request.activity = reference
    request.details = try Payloads.encode(details)
    let response = try await client.call(
      .activityHeartbeatActivity, request, as: HeartbeatActivityResponse.self)
    if response.cancelRequested || response.paused || response.reset { throw CancellationError() }
  }
}
