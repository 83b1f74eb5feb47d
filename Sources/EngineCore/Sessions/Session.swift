import Basics
import Messages

/// A worker's attachment.
///
/// A class, because a struct of its size would be moved at each look-up; it never leaves the
/// engine.
final class Session {
  let id: SessionID
  let attach: Attach
  let queue: QueueKey
  let taskQueue: TaskQueue
  let process: ProcessIdentity?
  let attachedTime: Instant
  var workflowSlots: UInt64 = 0
  var activitySlots: UInt64 = 0
  /// Runs that the worker has in its cache.
  var cached: Set<RunNumber> = []
  /// Those of them that are not in memory here.
  var cachedDormant: [RunID: RunNumber] = [:]
  /// Workflow tasks that are with it.
  var tasksOut: Set<RunNumber> = []
  /// Activity leases that it holds.
  var leases: Set<LeaseKey> = []
  /// Tasks that wait for this session because it caches their run.
  var sticky = OwnTasks()
  var replays = 0
  /// Ends of local activities' attempts that it brought, the last ones.
  var endedLocals = Queue<EndedLocal>()
  /// Of the tasks that it was sent and may not have read yet.
  var unreadTaskBytes = 0
  /// So many that it gets no more until it has read them.
  var isFull = false
  /// It has granted workflow slots: from then on it can take what others failed.
  var hasBegun = false
  /// It let a workflow task time out: nothing new until it answers again.
  var isUnresponsive = false
  /// It does not answer pings: nothing new until it is heard again.
  var isSilent = false
  var isDraining = false

  init(
    id: SessionID, attach: Attach, queue: QueueKey, taskQueue: TaskQueue,
    process: ProcessIdentity?, attachedTime: Instant
  ) {
    self.id = id
    self.attach = attach
    self.queue = queue
    self.taskQueue = taskQueue
    self.process = process
    self.attachedTime = attachedTime
    workflowTypes = Set(attach.workflowTypes)
    activityTypes = Set(attach.activityTypes)
  }

  private let workflowTypes: Set<String>
  private let activityTypes: Set<String>

  func serves(workflow type: String) -> Bool { workflowTypes.contains(type) }
  func serves(activity type: String) -> Bool { activityTypes.contains(type) }

  var takesTasks: Bool { workflowSlots > 0 && !isFull && isResponsive && !isDraining }
  var isResponsive: Bool { !isUnresponsive && !isSilent }
  var takesActivities: Bool { activitySlots > 0 && !isFull && !isSilent && !isDraining }

  var holder: LeaseHolder {
    var holder = LeaseHolder()
    holder.resumeToken = attach.resumeToken
    holder.identity = attach.identity
    if let process {
      holder.bootID = process.bootID
      holder.process = process.process
      holder.processStart = process.start
    }
    return holder
  }
}

/// Runs whose tasks wait for one session, by priority, then oldest first.
struct OwnTasks {
  private var lines: [Queue<RunNumber>] = []

  mutating func append(_ run: RunNumber, _ priority: Int) {
    while lines.count < priority { lines.append(Queue()) }
    lines[priority - 1].append(run)
  }

  var firstPriority: Int? { lines.firstIndex { !$0.isEmpty }.map { $0 + 1 } }

  mutating func popFirst() -> RunNumber? {
    firstPriority.flatMap { lines[$0 - 1].popFirst() }
  }

  var elements: [RunNumber] { lines.flatMap(\.elements) }
}

/// An activity of a run.
struct LeaseKey: Hashable, Comparable {
  let run: RunNumber
  let scheduledEvent: Int64

  static func < (a: LeaseKey, b: LeaseKey) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.leasesInHashOrder) { return a != b && Set([a, b]).first == a }
    #endif
    return a.run != b.run ? a.run < b.run : a.scheduledEvent < b.scheduledEvent
  }
}

extension LeaseHolder {
  var processIdentity: ProcessIdentity? {
    bootID.isEmpty
      ? nil : ProcessIdentity(bootID: bootID, process: process, start: processStart)
  }
}
