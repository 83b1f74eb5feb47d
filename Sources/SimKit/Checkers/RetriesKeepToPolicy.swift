import Basics
import EngineCore
import Messages
import Shell

/// I13: an activity, and a workflow, has no more attempts than its policy allows, and after a
/// failure that was recorded the next one begins not before the policy's interval has passed.
final class RetriesKeepToPolicy: Checker {
  static let name = "I13 retries keep to the policy"

  private struct Attempt {
    let key: String
    let number: Int32
    /// When its failure came.
    var failedUs: Int64?
  }

  private var attempts: [[UInt8]: Attempt] = [:]
  /// When a recorded failure had come, by activity and attempt.
  private var failed: [String: [Int32: Int64]] = [:]
  /// Attempts beyond those of the policy, which somebody lets go on, by activity.
  private var allowed: [String: Set<Int32>] = [:]
  /// The newest attempt of an activity, as its row tells.
  private var newest: [String: Int32] = [:]
  /// How many attempts of an activity count no more.
  private var before: [String: Int32] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .toWorker(_, .activityTask(let task)): leaves(task, scene)
    case .fromWorker(_, .activityFailed(let failure)):
      if attempts[failure.token]?.failedUs == nil { attempts[failure.token]?.failedUs = scene.us }
    case .toWorker(_, .recorded(let recorded)):
      for token in recorded.tokens {
        guard let attempt = attempts[token], let us = attempt.failedUs else { continue }
        failed[attempt.key, default: [:]][attempt.number] = us
      }
    case .committed(let writes):
      for write in writes {
        switch write {
        case .createRun(let row):
          if let run = scene.ledger.run(row.number) { check(run, scene) }
        case .putActivity(let number, let event, let bytes):
          guard let run = scene.ledger.run(number), let row = try? ActivityRow(bytes: bytes)
          else { continue }
          note(row, "\(run.row.runID)/\(event)")
        default: break
        }
      }
    default: break
    }
  }

  private func note(_ row: ActivityRow, _ key: String) {
    let attempt = row.attempt - row.attemptsBefore
    if row.pause?.exhausted ?? false { allowed[key, default: []].insert(attempt) }
    // It was due when the policy became one that allows fewer.
    let attemptsMax = row.options?.retryPolicy?.maximumAttempts ?? 0
    if attemptsMax > 0 && attempt > attemptsMax && newest[key] == attempt {
      allowed[key, default: []].insert(attempt)
    }
    newest[key] = attempt
    // Reset: they are counted from one again.
    if row.attemptsBefore != before[key, default: 0] { failed[key] = nil }
    before[key] = row.attemptsBefore
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    guard run.copy == nil, let begun = run.started, begun.initiator == .retry,
      let before = scene.ledger.run(begun.continuedRunID)
    else { return }
    guard let policy = begun.retryPolicy, let attempt = before.started?.attempt else {
      return scene.found("\(run.row.number) is another attempt, and has no policy")
    }
    if begun.attempt != attempt + 1
      || policy.maximumAttempts > 0 && begun.attempt > policy.maximumAttempts
    {
      scene.found(
        "\(run.row.number) is attempt \(begun.attempt) after \(attempt);"
          + " \(policy.maximumAttempts) are allowed")
    }
    let interval = RetriesKeepToPolicy.intervalMs(policy, after: attempt)
    if begun.firstWorkflowTaskBackoffMs.ms < interval {
      scene.found(
        "\(run.row.number) begins \(begun.firstWorkflowTaskBackoffMs.ms) ms after the failure;"
          + " \(interval) ms are due")
    }
  }

  private func leaves(_ task: ActivityTask, _ scene: Scene) {
    guard let policy = task.retryPolicy else {
      return scene.found("attempt \(task.attempt) of \(task.idempotencyKey) has no policy")
    }
    let key = task.idempotencyKey
    let isAllowed = allowed[key]?.contains(task.attempt) ?? false
    if policy.maximumAttempts > 0 && task.attempt > policy.maximumAttempts && !isAllowed {
      scene.found("attempt \(task.attempt) of \(key); \(policy.maximumAttempts) are allowed")
    }
    if !isAllowed, let us = failed[key]?[task.attempt - 1] {
      let interval = RetriesKeepToPolicy.intervalMs(policy, after: task.attempt - 1)
      if scene.us - us < interval * 1_000 - 1_000 {
        scene.found(
          "attempt \(task.attempt) of \(key) comes \(scene.us - us) us after the failure;"
            + " \(interval) ms are due")
      }
    }
    if attempts[task.token] == nil {
      attempts[task.token] = Attempt(key: key, number: task.attempt)
    }
  }

  private static func intervalMs(_ policy: RetryPolicy, after attempt: Int32) -> Int64 {
    var interval = Double(policy.initialIntervalMs.ms)
    for _ in 1..<max(1, min(attempt, 64)) { interval *= policy.backoffCoefficient }
    return Int64(min(interval, Double(policy.maximumIntervalMs.ms)))
  }
}
