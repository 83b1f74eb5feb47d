import Basics
import EngineCore
import Messages

/// Workflow tasks: who may have them, what they show, and what comes of their answers.
extension Model {
  // MARK: - The engine's choices

  /// The engine gives a task to a session, or takes a run from it. Whom it chooses is its own
  /// matter, what the message holds is not. True if the message was such a choice.
  mutating func take(_ session: SessionID, _ kind: EngineMessage.Kind) -> Bool {
    switch kind {
    case .activation, .replayHistory:
      guard let place = shown.firstIndex(where: { $0.task == kind }) else { return true }
      shown.remove(at: place)
      show(session, kind)
    case .activityTask(let m):
      guard let place = given.firstIndex(where: { $0.task == m }) else { return true }
      given.remove(at: place)
      start(session, m)
    case .evict(let m): return takeAway(session, m)
    case .attached, .activityCancel, .recorded, .refused, .drain: return false
    }
    return true
  }

  private mutating func show(_ session: SessionID, _ kind: EngineMessage.Kind) {
    switch kind {
    case .activation(let m): show(session, m)
    case .replayHistory(let m): replay(session, m)
    default: break
    }
  }

  private mutating func show(_ id: SessionID, _ m: Activation) {
    guard let run = runToShow(m.runID), let session = session(id) else {
      return objections.append("\(id) is given a task of \(m.runID), of which nothing is known")
    }
    defer { endLate(run, id) }
    if run.task.isReplaying, run.task.session == id, run.task.token == m.token {
      run.task.isReplaying = false
      // Queries that wait are asked after what has come meanwhile.
      run.task.isForQueries = !hasNews(run, m)
      if !run.task.isForQueries { failQueriesWithoutServer() }
    } else if mayTake(session, run) {
      if run.hasPast && !session.cache.contains(run.id) {
        objections.append("\(id) does not know the past of \(run.id)")
      }
      hand(run, session, m.token)
      run.task.isForQueries = !hasNews(run, m)
    }
    run.task.deadline = now + run.started.taskTimeoutMs
    let activation =
      run.task.isForQueries
      ? activation(asking: run, like: m)
      : activation(
        of: run, m.token, length: length(run, m), asking: asked(run, m), locals: locals(run, m))
    if m != activation {
      facts.append(.told(id, .activation(activation)))
      unmatched.append(.told(id, .activation(m)))
    }
    run.task.activation = activation
    if !run.task.isForQueries { run.task.asked = asked(run, m).map(\.update.updateID) }
  }

  /// One that has no task by now may have been given away before it was closed.
  private func runToShow(_ id: RunID) -> ModelRun? {
    if let run = run(id), run.task.state != .none { return run }
    return closedLate[id] ?? run(id)
  }

  /// Its task was given away, and then the run was closed.
  private mutating func endLate(_ run: ModelRun, _ session: SessionID) {
    guard closedLate[run.id] === run else { return }
    closedLate[run.id] = nil
    evict(run, session, .closed)
  }

  /// Of the history, as it was when the activation left.
  func length(_ run: ModelRun, _ m: Activation) -> Int64 {
    isStepwise ? min(max(m.historyLength, run.through), run.lastEventID) : run.lastEventID
  }

  /// True if it showed the code something.
  private func hasNews(_ run: ModelRun, _ m: Activation) -> Bool {
    run.isOpen && !run.isKeptBack
      && !(run.inbound(after: run.through, through: length(run, m)).isEmpty
        && asked(run, m).isEmpty && locals(run, m).isEmpty)
  }

  /// The local activities that it names: those that waited when it left.
  private func locals(_ run: ModelRun, _ m: Activation) -> [LocalAttempt] {
    isStepwise ? m.localAttempts : run.localAttempts
  }

  /// The updates that it asks for: those that had come when it left.
  private func asked(_ run: ModelRun, _ m: Activation) -> [ModelUpdate] {
    let count = m.jobs.count { if case .doUpdate = $0.kind { true } else { false } }
    return Array(isStepwise ? run.updates.prefix(count) : run.updates[...])
  }

