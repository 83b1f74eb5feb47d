import Basics
import Messages

extension Engine {
  /// SetTaskQueueLimits: at what rate a queue gives out activities, from now on.
  mutating func setTaskQueueLimits(_ id: RequestID, _ request: SetTaskQueueLimitsRequest) {
    if request.taskQueue.isEmpty { return refuse(id, .missing("task_queue")) }
    if let status = first(
      namespaceFault(request.namespace), idFault(request.taskQueue, "task_queue"),
      request.limits?.fault)
    {
      return refuse(id, status)
    }
    let key = QueueKey(namespace: request.namespace.orDefault, name: request.taskQueue)
    let limits = request.limits.flatMap { $0 == TaskQueueLimits() ? nil : $0 }
    if limits != nil, queueLimits[key] == nil, queueLimits.count >= Engine.limitedQueuesMax {
      return refuse(
        id,
        .refusal(
          .resourceExhausted, .limitReached,
          "\(queueLimits.count) task queues have limits; no more are allowed"))
    }
    if limits != queueLimits[key] { put(limits, of: key) }
    reply(id, .setTaskQueueLimits(SetTaskQueueLimitsResponse()), .engine)
  }

  private mutating func put(_ limits: TaskQueueLimits?, of key: QueueKey) {
    queueLimits[key] = limits
    out.writes.append(
      .putQueueLimits(namespace: key.namespace, taskQueue: key.name, limits?.serialized()))
    guard let queue = queues[key] else { return }
    deadlines.remove(.pace(key))
    queue.set(limits)
    freed.formUnion(queue.sessions)
    if queue.isIdle { queues.removeValue(forKey: key) }
  }

  /// All of them stay in memory.
  private static let limitedQueuesMax = 1_000
}

extension TaskQueueLimits {
  fileprivate static let rates = 0.001...1_000_000.0
  fileprivate static let keyRatesMax = 1_000

  fileprivate var fault: Status? {
    if let fault = TaskQueueLimits.fault(of: activitiesPerSecond) {
      return .invalid("limits.activities_per_second", fault)
    }
    if let fault = TaskQueueLimits.fault(of: activitiesPerSecondOfKey) {
      return .invalid("limits.activities_per_second_of_key", fault)
    }
    if keyRates.count > TaskQueueLimits.keyRatesMax {
      return .invalid(
        "limits.key_rates",
        "\(keyRates.count) keys; \(TaskQueueLimits.keyRatesMax) are allowed")
    }
    for (index, rate) in keyRates.enumerated() {
      let field = "limits.key_rates[\(index)]"
      if rate.fairnessKey.isEmpty { return .missing("\(field).fairness_key") }
      if let fault = WorkPriority.fault(ofKey: rate.fairnessKey) {
        return .invalid("\(field).fairness_key", fault)
      }
      if let fault = TaskQueueLimits.fault(of: rate.activitiesPerSecond) {
        return .invalid("\(field).activities_per_second", fault)
      }
      if index > 0 && keyRates[index - 1].fairnessKey >= rate.fairnessKey {
        return .invalid("limits.key_rates", "must be sorted by key, without duplicates")
      }
    }
    return nil
  }

  private static func fault(of rate: Double) -> String? {
    rate == 0 || rates.contains(rate)
      ? nil : "is \(rate); 0.001 to 1,000,000 are allowed, or 0 for no limit"
  }
}
