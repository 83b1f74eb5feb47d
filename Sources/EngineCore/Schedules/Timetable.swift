import Basics
import Messages

/// A schedule: the times that it names, how far it has come, and what it does next.
///
/// It decides which actions are taken; the engine starts, cancels and terminates for it. A class
/// for the same reason as `Run`.
final class Timetable {
  let number: ScheduleNumber
  let key: ScheduleKey
  /// Without its state, which is part of the progress.
  private(set) var schedule: Schedule
  private(set) var times: ScheduleTimes
  private(set) var definitionBytes: Int
  private(set) var progress: ScheduleProgress
  /// Actions whose start is under way, by their times.
  private var starting: Set<Instant> = []
  /// Orders to end a workflow that have no outcome yet.
  private var ending: Set<End> = []
  /// An order could not be followed; the next try.
  private(set) var retryTime: Instant?
  /// This step has to write it: the definition too, or the progress only.
  var isTouched = false
  private(set) var isDefinitionNew = false

  private struct End: Hashable {
    let run: RunID
    let terminates: Bool
  }

  /// What the engine is to do for it.
  enum Order: Equatable {
    case start(Instant)
    case cancel(WorkflowExecution)
    case terminate(WorkflowExecution)
  }

  init(
    number: ScheduleNumber, key: ScheduleKey, _ schedule: Schedule, _ times: ScheduleTimes,
    now: Instant
  ) {
    self.number = number
    self.key = key
    self.schedule = schedule
    self.times = times
    definitionBytes = 0
    progress = ScheduleProgress()
    progress.state = schedule.state ?? ScheduleState()
    progress.conflictToken = 1
    progress.doneThroughTimeMs = now
    progress.info = ScheduleInfo()
    progress.info?.createTimeMs = now
    redefine(schedule, times)
  }

  /// nil: the bytes are no schedule.
  init?(_ stored: StoredSchedule, _ zones: Zones) {
    guard let definition = try? ScheduleDefinition(bytes: stored.definition),
      let schedule = definition.schedule, let spec = schedule.spec,
      let progress = try? ScheduleProgress(bytes: stored.progress),
      let zone = zones[spec.timeZone], let times = try? ScheduleTimes(spec, in: zone)
    else { return nil }
    number = stored.number
    key = ScheduleKey(namespace: definition.namespace, scheduleID: definition.scheduleID)
    self.schedule = schedule
    self.times = times
    self.progress = progress
    definitionBytes = stored.definition.count
  }

  func redefine(_ schedule: Schedule, _ times: ScheduleTimes) {
    self.schedule = schedule
    self.schedule.state = nil
    self.times = times
    definitionBytes = definition.serialized().count
    isDefinitionNew = true
  }

  var definition: ScheduleDefinition {
    var definition = ScheduleDefinition()
    definition.namespace = key.namespace
    definition.scheduleID = key.scheduleID
    definition.schedule = schedule
    return definition
  }

  func definitionIsWritten() { isDefinitionNew = false }

  // MARK: - State

  var state: ScheduleState {
    get { progress.state ?? ScheduleState() }
    set { progress.state = newValue }
  }

  var info: ScheduleInfo {
    get { progress.info ?? ScheduleInfo() }
    set { progress.info = newValue }
  }

  var conflictToken: UInt64 { progress.conflictToken }

  /// Its times bring actions.
  private var isActive: Bool {
    !state.paused && (!state.limitedActions || state.remainingActions > 0)
  }

  private var overlapPolicy: ScheduleOverlapPolicy {
    let policy = schedule.policies?.overlapPolicy ?? .unspecified
    return policy == .unspecified ? .skip : policy
  }

  private var catchupWindow: Span {
    let window = schedule.policies?.catchupWindowMs ?? .zero
    return window == .zero ? Span(ms: 365 * 86_400_000) : window
  }

