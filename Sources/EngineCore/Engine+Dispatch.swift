import Basics
import Messages

/// Who gets which work, in the same step in which both are there.
extension Engine {
  // MARK: - Workflow tasks

  /// Sees to it that what the run's code has not seen is shown to it, at the end of the step: so
  /// that one activation shows everything that the step brings.
  mutating func offerTask(_ run: Run) {
    release(run)
    askForPermit(run)
    guard run.task.isIdle, !run.isOffered else { return }
    updatesCameBack(to: run)
    guard run.wantsTask else {
      run.task.scheduledTime = .epoch
      return noteWork(of: run)
    }
    run.isOffered = true
    offered.append(run)
  }

  mutating func placeOffered() {
    var index = 0
    if offered.count > 1, offered.contains(where: { $0.fold.started.priority != nil }) {
      offered = offered.inOrder { $0.priority }
    }
    while index < offered.count {
      let run = offered[index]
      index += 1
      run.isOffered = false
      failQueriesWithoutServer(of: run)
      defer { noteWork(of: run) }
      guard run.wantsTask, run.task.isIdle else { continue }  // It has closed since.
      run.task.state = .waiting
      run.task.ticket = nil
      if run.task.scheduledTime == .epoch { run.task.scheduledTime = now }
      place(run)
    }
    offered.removeAll(keepingCapacity: true)
  }

  /// Gives a waiting task to a session, or to a list where it waits.
  private mutating func place(_ run: Run) {
    if !isDraining, let cached = run.cachedBy, let session = sessions[cached] {
      session.taskQueue.came(task: run.priority, at: now)
      if session.takesTasks, !isBehind(run, cached, session) { return lease(run, to: cached) }
      // Local activities in its hands would be lost with the run.
      if session.isResponsive && (!session.isDraining || run.hasLocalsInHand) {
        session.sticky.append(run.number, run.priority)
        // Also when nobody else has room now: somebody may have later.
        deadlines.set(
          .sticky(run.number), at: now + times.stickyWait, order: .init(run.number.value))
        return
      }
      return seek(run, in: session.taskQueue)
    }
    let queue = taskQueue(run.queue)
    queue.came(task: run.priority, at: now)
    seek(run, in: queue)
  }

  /// A task that is more urgent has its turn when this step's work is given out, or when its run
  /// has been loaded.
  private func isBehind(_ run: Run, _ id: SessionID, _ session: Session) -> Bool {
    guard freed.contains(id) || awaitsTask(session),
      let next = session.taskQueue.nextPriority(ofTasks: session.attach.workflowTypes)
    else { return false }
    return next < run.priority
  }

  /// To whoever has room, or into the queue.
  private mutating func seek(_ run: Run, in queue: TaskQueue) {
    if !isDraining, let session = sessionWithRoom(for: run, in: queue) {
      return lease(run, to: session)
    }
    // It may have to leave memory.
    if !run.fold.unseen.isEmpty { touch(run) }
    run.task.ticket = queue.add(
      task: run.number, type: run.workflowType, Rank(run.fold.started.priority), at: now)
    if queue.isDueForSweep { sweep(run.queue) }
    lookAgain(at: queue)
  }

  /// The queue of that name, which may be a new one.
  mutating func taskQueue(_ key: QueueKey) -> TaskQueue {
    if let queue = queues[key] { return queue }
    let queue = TaskQueue(queueLimits[key])
    queues[key] = queue
    return queue
  }

  /// Now and then takes what has ended out of a queue, and an empty one away; of a small one
  /// whenever a run has closed, since there may be as many small ones as there are names.
  mutating func sweep(_ key: QueueKey, hasClosed: Bool = false) {
    guard let queue = queues[key], queue.isDueForSweep || (hasClosed && queue.isSmall) else {
      return
    }
    queue.sweep(tasks: { stands($0) }, attempts: { stands($0) })
    if queue.takeWoken() { paced.insert(key) }
    if queue.isIdle { queues.removeValue(forKey: key) }
  }

