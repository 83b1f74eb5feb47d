import Basics
import Messages

/// What a schedule orders the engine to do. The engine tells it to itself, within a step, or after
/// the load that it needs.
public struct ScheduleOrder: Sendable {
  enum Kind {
    case follow(Timetable.Order)
    /// To look what has come, once these of its workflows have met their deadlines.
    case look(after: ArraySlice<WorkflowExecution>)
    /// To look what can be done now.
    case goOn
  }

  let schedule: ScheduleNumber
  let kind: Kind
}

extension Engine {
  // MARK: - Its time

  mutating func scheduleDue(_ number: ScheduleNumber) {
    guard let timetable = schedules[number] else { return }
    guard mayHaveOverdue, let time = timetable.nextLook(now, limits), time <= now else {
      return look(timetable, after: [])
    }
    look(timetable, after: timetable.info.running[...])
  }

  /// A workflow of it that is not in memory may have ended by then: that comes first.
  private mutating func look(_ timetable: Timetable, after running: ArraySlice<WorkflowExecution>) {
    for place in running.indices {
      let key = WorkflowKey(
        namespace: timetable.key.namespace, workflowID: running[place].workflowID)
      let order = ScheduleOrder(
        schedule: timetable.number, kind: .look(after: running[place...]))
      guard find(key, .none, for: .scheduled(order)).settled != nil else { return }
    }
    if timetable.look(now, limits) { schedules.touch(timetable) }
    goOn(timetable)
  }

  /// Times of the schedule that came before what the run has missed found it open.
  mutating func lookAtSchedule(of run: Run, before time: Instant) {
    let scheduleID = run.fold.started.scheduleID
    guard !scheduleID.isEmpty,
      let timetable = schedules[
        ScheduleKey(namespace: run.key.namespace, scheduleID: scheduleID)]
    else { return }
    while timetable.lookAtTimes(through: time - Span(ms: 1), now, limits) {
      schedules.touch(timetable)
      goOn(timetable)
    }
  }

  /// Sees to it that what it can do is done in this step, after what is under way.
  mutating func goOn(_ timetable: Timetable) {
    resumed.append(.scheduled(ScheduleOrder(schedule: timetable.number, kind: .goOn)))
  }

  /// There may be room for what schedules wait for.
  mutating func goOnWithSchedules() {
    for timetable in schedules.all where !timetable.progress.waiting.isEmpty { goOn(timetable) }
  }

  mutating func follow(_ order: ScheduleOrder) {
    guard let timetable = schedules[order.schedule] else { return }  // Deleted meanwhile.
    switch order.kind {
    case .goOn:
      for next in timetable.orders() {
        resumed.append(
          .scheduled(ScheduleOrder(schedule: timetable.number, kind: .follow(next))))
      }
      watch(timetable)
    case .look(let running): look(timetable, after: running)
    case .follow(.start(let time)): start(time, of: timetable, order)
    case .follow(.cancel(let execution)): end(execution, of: timetable, order, terminates: false)
    case .follow(.terminate(let execution)):
      end(execution, of: timetable, order, terminates: true)
    }
  }

  private mutating func watch(_ timetable: Timetable) {
    let deadline = Deadline.schedule(timetable.number)
    guard let look = timetable.nextLook(now, limits) else { return deadlines.remove(deadline) }
    deadlines.set(deadline, at: look, order: .init(timetable.number.value))
  }

  // MARK: - Orders

  private mutating func start(_ time: Instant, of timetable: Timetable, _ order: ScheduleOrder) {
    guard refusalOfStarts == nil else {
      // The disk will have space again, or another engine takes it up.
      return timetable.postpone(.start(time), until: nil)
    }
    let request = timetable.start(at: time)
    let key = WorkflowKey(namespace: request.namespace, workflowID: request.workflowID)
    guard let found = find(key, .none, for: .scheduled(order)).settled else { return }
    let fault = typeFault(request.searchAttributes, in: key.namespace)
    switch fault.map({ .refuse($0) }) ?? admit(request, found.run, default: .fail) {
    case .start:
      let run = start(request, key, for: (timetable.key.scheduleID, time))
      var execution = WorkflowExecution()
      execution.workflowID = key.workflowID
      execution.runID = run.runID
      timetable.started(time, execution, now)
      offerTask(run)
    case .refuse(let status): timetable.failed(time, status.message, now)
    case .use(let run): preconditionFailure("\(run.number) is used by a start that must be its own")
    }
    schedules.touch(timetable)
    goOn(timetable)
  }

