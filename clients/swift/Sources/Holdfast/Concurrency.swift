internal import Messages

/// How many workflows of a type run at once; nil: no limit. Others wait until one has closed.
public struct ConcurrencyLimits: Sendable, Equatable {
  /// Of the type.
  public var running: Int?
  /// Of each concurrency key.
  public var runningOfKey: Int?

  public init(running: Int? = nil, runningOfKey: Int? = nil) {
    self.running = running
    self.runningOfKey = runningOfKey
  }
}

/// What runs of a workflow type with limits, and what waits.
public struct ConcurrencyState: Sendable, Equatable {
  /// nil: the type has none, and nothing is counted.
  public let limits: ConcurrencyLimits?
  public let running: Int
  public let waiting: Int
  /// How long the workflow that has waited longest does so.
  public let oldestAge: Duration
  /// Of the concurrency keys of which most wait, and then most run: at most 100.
  public let keys: [Key]

  public struct Key: Sendable, Equatable {
    public let key: String
    public let running: Int
    public let waiting: Int
    public let oldestAge: Duration
  }
}

extension Client {
  /// Replaces the limits of a workflow type; they hold over starts of the engine. What runs already
  /// is counted, and goes on.
  public func setLimits(ofType type: String, _ limits: ConcurrencyLimits) async throws {
    var request = SetWorkflowTypeLimitsRequest()
    request.workflowType = type
    request.limits = WorkflowTypeLimits()
    request.limits?.running = limits.running.map { Int32(clamping: $0) } ?? 0
    request.limits?.runningOfKey = limits.runningOfKey.map { Int32(clamping: $0) } ?? 0
    _ = try await call(
      .operatorSetWorkflowTypeLimits, request, as: SetWorkflowTypeLimitsResponse.self)
  }

  public func concurrency(ofType type: String) async throws -> ConcurrencyState {
    var request = DescribeWorkflowTypeRequest()
    request.workflowType = type
    let response = try await call(
      .operatorDescribeWorkflowType, request, as: DescribeWorkflowTypeResponse.self)
    return ConcurrencyState(response)
  }
}

extension ConcurrencyState {
  fileprivate init(_ response: DescribeWorkflowTypeResponse) {
    let info = response.info ?? WorkflowTypeInfo()
    limits = info.limits.map { limits in
      ConcurrencyLimits(
        running: limits.running == 0 ? nil : Int(limits.running),
        runningOfKey: limits.runningOfKey == 0 ? nil : Int(limits.runningOfKey))
    }
    running = Int(info.running)
    waiting = Int(info.waiting)
    oldestAge = .milliseconds(info.oldestAgeMs.ms)
    keys = response.keys.map { key in
      Key(
        key: key.concurrencyKey, running: Int(key.running), waiting: Int(key.waiting),
        oldestAge: .milliseconds(key.oldestAgeMs.ms))
    }
  }
}
