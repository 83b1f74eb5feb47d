import Basics
import Messages

/// A stored run that cannot be read.
struct CorruptRun: Error {
  let place: String
}

extension Engine {
  // MARK: - Into memory

  /// Makes a stored run resident; the run that is there already wins.
  mutating func restore(_ stored: StoredRun, isNewest: Bool) throws(CorruptRun) -> Run {
    let number = stored.row.number
    if let run = runs[number] {
      // It may have been loaded by its own id, which does not say that there is no newer one.
      if isNewest { newest[run.key] = max(newest[run.key] ?? number, number) }
      return run
    }
    window.forget(number)
    let fold = try stored.row.closeTime == nil ? openFold(stored) : closedFold(stored)
    let run = Run(
      number: number,
      key: WorkflowKey(
        namespace: stored.row.namespace, workflowID: stored.row.workflowID, kind: stored.row.kind),
      runID: stored.row.runID, fold: fold, requests: stored.requests,
      isMarkedAwake: stored.row.deadline == RunRow.immediately)
    run.savedEvent = stored.stateEvent
    run.resetTo = stored.resetTo
    run.toldLength = stored.row.historyLength
    run.toldProblems = stored.row.problems
    if fold.isOpen { run.permit = permit(of: number, run.key.namespace, run.workflowType) }
    runs[number] = run
    byRunID[run.runID] = number
    findCached(run)
    if isNewest || fold.isOpen { newest[run.key] = number }
    if fold.isOpen {
      armDeadlines(of: run)
      #if MUTANTS
        let admitted = Mutant.isOn(.admittedIsLost) ? [] : fold.unseen.admitted
      #else
        let admitted = fold.unseen.admitted
      #endif
      for (event, update) in admitted { admit(update, by: event, of: run) }
      count(run)
      if let places = outside.removeValue(forKey: number) {
        comeInside(run, to: places)
        return run
      }
      for activity in run.fold.activities { resume(activity.scheduledEvent, of: run) }
      if let failed = run.fold.taskFailure {
        run.task.attempt = failed.attempt + 1
        run.task.lastFailed = failed
      }
      offerTask(run)
      noteWork(of: run)
    }
    return run
  }

  func openFold(_ stored: StoredRun) throws(CorruptRun) -> Fold {
    var fold = Fold()
    if let bytes = stored.state {
      let state = try decode(RunState.self, bytes, "state row", stored.row.number)
      let isOfItsEvent = state.lastEventID == stored.stateEvent
      if let fault = Fold.fault(of: state) ?? (isOfItsEvent ? nil : "it is of another event") {
        throw CorruptRun(place: "\(stored.row.number): state row: \(fault)")
      }
      fold = Fold(state)
    }
    for batch in stored.tail where batch.last > fold.lastEventID {
      for event in try events(of: batch, stored.row.number)
      where event.eventID > fold.lastEventID {
        if let fault = fold.fault(of: event) {
          throw CorruptRun(place: "\(stored.row.number): event \(event.eventID): \(fault)")
        }
        fold.apply(event)
      }
      if batch.first > stored.stateEvent { fold.addHistoryBytes(batch.eventBytes) }
    }
    guard fold.lastEventID > 0 else { throw CorruptRun(place: "\(stored.row.number): no events") }
    if stored.state != nil { fold.restore(stored.row.details) }
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
      let last = try events(of: end, stored.row.number).last, Fold().fault(of: first) == nil,
      last.eventID > 1, last.eventID == stored.row.historyLength,
      last.endsItsRun || stored.row.kind == .activity && last.endsItsActivity
    else { throw CorruptRun(place: "\(stored.row.number): a closed run without its events") }
    let between =
      stored.row.kind == .activity
      ? try attempt(in: end, stored.row.number) : try copyEvent(of: stored)
    var fold = Fold.closed(
      first: first, between: between, last: last, historyBytes: stored.row.historySizeBytes)
    fold.restore(stored.row.details)
    return fold
  }

  /// The start of the last attempt is written with its end.
  private func attempt(in batch: StoredBatch, _ run: RunNumber) throws(CorruptRun)
    -> HistoryEvent?
  {
    #if MUTANTS
      if Mutant.isOn(.lastAttemptIsForgotten) { return nil }
    #endif
    return try events(of: batch, run).first { event in
      if case .activityTaskStarted = event.attributes { true } else { false }
    }
  }

