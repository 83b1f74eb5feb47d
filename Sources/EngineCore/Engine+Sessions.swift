import Basics
import Messages

/// Workers that come, answer and go.
extension Engine {
  mutating func openSession(_ id: SessionID, _ attach: Attach, _ process: ProcessIdentity?) {
    precondition(sessions[id] == nil, "\(id) opens twice")
    if let status = fault(in: attach) { return send(.endSession(id, status), .engine) }
    let key = QueueKey(namespace: attach.namespace.orDefault, name: attach.taskQueue)
    let queue = taskQueue(key)
    queue.sessions.append(id)
    sessions[id] = Session(
      id: id, attach: attach, queue: key, taskQueue: queue, process: process, attachedTime: now)
    if let old = sessionByResumeToken[attach.resumeToken] {
      // The worker is back before the end of its old connection was seen. What it still holds must
      // wait for it when it names it below.
      endSession(
        old,
        .refusal(.aborted, .staleLease, "the worker has attached again with its resume token"))
    }
    var attached = Attached()
    attached.sessionID = id.description
    attached.resumeWindowMs = times.resumeWindow
    attached.lostLeases = lostLeases(of: attach)
    var message = EngineMessage()
    message.kind = .attached(attached)
    send(.worker(id, message), .engine)
    resume(attach, in: id)
    if !attach.resumeToken.isEmpty { sessionByResumeToken[attach.resumeToken] = id }
    if isDraining { sendDrain(to: id) }
  }

  private func fault(in attach: Attach) -> Status? {
    if attach.taskQueue.isEmpty { return .missing("task_queue") }
    if let status = namespaceFault(attach.namespace) { return status }
    if let status = idFault(attach.taskQueue, "task_queue") { return status }
    if let status = first(
      idFault(attach.identity, "identity"), idFault(attach.buildID, "build_id"),
      idFault(attach.sdkName, "sdk_name"), idFault(attach.sdkVersion, "sdk_version"))
    {
      return status
    }
    if attach.resumeToken.count > 64 { return .invalid("resume_token", "more than 64 bytes") }
    for type in attach.workflowTypes + attach.activityTypes {
      if let status = idFault(type, "workflow_types or activity_types") { return status }
    }
    return nil
  }

  /// A worker of the type has come: a failing task is tried again at once. Not before it has slots,
  /// else the workers that failed the task would get it.
  private mutating func endBackOffs(for id: SessionID) {
    guard let session = sessions[id], !session.hasBegun, session.workflowSlots > 0 else { return }
    sessions[id]?.hasBegun = true
    for number in failing.sorted() {
      guard let run = runs[number], case .backingOff = run.task.state,
        run.queue == session.queue, session.serves(workflow: run.workflowType)
      else { continue }
      failing.remove(number)
      deadlines.remove(.task(run.number))
      run.task.state = .idle
      offerTask(run)
    }
  }

  mutating func addSlots(_ id: SessionID, _ grant: Grant) {
    sessions[id]?.workflowSlots += UInt64(grant.workflowSlots)
    sessions[id]?.activitySlots += UInt64(grant.activitySlots)
    // A worker that was too late drops what it is told to evict, and only gives the slot back.
    if grant.workflowSlots > 0 { sessionAnswered(id) }
    endBackOffs(for: id)
    if grant.workflowSlots > 0 { fillTasks(id) }
    if grant.activitySlots > 0 { fillActivities(id) }
  }

  /// The session has answered for a workflow task, or given a slot back: it is alive.
  mutating func sessionAnswered(_ id: SessionID) {
    guard sessions[id]?.isUnresponsive ?? false else { return }
    sessions[id]?.isUnresponsive = false
    fillTasks(id)
  }

  /// Counts a task that leaves for the session: one with many slots is sent no more at once than
  /// its connection may hold.
  mutating func count(taskBytes bytes: Int, for id: SessionID, _ gate: Gate) {
    guard let session = sessions[id], !session.isFull else { return }
    session.unreadTaskBytes += 256 + bytes
    guard session.unreadTaskBytes >= limits.unreadTaskBytesMax else { return }
    session.isFull = true
    send(.awaitRoom(id), gate)
  }

  mutating func makeRoom(_ id: SessionID) {
    guard let session = sessions[id] else { return }  // It ended meanwhile.
    session.unreadTaskBytes = 0
    session.isFull = false
    fillTasks(id)
    fillActivities(id)
  }

