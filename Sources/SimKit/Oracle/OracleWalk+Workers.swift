import Basics
import EngineCore
import Messages
import SQLiteStore

/// What workers do.
extension OracleWalk {
  // MARK: - Attachments

  mutating func attachOrLeave() throws(StoreError) {
    if model.sessions.isEmpty || (model.sessions.count < 3 && dice.percent(50)) {
      return try attach()
    }
    let session = dice.pick(model.sessions)
    let choice = dice.int(0...9)
    if choice == 0 || session.isDraining {
      if let process = session.process, dice.percent(40) { return try die(process) }
      return try leave(session.id)
    }
    if choice == 1 || session.isSilent {
      return try play(.sessionSilent(session.id, !session.isSilent))
    }
    if choice == 2, dice.percent(50) { return try say(session.id, .detach(Detach())) }
    try grant(session.id, UInt32(dice.int(0...3)), UInt32(dice.int(0...3)))
  }

  private mutating func attach() throws(StoreError) {
    sessionCount += 1
    let id = SessionID(sessionCount)
    let name = dice.pick(["w1", "w2", "w3", "w4"])
    // Few come back before the end of their old connection is seen.
    let old = model.sessions.first { $0.attach.identity == name }
    guard old.map({ $0.canResume && dice.percent(20) }) ?? true else { return }
    var attach = Attach()
    attach.taskQueue = dice.pick(["q", "q", "q", "dock"])
    attach.workflowTypes = dice.pick([["order", "ship"], ["order", "ship"], ["order"], []])
    attach.activityTypes = dice.pick([["charge", "pack"], ["charge", "pack"], ["charge"], []])
    attach.identity = name
    attach.buildID = dice.pick(["", "b1"])
    attach.cachedRunsMax = dice.pick([1, 100])
    if name != "w4" { attach.resumeToken = Array("resume of \(name)".utf8) }
    for lease in leases where dice.percent(50) { attach.heldLeases.append(lease.task.token) }
    if let old { drop(old.id) }
    try play(.sessionOpened(id, attach, process(of: name)))
    keepLeases(of: id)
    try grant(id, UInt32(dice.int(0...4)), UInt32(dice.int(0...4)))
  }

  /// What the worker named and may keep is from now on this session's.
  private mutating func keepLeases(of id: SessionID) {
    let current = model.runs.flatMap(\.activities).filter { $0.state == .started }
    let (kept, lost) = (
      leases.filter { lease in current.contains { $0.token == lease.task.token } },
      leases.filter { lease in !current.contains { $0.token == lease.task.token } }
    )
    oldLeases += lost.map(\.task)
    leases = kept.map { lease in
      let isKept = current.contains { $0.token == lease.task.token && $0.holder == id }
      return (isKept ? id : lease.session, lease.task)
    }
  }

  /// Of one worker the kernel cannot tell.
  private func process(of name: String) -> ProcessIdentity? {
    guard name != "w3", let number = Int64(name.dropFirst()) else { return nil }
    return ProcessIdentity(bootID: "boot", process: number, start: deaths[name, default: 0])
  }

  /// The process ends, and the kernel says so: what it had is gone with it.
  mutating func die(_ process: ProcessIdentity) throws(StoreError) {
    deaths["w\(process.process)", default: 0] += 1
    for session in model.sessions where session.process == process { drop(session.id) }
    for activity in model.runs.flatMap(\.activities) where activity.process == process {
      forget(activity.token)
    }
    try play(.processGone(process))
  }

  private mutating func drop(_ id: SessionID) {
    tasks.removeAll { $0.session == id }
    replays.removeAll { $0.session == id }
  }

  private func isOpen(_ id: SessionID) -> Bool { model.sessions.contains { $0.id == id } }

  private mutating func leave(_ id: SessionID) throws(StoreError) {
    drop(id)
    try play(.sessionClosed(id))
  }

  private mutating func grant(_ id: SessionID, _ workflows: UInt32, _ activities: UInt32)
    throws(StoreError)
  {
    var grant = Grant()
    grant.workflowSlots = workflows
    grant.activitySlots = activities
    try say(id, .grant(grant))
  }