  /// The session with the most free slots that may take the run's task; another build than the one
  /// that failed it, if there is one.
  private func sessionWithRoom(for run: Run, in queue: TaskQueue) -> SessionID? {
    var best: (id: SessionID, isOtherBuild: Bool, slots: UInt64)?
    for id in queue.sessions {
      guard let session = sessions[id], session.takesTasks, !awaitsTask(session),
        session.serves(workflow: run.workflowType),
        run.cachedBy == id || !needsReplay(run) || session.replays < limits.replaysPerSessionMax
      else { continue }
      let isOtherBuild = run.task.failedBuildID != session.attach.buildID
      let isBetter =
        best.map {
          isOtherBuild != $0.isOtherBuild ? isOtherBuild : session.workflowSlots > $0.slots
        } ?? true
      if isBetter { best = (id, isOtherBuild, session.workflowSlots) }
    }
    return best?.id
  }

  /// A session that does not cache the run has to be shown its past first.
  func needsReplay(_ run: Run) -> Bool { run.fold.lastTaskCompleted != 0 || !run.fold.isOpen }

  /// The session that caches the run had its time: whoever serves the type may take it now.
  mutating func stickyDue(_ number: RunNumber) {
    guard let run = runs[number], run.task.isWaiting else { return }
    if run.hasLocalsInHand, let cached = run.cachedBy, sessions[cached]?.isResponsive ?? false {
      #if MUTANTS
        let stays = !Mutant.isOn(.localsAreMoved)
      #else
        let stays = true
      #endif
      if stays {
        return deadlines.set(
          .sticky(number), at: now + times.stickyWait, order: .init(number.value))
      }
    }
    seek(run, in: taskQueue(run.queue))
  }

  /// A session has slots: it takes what waits, its own runs first, then those whose turn it is.
  mutating func fillTasks(_ id: SessionID) {
    guard !isDraining else { return }
    var aside: [TaskQueue.Taken<RunNumber>] = []
    while let session = sessions[id], session.takesTasks {
      let mayLook = aside.count < TaskQueue.asideMax
      if let own = takeOwn(session, mayLook: mayLook) {
        // Else it is stale.
        if let run = runs[own], run.task.isWaiting, run.cachedBy == id { lease(run, to: id) }
        continue
      }
      guard mayLook,
        let task = session.taskQueue.popTask(types: session.attach.workflowTypes)
      else { break }
      if mustWaitForReplay(task.entry, session) {
        aside.append(task)
      } else if isOutside(task.entry) {
        aside.append(task)
        break
      } else if let run = waiting(task.entry) {
        session.taskQueue.charge(task: task)
        lease(run, to: id)
      }
    }
    guard !aside.isEmpty, let session = sessions[id] else { return }
    session.taskQueue.putBack(aside)
    fetchTasks(for: session)
  }

  /// Of the tasks that wait for this session, the next one; none if one in the queue comes first.
  private func takeOwn(_ session: Session, mayLook: Bool) -> RunNumber? {
    guard let own = session.sticky.firstPriority else { return nil }
    let isFirst =
      !mayLook || own == 1
      || session.taskQueue.nextPriority(ofTasks: session.attach.workflowTypes).map { own <= $0 }
        ?? true
    return isFirst ? session.sticky.popFirst() : nil
  }

  /// The session would have to be shown the past of the entry's run first.
  func needsReplay(_ entry: TaskQueue.Entry<RunNumber>, _ session: Session) -> Bool {
    if isOutside(entry) { return outside[entry.work]?.task?.needsReplay ?? false }
    return waiting(entry).map { $0.cachedBy != session.id && needsReplay($0) } ?? false
  }

  /// That, while it is shown as much already as it may be at a time.
  func mustWaitForReplay(_ entry: TaskQueue.Entry<RunNumber>, _ session: Session) -> Bool {
    session.replays >= limits.replaysPerSessionMax && needsReplay(entry, session)
  }

