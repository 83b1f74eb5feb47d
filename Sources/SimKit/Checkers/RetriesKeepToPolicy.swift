import Basics
import EngineCore
import Messages
import Shell

/// I13: attempts of an activity come in order, no more than its policy allows, and after a failure
/// not before the policy's interval has passed.
final class RetriesKeepToPolicy: Checker {
  static let name = "I13 retries keep to the policy"

  private struct Attempt {
    let key: String
    let number: Int32
    let policy: RetryPolicy
  }

  private var attempts: [[UInt8]: Attempt] = [:]
  private var newest: [String: Int32] = [:]
  /// When a failure came, by activity, with its attempt.
  private var failed: [String: (attempt: Int32, us: Int64)] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .toWorker(_, .activityTask(let task)): leaves(task, scene)
    case .fromWorker(_, .activityFailed(let failure)):
      guard let attempt = attempts[failure.token], newest[attempt.key] == attempt.number,
        failed[attempt.key]?.attempt != attempt.number
      else { return }
      failed[attempt.key] = (attempt.number, scene.us)
    default: break
    }
  }

  private func leaves(_ task: ActivityTask, _ scene: Scene) {
    guard let policy = task.retryPolicy else {
      return scene.found("attempt \(task.attempt) of \(task.idempotencyKey) has no policy")
    }
    let key = task.idempotencyKey
    let before = newest[key] ?? 0
    if task.attempt < before { scene.found("attempt \(task.attempt) of \(key) after \(before)") }
    if policy.maximumAttempts > 0 && task.attempt > policy.maximumAttempts {
      scene.found("attempt \(task.attempt) of \(key); \(policy.maximumAttempts) are allowed")
    }
    if let failure = failed[key], failure.attempt == task.attempt - 1 {
      let interval = RetriesKeepToPolicy.intervalMs(policy, after: failure.attempt)
      if scene.us - failure.us < interval * 1_000 - 1_000 {
        scene.found(
          "attempt \(task.attempt) of \(key) comes \(scene.us - failure.us) us after the failure;"
            + " \(interval) ms are due")
      }
    }
    newest[key] = task.attempt
    attempts[task.token] = Attempt(key: key, number: task.attempt, policy: policy)
  }

  private static func intervalMs(_ policy: RetryPolicy, after attempt: Int32) -> Int64 {
    var interval = Double(policy.initialIntervalMs.ms)
    for _ in 1..<max(1, min(attempt, 64)) { interval *= policy.backoffCoefficient }
    return Int64(min(interval, Double(policy.maximumIntervalMs.ms)))
  }
}
