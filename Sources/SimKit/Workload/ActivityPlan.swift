import Basics
import Messages

/// What an activity does, written in its input, so that whichever worker gets it does the same.
struct ActivityPlan: Equatable {
  enum Outcome {
    /// However many workers are lost on the way.
    case succeeds
    case fails
    /// What faults do to it decides.
    case either
  }

  /// The first attempts fail, or, with `hangs`, do not end at all.
  var failing: Int32 = 0
  var hangs = false
  var isNonRetryable = false
  var durationMs: Int64 = 5
  var heartbeats = 0
  /// Answers a cancel request by giving up.
  var givesUp = false
  /// The worker says that the result comes from elsewhere, and a client brings it.
  var isElsewhere = false
  /// 0: unlimited.
  var maximumAttempts: Int32 = 0
  var initialIntervalMs: Int64 = 100
  var cancellation = ActivityCancellationType.tryCancel
  var isHeldWhenExhausted = false
  /// The worker that has the run runs it; written nowhere, since that worker has the program.
  var isLocal = false

  static func drawn(_ dice: inout Dice) -> ActivityPlan {
    var plan = ActivityPlan()
    plan.durationMs = dice.pick([0, 3, 30, 300])
    plan.initialIntervalMs = dice.pick([1, 50, 700])
    plan.givesUp = dice.percent(50)
    plan.cancellation = dice.pick([.tryCancel, .waitCancellationCompleted, .abandon])
    switch dice.int(0...9) {
    case 0...3: break
    case 4, 5: plan.failing = Int32(dice.int(1...3))
    case 6:
      plan.failing = 1
      plan.hangs = true
    case 7:
      plan.failing = .max
      plan.isNonRetryable = true
    case 8:
      plan.failing = .max
      plan.maximumAttempts = Int32(dice.int(1...3))
      // Drawn from what is drawn already: earlier programs stay as they are.
      plan.isHeldWhenExhausted = plan.maximumAttempts == 2 && plan.givesUp
    default: plan.maximumAttempts = Int32(dice.int(1...2))
    }
    plan.isElsewhere = plan.failing == 0 && dice.percent(15)
    plan.heartbeats = dice.percent(30) ? dice.int(1...3) : 0
    return plan
  }

  /// One that runs in the worker that has the run.
  static func local(_ dice: inout Dice) -> ActivityPlan {
    var plan = drawn(&dice)
    plan.isLocal = true
    plan.isElsewhere = false
    plan.heartbeats = 0
    plan.isHeldWhenExhausted = false
    return plan
  }

  var outcome: Outcome {
    if isNonRetryable { return .fails }
    if maximumAttempts == 0 { return .succeeds }
    return failing >= maximumAttempts ? .fails : .either
  }

  /// How long an attempt may take.
  var timeoutMs: Int64 { hangs ? 500 : durationMs + 3_000 }

  func command(seq: UInt32, heartbeatMs: Int64 = 2_000) -> ScheduleActivity {
    var schedule = ScheduleActivity()
    schedule.seq = seq
    schedule.activityType = "step"
    schedule.input = [Payload(numbers: numbers)]
    schedule.startToCloseTimeoutMs = Span(ms: timeoutMs)
    if heartbeats > 0 { schedule.heartbeatTimeoutMs = Span(ms: heartbeatMs) }
    schedule.cancellationType = cancellation
    schedule.onExhausted = isHeldWhenExhausted ? .pause : .unspecified
    schedule.retryPolicy = policy
    return schedule
  }

  func localCommand(seq: UInt32) -> ScheduleLocalActivity {
    var schedule = ScheduleLocalActivity()
    schedule.seq = seq
    schedule.activityType = "step"
    schedule.input = [Payload(numbers: numbers)]
    schedule.startToCloseTimeoutMs = Span(ms: timeoutMs)
    schedule.cancellationType = cancellation
    schedule.retryPolicy = policy
    return schedule
  }

  private var policy: RetryPolicy {
    var policy = RetryPolicy()
    policy.initialIntervalMs = Span(ms: initialIntervalMs)
    policy.backoffCoefficient = 2
    policy.maximumIntervalMs = Span(ms: 2_000)
    policy.maximumAttempts = maximumAttempts
    return policy
  }

  /// After the attempt, in ms.
  func intervalMs(after attempt: Int32) -> Int64 {
    min(2_000, initialIntervalMs << min(Int64(attempt) - 1, 20))
  }

  private var numbers: [Int64] {
    [
      Int64(failing), hangs ? 1 : 0, isNonRetryable ? 1 : 0, durationMs, Int64(heartbeats),
      givesUp ? 1 : 0, isElsewhere ? 1 : 0,
    ]
  }

  /// What a worker needs to know of the plan; nil if the input is none.
  init?(input: [Payload]) {
    guard let numbers = input.first?.numbers, numbers.count == 7 else { return nil }
    failing = Int32(clamping: numbers[0])
    hangs = numbers[1] == 1
    isNonRetryable = numbers[2] == 1
    durationMs = numbers[3]
    heartbeats = Int(numbers[4])
    givesUp = numbers[5] == 1
    isElsewhere = numbers[6] == 1
  }

  init() {}
}

extension Payload {
  init(text: String) {
    self.init()
    encoding = "binary/plain"
    data = Array(text.utf8)
  }

  init(numbers: [Int64]) { self.init(text: numbers.map(String.init).joined(separator: ",")) }

  var text: String { String(decoding: data, as: UTF8.self) }
  var numbers: [Int64] { text.split(separator: ",").compactMap { Int64($0) } }
}