  /// The run of a queue entry, if its task still waits there.
  func waiting(_ entry: TaskQueue.Entry<RunNumber>) -> Run? {
    guard let run = runs[entry.work], run.task.isWaiting, run.task.ticket == entry.ticket else {
      return nil
    }
    return run
  }

  /// What waited for the room that this step made is given out.
  mutating func fillFreed() {
    if !freed.isEmpty {
      for id in freed.sorted() {
        fillTasks(id)
        fillActivities(id)
      }
      freed.removeAll(keepingCapacity: true)
    }
    guard !paced.isEmpty else { return }
    for key in paced.sorted() { fillPaced(key) }
    paced.removeAll(keepingCapacity: true)
  }

  /// The task goes to the session: live if it has the run, else after a replay.
  private mutating func lease(_ run: Run, to id: SessionID) {
    deadlines.remove(.sticky(run.number))
    if let other = run.cachedBy, other != id {
      evict(run, .moved, "another worker takes the run")
      loseLocals(of: run)
      guard run.task.isWaiting else { return }  // The run has closed by it.
    }
    if let session = sessions[id] {
      session.workflowSlots -= 1
      session.tasksOut.insert(run.number)
      session.taskQueue.went(task: run.priority, at: now)
    }
    taskSerial += 1
    counters.workflowTasks += 1
    run.task.state = .out(
      WorkflowTask.Lease(
        serial: taskSerial, session: id, purpose: run.wantsActivation ? .activation : .query,
        scheduledTime: run.task.scheduledTime, startedTime: now, deadline: now + run.taskTimeout))
    restartTaskTimeout(run)
    if run.cachedBy == id || !needsReplay(run) {
      goLive(run)
    } else {
      startReplay(run, id)
    }
  }

  /// The whole time for an answer begins anew.
  mutating func restartTaskTimeout(_ run: Run) {
    let deadline = now + run.taskTimeout
    run.task.withLease { $0.deadline = deadline }
    deadlines.set(.task(run.number), at: deadline, order: .init(run.number.value))
  }

  /// Sends the live activation: what is new, or the queries that wait.
  mutating func goLive(_ run: Run) {
    // What the code is to be shown may have come during a replay for a query, which sees what was
    // acknowledged before; or the updates that it was for may have been given up.
    let purpose = run.wantsActivation ? WorkflowTask.Purpose.activation : .query
    run.task.withLease { $0.purpose = purpose }
    // Queries wait behind it now, perhaps for nobody.
    if purpose == .activation { failQueriesWithoutServer(of: run) }
    guard let lease = run.task.lease else { preconditionFailure("no task is out to go live") }
    var activation = Activation()
    activation.token = TaskToken(epoch: epoch, serial: lease.serial, run: run.number).bytes
    activation.namespace = run.key.namespace
    activation.taskQueue = run.fold.started.taskQueue
    activation.runID = run.runID
    activation.workflowID = run.key.workflowID
    activation.workflowType = run.workflowType
    activation.attempt = run.task.attempt
    activation.taskTimeoutMs = run.taskTimeout
    let shown = fill(&activation, run, lease)
    run.task.withLease { $0.shown = shown }
    run.cachedBy = lease.session
    sessions[lease.session]?.cached.insert(run.number)
    var message = EngineMessage()
    message.kind = .activation(activation)
    send(.worker(lease.session, message), .free)
    count(taskBytes: bytes(of: activation, run), for: lease.session, .free)
  }

  /// About what it takes; more, where not all that is unseen fits it.
  private func bytes(of activation: Activation, _ run: Run) -> Int {
    let asked = run.queries.prefix(activation.jobs.count).reduce(0) { $0 + $1.query.args.bytes }
    return run.fold.unseen.bytes + asked + run.updates.reduce(0) { $0 + $1.placed.bytes }
  }