  /// The worker's connection is up, but nobody answers at its other end, or does so again.
  mutating func setSilent(_ id: SessionID, _ isSilent: Bool) {
    sessions[id]?.isSilent = isSilent
    if isSilent {
      dropCache(of: id)
    } else {
      fillTasks(id)
      fillActivities(id)
    }
  }

  mutating func evicted(_ id: SessionID, _ evicted: Evicted) {
    sessionAnswered(id)
    for runID in evicted.runIDs {
      uncache(dormant: runID, from: id)
      guard let number = byRunID[runID], let run = runs[number], run.cachedBy == id else {
        continue
      }
      uncache(run, from: id)
      // The activation that is on its way meets a worker without the run: it goes out again.
      if let lease = run.task.lease, lease.session == id, lease.replay == nil { requeue(run) }
    }
  }

  /// The task goes out again at once; that is nobody's failure.
  private mutating func requeue(_ run: Run) {
    endTask(run)
    resumeParked(run)
    offerTask(run)
    settle(run)
  }

  /// A session that does not answer loses its cache.
  mutating func dropCache(of id: SessionID) {
    let dormant = sessions[id]?.cachedDormant ?? [:]
    for (runID, _) in dormant.sorted(by: { $0.value < $1.value }) {
      uncache(dormant: runID, from: id)
      sendEvict(runID, to: id, .moved, "the worker does not answer")
    }
    for number in (sessions[id]?.cached ?? []).sorted() {
      guard let run = runs[number] else { continue }
      if run.task.lease == nil {
        evict(run, .moved, "the worker does not answer")
        if case .waiting = run.task.state {
          run.task.state = .idle
          offerTask(run)
        }
      }
    }
  }

  /// The session takes nothing new any more.
  mutating func detach(_ id: SessionID) {
    sessions[id]?.isDraining = true
    failQueriesWithoutServer()
  }

  mutating func endSession(_ id: SessionID, _ status: Status) {
    send(.endSession(id, status), .engine)
    closeSession(id, isGone: false)
  }

  /// The session has ended. `isGone`: its process is known to be dead.
  mutating func closeSession(_ id: SessionID, isGone: Bool) {
    guard let session = sessions.removeValue(forKey: id) else { return }
    session.taskQueue.sessions.removeAll { $0 == id }
    if session.taskQueue.isIdle { queues.removeValue(forKey: session.queue) }
    if sessionByResumeToken[session.attach.resumeToken] == id {
      sessionByResumeToken.removeValue(forKey: session.attach.resumeToken)
    }
    for key in session.leases.sorted() { orphan(key, canResume: !isGone && session.canResume) }
    for number in session.cached.sorted() {
      guard let run = runs[number] else { continue }
      run.cachedBy = nil
      dropLocals(of: run)
    }
    for number in session.cachedDormant.values { cachers.removeValue(forKey: number) }
    for number in session.tasksOut.sorted() {
      if let run = runs[number] { requeue(run) }
    }
    for number in session.sticky.elements {
      guard let run = runs[number], case .waiting = run.task.state else { continue }
      deadlines.remove(.sticky(number))
      run.task.state = .idle
      offerTask(run)
    }
    endReplays(askedOf: id)
    failQueriesWithoutServer()
  }

  mutating func processGone(_ process: ProcessIdentity) {
    let ended = sessions.values.filter { $0.process == process }.map(\.id).sorted()
    for id in ended { closeSession(id, isGone: true) }
    for key in orphans.sorted() {
      guard let run = runs[key.run],
        let index = run.fold.activityIndex(scheduledEvent: key.scheduledEvent),
        run.fold.activities[index].row.holder?.processIdentity == process
      else { continue }
      loseWorker(run, index, evidence: "its process has ended")
    }
  }

  mutating func drain() {
    isDraining = true
    for id in sessions.keys.sorted() { sendDrain(to: id) }
    failQueriesWithoutServer()
    refuseUpdatesOfAll()
  }

  private mutating func sendDrain(to id: SessionID) {
    var drain = Drain()
    drain.reason = "the engine is going away"
    var message = EngineMessage()
    message.kind = .drain(drain)
    send(.worker(id, message), .engine)
  }
}

extension Session {
  /// Without a resume token nobody can come back for the leases.
  var canResume: Bool { !attach.resumeToken.isEmpty }
}