  mutating func say(_ id: SessionID, _ kind: WorkerMessage.Kind) throws(StoreError) {
    try play(.workerMessage(id, .of(kind)))
  }

  // MARK: - Answers

  mutating func work() throws(StoreError) {
    let choice = dice.int(0...99)
    if choice < 20, !replays.isEmpty { return try answerReplay() }
    if choice < 60, !tasks.isEmpty { return try answerTask() }
    if choice < 80, let local = drawLocal() { return try end(local) }
    if choice < 90, !leases.isEmpty { return try answerLease() }
    guard choice >= 90, !model.sessions.isEmpty else { return try ask(drawRequest()) }
    try sayStale(dice.pick(model.sessions).id)
  }

  private mutating func answerTask() throws(StoreError) {
    let place = dice.int(0...tasks.count - 1)
    let (session, activation) = tasks[place]
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    completed.more = dice.percent(15)
    if !completed.more {
      tasks.remove(at: place)
      oldTasks.append(activation.token)
    }
    guard isOpen(session) else { return }
    if dice.percent(6) {
      var failure = WorkflowTaskFailure()
      failure.failure = .of("boom", .application(ApplicationFailure()))
      completed.failure = failure
    } else if case .queryWorkflow = activation.jobs.first?.kind {
      completed.queryResults = drawResults(activation)
      if dice.percent(5), let run = model.run(activation.runID) {
        completed.commands = drawCommands(run)
      }
    } else if let run = model.run(activation.runID) {
      completed.commands = drawCommands(run)
      if !completed.more { speak(of: activation, run, &completed) }
    }
    try say(session, .workflowTaskCompleted(completed))
    if !completed.more, dice.percent(90) { try grant(session, 1, 0) }
  }

  /// Accepts most of the updates, and ends some that are accepted; at times says nothing of one.
  private mutating func speak(
    of activation: Activation, _ run: ModelRun, _ completed: inout WorkflowTaskCompleted
  ) {
    var words: [Command] = []
    var pending = run.accepted.map(\.updateID)
    for case .doUpdate(let update) in activation.jobs.compactMap(\.kind) where !isWrong() {
      if dice.percent(30) {
        var rejection = UpdateRejection()
        rejection.updateID = update.updateID
        rejection.failure = drawFailure()
        completed.updateRejections.append(rejection)
        continue
      }
      var accepted = UpdateAccepted()
      accepted.updateID = update.updateID
      words.append(.of(.updateAccepted(accepted), at: ""))
      pending.append(update.updateID)
    }
    for id in pending where dice.percent(40) {
      var end = UpdateCompleted()
      end.updateID = isWrong() ? "unknown" : id
      var list = PayloadList()
      list.payloads = drawDetails()
      end.outcome = UpdateOutcome()
      end.outcome?.result = dice.percent(80) ? .succeeded(list) : .failed(drawFailure())
      words.append(.of(.updateCompleted(end), at: ""))
    }
    completed.commands = words + completed.commands
  }

  /// One for most of what is asked.
  private mutating func drawResults(_ activation: Activation) -> [QueryResult] {
    activation.jobs.compactMap { job in
      guard case .queryWorkflow(let asked) = job.kind, !dice.percent(10) else { return nil }
      var result = QueryResult()
      result.queryID = asked.queryID
      if dice.percent(20) {
        result.result = .failed(drawFailure())
      } else {
        var list = PayloadList()
        list.payloads = drawDetails()
        result.result = .succeeded(list)
      }
      return result
    }
  }

  private mutating func answerReplay() throws(StoreError) {
    let (session, history) = replays.remove(at: dice.int(0...replays.count - 1))
    oldTasks.append(history.token)
    guard isOpen(session), let run = model.run(history.runID) else { return }
    var completed = ReplayCompleted()
    completed.token = history.token
    completed.completions = run.pastHeads
    if dice.percent(10) { OracleWalk.spoil(&completed.completions, &dice) }
    if dice.percent(20), !completed.completions.isEmpty {
      var part = completed
      part.more = true
      let count = dice.int(1...completed.completions.count)
      part.completions = Array(completed.completions.prefix(count))
      completed.completions.removeFirst(count)
      try say(session, .replayCompleted(part))
      if dice.percent(10) { try pass(Span(ms: 600)) }
      guard isOpen(session) else { return }
    }
    try say(session, .replayCompleted(completed))
  }