  private func fill(
    _ activation: inout Activation, _ run: Run, _ lease: WorkflowTask.Lease
  ) -> WorkflowTask.Shown {
    var shown = WorkflowTask.Shown()
    shown.historyLength = run.fold.lastEventID
    shown.historyBytes = run.fold.historyBytes
    shown.continueAsNewSuggested =
      shown.historyLength >= limits.historyEventsSuggested
      || shown.historyBytes >= limits.historyBytesSuggested
    switch lease.purpose {
    case .activation:
      let asked = run.updates.filter { !$0.isAdmitted }
      let next = run.fold.unseen.next(
        bytesMax: limits.activationBytesMax, with: asked.map(\.placed))
      activation.jobs = next.jobs
      name(run.fold.activities.filter { $0.isLocal && $0.canStart }, &activation, &shown)
      shown.through = next.through ?? run.fold.lastEventID
      shown.hasEvents = next.hasEvents
      shown.updates = next.admitted + asked.prefix(next.updates).map(\.request.updateID)
      shown.activationTime = max(now, run.fold.activationTime)
    case .query:
      let asked = run.queries.prefix(fitting: limits.activationBytesMax)
      activation.jobs = asked.map { Job(asking: $0) }
      shown.queries = asked.map(\.id)
      shown.through = run.fold.through
      // Of a closed run that was loaded only the borders are known; its replay told the time.
      shown.activationTime = max(run.fold.activationTime, run.replayedTime)
    }
    activation.throughEventID = shown.through
    activation.activationTimeMs = shown.activationTime
    activation.historyLength = shown.historyLength
    activation.historySizeBytes = shown.historyBytes
    activation.continueAsNewSuggested = shown.continueAsNewSuggested
    return shown
  }

  /// Local activities that are to be run, from the completion on.
  private func name(
    _ locals: [Activity], _ activation: inout Activation, _ shown: inout WorkflowTask.Shown
  ) {
    shown.locals = locals.map(\.scheduledEvent)
    activation.localAttempts = locals.map { local in
      var attempt = LocalAttempt()
      attempt.seq = local.scheduled.seq
      attempt.attempt = local.attempt
      #if MUTANTS
        if Mutant.isOn(.localAttemptsRepeat) { attempt.attempt = 1 }
      #endif
      return attempt
    }
  }

  // MARK: - Caches

  /// Tells the session that caches the run to drop it.
  mutating func evict(_ run: Run, _ reason: EvictReason, _ text: String) {
    guard let id = run.cachedBy ?? run.task.lease?.session else { return }
    uncache(run, from: id)
    sendEvict(run.runID, to: id, reason, text)
  }

  mutating func sendEvict(
    _ runID: RunID, to id: SessionID, _ reason: EvictReason, _ text: String
  ) {
    var evict = Evict()
    evict.runID = runID
    evict.reason = reason
    evict.message = text
    var message = EngineMessage()
    message.kind = .evict(evict)
    send(.worker(id, message), .free)
  }

  /// A session that takes nothing new serves nobody.
  func hasServer(workflow type: String, on queue: QueueKey) -> Bool {
    queues[queue]?.sessions.contains { id in
      sessions[id].map { $0.serves(workflow: type) && !$0.isDraining } ?? false
    } ?? false
  }

  func hasServer(activity type: String, on queue: QueueKey) -> Bool {
    queues[queue]?.sessions.contains { id in
      sessions[id].map { $0.serves(activity: type) && !$0.isDraining } ?? false
    } ?? false
  }

  mutating func uncache(_ run: Run, from id: SessionID) {
    run.cachedBy = nil
    sessions[id]?.cached.remove(run.number)
    dropLocals(of: run)
  }

  /// The run leaves memory: its worker still has it, unless that keeps very many.
  mutating func keepCached(_ run: Run) {
    guard let id = run.cachedBy else { return }
    guard let session = sessions[id], session.cachedDormant.count < limits.cachedDormantMax else {
      return uncache(run, from: id)
    }
    session.cachedDormant[run.runID] = run.number
    cachers[run.number] = id
  }

