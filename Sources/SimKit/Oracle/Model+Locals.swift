import Basics
import EngineCore
import Messages

/// Local activities: the worker that has the run runs them.
extension Model {
  mutating func schedule(
    _ m: ScheduleLocalActivity, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var scheduled = ActivityTaskScheduled()
    scheduled.local = true
    scheduled.seq = m.seq
    scheduled.activityID = m.activityID.isEmpty ? "\(m.seq)" : m.activityID
    scheduled.activityType = m.activityType
    scheduled.header = m.header
    scheduled.input = m.input
    scheduled.scheduleToCloseTimeoutMs = m.scheduleToCloseTimeoutMs
    scheduled.startToCloseTimeoutMs = m.startToCloseTimeoutMs
    scheduled = scheduled.filled(within: run.started.runTimeoutMs)
    scheduled.scheduleToStartTimeoutMs = .zero
    scheduled.retryPolicy = (m.retryPolicy ?? RetryPolicy()).withDefaults
    scheduled.cancellationType = m.cancellationType
    scheduled.workflowTaskCompletedEventID = completion
    scheduled.location = command.location
    run.lastSeq = m.seq
    append(.activityTaskScheduled(scheduled), to: run, metadata: command.userMetadata)
    run.activities.append(ModelActivity(run.lastEventID, scheduled, at: now))
  }

  /// The completion counts: what its activation named and what it scheduled, if it did something,
  /// is in the worker's hands.
  mutating func startLocals(
    _ named: [LocalAttempt], _ run: ModelRun, _ session: ModelSession, isEmpty: Bool = false
  ) {
    guard run.isOpen else { return }
    for place in run.activities.indices {
      let activity = run.activities[place]
      let isNew =
        !isEmpty && activity.scheduled.workflowTaskCompletedEventID == run.lastTaskCompleted
      guard activity.isLocal, activity.state == .scheduled,
        isNew || named.contains(where: { $0.seq == activity.scheduled.seq })
      else { continue }
      run.activities[place].start(session, token: [], at: now)
      // It ends with the connection.
      run.activities[place].resumeToken = []
      run.activities[place].process = nil
    }
  }

  mutating func report(_ session: ModelSession, _ m: LocalActivityDone) {
    if m.token.count > 64 {
      facts.append(.ended(session.id, .of(.invalidArgument, .fieldInvalid, field: "token")))
      return close(session.id, isGone: false)
    }
    let run = run(m.runID)
    let place = run?.activities.firstIndex {
      $0.isLocal && $0.scheduled.seq == m.seq && $0.state == .started && $0.holder == session.id
        && m.attempt >= $0.attempt
    }
    guard let run, let place else {
      let isKnown = session.reports.suffix(64).contains {
        $0.runID == m.runID && $0.seq == m.seq && $0.attempt == m.attempt
      }
      if !isKnown { return refuse(session.id, m.token) }
      return facts.append(.told(session.id, .recorded(.of(m.token))))
    }
    session.reports.append(m)
    run.activities[place].attempt = m.attempt
    let end: EndedAttempt.End =
      switch m.result {
      case .completed(let list): .completed(list.payloads)
      case .canceled(let list): .canceled(list.payloads)
      case .failed(let failure): .failed(failure)
      case nil: .failed(.of("the worker gave no reason", .application(ApplicationFailure())))
      }
    self.end(run, place, end, identity: "", details: [])
    facts.append(.told(session.id, .recorded(.of(m.token))))
  }

  /// The session does not have the run any more: what it had in hand is lost, when what has brought
  /// that about is done with.
  mutating func dropLocals(of run: ModelRun, _ session: SessionID) {
    for place in run.activities.indices
    where run.activities[place].isLocal && run.activities[place].holder == session {
      run.activities[place].holder = nil
    }
  }

  mutating func loseLocals() {
    for run in runs { loseLocals(of: run) }
  }

  mutating func loseLocals(of run: ModelRun) {
    for event in run.activities.map(\.event) {
      guard let place = run.activities.firstIndex(where: { $0.event == event }),
        run.activities[place].isLocal, run.activities[place].state == .started,
        run.activities[place].holder == nil
      else { continue }
      loseWorker(run, place, evidence: "it does not have the run any more")
    }
  }

  /// The session whose hands the run's local activities are in.
  func keeper(of run: ModelRun) -> ModelSession? {
    let local = run.activities.first { $0.isLocal && $0.holder != nil }
    return local?.holder.flatMap { session($0) }
  }

  /// It is alive, and the run stays with it.
  func keeps(_ session: ModelSession, _ run: ModelRun) -> Bool {
    keeper(of: run) === session && !session.isSilent && !session.isLate
  }
}

extension ModelRun {
  /// Those that nobody has in hand.
  var localAttempts: [LocalAttempt] {
    activities.filter { $0.isLocal && $0.state == .scheduled }.map { activity in
      var attempt = LocalAttempt()
      attempt.seq = activity.scheduled.seq
      attempt.attempt = activity.attempt
      return attempt
    }
  }

  fileprivate var lastTaskCompleted: Int64 {
    events.last { event in
      if case .workflowTaskCompleted = event.attributes { true } else { false }
    }?.eventID ?? 0
  }
}
