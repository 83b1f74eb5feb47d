import Basics
import Messages

extension Engine {
  /// DescribeTaskQueue: who is attached, what waits, and what nobody serves.
  mutating func describeTaskQueue(_ id: RequestID, _ request: DescribeTaskQueueRequest) {
    if request.taskQueue.isEmpty { return refuse(id, .missing("task_queue")) }
    if let status = namespaceFault(request.namespace) { return refuse(id, status) }
    let key = QueueKey(namespace: request.namespace.orDefault, name: request.taskQueue)
    let queue = queues[key] ?? TaskQueue(nil)
    var response = DescribeTaskQueueResponse()
    let hidden = addWorkers(of: queue, to: &response)
    response.workflowTasks = backlog(queue.workflowTasks, { stands($0) }) {
      hasServer(workflow: $0, on: key)
    }
    response.activityTasks = backlog(queue.activityTasks, { stands($0) }) {
      hasServer(activity: $0, on: key)
    }
    response.warnings = warnings(response, key)
    response.limits = queueLimits[key]
    if hidden > 0 { response.warnings.append("\(hidden) further workers are not shown") }
    reply(id, .describeTaskQueue(response), .engine)
  }

  /// As many workers as an answer holds, and how many are left out. Of long lists of types only the
  /// heads are told.
  private func addWorkers(
    of queue: TaskQueue, to response: inout DescribeTaskQueueResponse
  ) -> Int {
    var left = limits.describedBytesMax
    var hidden = 0
    for info in queue.sessions.compactMap({ sessions[$0].map(worker) }) {
      var info = info
      var bytes = info.serialized().count
      if bytes > limits.describedBytesMax / 16 {
        info.workflowTypes = Array(info.workflowTypes.prefix(limits.problemsMax))
        info.activityTypes = Array(info.activityTypes.prefix(limits.problemsMax))
        bytes = info.serialized().count
      }
      if bytes > left {
        hidden += 1
        continue
      }
      left -= bytes
      response.workers.append(info)
    }
    return hidden
  }

  private func worker(_ session: Session) -> WorkerInfo {
    var info = WorkerInfo()
    info.sessionID = session.id.description
    info.identity = session.attach.identity
    info.buildID = session.attach.buildID
    info.sdkName = session.attach.sdkName
    info.sdkVersion = session.attach.sdkVersion
    info.workflowTypes = session.attach.workflowTypes
    info.activityTypes = session.attach.activityTypes
    info.workflowSlotsFree = UInt32(clamping: session.workflowSlots)
    info.activitySlotsFree = UInt32(clamping: session.activitySlots)
    info.workflowTasksOut = UInt32(session.tasksOut.count)
    info.activityTasksOut = UInt32(session.leases.count)
    info.cachedRuns = UInt32(session.cached.count)
    info.attachedTimeMs = session.attachedTime
    info.draining = session.isDraining
    return info
  }

  private func backlog<Work>(
    _ waiting: Backlog<Work>, _ stands: (TaskQueue.Entry<Work>) -> Bool,
    isServed: (String) -> Bool
  ) -> QueueBacklog {
    var backlog = QueueBacklog()
    var types: Set<String> = []
    for level in 1...Rank.priorities {
      var lane = PriorityBacklog()
      lane.priorityKey = Int32(level)
      for (type, entries) in waiting.waiting(level) {
        let since = entries.filter(stands).map(\.since)
        guard let oldest = since.min() else { continue }
        types.insert(type)
        lane.count += Int64(since.count)
        lane.oldestAgeMs = max(lane.oldestAgeMs, now - oldest)
      }
      let flow = waiting.flow(of: level, at: now)
      lane.addedPerSecond = Double(flow.added) / Double(Flow.seconds)
      lane.givenPerSecond = Double(flow.given) / Double(Flow.seconds)
      guard lane.count > 0 || flow.added > 0 || flow.given > 0 else { continue }
      backlog.add(lane)
    }
    backlog.typesWithoutWorker = Array(
      types.sorted().filter { !isServed($0) }.prefix(5 * limits.problemsMax))
    return backlog
  }

  private func warnings(_ response: DescribeTaskQueueResponse, _ key: QueueKey) -> [String] {
    var warnings: [String] = []
    if response.workers.isEmpty { warnings.append("no worker is attached to '\(key.name)'") }
    for worker in response.workers
    where worker.workflowTypes.isEmpty && worker.activityTypes.isEmpty {
      warnings.append("worker '\(worker.identity)' registers no workflow and no activity")
    }
    for type in response.workflowTasks?.typesWithoutWorker ?? [] {
      warnings.append("workflow type '\(type)' waits and no attached worker serves it")
    }
    for type in response.activityTasks?.typesWithoutWorker ?? [] {
      warnings.append("activity type '\(type)' waits and no attached worker serves it")
    }
    return warnings
  }
}

extension QueueBacklog {
  fileprivate mutating func add(_ lane: PriorityBacklog) {
    priorities.append(lane)
    count += lane.count
    oldestAgeMs = max(oldestAgeMs, lane.oldestAgeMs)
    addedPerSecond += lane.addedPerSecond
    givenPerSecond += lane.givenPerSecond
  }
}