  private mutating func hand(_ run: ModelRun, _ session: ModelSession, _ token: [UInt8]) {
    objectToOrder(run, session)
    if !taskTokens.insert(token).inserted {
      objections.append("the token of a task of \(run.id) was another task's before")
    }
    for other in sessions where other !== session { other.cache.remove(run.id) }
    session.workflowSlots -= min(session.workflowSlots, 1)
    session.cache.insert(run.id)
    run.task.state = .out(session.id, token: token)
    run.task.isForQueries = !run.hasNews
    run.task.startedTime = now
  }

  private mutating func mayTake(_ session: ModelSession, _ run: ModelRun) -> Bool {
    guard case .waiting(let notBefore) = run.task.state else {
      objections.append("\(run.id) has no task that waits")
      return false
    }
    if notBefore > now { objections.append("the task of \(run.id) backs off") }
    if !session.serves(run) || isDraining || session.isDraining || session.isSilent
      || session.workflowSlots == 0
    {
      objections.append("\(session.id) may not take a task of \(run.id)")
    }
    return true
  }

  /// `length`: of the history as it was then.
  func activation(
    of run: ModelRun, _ token: [UInt8], length: Int64, asking updates: [ModelUpdate] = [],
    locals: [LocalAttempt] = []
  ) -> Activation {
    var activation = Activation()
    activation.token = token
    activation.runID = run.id
    activation.workflowID = run.workflowID
    activation.workflowType = run.started.workflowType
    activation.activationTimeMs = now
    activation.jobs = run.jobs(
      run.inbound(after: run.through, through: length),
      updates.filter { !$0.isAdmitted }.map { (DoUpdate($0.update), $0.after) })
    activation.throughEventID = length
    activation.historyLength = length
    activation.continueAsNewSuggested = length >= limits.historyEventsSuggested
    activation.attempt = run.task.attempt
    activation.taskTimeoutMs = run.started.taskTimeoutMs
    activation.namespace = "default"
    activation.taskQueue = run.started.taskQueue
    activation.localAttempts = locals
    return activation
  }

  private mutating func replay(_ id: SessionID, _ m: ReplayHistory) {
    guard let run = runToShow(m.runID), let session = session(id), mayTake(session, run) else {
      return objections.append("\(id) is shown a history for which there is no reason")
    }
    defer { endLate(run, id) }
    hand(run, session, m.token)
    run.task.isReplaying = true
    run.task.deadline = now + run.started.taskTimeoutMs
    var replay = ReplayHistory()
    replay.token = m.token
    replay.runID = run.id
    replay.workflowID = run.workflowID
    replay.workflowType = run.started.workflowType
    replay.activations = run.pastActivations
    replay.namespace = "default"
    replay.taskQueue = run.started.taskQueue
    replay.taskTimeoutMs = run.started.taskTimeoutMs
    replay.first = true
    if m != replay {
      facts.append(.told(id, .replayHistory(replay)))
      unmatched.append(.told(id, .replayHistory(m)))
    }
  }

  /// The engine gives the activity away in this unit: it starts now.
  mutating func takeGiven(_ activity: ModelActivity, of run: ModelRun) {
    let place = given.firstIndex { _, task in
      task.runID == run.id && task.activityID == activity.scheduled.activityID
        && task.attempt == activity.attempt
    }
    guard let place else { return }
    let (session, task) = given.remove(at: place)
    start(session, task)
  }

  /// The same of the run's workflow task, if it waits.
  mutating func takeShown(_ run: ModelRun) {
    guard case .waiting = run.task.state,
      let place = shown.firstIndex(where: { $0.task.shownRun == run.id })
    else { return }
    let (session, kind) = shown.remove(at: place)
    show(session, kind)
  }

  private mutating func start(_ id: SessionID, _ m: ActivityTask) {
    let activities = run(m.runID)?.activities ?? []
    let place = activities.firstIndex {
      $0.scheduled.activityID == m.activityID && $0.state == .scheduled
    }
    guard let run = run(m.runID), let session = session(id), let place,
      session.serves(activities[place]), session.activitySlots > 0, !isDraining,
      !session.isDraining, !session.isSilent, !run.isKeptBack, activities[place].pause == nil
    else { return objections.append("\(id) may not take activity '\(m.activityID)'") }
    objectToOrder(activities[place], of: run, session)
    objectToShare(activities[place], session)
    objectToRate(activities[place])
    note(activities[place])
    session.activitySlots -= 1
    run.activities[place].start(session, token: m.token, at: now)
    tokens[m.token] = run.id
    let task = task(run.activities[place], of: run)
    if m != task {
      facts.append(.told(id, .activityTask(task)))
      unmatched.append(.told(id, .activityTask(m)))
    }
  }

