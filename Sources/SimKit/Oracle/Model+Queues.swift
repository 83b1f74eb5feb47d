import Basics
import EngineCore
import Messages

/// What is told of task queues.
extension Model {
  func describe(queue name: String) -> DescribeTaskQueueResponse {
    var response = DescribeTaskQueueResponse()
    response.workers = sessions.filter { $0.attach.taskQueue == name }.map(info)
    response.workflowTasks = workflowTasks(of: name)
    response.activityTasks = activityTasks(of: name)
    response.limits = queues.limits[name]
    return response.plain
  }

  private func info(_ session: ModelSession) -> WorkerInfo {
    var info = WorkerInfo()
    info.sessionID = "\(session.id)"
    info.identity = session.attach.identity
    info.buildID = session.attach.buildID
    info.sdkName = session.attach.sdkName
    info.sdkVersion = session.attach.sdkVersion
    info.workflowTypes = session.attach.workflowTypes
    info.activityTypes = session.attach.activityTypes
    info.workflowSlotsFree = session.workflowSlots
    info.activitySlotsFree = session.activitySlots
    info.workflowTasksOut = UInt32(runs.count { $0.task.session == session.id })
    info.activityTasksOut = UInt32(
      runs.flatMap(\.activities).count {
        !$0.isLocal && $0.state == .started && $0.holder == session.id
      })
    info.attachedTimeMs = session.attachedTime
    info.draining = session.isDraining
    return info
  }

  private func activityTasks(of name: String) -> QueueBacklog {
    let waiting = waitingActivities(of: name)
    var backlog = QueueBacklog()
    for level in 1...5 {
      let lane = waiting.filter { $0.scheduled.priority.level == level }
      var shown = PriorityBacklog()
      shown.priorityKey = Int32(level)
      shown.count = Int64(lane.count)
      shown.oldestAgeMs = lane.map { now - $0.queuedTime }.max() ?? .zero
      shown.givenPerSecond = rate(of: name, level)
      if shown.count == 0 && shown.givenPerSecond == 0 { continue }
      backlog.priorities.append(shown)
      backlog.givenPerSecond += shown.givenPerSecond
    }
    backlog.count = Int64(waiting.count)
    backlog.oldestAgeMs = waiting.map { now - $0.queuedTime }.max() ?? .zero
    let alone = waiting.filter { activity in
      !sessions.contains { $0.serves(activity) && !$0.isDraining }
    }
    backlog.typesWithoutWorker = Set(alone.map(\.scheduled.activityType)).sorted()
    return backlog
  }

  /// The engine's word, if it may be so: a task may wait for the worker that has its run in place
  /// of the queue for a while, and begins to wait there anew.
  private func workflowTasks(of name: String) -> QueueBacklog {
    let all = runs.filter { $0.started.taskQueue == name && waitsSince($0) != nil }
    let (most, least) = (backlog(all), backlog(all.filter(waitsForAny)))
    guard let told = backlog, (least.count...most.count).contains(told.count),
      (least.oldestAgeMs...most.oldestAgeMs).contains(told.oldestAgeMs),
      Set(told.typesWithoutWorker).isSuperset(of: least.typesWithoutWorker),
      Set(told.typesWithoutWorker).isSubset(of: most.typesWithoutWorker)
    else { return most }
    return told
  }

  private func backlog(_ waiting: [ModelRun]) -> QueueBacklog {
    var backlog = QueueBacklog()
    backlog.count = Int64(waiting.count)
    backlog.oldestAgeMs = waiting.compactMap(waitsSince).map { now - $0 }.max() ?? .zero
    let alone = waiting.filter { run in
      !sessions.contains { $0.serves(run) && !$0.isDraining }
    }
    backlog.typesWithoutWorker = Set(alone.map(\.started.workflowType)).sorted()
    return backlog
  }

  // MARK: - Order

  /// A session takes the runs that it has, and else what has waited longest with its priority and
  /// key; but nothing goes before what waits with a higher priority. Where a task has waited for
  /// one session, and then in the queue, only the engine knows since when.
  mutating func objectToOrder(_ run: ModelRun, _ session: ModelSession) {
    guard let since = waitsSince(run) else { return }
    let isOwn = session.cache.contains(run.id)
    let first = runs.first { other in
      guard other !== run, waitsForAny(other), session.serves(other), reaches(session, other),
        let othersSince = waitsSince(other)
      else { return false }
      let (own, others) = (run.started.priority, other.started.priority)
      if others.level != own.level {
        // What has come in this unit may have come after the other had gone.
        return others.level < own.level && othersSince < now
      }
      return !isOwn && others.key == own.key && othersSince < since
    }
    if let first { objections.append("\(session.id) takes \(run.id) before \(first.id)") }
  }

  mutating func objectToOrder(
    _ activity: ModelActivity, of run: ModelRun, _ session: ModelSession
  ) {
    let own = activity.scheduled.priority
    for first in waitingActivities(of: activity.scheduled.taskQueue)
    where session.serves(first) && mayGo(first) {
      let others = first.scheduled.priority
      let isBefore =
        others.level != own.level
        ? others.level < own.level && first.queuedTime < now
        : others.key == own.key && first.queuedTime < activity.queuedTime
      guard isBefore else { continue }
      objections.append(
        "\(session.id) takes an activity of \(run.id) before '\(first.scheduled.activityID)'")
    }
  }

  func waitingActivities(of queue: String) -> [ModelActivity] {
    runs.filter { !$0.isKeptBack }.flatMap(\.activities).filter {
      $0.state == .scheduled && $0.pause == nil && $0.scheduled.taskQueue == queue
    }
  }

  /// The code has never run: the task has waited for whoever comes, since it was made.
  private func waitsForAny(_ run: ModelRun) -> Bool {
    run.isOpen && !run.hasPast && run.task.attempt == 1
      && !sessions.contains { $0.cache.contains(run.id) }
  }

  /// Since when the run's task waits; nil if it does not, or backs off.
  func waitsSince(_ run: ModelRun) -> Instant? {
    guard case .waiting(let notBefore) = run.task.state, notBefore <= now else { return nil }
    return max(notBefore, run.task.scheduledTime)
  }
}
