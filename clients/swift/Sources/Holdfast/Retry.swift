internal import Messages

/// When what has failed is tried again: interval = initial × coefficient^(attempt − 1), at most
/// `maximum`; no jitter.
public struct Retry: Sendable {
  public var initial: Duration?
  public var coefficient: Double
  public var maximum: Duration?
  /// 0: without an end.
  public var attempts: Int
  public var nonRetryableTypes: [String]

  public init(
    initial: Duration? = nil, coefficient: Double = 2, maximum: Duration? = nil,
    attempts: Int = 0, nonRetryableTypes: [String] = []
  ) {
    self.initial = initial
    self.coefficient = coefficient
    self.maximum = maximum
    self.attempts = attempts
    self.nonRetryableTypes = nonRetryableTypes
  }
}

extension Retry {
  var policy: RetryPolicy {
    var policy = RetryPolicy()
    policy.initialIntervalMs = initial?.span ?? .zero
    policy.backoffCoefficient = coefficient
    policy.maximumIntervalMs = maximum?.span ?? .zero
    policy.maximumAttempts = Int32(clamping: attempts)
    policy.nonRetryableErrorTypes = nonRetryableTypes
    return policy
  }
}