  private func task(_ activity: ModelActivity, of run: ModelRun) -> ActivityTask {
    let scheduled = activity.scheduled
    var task = ActivityTask()
    task.token = activity.token
    task.namespace = "default"
    task.workflowID = run.isOfActivity ? "" : run.workflowID
    task.runID = run.id
    task.workflowType = run.isOfActivity ? "" : run.started.workflowType
    task.activityID = scheduled.activityID
    task.activityType = scheduled.activityType
    task.taskQueue = scheduled.taskQueue
    task.attempt = activity.attempt
    task.header = scheduled.header
    task.input = scheduled.input
    task.heartbeatDetails = activity.heartbeatDetails
    task.scheduledTimeMs = activity.scheduledTime
    task.currentAttemptScheduledTimeMs = activity.attemptScheduledTime
    task.startedTimeMs = now
    task.scheduleToCloseTimeoutMs = scheduled.scheduleToCloseTimeoutMs
    task.startToCloseTimeoutMs = scheduled.startToCloseTimeoutMs
    task.heartbeatTimeoutMs = scheduled.heartbeatTimeoutMs
    task.retryPolicy = activity.policy
    task.priority = scheduled.priority
    task.idempotencyKey = "\(run.id)/\(activity.event)"
    return task
  }

  /// A run may leave a cache at any time, but not with a task that is out.
  private mutating func takeAway(_ id: SessionID, _ m: Evict) -> Bool {
    if m.reason == .notRecorded && mustEvict(id, m) { return false }
    if m.reason == .taskFailed || m.reason == .nondeterminism { return false }
    if m.reason == .closed && mustEvict(id, m) { return false }
    if run(m.runID)?.task.session == id {
      objections.append("\(m.runID) is taken from \(id), which has its task")
    }
    session(id)?.cache.remove(m.runID)
    guard let run = run(m.runID), run.isOpen else { return true }
    if m.reason == .moved, let session = session(id), keeps(session, run) {
      objections.append("\(m.runID) is taken from \(id), which runs local activities of it")
    }
    dropLocals(of: run, id)
    loseLocals(of: run)
    settle()
    return true
  }

  private func mustEvict(_ id: SessionID, _ m: Evict) -> Bool {
    facts.contains(.told(id, .evict(m)))
  }

  // MARK: - Answers

  mutating func complete(_ session: ModelSession, _ m: WorkflowTaskCompleted) {
    guard let run = runs.first(where: { $0.task.token == m.token && !m.token.isEmpty }),
      run.task.session == session.id, let activation = run.task.activation
    else { return refuse(session.id, m.token) }
    if run.task.isForQueries { return answerQueries(m, run, session) }
    if let failure = m.failure {
      let cause = failure.cause == .unspecified ? .workerFailure : failure.cause
      return failTask(run, cause, failure.failure)
    }
    run.task.parts += m.commands
    run.task.rejections += m.updateRejections
    if m.more {
      run.task.deadline = now + run.started.taskTimeoutMs
      return
    }
    let commands = run.task.parts
    if areBad(commands, run) || isBadWord(commands, run.task.rejections, run) {
      var server = ServerFailure()
      server.nonRetryable = true
      return failTask(run, .badCommand, .of("", .server(server)))
    }
    if closes(commands) && run.hasRequest(after: activation.throughEventID)
      && mutant != .overlooksSignals
    {
      evict(run, session.id, .notRecorded)
      run.task.offerAgain(at: now)
      run.isRedo = run.pause == nil
      return
    }
    reject(run.task.rejections, run)
    let shown = run.inbound(after: run.through, through: activation.throughEventID)
    if shown.isEmpty && commands.isEmpty && run.task.attempt == 1 {
      run.task = ModelTask()
      startLocals(activation.localAttempts, run, session, isEmpty: true)
      facts.append(.told(session.id, .recorded(.of(m.token))))
      return endRedo(run)
    }
    record(m, commands, activation, run, session)
  }

