import Basics
import EngineCore
import Messages

/// A schedule as the semantics see it.
final class ModelSchedule {
  let id: String
  var schedule: Schedule
  var times: ModelTimes
  var state: ScheduleState
  var info = ScheduleInfo()
  var conflictToken: UInt64 = 1
  /// Times up to this one have been looked at.
  var doneThrough: Instant
  var lastTrigger = Instant.epoch
  /// In the order in which they came.
  var waiting: [Waiting] = []
  var backfills: [ModelBackfill] = []
  var requests: [Known] = []

  struct Waiting {
    let time: Instant
    let policy: ScheduleOverlapPolicy
  }

  struct ModelBackfill {
    var next: Instant
    let end: Instant
    let policy: ScheduleOverlapPolicy
  }

  /// What a request id has done.
  struct Known {
    let method: String
    let requestID: String
    let request: [UInt8]
    let workflowID: String
  }

  init(_ id: String, _ schedule: Schedule, _ times: ModelTimes, at now: Instant) {
    self.id = id
    self.schedule = schedule
    self.schedule.state = nil
    self.times = times
    state = schedule.state ?? ScheduleState()
    doneThrough = now
    info.createTimeMs = now
  }

  var isActive: Bool { !state.paused && (!state.limitedActions || state.remainingActions > 0) }

  var policy: ScheduleOverlapPolicy {
    let policy = schedule.policies?.overlapPolicy ?? .unspecified
    return policy == .unspecified ? .skip : policy
  }

  /// When its next action is due.
  var due: Instant? { isActive ? times.next(after: doneThrough) : nil }

  /// Whether a time that came so late has its action.
  func isMissed(_ time: Instant, _ now: Instant) -> Bool {
    let window = schedule.policies?.catchupWindowMs ?? .zero
    return now - time > (window == .zero ? Span(ms: 365 * 86_400_000) : window)
  }

  /// Somebody has asked for an action at that time, or it has come.
  func hasTaken(_ time: Instant) -> Bool {
    waiting.contains { $0.time == time }
      || info.recentActions.contains { $0.scheduledTimeMs == time }
  }

  func workflowID(at time: Instant) -> String {
    let prefix = schedule.action?.workflowIDPrefix ?? ""
    return "\(prefix.isEmpty ? id : prefix)-\(time.inWords)"
  }

  /// Whoever changes the state sees to it that nothing of the past comes.
  func change(_ state: ScheduleState, at now: Instant) {
    if !isActive { doneThrough = max(doneThrough, now) }
    self.state = state
    conflictToken += 1
  }

  /// What waits only because no starts are taken has its place among the open workflows.
  func hasRoom(_ limits: EngineLimits) -> Bool {
    let beginning = waiting.count { $0.policy == .allowAll }
    return waiting.count < limits.waitingActionsMax
      && info.running.count + beginning < limits.scheduledWorkflowsMax
  }

  /// The time of an action has come: it waits, or it is left out (false).
  func add(_ time: Instant, _ policy: ScheduleOverlapPolicy, _ limits: EngineLimits) -> Bool {
    let isOccupied = !info.running.isEmpty
    let waits = waiting.contains { $0.policy != .allowAll }
    var isLeftOut = waiting.contains { $0.time == time }
    switch policy {
    case .skip: isLeftOut = isLeftOut || isOccupied || waits
    case .bufferOne: isLeftOut = isLeftOut || waits
    case .cancelOther where !isLeftOut, .terminateOther where !isLeftOut:
      let superseded = waiting.count {
        $0.policy == .cancelOther || $0.policy == .terminateOther
      }
      info.skippedCount += Int64(superseded)
      waiting.removeAll { $0.policy == .cancelOther || $0.policy == .terminateOther }
    default: break
    }
    if isLeftOut {
      info.skippedCount += 1
      return false
    }
    guard hasRoom(limits) else {
      info.droppedCount += 1
      return false
    }
    waiting.append(Waiting(time: time, policy: policy))
    return true
  }

  func note(_ result: ScheduleActionResult) {
    let order = info.recentActions.filter { $0.takenTimeMs == result.takenTimeMs }
    let later = order.count { $0.scheduledTimeMs > result.scheduledTimeMs }
    info.recentActions.insert(result, at: info.recentActions.count - later)
    info.recentActions = info.recentActions.suffix(10)
  }
}