  private func copyEvent(of stored: StoredRun) throws(CorruptRun) -> HistoryEvent? {
    guard stored.copyEvent > 1 else { return nil }
    for batch in stored.tail where (batch.first...batch.last).contains(stored.copyEvent) {
      let events = try events(of: batch, stored.row.number)
      if let event = events.first(where: { $0.eventID == stored.copyEvent }) { return event }
    }
    throw CorruptRun(place: "\(stored.row.number): a copy without event \(stored.copyEvent)")
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

  /// The run times out then, or its whole chain. While it waits for a permit, its own time rests.
  func runDeadline(_ run: Run) -> Instant? {
    let beginning: Instant? =
      switch run.permit {
      case .none: run.fold.beginning
      case .held(let since): max(run.fold.beginning, since)
      case .awaited: nil
      }
    let timeout = run.fold.started.runTimeoutMs
    let end = timeout == .zero ? nil : beginning.map { $0 + timeout }
    let chain = run.fold.started.executionExpirationTimeMs
    return chain == .epoch ? end : min(end ?? chain, chain)
  }

  /// Sets the deadlines that follow from a run's fold.
  mutating func armDeadlines(of run: Run) {
    if let end = runDeadline(run) {
      deadlines.set(.runTimeout(run.number), at: end, order: .init(run.number.value, .max))
    }
    hold(run)
    #if MUTANTS
      if Mutant.isOn(.loadedTimerIsEarly), let timer = run.fold.timers.first {
        return deadlines.set(.timer(run.number, timer.seq), at: now, order: .init(0))
      }
    #endif
    for timer in run.fold.timers { arm(timer, of: run) }
  }

  mutating func arm(_ timer: PendingTimerState, of run: Run) {
    #if MUTANTS
      if Mutant.isOn(.timerNeverFires), timer.seq % 2 == 0 { return }
      if Mutant.isOn(.timerIsEarly), timer.fireTime > now {
        return deadlines.set(.timer(run.number, timer.seq), at: now + Span(ms: 1), order: .init(0))
      }
    #endif
    deadlines.set(
      .timer(run.number, timer.seq), at: timer.fireTime,
      order: .init(run.number.value, timer.startedEvent))
  }

  // MARK: - Out of memory

  /// After each step that changed a run: looks whether it can leave, now or after a while.
  mutating func settle(_ run: Run) {
    run.restingSince = nil
    if mayWaitOutside(run) { return leaving.append((run.number, run.lastWrite)) }
    guard run.isAtRest else { return }
    guard run.fold.isOpen else { return leaving.append((run.number, run.lastWrite)) }
    run.restingSince = now
    guard !run.isInLine else { return }
    run.isInLine = true
    resting.append((run.number, since: now))
    watchResting()
  }

  /// A run that was loaded and then not changed must not stay for ever.
  mutating func settleLoaded(_ run: Run) {
    if !run.fold.isOpen, loading.parked[.workflow(run.key)] != nil {
      return loading.pinned[run.key, default: []].append(run.number)
    }
    if !run.isTouched { settle(run) }
  }

  /// Sees to it that the run that rests longest is looked at in time: after its residency, or at
  /// once while the memory is over its budget.
  private mutating func watchResting() {
    guard let first = resting.first else { return deadlines.remove(.residency) }
    let due = residentBytes > limits.residentBytesMax ? now : first.since + times.residency
    deadlines.set(.residency, at: due, order: .init(0))
  }

  /// The coldest runs become dormant: those that have rested for long enough, and as many more as
  /// the budget asks for.
  mutating func residencyDue() {
    var left = limits.deadlinesPerStepMax
    while left > 0, let first = resting.first,
      first.since + times.residency <= now || residentBytes > limits.residentBytesMax
    {
      left -= 1
      _ = resting.popFirst()
      guard let run = runs[first.run] else { continue }
      run.isInLine = false
      // One with work again is put in line anew when that is done.
      guard let since = run.restingSince, run.isAtRest, !run.isTouched else { continue }
      if since > first.since {
        run.isInLine = true
        resting.append((run.number, since: since))
      } else {
        becomeDormant(run)
      }
    }
    watchResting()
  }

  /// The state row is written, if there is anything new, and the run leaves memory once that is
  /// durable.
  private mutating func becomeDormant(_ run: Run) {
    precondition(
      run.isAtRest
        && (run.fold.canBeSaved || run.isHeld || run.isKeptBack || run.fold.isOfActivity),
      "\(run.number) has work in hand")
    uncount(run)
    // What cannot be saved is read from its events.
    let isSaved = !run.fold.canBeSaved || run.savedEvent == run.fold.lastEventID
    if run.isMarkedAwake || !isSaved {
      let deadline = nextDeadline(of: run)
      if isSaved { sleep(run, deadline: deadline) } else { save(run, deadline: deadline) }
      run.isMarkedAwake = false
      run.lastWrite = serial.next
    }
    leaving.append((run.number, run.lastWrite))
  }

  /// What wakes the run when nobody asks for it.
  func nextDeadline(of run: Run) -> Instant? {
    let timers = run.fold.timers.lazy.map(\.fireTime).min()
    let activities = run.fold.activities.lazy.compactMap { $0.deadline?.time }.min()
    // A paused run does not begin.
    let beginning = run.isHeld && run.fold.pause == nil ? run.fold.firstTaskTime : nil
    return [runDeadline(run), timers, activities, beginning].compactMap { $0 }.min()
  }

  /// What the run has missed while it was outside happens, in its order, before anything else.
  mutating func meetDeadlines(of run: Run) {
    while run.fold.isOpen, nextDeadline(of: run).map({ $0 <= now }) ?? false,
      let next = deadlines(of: run).min(by: { $0.isBefore($1) }), next.time <= now
    {
      lookAtSchedule(of: run, before: next.time)
      deadlines.remove(next.key)
      meet(next.key)
    }
  }

  private struct OwnDeadline {
    let key: Deadline
    let time: Instant
    let event: Int64

    func isBefore(_ other: OwnDeadline) -> Bool { (time, event) < (other.time, other.event) }

    #if MUTANTS
      var isEvenTimer: Bool {
        if case .timer(_, let seq) = key { seq % 2 == 0 } else { false }
      }
    #endif
  }

  private func deadlines(of run: Run) -> [OwnDeadline] {
    let number = run.number
    var all = run.fold.timers.map {
      OwnDeadline(key: .timer(number, $0.seq), time: $0.fireTime, event: $0.startedEvent)
    }
    #if MUTANTS
      if Mutant.isOn(.timerNeverFires) { all.removeAll { $0.isEvenTimer } }
    #endif
    for activity in run.fold.activities {
      guard let deadline = activity.deadline else { continue }
      let key = LeaseKey(run: number, scheduledEvent: activity.scheduledEvent)
      all.append(
        OwnDeadline(key: .activity(key), time: deadline.time, event: activity.scheduledEvent))
    }
    if let end = runDeadline(run) {
      all.append(OwnDeadline(key: .runTimeout(number), time: end, event: .max))
    }
    if run.isHeld, run.fold.pause == nil, let time = run.fold.firstTaskTime {
      all.append(OwnDeadline(key: .beginning(number), time: time, event: 0))
    }
    return all
  }

  mutating func persisted(_ serial: WriteSerial) {
    precondition(serial >= durable && serial <= self.serial, "durable beyond what was written")
    durable = serial
    if !removing.isEmpty && removingUntil <= durable { removing.removeAll() }
  }

  /// Ends a step: drops the runs whose last write is durable and that still rest.
  mutating func leave() {
    while let first = leaving.first, first.after <= durable {
      _ = leaving.popFirst()
      guard let run = runs[first.run], run.lastWrite <= durable else { continue }
      if mayWaitOutside(run) {
        goOutside(run)
      } else if run.isAtRest, !run.fold.isOpen || !run.isMarkedAwake {
        keepCached(run)
        forget(run)
      }
    }
  }

  mutating func forget(_ run: Run) {
    let number = run.number
    if !counts.isEmpty { noteForCount(run) }
    uncount(run)
    forgetWork(of: run)
    runs.removeValue(forKey: number)
    byRunID.removeValue(forKey: run.runID)
    if newest[run.key] == number { newest.removeValue(forKey: run.key) }
    deadlines.remove(.runTimeout(number))
    deadlines.remove(.beginning(number))
    for timer in run.fold.timers { deadlines.remove(.timer(number, timer.seq)) }
    for activity in run.fold.activities {
      deadlines.remove(.activity(LeaseKey(run: number, scheduledEvent: activity.scheduledEvent)))
    }
    if let session = run.cachedBy, cachers[number] == nil { uncache(run, from: session) }
    if run.fold.isOpen, let deadline = nextDeadline(of: run) {
      window.watch(
        StoredDeadline(run: number, deadline: deadline), isStored: outside[number] == nil)
    }
  }

  // MARK: - Memory

  /// Brings the run's part of the memory up to date.
  mutating func count(_ run: Run) {
    let bytes = run.footprint
    residentBytes += bytes - run.countedBytes
    run.countedBytes = bytes
    if residentBytes > limits.residentBytesMax { watchResting() }
  }

  private mutating func uncount(_ run: Run) {
    residentBytes -= run.countedBytes
    run.countedBytes = 0
  }

  // MARK: - Dormant deadlines

  /// Dormant runs whose time has come are loaded, a bounded number at once.
  mutating func wakeDormant() {
    while loading.dueLoads < limits.deadlineLoadsMax, let number = window.popDue(now) {
      wake(number)
    }
    guard let (after, countMax) = window.readOn() else { return }
    let id = load(
      .deadlines(afterDeadline: after.deadline, afterRun: after.run, countMax: countMax), .free)
    loading.purposes[id] = .deadlines
  }

  /// A run that is not in memory may have a deadline that is over.
  var mayHaveOverdue: Bool {
    !loading.purposes.isEmpty || (window.next.map { $0 <= now } ?? false)
  }

  mutating func wake(_ number: RunNumber) {
    if bring(number, .due(number)) { loading.dueLoads += 1 }
  }

  /// Brings a run into memory that nobody has asked for; false if it comes already.
  mutating func bring(_ number: RunNumber, _ purpose: Loading.Purpose) -> Bool {
    window.forget(number)
    let target = Loading.Target.run(number)
    guard runs[number] == nil, loading.parked[target] == nil else { return false }
    loading.parked[target] = ParkedInputs()
    loading.purposes[load(.run(number), .free)] = purpose
    counters.loads += 1
    return true
  }

  mutating func takeDeadlines(_ content: Loaded.Content) {
    guard case .deadlines(let stored) = content else {
      preconditionFailure("a load of deadlines was answered with something else")
    }
    window.take(stored) { runs[$0] != nil || outside[$0] != nil }
    wakeDormant()
  }
}
