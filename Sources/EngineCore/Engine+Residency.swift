import Basics
import Messages

/// A stored run that cannot be read.
struct CorruptRun: Error {
  let place: String
}

/// Which dormant deadlines are in memory: the nearest ones; the rest is in the store.
struct DeadlineWindow {
  /// The store holds no deadline beyond the window.
  var isWhole: Bool
  /// The last deadline that was read.
  var end: StoredDeadline?
  var isLoading = false

  init(_ deadlines: [StoredDeadline], isWhole: Bool) {
    self.isWhole = isWhole
    end = deadlines.last
  }
}

extension Engine {
  // MARK: - Into memory

  /// Makes a stored run resident; the run that is there already wins.
  mutating func restore(_ stored: StoredRun, isNewest: Bool) throws(CorruptRun) -> Run {
    let number = stored.row.number
    if let run = runs[number] { return run }
    deadlines.remove(.dormant(number))
    let fold = try stored.row.closeTime == nil ? openFold(stored) : closedFold(stored)
    let run = Run(
      number: number,
      key: WorkflowKey(namespace: stored.row.namespace, workflowID: stored.row.workflowID),
      runID: stored.row.runID, fold: fold, requests: stored.requests,
      isMarkedAwake: stored.row.deadline == RunRow.immediately)
    run.savedEvent = stored.stateEvent
    runs[number] = run
    byRunID[run.runID] = number
    if isNewest || fold.isOpen { newest[run.key] = number }
    if fold.isOpen {
      armDeadlines(of: run)
      for activity in run.fold.activities { resume(activity.scheduledEvent, of: run) }
      if let failed = run.fold.taskFailure {
        run.task.attempt = failed.attempt + 1
        run.task.lastFailed = failed
      }
      offerTask(run)
    }
    return run
  }

  private func openFold(_ stored: StoredRun) throws(CorruptRun) -> Fold {
    var fold = Fold()
    if let bytes = stored.state {
      fold = Fold(try decode(RunState.self, bytes, "state row", stored.row.number))
      guard fold.lastEventID == stored.stateEvent else {
        throw CorruptRun(place: "\(stored.row.number): the state row is of another event")
      }
    }
    for batch in stored.tail where batch.last > fold.lastEventID {
      for event in try events(of: batch, stored.row.number)
      where event.eventID > fold.lastEventID {
        guard event.eventID == fold.lastEventID + 1 else {
          throw CorruptRun(
            place: "\(stored.row.number): event \(event.eventID) follows \(fold.lastEventID)")
        }
        fold.apply(event)
      }
      if batch.first > stored.stateEvent { fold.addHistoryBytes(batch.bytes.count) }
    }
    for activity in stored.activities {
      // A row outlives its activity only within the batch that ends it.
      guard let index = fold.activityIndex(scheduledEvent: activity.scheduledEvent) else {
        throw CorruptRun(
          place: "\(stored.row.number): a row of activity \(activity.scheduledEvent), which ended")
      }
      fold.activities[index].row = try decode(
        ActivityRow.self, activity.bytes, "activity row", stored.row.number)
      fold.activities[index].hasRow = true
    }
    return fold
  }

  /// Of a closed run only the first and the last event matter.
  private func closedFold(_ stored: StoredRun) throws(CorruptRun) -> Fold {
    guard let head = stored.tail.first, let end = stored.tail.last,
      let first = try events(of: head, stored.row.number).first,
      let last = try events(of: end, stored.row.number).last, first.eventID == 1
    else { throw CorruptRun(place: "\(stored.row.number): a closed run without its events") }
    return Fold.closed(first: first, last: last, historyBytes: stored.row.historySizeBytes)
  }

  func events(of batch: StoredBatch, _ run: RunNumber) throws(CorruptRun) -> [HistoryEvent] {
    try decode(HistoryBatch.self, batch.bytes, "history from event \(batch.first)", run).events
  }

  private func decode<M: Message>(
    _ type: M.Type, _ bytes: [UInt8], _ what: String, _ run: RunNumber
  ) throws(CorruptRun) -> M {
    do {
      return try M(bytes: bytes)
    } catch { throw CorruptRun(place: "\(run): \(what): \(error)") }
  }

  /// Sets the deadlines that follow from a run's fold.
  func runDeadline(_ run: Run) -> Instant? {
    let timeout = run.fold.started.runTimeoutMs
    return timeout.ms == 0 ? nil : run.fold.startTime + timeout
  }

  mutating func armDeadlines(of run: Run) {
    if let end = runDeadline(run) {
      deadlines.set(.runTimeout(run.number), at: end, order: .init(run.number.value, .max))
    }
    for timer in run.fold.timers { arm(timer, of: run) }
  }

  mutating func arm(_ timer: PendingTimerState, of run: Run) {
    deadlines.set(
      .timer(run.number, timer.seq), at: timer.fireTime,
      order: .init(run.number.value, timer.startedEvent))
  }

  // MARK: - Out of memory