  private mutating func record(
    _ m: WorkflowTaskCompleted, _ commands: [Command], _ activation: Activation,
    _ run: ModelRun, _ session: ModelSession
  ) {
    var completed = WorkflowTaskCompletedEvent()
    completed.throughEventID = activation.throughEventID
    completed.activationTimeMs = activation.activationTimeMs
    completed.historyLength = activation.historyLength
    completed.continueAsNewSuggested = activation.continueAsNewSuggested
    completed.identity = session.attach.identity
    completed.buildID = session.attach.buildID
    completed.sdkName = session.attach.sdkName
    completed.sdkVersion = session.attach.sdkVersion
    completed.sdkFlags = m.sdkFlags
    completed.sdkMetadata = m.sdkMetadata
    completed.attempt = run.task.attempt
    completed.scheduledTimeMs = run.task.scheduledTime
    completed.startedTimeMs = run.task.startedTime
    completed.commands = 0
    for command in commands {
      if case .setCurrentDetails(let m) = command.kind {
        completed.currentDetails = CurrentDetails()
        completed.currentDetails?.text = m.text
      } else {
        completed.commands += 1
      }
    }
    append(.workflowTaskCompleted(completed), to: run)
    run.task = ModelTask()
    run.through = activation.throughEventID
    run.activationTime = activation.activationTimeMs
    run.timers.removeAll { $0.hasFired && !run.isUnseenFiring($0) }
    record(commands, run)
    startLocals(activation.localAttempts, run, session)
    facts.append(.told(session.id, .recorded(.of(m.token))))
    if !run.isOpen { session.cache.remove(run.id) }
    // What has waited for the end of the redo may close the run in this same unit.
    if run.isRedo { for activity in run.activities { takeGiven(activity, of: run) } }
    endRedo(run)
  }

  private mutating func failTask(
    _ run: ModelRun, _ cause: WorkflowTaskFailedCause, _ failure: Failure?,
    diff: NondeterminismDiff? = nil
  ) {
    guard let id = run.task.session, let session = session(id) else { return }
    var failed = WorkflowTaskFailed()
    failed.cause = cause
    failed.failure = failure
    failed.attempt = run.task.attempt
    failed.identity = session.attach.identity
    failed.buildID = session.attach.buildID
    failed.diff = diff
    if !run.task.isFailureRecorded { append(.workflowTaskFailed(failed), to: run) }
    run.task.isFailureRecorded = true
    evict(run, id, cause == .nondeterminism ? .nondeterminism : .taskFailed)
    run.task.lastFailure = failure
    run.task.lastCause = cause
    run.task.lastDiff = diff
    backOff(run)
  }

  mutating func timeOutTask(_ run: ModelRun) {
    guard let id = run.task.session, let session = session(id) else { return }
    if run.task.isForQueries {
      session.isLate = true
      return failQueryTask(run, .notRecorded)
    }
    var timedOut = WorkflowTaskTimedOut()
    timedOut.attempt = run.task.attempt
    timedOut.identity = session.attach.identity
    if run.task.attempt == 1 { append(.workflowTaskTimedOut(timedOut), to: run) }
    evict(run, id, .notRecorded)
    session.isLate = true
    run.task.lastFailure = nil
    run.task.lastCause = .unspecified
    run.task.lastDiff = nil
    backOff(run)
  }

  /// The next try comes after 1 s, 2 s, 4 s … 10 min.
  private mutating func backOff(_ run: ModelRun) {
    var wait = times.taskBackoffInitial
    for _ in 1..<run.task.attempt { wait = min(wait * 2, times.taskBackoffMax) }
    run.task.attempt += 1
    run.task.wait(until: now + wait)
    failQueries(run, .of(.unavailable, .workflowTaskFailing))
    // What came back may be refused at once: then there is nothing to try again.
    if isDraining { dropUpdates() }
    if !run.hasNews { run.task = run.task.next }
    endRedo(run)
  }

  mutating func evict(_ run: ModelRun, _ session: SessionID, _ reason: EvictReason) {
    self.session(session)?.cache.remove(run.id)
    dropLocals(of: run, session)
    var evict = Evict()
    evict.runID = run.id
    evict.reason = reason
    facts.append(.told(session, .evict(evict)))
  }