  /// The code is another one.
  static func spoil(_ completions: inout [PastCompletion], _ dice: inout Dice) {
    guard !completions.isEmpty else { return }
    let place = dice.int(0...completions.count - 1)
    if completions[place].heads.isEmpty {
      var head = CommandHead()
      head.type = .startTimer
      head.seq = 1
      head.id = "1"
      completions[place].heads = [head]
    } else {
      completions[place].heads.removeLast()
    }
  }

  private mutating func answerLease() throws(StoreError) {
    let (session, task) = leases[dice.int(0...leases.count - 1)]
    guard isOpen(session) else { return }
    let token = task.token
    switch dice.int(0...19) {
    case 0..<8:
      var completed = ActivityCompleted()
      completed.token = token
      completed.result = drawDetails()
      forget(token)
      try say(session, .activityCompleted(completed))
    case 8..<12:
      var failed = ActivityFailed()
      failed.token = token
      failed.failure = drawFailure()
      if dice.percent(20) { failed.lastHeartbeatDetails = drawDetails() }
      forget(token)
      try say(session, .activityFailed(failed))
    case 12..<15:
      var report = ReportActivityCancelled()
      report.token = token
      report.details = drawDetails()
      forget(token)
      try say(session, .reportActivityCancelled(report))
    case 15..<19:
      var heartbeat = Heartbeat()
      heartbeat.token = token
      heartbeat.details = drawDetails()
      return try say(session, .heartbeat(heartbeat))
    default:
      var elsewhere = WillCompleteElsewhere()
      elsewhere.token = token
      try say(session, .willCompleteElsewhere(elsewhere))
    }
    if dice.percent(90) { try grant(session, 0, 1) }
  }

  /// What belongs to the past.
  private mutating func sayStale(_ session: SessionID) throws(StoreError) {
    if dice.percent(30), !reports.isEmpty {
      return try say(session, .localActivityDone(dice.pick(reports)))
    }
    if dice.percent(30), !oldTasks.isEmpty {
      var completed = WorkflowTaskCompleted()
      completed.token = dice.pick(oldTasks)
      return try say(session, .workflowTaskCompleted(completed))
    }
    guard !oldLeases.isEmpty else { return }
    let token = dice.pick(oldLeases).token
    switch dice.int(0...3) {
    case 0:
      var completed = ActivityCompleted()
      completed.token = token
      completed.result = drawDetails()
      try say(session, .activityCompleted(completed))
    case 1:
      var failed = ActivityFailed()
      failed.token = token
      failed.failure = drawFailure()
      try say(session, .activityFailed(failed))
    case 2:
      var report = ReportActivityCancelled()
      report.token = token
      report.details = drawDetails()
      try say(session, .reportActivityCancelled(report))
    default:
      var heartbeat = Heartbeat()
      heartbeat.token = token
      try say(session, .heartbeat(heartbeat))
    }
  }

  // MARK: - Commands

  private mutating func drawCommands(_ run: ModelRun) -> [Command] {
    var commands: [Command] = []
    var seq = run.lastSeq + UInt32(run.task.parts.count(where: \.countsUp))
    for _ in 0..<dice.int(0...3) {
      let kind: Command.Kind
      switch dice.int(0...14) {
      case 13, 14: kind = drawDetailCommand()
      case 10: kind = .startChild(drawChild(&seq))
      case 11:
        var cancel = CancelChild()
        cancel.seq = model.drawChild(run, &dice) ?? drawSeq(seq)
        cancel.reason = dice.pick(["", "late"])
        kind = .cancelChild(cancel)
      case 12: kind = drawWord(&seq)
      case 0..<3:
        seq += 1
        kind = .scheduleActivity(drawActivity(seq))
      case 3:
        seq += 1
        kind = .scheduleLocalActivity(drawLocalActivity(seq))
      case 4, 5:
        seq += 1
        kind = .startTimer(drawTimer(seq))
      case 6: kind = .recordMarker(drawMarker(&seq))
      case 7:
        var cancel = CancelTimer()
        cancel.seq = drawSeq(seq)
        kind = .cancelTimer(cancel)
      default:
        var cancel = RequestCancelActivity()
        cancel.seq = drawSeq(seq)
        kind = .requestCancelActivity(cancel)
      }
      commands.append(.of(kind, at: dice.pick(["", "order.py:12"])))
    }
    if dice.percent(8) { commands.append(.of(drawClose(), at: "")) }
    if isWrong() { commands.insert(Command(), at: 0) }
    return commands
  }

