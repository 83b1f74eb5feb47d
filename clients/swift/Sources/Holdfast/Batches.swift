import Basics
internal import Messages

/// What a batch does with each of its workflows.
public struct BatchAction: Sendable {
  let operation: BatchOperation

  private init(_ operation: BatchOperation.Operation) {
    var message = BatchOperation()
    message.operation = operation
    self.operation = message
  }

  public static func signal<Input: Encodable & Sendable>(
    _ name: String, _ input: Input
  ) throws -> BatchAction {
    var request = SignalWorkflowRequest()
    request.signalName = name
    request.input = try Payloads.encode(input)
    return BatchAction(.signalWorkflow(request))
  }

  public static func signal(_ name: String) throws -> BatchAction { try signal(name, Nothing()) }

  public static let cancel = BatchAction(.cancelWorkflow(CancelWorkflowRequest()))
  public static let terminate = BatchAction(.terminateWorkflow(TerminateWorkflowRequest()))
  public static let pause = BatchAction(.pauseWorkflow(PauseWorkflowRequest()))
  public static let unpause = BatchAction(.unpauseWorkflow(UnpauseWorkflowRequest()))
  /// Closed runs too.
  public static let delete = BatchAction(.deleteWorkflow(DeleteWorkflowRequest()))

  /// As `WorkflowHandle.reset`; closed runs too.
  public static func reset(
    to moment: WorkflowMoment, leavingOut left: [LeftOut] = []
  ) -> BatchAction {
    BatchAction(.resetWorkflow(ResetWorkflowRequest(to: moment, leavingOut: left)))
  }

  /// As `PendingActivities.pause`, and so the next ones.
  public static func pauseActivities(_ choice: ActivityChoice) -> BatchAction {
    var request = PauseActivityRequest()
    request.activities = choice.selection
    return BatchAction(.pauseActivity(request))
  }

  public static func unpauseActivities(
    _ choice: ActivityChoice, resetAttempts: Bool = false, resetHeartbeat: Bool = false
  ) -> BatchAction {
    var request = UnpauseActivityRequest()
    request.activities = choice.selection
    request.resetAttempts = resetAttempts
    request.resetHeartbeat = resetHeartbeat
    return BatchAction(.unpauseActivity(request))
  }

  public static func resetActivities(
    _ choice: ActivityChoice, keepPaused: Bool = false, resetHeartbeat: Bool = false,
    restoreOriginalOptions: Bool = false
  ) -> BatchAction {
    var request = ResetActivityRequest()
    request.activities = choice.selection
    request.keepPaused = keepPaused
    request.resetHeartbeat = resetHeartbeat
    request.restoreOriginalOptions = restoreOriginalOptions
    return BatchAction(.resetActivity(request))
  }

  /// Those that are nil stay.
  public static func updateActivities(
    _ choice: ActivityChoice, startToClose: Duration? = nil, scheduleToClose: Duration? = nil,
    scheduleToStart: Duration? = nil, heartbeat: Duration? = nil, retry: Retry? = nil,
    taskQueue: String? = nil
  ) -> BatchAction {
    var request = UpdateActivityOptionsRequest(
      startToClose, scheduleToClose, scheduleToStart, heartbeat, retry, taskQueue)
    request.activities = choice.selection
    return BatchAction(.updateActivityOptions(request))
  }

  public static func restoreActivityOptions(_ choice: ActivityChoice) -> BatchAction {
    var request = UpdateActivityOptionsRequest()
    request.activities = choice.selection
    request.restoreOriginal = true
    return BatchAction(.updateActivityOptions(request))
  }
}

/// How far a batch has come.
public struct BatchDescription: Sendable {
  public enum Status: Sendable {
    case running
    /// It has come through all workflows; for some the action may have failed.
    case completed
    case stopped
    /// The action is wrong for every workflow: the first failure says why.
    case failed
  }

  /// A run for which the action was refused.
  public struct Failure: Sendable {
    public let workflowID: String
    public let runID: String
    public let error: HoldfastError
  }

  public let id: String
  public let query: String
  public let status: Status
  public let reason: String
  public let started: Moment
  /// nil: it runs.
  public let ended: Moment?
  /// Runs for which the action was done, and for which it was refused.
  public let succeeded: Int
  public let failed: Int
  /// From 0 to 1.
  public let progress: Double
  public let ratePerSecond: Double
  public let stopReason: String
  /// The first 100; none in a list.
  public let failures: [Failure]

  init(_ info: BatchInfo, _ failures: [BatchFailure] = []) {
    id = info.batchID
    query = info.query
    status =
      switch info.status {
      case .completed: .completed
      case .stopped: .stopped
      case .failed: .failed
      default: .running
      }
    reason = info.reason
    started = Moment(milliseconds: info.startTimeMs.ms)
    ended = info.closeTimeMs == .epoch ? nil : Moment(milliseconds: info.closeTimeMs.ms)
    succeeded = Int(info.succeeded)
    failed = Int(info.failed)
    progress = info.progress
    ratePerSecond = info.ratePerSecond
    stopReason = info.stopReason
    self.failures = failures.map { failure in
      Failure(
        workflowID: failure.execution?.workflowID ?? "",
        runID: failure.execution?.runID.description ?? "",
        error: HoldfastError(failure.status))
    }
  }
}

extension Client {
  /// Does one thing with all workflows that a query selects and that are there now, the newest
  /// first, at most `ratePerSecond` of them in a second (nil: 50). An empty query selects all. The
  /// engine goes on with it by itself. The same call again is no second batch; another one with the
  /// id throws `HoldfastError` with the reason BATCH_ALREADY_EXISTS.
  ///
  ///     let batch = try await client.startBatch(
  ///       "remind-1", .signal("remind", 3), where: "WorkflowType = 'order'", ratePerSecond: 200)
  ///     print(try await batch.end().succeeded)
  @discardableResult
  public func startBatch(
    _ id: String, _ action: BatchAction, where query: String, ratePerSecond: Double? = nil,
    reason: String = ""
  ) async throws -> BatchHandle {
    var request = StartBatchRequest()
    request.batchID = id
    request.query = query
    request.operation = action.operation
    request.ratePerSecond = ratePerSecond ?? 0
    request.reason = reason
    _ = try await call(.batchStartBatch, request, as: StartBatchResponse.self)
    return BatchHandle(client: self, id: id)
  }

  /// A handle on a batch that was started elsewhere.
  public func batch(_ id: String) -> BatchHandle { BatchHandle(client: self, id: id) }

  /// The newest first.
  public func listBatches() async throws -> [BatchDescription] {
    let response = try await call(
      .batchListBatches, ListBatchesRequest(), as: ListBatchesResponse.self)
    return response.batches.map { BatchDescription($0) }
  }
}

/// A batch, as its client sees it.
public struct BatchHandle: Sendable {
  let client: Client
  public let id: String

  public func describe() async throws -> BatchDescription {
    var request = DescribeBatchRequest()
    request.batchID = id
    let response = try await client.call(
      .batchDescribeBatch, request, as: DescribeBatchResponse.self)
    return BatchDescription(response.info ?? BatchInfo(), response.failures)
  }

  /// No further workflow has its turn; what was done stays done.
  public func stop(reason: String = "") async throws {
    var request = StopBatchRequest()
    request.batchID = id
    request.reason = reason
    _ = try await client.call(.batchStopBatch, request, as: StopBatchResponse.self)
  }

  /// Waits until it has ended, one way or the other, and tells how.
  public func end() async throws -> BatchDescription {
    while true {
      let description = try await describe()
      if description.status != .running { return description }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