  /// It is back: what its code has not seen is all that it has to be shown.
  mutating func findCached(_ run: Run) {
    guard let id = cachers.removeValue(forKey: run.number) else { return }
    sessions[id]?.cachedDormant.removeValue(forKey: run.runID)
    run.cachedBy = id
  }

  mutating func uncache(dormant runID: RunID, from id: SessionID) {
    guard let number = sessions[id]?.cachedDormant.removeValue(forKey: runID) else { return }
    sessions[id]?.cached.remove(number)
    cachers.removeValue(forKey: number)
  }

  // MARK: - Activities

  /// An attempt waits: to a session that serves its type, or into the queue.
  mutating func offerActivity(_ scheduledEvent: Int64, of run: Run) {
    guard let index = run.fold.activityIndex(scheduledEvent: scheduledEvent) else { return }
    let activity = run.fold.activities[index]
    if activity.isLocal {
      armActivity(run, index)
      return offerTask(run)
    }
    // It is offered again when the run goes on.
    if run.isKeptBack && !pauseIsIgnored { return armActivity(run, index) }
    if !activity.canStart && !(activityPauseIsIgnored && activity.phase == .queued) {
      return armActivity(run, index)
    }
    let key = run.queueKey(of: activity)
    let queue = taskQueue(key)
    let priority = activity.scheduled.priority
    queue.came(attempt: priority?.level ?? Rank.plain.priority, at: now)
    var best: (id: SessionID, slots: UInt64)?
    if !isDraining && queue.pacing == nil {
      for id in queue.sessions {
        guard let session = sessions[id], session.takesActivities,
          session.serves(activity: activity.scheduled.activityType), !hasAttempt(before: session),
          session.activitySlots > best?.slots ?? 0
        else { continue }
        best = (id, session.activitySlots)
      }
    }
    if let best {
      startAttempt(of: run, index, on: best.id)
    } else {
      armActivity(run, index)
      touch(run)  // It may have to leave memory.
      #if MUTANTS
        if Mutant.isOn(.attemptIsForgotten), activity.row.attempt == 2 { return }
      #endif
      let lease = LeaseKey(run: run.number, scheduledEvent: scheduledEvent)
      run.fold.activities[index].ticket = queue.add(
        attempt: TaskQueue.Attempt(lease: lease, attempt: activity.row.attempt),
        type: activity.scheduled.activityType, Rank(priority), at: now)
      if queue.isDueForSweep { sweep(key) }
      lookAgain(at: queue)
      if queue.pacing != nil { paced.insert(key) }
    }
  }

  private var pauseIsIgnored: Bool {
    #if MUTANTS
      return Mutant.isOn(.pausedRunsGoOn)
    #else
      return false
    #endif
  }

  private var activityPauseIsIgnored: Bool {
    #if MUTANTS
      return Mutant.isOn(.pausedActivitiesGoOn)
    #else
      return false
    #endif
  }

  /// A session has activity slots: it takes the attempts that it serves and whose turn it is.
  mutating func fillActivities(_ id: SessionID) {
    while takeAttempt(id) {}
  }

  /// The session takes the next attempt; false if there is none for it now.
  mutating func takeAttempt(_ id: SessionID) -> Bool {
    guard !isDraining, let session = sessions[id], session.takesActivities else { return false }
    if awaitsAttempt(session) {
      fetchAttempts(for: session)
      watchPace(of: session.taskQueue, session.queue)
      return false
    }
    let queue = session.taskQueue
    guard let next = queue.popAttempt(types: session.attach.activityTypes, at: now) else {
      watchPace(of: queue, session.queue)
      return false
    }
    if let (run, index) = waiting(next.entry) {  // Else it is stale.
      queue.charge(attempt: next, at: now)
      startAttempt(of: run, index, on: id)
    }
    return true
  }