  /// One that was given; at times one that was not.
  private mutating func drawSeq(_ last: UInt32) -> UInt32 {
    last == 0 || isWrong() ? last + 1 : UInt32(dice.int(max(1, Int(last) - 5)...Int(last)))
  }

  mutating func drawActivity(_ seq: UInt32) -> ScheduleActivity {
    var schedule = ScheduleActivity()
    schedule.seq = isWrong() ? seq + 1 : seq
    schedule.activityID = dice.percent(20) ? dice.pick(["x", "y"]) : ""
    schedule.activityType = isWrong() ? "" : dice.pick(["charge", "charge", "pack"])
    schedule.taskQueue = dice.percent(10) ? "dock" : ""
    schedule.input = drawDetails()
    if dice.percent(30) {
      schedule.scheduleToCloseTimeoutMs = Span(ms: dice.pick([900, 5_000, 60_000]))
    }
    if dice.percent(20) {
      schedule.scheduleToStartTimeoutMs = Span(ms: dice.pick([500, 5_000]))
    }
    if dice.percent(85) {
      schedule.startToCloseTimeoutMs = Span(ms: dice.pick([1_000, 10_000, 60_000]))
    }
    if dice.percent(20) { schedule.heartbeatTimeoutMs = Span(ms: dice.pick([1_000, 3_000])) }
    if isWrong() { schedule.heartbeatTimeoutMs = Span(ms: -1) }
    if dice.percent(50) { schedule.retryPolicy = drawPolicy() }
    schedule.cancellationType = ActivityCancellationType(rawValue: Int32(dice.int(0...3)))
    if dice.percent(30) { schedule.onExhausted = dice.pick([.fail, .pause]) }
    schedule.priority = drawPriority()
    return schedule
  }

  mutating func drawPolicy() -> RetryPolicy {
    var policy = RetryPolicy()
    policy.initialIntervalMs = Span(ms: dice.pick([0, 1, 500, 4_000]))
    policy.backoffCoefficient = dice.pick([0, 1, 1.5, 10])
    policy.maximumIntervalMs = Span(ms: dice.pick([0, 4_000, 20_000]))
    policy.maximumAttempts = dice.pick([0, 1, 2, 3])
    if dice.percent(20) { policy.nonRetryableErrorTypes = ["Declined"] }
    if isWrong() { policy.backoffCoefficient = 0.5 }
    return policy
  }

  private mutating func drawTimer(_ seq: UInt32) -> StartTimer {
    var timer = StartTimer()
    timer.seq = seq
    timer.timerID = dice.percent(20) ? "tea" : ""
    timer.startToFireTimeoutMs = Span(ms: dice.pick([0, 1, 500, 5_000, 60_000]))
    if isWrong() { timer.startToFireTimeoutMs = Span(ms: -1) }
    return timer
  }

  private mutating func drawMarker(_ seq: inout UInt32) -> RecordMarker {
    var marker = RecordMarker()
    marker.markerName = isWrong() ? "" : dice.pick(["patch", "side_effect"])
    marker.markerID = dice.pick(["", "p1", "p2"])
    marker.deprecated = dice.percent(30)
    if dice.percent(50) {
      seq += 1
      marker.seq = isWrong() ? seq + 1 : seq
    }
    for key in ["a", "b"] where dice.percent(40) {
      var entry = PayloadEntry()
      entry.key = isWrong() ? "b" : key
      entry.value = drawPayloads().first
      marker.details.append(entry)
    }
    return marker
  }