  /// After each step that changed a run: looks whether it can leave, now or after a while.
  mutating func settle(_ run: Run) {
    guard run.isAtRest else {
      deadlines.remove(.residency(run.number))
      return
    }
    if !run.fold.isOpen {
      leaving.append((run.number, run.lastWrite))
    } else {
      let wait = runs.count > limits.residentRunsMax ? Span.zero : times.residency
      deadlines.set(.residency(run.number), at: now + wait, order: .init(run.number.value))
    }
  }

  /// A run that was loaded and then not changed must not stay for ever.
  mutating func settleLoaded(_ run: Run) {
    if !run.fold.isOpen, loading.parked[.workflow(run.key)] != nil {
      return loading.pinned[run.key, default: []].append(run.number)
    }
    if !run.isTouched { settle(run) }
    if !run.fold.isOpen { leave() }
  }

  /// The run has rested for long enough: its state row is written and it leaves memory once that
  /// is durable.
  mutating func becomeDormant(_ number: RunNumber) {
    guard let run = runs[number], run.isAtRest, run.fold.canBeSaved else { return }
    if !run.isMarkedAwake, run.savedEvent == run.fold.lastEventID {
      // It was only read: the store knows it as it is.
      leaving.append((number, run.lastWrite))
      return leave()
    }
    let next = [runDeadline(run)].compactMap { $0 } + run.fold.timers.map { $0.fireTime }
    let deadline = next.min()
    save(run, deadline: deadline)
    run.isMarkedAwake = false
    run.lastWrite = serial.next
    leaving.append((number, run.lastWrite))
  }

  mutating func persisted(_ serial: WriteSerial) {
    precondition(serial >= durable && serial <= self.serial, "durable beyond what was written")
    durable = serial
    leave()
  }

  /// Drops the runs whose last write is durable and that still rest.
  private mutating func leave() {
    while let first = leaving.first, first.after <= durable {
      _ = leaving.popFirst()
      guard let run = runs[first.run], run.isAtRest, run.lastWrite <= durable,
        !run.fold.isOpen || !run.isMarkedAwake
      else { continue }
      forget(run)
    }
  }

  private mutating func forget(_ run: Run) {
    let number = run.number
    runs.removeValue(forKey: number)
    byRunID.removeValue(forKey: run.runID)
    if newest[run.key] == number { newest.removeValue(forKey: run.key) }
    deadlines.remove(.residency(number))
    deadlines.remove(.runTimeout(number))
    let next = [runDeadline(run)].compactMap { $0 } + run.fold.timers.map { $0.fireTime }
    for timer in run.fold.timers { deadlines.remove(.timer(number, timer.seq)) }
    if let session = run.cachedBy { uncache(run, from: session) }
    if run.fold.isOpen, let deadline = next.min() {
      watchDormant(StoredDeadline(run: number, deadline: deadline))
    }
  }

  // MARK: - Dormant deadlines

  mutating func watchDormant(_ stored: StoredDeadline) {
    if !window.isWhole, let end = window.end,
      (stored.deadline, stored.run) > (end.deadline, end.run)
    {
      return  // The store has it; it is read when the window moves on.
    }
    deadlines.set(.dormant(stored.run), at: stored.deadline, order: .init(stored.run.value))
  }

  /// A run that only the store knows must be looked at: it is loaded, or waits for its turn.
  mutating func dormantDue(_ number: RunNumber) {
    loading.due.append(number)
    loadDue()
  }

  /// Loads the next runs that are due, a bounded number at once: after a start of the engine there
  /// may be as many as there are open runs.
  mutating func loadDue() {
    while loading.dueLoads.count < limits.deadlineLoadsMax, let number = loading.due.popFirst() {
      let target = Loading.Target.run(number)
      guard runs[number] == nil else {
        settleClaims(number)
        continue
      }
      guard loading.parked[target] == nil else { continue }
      loading.parked[target] = []
      let id = load(.run(number), .free)
      loading.purposes[id] = .target(target, request: nil)
      loading.dueLoads.insert(id)
      counters.loads += 1
    }
    refillWindow()
  }

  private mutating func refillWindow() {
    guard !window.isWhole, !window.isLoading, deadlines.count < limits.deadlineWindow / 2,
      let end = window.end
    else { return }
    window.isLoading = true
    let id = load(
      .deadlines(
        afterDeadline: end.deadline, afterRun: end.run, countMax: limits.deadlineWindow / 2),
      .free)
    loading.purposes[id] = .deadlines
  }

  mutating func takeDeadlines(_ content: Loaded.Content) {
    guard case .deadlines(let stored) = content else {
      preconditionFailure("a load of deadlines was answered with something else")
    }
    window.isLoading = false
    window.isWhole = stored.count < limits.deadlineWindow / 2
    if let last = stored.last { window.end = last }
    for deadline in stored where runs[deadline.run] == nil {
      deadlines.set(.dormant(deadline.run), at: deadline.deadline, order: .init(deadline.run.value))
    }
  }
}