  /// The activity of a queue entry, if that attempt still waits.
  func waiting(_ entry: TaskQueue.Entry<TaskQueue.Attempt>) -> (run: Run, index: Int)? {
    guard let run = runs[entry.work.lease.run], !run.isKeptBack,
      let index = run.fold.activityIndex(scheduledEvent: entry.work.lease.scheduledEvent),
      run.fold.activities[index].canStart || activityPauseIsIgnored,
      run.fold.activities[index].phase == .queued,
      run.fold.activities[index].row.attempt == entry.work.attempt,
      run.fold.activities[index].ticket == entry.ticket
    else { return nil }
    return (run, index)
  }

  /// The start of an attempt is durable before its task leaves.
  private mutating func startAttempt(of run: Run, _ index: Int, on id: SessionID) {
    guard let session = sessions[id] else { preconditionFailure("\(id) is gone") }
    run.fold.activities[index].start(
      at: now, session: id, holder: session.holder, branch: branch)
    let activity = run.fold.activities[index]
    let key = LeaseKey(run: run.number, scheduledEvent: activity.scheduledEvent)
    session.activitySlots -= 1
    session.leases.insert(key)
    session.taskQueue.went(
      attempt: activity.scheduled.priority?.level ?? Rank.plain.priority, at: now)
    counters.activityAttempts += 1
    changed(run, index)
    var message = EngineMessage()
    message.kind = .activityTask(task(for: activity, of: run))
    #if MUTANTS
      if Mutant.isOn(.attemptLeavesEarly) { return send(.worker(id, message), .free) }
      if Mutant.isOn(.leaseGoesToAll) {
        for other in sessions.keys.sorted() where other != id {
          send(.worker(other, message), .run(run))
        }
      }
    #endif
    send(.worker(id, message), .run(run))
    let scheduled = activity.scheduled
    let bytes = scheduled.input.bytes + (scheduled.header?.bytes ?? 0)
    count(taskBytes: bytes + activity.row.heartbeatDetails.bytes, for: id, .run(run))
  }

  private func task(for activity: Activity, of run: Run) -> ActivityTask {
    let scheduled = activity.scheduled
    var task = ActivityTask()
    task.token = run.token(of: activity).bytes
    task.namespace = run.key.namespace
    task.runID = run.runID
    task.nameWorkflow(of: run)
    task.activityID = scheduled.activityID
    task.activityType = scheduled.activityType
    task.taskQueue = activity.taskQueue
    task.attempt = activity.attempt
    task.header = scheduled.header
    task.input = scheduled.input
    task.heartbeatDetails = activity.row.heartbeatDetails
    task.scheduledTimeMs = activity.scheduledTime
    task.currentAttemptScheduledTimeMs = activity.row.attemptScheduledTimeMs
    task.startedTimeMs = activity.row.startedTimeMs
    task.scheduleToCloseTimeoutMs = activity.scheduleToCloseTimeout
    task.startToCloseTimeoutMs = activity.startToCloseTimeout
    task.heartbeatTimeoutMs = activity.heartbeatTimeout
    task.retryPolicy = activity.retryPolicy
    task.idempotencyKey = "\(run.runID)/\(activity.scheduledEvent)"
    task.priority = scheduled.priority
    return task
  }

  /// The activity's row changed: it is written when the step ends, and its deadline is set anew.
  mutating func changed(_ run: Run, _ index: Int) {
    let activity = run.fold.activities[index]
    if !run.changedActivities.contains(activity.scheduledEvent) {
      run.changedActivities.append(activity.scheduledEvent)
    }
    touch(run)
    armActivity(run, index)
  }

  mutating func armActivity(_ run: Run, _ index: Int) {
    let activity = run.fold.activities[index]
    let key = LeaseKey(run: run.number, scheduledEvent: activity.scheduledEvent)
    if let deadline = activity.deadline {
      deadlines.set(
        .activity(key), at: deadline.time,
        order: .init(run.number.value, activity.scheduledEvent))
    } else {
      deadlines.remove(.activity(key))
    }
  }
}

extension Run {
  func token(of activity: Activity) -> ActivityToken {
    ActivityToken(
      run: number, runID: runID, scheduledEvent: activity.scheduledEvent,
      attempt: activity.row.attempt, branch: activity.row.branch)
  }
}