  // MARK: - Replay

  mutating func completeReplay(_ session: ModelSession, _ m: ReplayCompleted) {
    guard let run = runs.first(where: { $0.task.token == m.token && !m.token.isEmpty }),
      run.task.session == session.id, run.task.isReplaying
    else { return refuse(session.id, m.token) }
    run.task.deadline = now + run.started.taskTimeoutMs
    run.task.replayed += m.completions
    if m.more { return }
    let heads = run.task.replayed
    run.task.replayed = []
    guard let diff = diff(heads, of: run) else { return }
    if run.task.isForQueries { return failQueryTask(run, .nondeterminism) }
    var server = ServerFailure()
    server.nonRetryable = true
    failTask(
      run, .nondeterminism, .of("", .server(server)), diff: diff)
  }

  /// Where the two part first; nil when they agree: code may have lost what was deprecated.
  func diff(_ actual: [PastCompletion], of run: ModelRun) -> NondeterminismDiff? {
    for (place, past) in run.pastCommands.enumerated() {
      var heads = place < actual.count ? actual[place].heads : []
      var diff = NondeterminismDiff()
      diff.workflowTaskCompletedEventID = past.completion
      for (index, event) in past.events.enumerated() {
        if heads.first == event.head {
          heads.removeFirst()
        } else if event.marker?.deprecated != true {
          diff.commandIndex = Int32(index)
          diff.eventID = event.eventID
          diff.expected = event.head
          diff.actual = heads.first
          return diff
        }
      }
      if let extra = heads.first {
        diff.commandIndex = Int32(past.events.count)
        diff.actual = extra
        return diff
      }
    }
    return nil
  }

  // MARK: - What has to be given

  /// No task waits while a session could take it.
  mutating func objectToWaiting() {
    guard !isDraining else { return }
    for run in runs where run.isOpen {
      if case .waiting(let since) = run.task.state,
        now >= max(since, run.task.scheduledTime, run.keptTime) + times.stickyWait,
        let idle = sessions.first(where: { couldTake($0, run) })
      {
        objections.append("the task of \(run.id) waits, though \(idle.id) could take it")
      }
      for activity in run.activities
      where activity.state == .scheduled && activity.pause == nil && !run.isKeptBack {
        if mayGo(activity),
          let idle = sessions.first(where: { $0.couldTakeActivity && $0.serves(activity) })
        {
          objections.append(
            "activity '\(activity.scheduled.activityID)' of \(run.id) waits, though"
              + " \(idle.id) could take it")
        }
      }
    }
  }

  private func couldTake(_ session: ModelSession, _ run: ModelRun) -> Bool {
    if let keeper = keeper(of: run), keeps(keeper, run), keeper !== session { return false }
    return session.couldTakeTask && session.serves(run) && reaches(session, run)
  }

  /// While it is shown as many histories as it may be at a time, it does not see far.
  func reaches(_ session: ModelSession, _ run: ModelRun) -> Bool {
    let replays = runs.count { $0.task.isReplaying && $0.task.session == session.id }
    guard replays >= limits.replaysPerSessionMax else { return true }
    // Of those before it that wait for a replay to end, only so many are passed by. All may be
    // before it: priorities and shares decide.
    let waiting = runs.count { other in
      guard case .waiting = other.task.state else { return false }
      return other.hasPast
    }
    return !run.hasPast && waiting < 8
  }
}

extension ModelSession {
  fileprivate var couldTakeTask: Bool {
    workflowSlots > 0 && !isDraining && !isSilent && !isLate
  }
  fileprivate var couldTakeActivity: Bool { activitySlots > 0 && !isDraining && !isSilent }
}

extension ModelRun {
  /// The code has not seen it yet.
  func isUnseenFiring(_ timer: ModelTimer) -> Bool {
    unseen.contains { event in
      if case .timerFired(let fired) = event.attributes {
        fired.startedEventID == timer.startedEvent
      } else {
        false
      }
    }
  }
}

extension EngineMessage.Kind {
  /// The run whose workflow task it is.
  var shownRun: RunID? {
    switch self {
    case .activation(let m): m.runID
    case .replayHistory(let m): m.runID
    default: nil
    }
  }
}