  /// A workflow of it is open, or about to be.
  private var isOccupied: Bool { !info.running.isEmpty || !starting.isEmpty }

  /// Times that came while it was not active are over.
  func passOver(until now: Instant) {
    progress.doneThroughTimeMs = max(progress.doneThroughTimeMs, now)
  }

  /// What is based on an earlier description is not about this any more.
  private func changeToken() { progress.conflictToken += 1 }

  func updated(_ now: Instant) { info.updateTimeMs = now }

  func setState(_ state: ScheduleState, now: Instant) {
    if !isActive { passOver(until: now) }
    self.state = state
    changeToken()
  }

  // MARK: - Times that have come

  /// When it has to be looked at; nil: when somebody asks.
  func nextLook(_ now: Instant, _ limits: EngineLimits) -> Instant? {
    if !progress.backfills.isEmpty && hasRoom(limits) { return now }
    var look = retryTime
    if isActive {
      switch times.next(after: progress.doneThroughTimeMs) {
      case .found(let time):
        let due = times.due(time, of: key.scheduleID)
        look = min(look ?? due, due)
      case .noneBefore(let time): look = min(look ?? time, time)
      case .never: break
      }
    }
    return look
  }

  /// Looks at what has come, in its order, up to the first action: what the next one does depends
  /// on whether that can be taken. False: nothing has come.
  func look(_ now: Instant, _ limits: EngineLimits) -> Bool {
    let before = (progress.doneThroughTimeMs, progress.backfills)
    lookOn(now, limits)
    return before.0 != progress.doneThroughTimeMs || before.1 != progress.backfills
  }

  /// The same of what its spec names only, up to a time. How late it is counts from now.
  func lookAtTimes(through time: Instant, _ now: Instant, _ limits: EngineLimits) -> Bool {
    let before = progress.doneThroughTimeMs
    var left = limits.scheduleLooksMax
    _ = bringsAction(through: time, now, &left, limits)
    return before != progress.doneThroughTimeMs
  }

  private func lookOn(_ now: Instant, _ limits: EngineLimits) {
    if let retry = retryTime, retry <= now { retryTime = nil }
    var left = limits.scheduleLooksMax
    if bringsAction(through: now, now, &left, limits) { return }
    while left > 0, let backfill = progress.backfills.first, hasRoom(limits) {
      left -= 1
      if advance(backfill, limits) { return }
    }
  }

  /// Of the times up to `last`, one has an action; `left`: so many more may be looked at.
  private func bringsAction(
    through last: Instant, _ now: Instant, _ left: inout Int, _ limits: EngineLimits
  ) -> Bool {
    while left > 0, isActive {
      left -= 1
      switch times.next(after: progress.doneThroughTimeMs) {
      case .found(let time):
        let due = times.due(time, of: key.scheduleID)
        guard due <= last else { return false }
        progress.doneThroughTimeMs = time
        if isMissed(due, now) {
          info.missedCount += 1
        } else if isTaken(time) {
          info.skippedCount += 1
        } else if add(time, overlapPolicy, limits) {
          if state.limitedActions { state.remainingActions -= 1 }
          return true
        }
      case .noneBefore(let time):
        guard time <= last else { return false }
        // It was a long look.
        left -= limits.scheduleLooksMax / 10
        progress.doneThroughTimeMs = time - Span(ms: 1)
      case .never: return false
      }
    }
    return false
  }

