internal import Messages

/// Which of the work that waits in a task queue goes out first. What is not set, an activity or a
/// child has from its workflow; else it is the default.
public struct Priority: Sendable, Equatable {
  /// From 1, which goes out first, to 5; the default is 3.
  public var level: Int?
  /// Work of one level is shared out between the keys that wait. At most 64 bytes.
  public var fairnessKey: String?
  /// What the key gets for each task of a key of weight 1: 0.001 to 1,000.
  public var fairnessWeight: Double?

  public init(_ level: Int? = nil, fairnessKey: String? = nil, fairnessWeight: Double? = nil) {
    self.level = level
    self.fairnessKey = fairnessKey
    self.fairnessWeight = fairnessWeight
  }

  var message: WorkPriority {
    var message = WorkPriority()
    message.priorityKey = level.map { Int32(clamping: $0) } ?? 0
    message.fairnessKey = fairnessKey ?? ""
    message.fairnessWeight = fairnessWeight ?? 0
    return message
  }
}

/// How fast a task queue gives out activities. A rate is in activities per second, 0.001 to
/// 1,000,000; nil: no limit.
public struct QueueLimits: Sendable, Equatable {
  /// Of the whole queue.
  public var perSecond: Double?
  /// Of each fairness key.
  public var perSecondOfKey: Double?
  /// Keys with a rate of their own.
  public var keyRates: [String: Double]

  public init(
    perSecond: Double? = nil, perSecondOfKey: Double? = nil, keyRates: [String: Double] = [:]
  ) {
    self.perSecond = perSecond
    self.perSecondOfKey = perSecondOfKey
    self.keyRates = keyRates
  }
}

extension Client {
  /// Replaces the limits of a task queue; they hold over starts of the engine.
  public func setLimits(of taskQueue: String, _ limits: QueueLimits) async throws {
    var message = TaskQueueLimits()
    message.activitiesPerSecond = limits.perSecond ?? 0
    message.activitiesPerSecondOfKey = limits.perSecondOfKey ?? 0
    message.keyRates = limits.keyRates.sorted { $0.key < $1.key }.map { key, perSecond in
      var rate = FairnessKeyRate()
      rate.fairnessKey = key
      rate.activitiesPerSecond = perSecond
      return rate
    }
    var request = SetTaskQueueLimitsRequest()
    request.taskQueue = taskQueue
    request.limits = message
    _ = try await call(
      .operatorSetTaskQueueLimits, request, as: SetTaskQueueLimitsResponse.self)
  }
}
