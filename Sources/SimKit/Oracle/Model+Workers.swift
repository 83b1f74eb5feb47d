import Basics
import EngineCore
import Messages

/// A worker's attachment.
final class ModelSession {
  let id: SessionID
  let attach: Attach
  let process: ProcessIdentity?
  let attachedTime: Instant
  var workflowSlots: UInt32 = 0
  var activitySlots: UInt32 = 0
  /// The runs whose code it holds, up to their last recorded task.
  var cache: Set<RunID> = []
  /// It has had slots for workflow tasks.
  var hasBegun = false
  var isDraining = false
  var isSilent = false
  /// It let a task time out, and has not been heard of workflow tasks since.
  var isLate = false
  /// Of local activities that counted.
  var reports: [LocalActivityDone] = []

  init(_ id: SessionID, _ attach: Attach, _ process: ProcessIdentity?, at now: Instant) {
    self.id = id
    self.attach = attach
    self.process = process
    attachedTime = now
  }

  /// Without a resume token nobody can come back for the leases.
  var canResume: Bool { !attach.resumeToken.isEmpty }

  func serves(_ run: ModelRun) -> Bool {
    attach.taskQueue == run.started.taskQueue
      && attach.workflowTypes.contains(run.started.workflowType)
  }

  func serves(_ activity: ModelActivity) -> Bool {
    attach.taskQueue == activity.scheduled.taskQueue
      && attach.activityTypes.contains(activity.scheduled.activityType)
  }
}

/// What workers say.
extension Model {
  func session(_ id: SessionID) -> ModelSession? { sessions.first { $0.id == id } }

  mutating func open(_ id: SessionID, _ attach: Attach, _ process: ProcessIdentity?) {
    // The worker is back before the end of its old connection was seen.
    let old = sessions.first { $0.attach.resumeToken == attach.resumeToken && $0.canResume }
    let session = ModelSession(id, attach, process, at: now)
    sessions.append(session)
    noteAttendance()
    if let old {
      facts.append(.ended(old.id, .of(.aborted, .staleLease)))
      close(old.id, isGone: false)
    }
    var attached = Attached()
    attached.sessionID = "\(id)"
    attached.resumeWindowMs = times.resumeWindow
    var lost = attach.heldLeases
    for run in runs {
      for (place, activity) in run.activities.enumerated() {
        guard activity.state == .started, activity.resumeToken == attach.resumeToken,
          !attach.resumeToken.isEmpty
        else { continue }
        lost.removeAll { $0 == activity.token }
        guard activity.orphanUntil != nil else { continue }
        if attach.heldLeases.contains(activity.token) {
          run.activities[place].holder = id
          run.activities[place].orphanUntil = nil
          if activity.isCancelRequested {
            tell(id, activity.token, .cancelled)
          } else if activity.pause != nil {
            tell(id, activity.token, .paused)
          } else if activity.isReset {
            tell(id, activity.token, .reset)
          }
        } else {
          run.activities[place].sendAgain(at: now)
        }
      }
    }
    facts.append(.told(id, .attached(attached)))
    for token in lost { tell(id, token, .notFound) }
    if isDraining { facts.append(.told(id, .drain(Drain()))) }
  }

  /// The engine goes away: no new tasks, no new runs; what is out may be answered.
  mutating func drain() {
    isDraining = true
    for session in sessions { facts.append(.told(session.id, .drain(Drain()))) }
  }

  /// Whoever comes may do better with a task that fails, once there is a slot for it.
  private func begin(_ session: ModelSession) {
    guard !session.hasBegun, session.workflowSlots > 0 else { return }
    session.hasBegun = true
    for run in runs where session.serves(run) {
      if case .waiting(let notBefore) = run.task.state, notBefore > now {
        run.task.state = .waiting(notBefore: now)
      }
    }
  }

  /// `isGone`: its process has ended, so nobody will come back.
  mutating func close(_ id: SessionID, isGone: Bool) {
    guard let session = session(id) else { return }
    sessions.removeAll { $0.id == id }
    noteAttendance()
    for run in runs {
      if run.task.session == id {
        if run.task.isForQueries {
          run.task = run.task.next
        } else {
          run.task.offerAgain(at: now)
        }
        for place in run.queries.indices { run.queries[place].queryID = nil }
        endRedo(run)
      }
      dropLocals(of: run, id)
      for event in run.activities.filter({ $0.holder == id }).map(\.event) {
        guard let place = run.activities.firstIndex(where: { $0.event == event }) else { continue }
        run.activities[place].holder = nil
        if isGone || !session.canResume {
          loseWorker(run, place, evidence: "its process or connection has ended")
        } else {
          run.activities[place].orphanUntil = now + times.resumeWindow
        }
      }
    }
  }

  /// What waited for the process to come back waits no longer.
  mutating func end(_ process: ProcessIdentity) {
    for session in sessions where session.process == process { close(session.id, isGone: true) }
    for run in runs {
      for event in run.activities.map(\.event) {
        guard let place = run.activities.firstIndex(where: { $0.event == event }),
          run.activities[place].orphanUntil != nil, run.activities[place].process == process
        else { continue }
        loseWorker(run, place, evidence: "its process has ended")
      }
    }
  }

  /// Who was late is given tasks again before what it has answered takes effect.
  private mutating func endLateness(of session: ModelSession) {
    if session.isLate { isStepwise = true }
    session.isLate = false
  }

  mutating func hear(_ id: SessionID, _ kind: WorkerMessage.Kind) {
    guard let session = session(id) else { return }
    switch kind {
    case .attach: facts.append(.ended(id, .of(.invalidArgument, .protocolViolation)))
    case .grant(let m):
      session.workflowSlots += m.workflowSlots
      session.activitySlots += m.activitySlots
      if m.workflowSlots > 0 { session.isLate = false }
      begin(session)
    case .workflowTaskCompleted(let m):
      endLateness(of: session)
      complete(session, m)
    case .replayCompleted(let m):
      endLateness(of: session)
      completeReplay(session, m)
    case .activityCompleted(let m): report(id, m.token, .completed(m.result))
    case .activityFailed(let m):
      report(
        id, m.token, .failed(m.failure ?? Failure()), details: m.lastHeartbeatDetails)
    case .reportActivityCancelled(let m): report(id, m.token, .canceled(m.details))
    case .willCompleteElsewhere(let m): willCompleteElsewhere(id, m.token)
    case .heartbeat(let m): heartbeat(id, m)
    case .localActivityDone(let m): report(session, m)
    case .evicted(let m):
      for id in m.runIDs {
        session.cache.remove(id)
        if let run = run(id) { dropLocals(of: run, session.id) }
      }
    case .detach:
      session.isDraining = true
    }
  }
}

extension ModelActivity {
  /// The attempt never reached its worker.
  mutating func sendAgain(at now: Instant) {
    endLease()
    endWishes()
    identity = failedAttempts.last?.identity ?? ""
    queue(at: now)
    attemptScheduledTime = now
  }
}
