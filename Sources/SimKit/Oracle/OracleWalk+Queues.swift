import Basics
import EngineCore
import Messages

/// Priorities, and the limits of task queues.
extension OracleWalk {
  /// A key has one weight everywhere, without which nobody could say what its share is.
  mutating func drawPriority() -> WorkPriority? {
    guard dice.percent(40) else { return nil }
    var priority = WorkPriority()
    priority.priorityKey = isWrong() ? dice.pick([-1, 6]) : Int32(dice.int(0...5))
    if dice.percent(70) {
      let (key, weight) = dice.pick([("a", 1.0), ("b", 3), ("c", 0.5)])
      priority.fairnessKey = isWrong() ? String(repeating: "k", count: 65) : key
      priority.fairnessWeight = isWrong() ? dice.pick([-1, 0.000_9, 1_001, .nan]) : weight
    }
    return priority
  }

  mutating func drawLimits() -> SetTaskQueueLimitsRequest {
    var request = SetTaskQueueLimitsRequest()
    request.namespace = drawNamespace()
    request.taskQueue = isWrong() ? "" : dice.pick(["q", "dock"])
    guard dice.percent(60) else { return request }
    var limits = TaskQueueLimits()
    limits.activitiesPerSecond = isWrong() ? -1 : dice.pick([0, 0.2, 1, 3, 50])
    limits.activitiesPerSecondOfKey = isWrong() ? 0.000_5 : dice.pick([0, 0, 0.5, 20])
    if dice.percent(30) {
      var rate = FairnessKeyRate()
      rate.fairnessKey = "a"
      rate.activitiesPerSecond = dice.pick([0, 0.3])
      limits.keyRates = [rate]
    }
    request.limits = limits
    return request
  }
}
