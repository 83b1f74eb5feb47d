import Basics
import EngineCore
import Messages

/// What the model keeps of queues: their limits, what has been given out, and who got how much.
struct ModelQueues {
  var limits: [String: TaskQueueLimits] = [:]
  /// Since the limits of its queue were set, or the engine was started.
  var paced: [ModelGiven] = []
  /// Since the engine was started.
  var given: [ModelGiven] = []
  /// Since when somebody has been attached all the time.
  var attended: [String: Instant] = [:]
  /// Of two fairness keys that wait for the same workers: what each has been given since then.
  var pairs: [ModelPair: [String: Int]] = [:]

  mutating func restart() {
    paced = []
    given = []
    attended = [:]
    pairs = [:]
  }
}

/// An activity that a queue has given out.
struct ModelGiven {
  let queue: String
  let level: Int
  let key: String
  let time: Instant
}

struct ModelPair: Hashable {
  let queue: String
  let level: Int
  /// Sorted.
  let keys: [String]
}

extension WorkPriority? {
  var level: Int {
    let given = Int(self?.priorityKey ?? 0)
    return given == 0 ? 3 : given
  }
  var key: String { self?.fairnessKey ?? "" }
  /// What the key pays for one task.
  var cost: Double {
    let weight = self?.fairnessWeight ?? 0
    return weight == 0 ? 1 : 1 / weight
  }
}

/// Who gets how much, and how fast.
extension Model {
  /// What work has of its own, and else of its workflow.
  func priority(_ own: WorkPriority?, of run: ModelRun) -> WorkPriority? {
    var priority = own ?? WorkPriority()
    let workflow = run.started.priority ?? WorkPriority()
    if priority.priorityKey == 0 { priority.priorityKey = workflow.priorityKey }
    if priority.fairnessKey.isEmpty { priority.fairnessKey = workflow.fairnessKey }
    if priority.fairnessWeight == 0 { priority.fairnessWeight = workflow.fairnessWeight }
    return priority == WorkPriority() ? nil : priority
  }

  // MARK: - Shares

  /// While two keys wait for the same workers, neither is given more than the other but for what
  /// one task of each costs it.
  mutating func objectToShare(_ activity: ModelActivity, _ session: ModelSession) {
    let queue = activity.scheduled.taskQueue
    let lane = waitingActivities(of: queue).filter {
      $0.scheduled.priority.level == activity.scheduled.priority.level
    }
    // What goes to a worker that has waited for it costs its key nothing; and which keys have to
    // wait for their rate is left out.
    if lane.contains(where: { $0.queuedTime == now }) || hasKeyRates(queue) {
      return queues.pairs = queues.pairs.filter { $0.key.queue != queue }
    }
    var costs: [String: Double] = [:]
    for other in lane where session.serves(other) {
      costs[other.scheduled.priority.key] = other.scheduled.priority.cost
    }
    let (level, key) = (activity.scheduled.priority.level, activity.scheduled.priority.key)
    queues.pairs = queues.pairs.filter { pair, _ in
      pair.queue != queue || pair.level != level || pair.keys.allSatisfy { costs[$0] != nil }
    }
    for other in costs.keys.sorted() where other != key {
      let pair = ModelPair(queue: queue, level: level, keys: [key, other].sorted())
      queues.pairs[pair, default: [:]][key, default: 0] += 1
      let counts = queues.pairs[pair] ?? [:]
      let had = pair.keys.map { Double(counts[$0] ?? 0) * (costs[$0] ?? 1) }
      let bound = pair.keys.reduce(0) { $0 + (costs[$1] ?? 1) }
      if abs(had[0] - had[1]) > bound + 0.001 {
        objections.append("keys \(pair.keys) have had \(counts) while both waited")
      }
    }
  }

  /// Where nothing waits any more, sharing begins anew.
  mutating func endShares() {
    queues.pairs = queues.pairs.filter { pair, _ in
      waitingActivities(of: pair.queue).contains { $0.scheduled.priority.level == pair.level }
    }
  }

  // MARK: - Rates

  private func hasKeyRates(_ queue: String) -> Bool {
    let limits = queues.limits[queue] ?? TaskQueueLimits()
    return limits.activitiesPerSecondOfKey > 0 || !limits.keyRates.isEmpty
  }

  mutating func set(_ limits: TaskQueueLimits?, of queue: String) {
    let limits = limits == TaskQueueLimits() ? nil : limits
    guard limits != queues.limits[queue] else { return }
    queues.limits[queue] = limits
    queues.paced.removeAll { $0.queue == queue }
  }

  /// No rate keeps it back.
  func mayGo(_ activity: ModelActivity) -> Bool {
    let queue = activity.scheduled.taskQueue
    guard let limits = queues.limits[queue] else { return true }
    let key = activity.scheduled.priority.key
    let ofKey = limits.keyRates.first { $0.fairnessKey == key }?.activitiesPerSecond
    let all = queues.paced.filter { $0.queue == queue }
    guard isWithin(limits.activitiesPerSecond, all.map(\.time)) else { return false }
    return key.isEmpty
      || isWithin(
        ofKey ?? limits.activitiesPerSecondOfKey, all.filter { $0.key == key }.map(\.time))
  }

  /// Another one may go now, after those of these times: there is a bucket that holds a tenth of a
  /// second's worth, but one at least, and fills up at the rate.
  private func isWithin(_ rate: Double, _ times: [Instant]) -> Bool {
    guard rate > 0 else { return true }
    // In nanoseconds of the rate.
    let one = Int64((1e9 / rate).rounded(.up))
    let full = one * Int64(max(1, (rate / 10).rounded(.down)))
    var (level, last) = (full, times.first ?? now)
    for time in times {
      level = min(full, level + (time - last).ms * 1_000_000) - one
      last = time
    }
    return min(full, level + (now - last).ms * 1_000_000) >= one
  }

  mutating func objectToRate(_ activity: ModelActivity) {
    guard !mayGo(activity) else { return }
    objections.append("'\(activity.scheduled.activityID)' is given out over its rate")
  }

  mutating func note(_ activity: ModelActivity) {
    let priority = activity.scheduled.priority
    let given = ModelGiven(
      queue: activity.scheduled.taskQueue, level: priority.level, key: priority.key, time: now)
    queues.given.append(given)
    if queues.limits[given.queue] != nil { queues.paced.append(given) }
  }

  // MARK: - Figures

  /// Activities per second over the last 30 seconds, the current one among them. A queue of which
  /// nobody was left may have been forgotten since: there it is the engine's word, if that is not
  /// too much.
  func rate(of queue: String, _ level: Int) -> Double {
    let oldest = now.ms / 1_000 - 29
    let count = queues.given.count {
      $0.queue == queue && $0.level == level && $0.time.ms / 1_000 >= oldest
    }
    let rate = Double(count) / 30
    let wasAttended = queues.attended[queue].map { $0.ms / 1_000 < oldest } ?? false
    guard !wasAttended, let told else { return rate }
    let word = told.priorities.first { $0.priorityKey == Int32(level) }?.givenPerSecond ?? 0
    return min(rate, word)
  }

  /// Who is attached has changed.
  mutating func noteAttendance() {
    for queue in Set(sessions.map(\.attach.taskQueue) + queues.attended.keys) {
      let isAttended = sessions.contains { $0.attach.taskQueue == queue }
      queues.attended[queue] = isAttended ? queues.attended[queue] ?? now : nil
    }
  }
}