  /// Asks a workflow to make room for the next action.
  private mutating func end(
    _ execution: WorkflowExecution, of timetable: Timetable, _ order: ScheduleOrder,
    terminates: Bool
  ) {
    let key = WorkflowKey(namespace: timetable.key.namespace, workflowID: execution.workflowID)
    guard let found = find(key, .none, for: .scheduled(order)).settled else { return }
    guard let run = found.run, run.fold.isOpen,
      run.fold.started.firstRunID == execution.runID
    else {
      timetable.asked(execution, terminates: terminates)
      timetable.lost(execution)
      schedules.touch(timetable)
      return goOn(timetable)
    }
    if !terminates, park(.scheduled(order), behindRedoOf: run) { return }
    timetable.asked(execution, terminates: terminates)
    let reason = "schedule '\(timetable.key.scheduleID)' has its next action"
    if terminates { return terminate(run, reason: reason, details: [], identity: "holdfast") }
    guard !run.fold.cancelRequested else { return }
    var event = WorkflowExecutionCancelRequested()
    event.reason = reason
    event.identity = "holdfast"
    record(run, .workflowExecutionCancelRequested(event))
    afterInbound(run)
  }

  /// An order waited for a load, which has failed.
  mutating func refuse(_ order: ScheduleOrder, _ status: Status) {
    guard let timetable = schedules[order.schedule] else { return }
    switch order.kind {
    case .look(let running): return look(timetable, after: running.dropFirst())
    case .follow(.start(let time)):
      timetable.failed(time, status.message, now)
      schedules.touch(timetable)
    case .follow(let wanted): timetable.postpone(wanted, until: now + times.scheduleRetryPause)
    case .goOn: break
    }
    goOn(timetable)
  }

  /// The run has closed: the schedule that started its chain is told, once the chain is at its end.
  mutating func tellSchedule(of run: Run) {
    let scheduleID = run.fold.started.scheduleID
    guard !scheduleID.isEmpty, run.nextRunID == .none else { return }
    let key = ScheduleKey(namespace: run.key.namespace, scheduleID: scheduleID)
    var execution = WorkflowExecution()
    execution.workflowID = run.key.workflowID
    execution.runID = run.fold.started.firstRunID
    // Another schedule may have the id by now.
    guard let timetable = schedules[key], timetable.closed(execution, run.fold.status) else {
      return
    }
    schedules.touch(timetable)
    goOn(timetable)
  }

  // MARK: - The store

  /// What an engine that has just started finds to do is looked for at its first deadline.
  mutating func restoreSchedules() {
    for timetable in schedules.all {
      deadlines.set(
        .schedule(timetable.number), at: .epoch, order: .init(timetable.number.value))
    }
  }

  mutating func flushSchedules() {
    guard schedules.hasChanges else { return }
    for number in schedules.deleted { out.writes.append(.deleteSchedule(number)) }
    for timetable in schedules.changed {
      let progress = timetable.progress.serialized()
      if timetable.isDefinitionNew {
        out.writes.append(
          .putSchedule(timetable.number, definition: timetable.definition.serialized()))
        timetable.definitionIsWritten()
      }
      #if MUTANTS
        if Mutant.isOn(.progressIsNotWritten), timetable.info.actionCount > 0 { continue }
      #endif
      out.writes.append(.putScheduleProgress(timetable.number, bytes: progress))
    }
    schedules.forgetChanges()
  }
}

extension Timetable {
  /// The start that an action is.
  func start(at time: Instant) -> StartWorkflowRequest {
    let action = schedule.action ?? ScheduleAction()
    var request = StartWorkflowRequest()
    request.namespace = key.namespace
    request.workflowID = workflowID(at: time)
    request.workflowType = action.workflowType
    request.taskQueue = action.taskQueue
    request.input = action.input
    request.header = action.header
    request.executionTimeoutMs = action.executionTimeoutMs
    request.runTimeoutMs = action.runTimeoutMs
    request.taskTimeoutMs = action.taskTimeoutMs
    request.retryPolicy = action.retryPolicy
    request.userMetadata = action.userMetadata
    request.memo = action.memo
    request.searchAttributes = action.searchAttributes
    request.priority = action.priority
    request.concurrencyKey = action.concurrencyKey
    request.identity = "holdfast"
    return request
  }

  func workflowID(at time: Instant) -> String {
    let prefix = schedule.action?.workflowIDPrefix ?? ""
    return "\(prefix.isEmpty ? key.scheduleID : prefix)-\(time.iso8601)"
  }
}