  private func isMissed(_ due: Instant, _ now: Instant) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.missedTimesAreTaken) { return false }
    #endif
    return now - due > catchupWindow
  }

  /// What is to start without waiting for another counts as open: while no starts are taken, it
  /// waits too.
  private func hasRoom(_ limits: EngineLimits) -> Bool {
    let beginning = progress.waiting.count { $0.overlapPolicy == .allowAll || isStarting($0) }
    return progress.waiting.count < limits.waitingActionsMax
      && info.running.count + beginning < limits.scheduledWorkflowsMax
  }

  /// The next time of a backfill; true if it brings an action.
  private func advance(_ backfill: Backfill, _ limits: EngineLimits) -> Bool {
    let next = times.next(after: backfill.doneThroughTimeMs)
    switch next {
    case .found(let time) where time <= backfill.endAtMs:
      progress.backfills[0].doneThroughTimeMs = time
      return add(time, resolved(backfill.overlapPolicy), limits)
    case .noneBefore(let time) where time <= backfill.endAtMs:
      progress.backfills[0].doneThroughTimeMs = time - Span(ms: 1)
    case .found, .noneBefore, .never: progress.backfills.remove(at: 0)
    }
    return false
  }

  func add(_ backfill: Backfill) { progress.backfills.append(backfill) }

  private func resolved(_ policy: ScheduleOverlapPolicy) -> ScheduleOverlapPolicy {
    policy == .unspecified ? overlapPolicy : policy
  }

  /// A time of its own for an action that somebody asks for now; nil: the overlap policy leaves it
  /// out.
  func trigger(_ policy: ScheduleOverlapPolicy, _ now: Instant, _ limits: EngineLimits) -> Instant?
  {
    var time = max(now, progress.lastTriggerTimeMs + Span(ms: 1))
    while isTaken(time) { time = time + Span(ms: 1) }
    progress.lastTriggerTimeMs = time
    return add(time, resolved(policy), limits) ? time : nil
  }

  /// Somebody has asked for an action in the very millisecond of one that the spec names.
  private func isTaken(_ time: Instant) -> Bool {
    progress.waiting.contains { $0.scheduledTimeMs == time }
      || info.recentActions.contains { $0.scheduledTimeMs == time }
  }

  // MARK: - Overlap

  /// The time of an action has come: it waits for what is under way, or it is left out (false).
  private func add(_ time: Instant, _ policy: ScheduleOverlapPolicy, _ limits: EngineLimits)
    -> Bool
  {
    #if MUTANTS
      let policy = policy.mutated
    #endif
    guard !progress.waiting.contains(where: { $0.scheduledTimeMs == time }) else {
      info.skippedCount += 1
      return false
    }
    let waits = progress.waiting.contains { $0.overlapPolicy != .allowAll && !isStarting($0) }
    switch policy {
    case .skip where isOccupied || waits, .bufferOne where waits:
      info.skippedCount += 1
      return false
    case .cancelOther, .terminateOther:
      // Only the newest of them has a use for the place.
      let before = progress.waiting.count
      progress.waiting.removeAll {
        [.cancelOther, .terminateOther].contains($0.overlapPolicy) && !isStarting($0)
      }
      info.skippedCount += Int64(before - progress.waiting.count)
    case .unspecified, .skip, .bufferOne, .bufferAll, .allowAll, .unrecognized: break
    }
    guard hasRoom(limits) else {
      info.droppedCount += 1
      return false
    }
    var action = WaitingAction()
    action.scheduledTimeMs = time
    action.overlapPolicy = policy
    progress.waiting.append(action)
    return true
  }

  private func isStarting(_ action: WaitingAction) -> Bool {
    starting.contains(action.scheduledTimeMs)
  }

  /// What can be done now; each order is told once, until its outcome is known.
  func orders() -> [Order] {
    var orders: [Order] = []
    for action in progress.waiting where action.overlapPolicy == .allowAll && !isStarting(action) {
      orders.append(.start(action.scheduledTimeMs))
      starting.insert(action.scheduledTimeMs)
    }
    let others = progress.waiting.filter { $0.overlapPolicy != .allowAll && !isStarting($0) }
    guard let next = others.first else { return orders }
    if !isOccupied {
      starting.insert(next.scheduledTimeMs)
      return orders + [.start(next.scheduledTimeMs)]
    }
    let terminates = others.contains { $0.overlapPolicy == .terminateOther }
    guard terminates || others.contains(where: { $0.overlapPolicy == .cancelOther }) else {
      return orders
    }
    // Whoever has been asked before ignores it, unless a new run has taken its place since.
    for execution in info.running
    where ending.insert(End(run: execution.runID, terminates: terminates)).inserted {
      orders.append(terminates ? .terminate(execution) : .cancel(execution))
    }
    return orders
  }

  // MARK: - What came of the orders

  func started(_ time: Instant, _ execution: WorkflowExecution, _ now: Instant) {
    end(time)
    info.actionCount += 1
    info.running.append(execution)
    note(time, now) {
      $0.execution = execution
      $0.status = .running
    }
  }

  func failed(_ time: Instant, _ error: String, _ now: Instant) {
    end(time)
    info.failedCount += 1
    note(time, now) { $0.error = error }
  }

  /// It could not be tried; it is tried again then, or when there is a reason to.
  func postpone(_ order: Order, until time: Instant?) {
    retryTime = time
    switch order {
    case .start(let time): starting.remove(time)
    case .cancel(let execution): asked(execution, terminates: false)
    case .terminate(let execution): asked(execution, terminates: true)
    }
  }

  /// It was asked to end, or could not be: it may be asked again.
  func asked(_ execution: WorkflowExecution, terminates: Bool) {
    ending.remove(End(run: execution.runID, terminates: terminates))
  }

  private func end(_ time: Instant) {
    starting.remove(time)
    progress.waiting.removeAll { $0.scheduledTimeMs == time }
  }

  private func note(
    _ time: Instant, _ now: Instant, _ fill: (inout ScheduleActionResult) -> Void
  ) {
    var result = ScheduleActionResult()
    result.scheduledTimeMs = time
    result.takenTimeMs = now
    fill(&result)
    // Of those taken at once, one may have waited for a load.
    let place =
      info.recentActions.lastIndex {
        $0.takenTimeMs < now || $0.scheduledTimeMs <= time
      }.map { $0 + 1 } ?? 0
    info.recentActions.insert(result, at: place)
    info.recentActions = info.recentActions.suffix(10)
  }

  /// One of its workflows has come to its end; false: it is not one of its.
  func closed(_ execution: WorkflowExecution, _ status: WorkflowStatus) -> Bool {
    guard let index = info.running.firstIndex(of: execution) else { return false }
    info.running.remove(at: index)
    for index in info.recentActions.indices
    where info.recentActions[index].execution == execution {
      info.recentActions[index].status = status
    }
    if schedule.policies?.pauseOnFailure ?? false, status == .failed || status == .timedOut,
      !state.paused
    {
      state.paused = true
      state.note = "workflow '\(execution.workflowID)' ended \(status.name)"
      changeToken()
    }
    return true
  }

  /// The engine sees that it is not open any more.
  func lost(_ execution: WorkflowExecution) { _ = closed(execution, .unspecified) }

  // MARK: - Requests

  func request(_ key: Fingerprint) -> ScheduleRequestRecord? {
    progress.requests.first { $0.keyHigh == key.high && $0.keyLow == key.low }
  }

  func remember(_ record: ScheduleRequestRecord, _ limits: EngineLimits) {
    progress.requests =
      progress.requests.suffix(limits.scheduleRequestsKept - 1) + [record]
  }
}

#if MUTANTS
  extension ScheduleOverlapPolicy {
    fileprivate var mutated: ScheduleOverlapPolicy {
      switch (Mutant.chosen, self) {
      case (.overlapIsIgnored, .skip): .allowAll
      case (.bufferOneHoldsAll, .bufferOne), (.allowAllWaits, .allowAll),
        (.cancelOtherWaits, .cancelOther):
        .bufferAll
      case (.bufferAllHoldsOne, .bufferAll): .bufferOne
      case (.terminateOtherCancels, .terminateOther): .cancelOther
      default: self
      }
    }
  }
#endif