  private mutating func drawContinuation() -> ContinueAsNew {
    var next = ContinueAsNew()
    next.input = drawPayloads()
    if dice.percent(30) { next.memo = drawMemo() }
    if dice.percent(30) { next.searchAttributes = drawAttributes() }
    if dice.percent(20) { next.workflowType = dice.pick(["order", "ship"]) }
    if dice.percent(20) { next.taskQueue = dice.pick(["q", "dock"]) }
    if dice.percent(20) { next.runTimeoutMs = Span(ms: dice.pick([5_000, 60_000])) }
    if dice.percent(20) { next.taskTimeoutMs = Span(ms: dice.pick([500, 120_000])) }
    if dice.percent(20) { next.retryPolicy = drawPolicy() }
    if isWrong() { next.taskTimeoutMs = Span(ms: 120_001) }
    return next
  }

  private mutating func drawClose() -> Command.Kind {
    switch dice.int(0...3) {
    case 0:
      var complete = CompleteWorkflow()
      complete.result = drawDetails()
      return .completeWorkflow(complete)
    case 1:
      var fail = FailWorkflow()
      fail.failure = drawFailure()
      return .failWorkflow(fail)
    case 2: return .continueAsNew(drawContinuation())
    default:
      var cancelled = CancelledWorkflow()
      cancelled.details = drawDetails()
      return .cancelledWorkflow(cancelled)
    }
  }
}

extension OracleWalk {
  private mutating func drawChild(_ seq: inout UInt32) -> StartChild {
    seq += 1
    var start = StartChild()
    start.seq = isWrong() ? seq + 1 : seq
    start.workflowID = dice.percent(40) ? "" : dice.pick(OracleWalk.ids)
    start.workflowType = isWrong() ? "" : dice.pick(["order", "ship"])
    start.taskQueue = dice.percent(20) ? "dock" : ""
    start.input = drawDetails()
    start.memo = drawMemo()
    start.searchAttributes = drawAttributes()
    if dice.percent(20) { start.executionTimeoutMs = Span(ms: dice.pick([3_000, 90_000])) }
    if dice.percent(20) { start.runTimeoutMs = Span(ms: dice.pick([5_000, 60_000])) }
    if dice.percent(10) { start.taskTimeoutMs = Span(ms: dice.pick([500, 120_000])) }
    if isWrong() { start.taskTimeoutMs = Span(ms: 120_001) }
    if dice.percent(20) { start.retryPolicy = drawPolicy() }
    start.idReusePolicy = dice.pick([.unspecified, .allowDuplicateFailedOnly, .rejectDuplicate])
    start.parentClosePolicy = ParentClosePolicy(rawValue: Int32(dice.int(0...3)))
    start.cancellationType = ChildCancellationType(rawValue: Int32(dice.int(0...4)))
    start.priority = drawPriority()
    start.concurrencyKey = dice.pick(["", "k1"])
    return start
  }

  /// To another workflow, its own run or none.
  private mutating func drawWord(_ seq: inout UInt32) -> Command.Kind {
    seq += 1
    let given = isWrong() ? seq + 1 : seq
    var target = drawExecution()
    let ids = model.runs.suffix(8).filter { $0.started.parent != nil }.map(\.workflowID)
    if dice.percent(30), !ids.isEmpty { target = .of(dice.pick(ids)) }
    if dice.percent(60) {
      var signal = SignalExternal()
      signal.seq = given
      signal.execution = target
      signal.childWorkflowOnly = dice.percent(30)
      signal.signalName = isWrong() ? "" : "pay"
      signal.input = drawDetails()
      return .signalExternal(signal)
    }
    var cancel = CancelExternal()
    cancel.seq = given
    cancel.execution = target
    cancel.reason = dice.pick(["", "late"])
    return .cancelExternal(cancel)
  }
}

extension Model {
  /// One that is pending, at times.
  fileprivate func drawChild(_ run: ModelRun, _ dice: inout Dice) -> UInt32? {
    let pending = run.children.map(\.initiated.seq)
    return pending.isEmpty || dice.percent(20) ? nil : dice.pick(pending)
  }
}

extension Command {
  /// It is numbered.
  fileprivate var countsUp: Bool {
    switch kind {
    case .scheduleActivity, .scheduleLocalActivity, .startTimer, .startChild, .signalExternal,
      .cancelExternal:
      true
    case .recordMarker(let marker): marker.seq != 0
    default: false
    }
  }

  static func of(_ kind: Kind, at location: String) -> Command {
    var command = Command()
    command.location = location
    command.kind = kind
    return command
  }
}
