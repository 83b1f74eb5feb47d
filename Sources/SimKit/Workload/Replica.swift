import Messages

/// A run of a program in a worker's memory: jobs in, commands out; the same jobs give the same
/// commands, so it serves for replay too.
struct Replica {
  private let program: Program
  private var step = 0
  private var hasBegun = false
  private var lastSeq: UInt32 = 0
  /// The step's activities and timer that have not ended, and how those that have ended did.
  private var waiting: [UInt32] = []
  private var outcomes: [UInt32: String] = [:]
  /// Local activities that have not ended.
  private(set) var locals: [UInt32: ActivityPlan] = [:]
  private var timer: UInt32?
  private var activity: UInt32?
  private var hasAskedToCancel = false
  private var results: [String] = []
  private var signals: [String] = []
  /// Updates that it has taken on, and those of them that end with the next turn.
  private var updates: [String] = []
  private var updatesToEnd: [String] = []
  /// Those of the activation that it did not.
  private(set) var rejections: [UpdateRejection] = []
  private var isCancelled = false
  /// The code is that of after the change which `patch` steps guard.
  private let isChanged: Bool
  private var patches: Set<String> = []
  /// What the markers of the past activation under way hold; nil in a live one.
  private var past: [RecordMarker]?
  /// Where values that differ each time come from.
  private var chance: Dice
  private(set) var isDone = false
  /// The past does not hold the value of a side effect.
  private var isLost = false

  init(_ program: Program, isChanged: Bool, chance: Dice) {
    self.program = program
    self.isChanged = isChanged
    self.chance = chance
  }

  /// What the code made of it so far: the answer to queries.
  var summary: String {
    [results, signals, updates].map { $0.joined(separator: ",") }.joined(separator: "|")
  }

  /// Takes an activation's jobs; the commands are in the order of the calls. nil: a job names a seq
  /// that the code never gave, or the value of a side effect is not there. `past`: what a past
  /// activation recorded.
  mutating func apply(_ jobs: [Job], past: [RecordMarker]? = nil) -> [Command.Kind]? {
    self.past = past
    var words: [Command.Kind] = []
    rejections = []
    for id in updatesToEnd { words.append(Replica.end(of: id)) }
    updatesToEnd = []
    for marker in past ?? [] where marker.markerName == "patch" { patches.insert(marker.markerID) }
    for job in jobs {
      switch job.kind {
      case .signalWorkflow(let signal): signals.append(signal.input.first?.text ?? "?")
      case .cancelWorkflow: isCancelled = true
      case .fireTimer(let fired):
        guard fired.seq <= lastSeq else { return nil }
        waiting.removeAll { $0 == fired.seq }
        outcomes[fired.seq] = "fired"
      case .resolveActivity(let resolved):
        guard resolved.seq <= lastSeq else { return nil }
        waiting.removeAll { $0 == resolved.seq }
        outcomes[resolved.seq] = Replica.outcome(resolved)
        locals[resolved.seq] = nil
      case .doUpdate(let update): take(update, &words)
      case .resolveChildStart(let started):
        guard started.seq <= lastSeq else { return nil }
        if let outcome = Replica.outcome(started) { end(started.seq, outcome) }
      case .resolveChild(let ended):
        guard ended.seq <= lastSeq else { return nil }
        end(ended.seq, Replica.outcome(ended))
      case .resolveSignalExternal(let arrived):
        guard arrived.seq <= lastSeq else { return nil }
        end(arrived.seq, arrived.failure == nil ? "sent" : "unsent")
      case .resolveCancelExternal(let arrived):
        guard arrived.seq <= lastSeq else { return nil }
        end(arrived.seq, arrived.failure == nil ? "sent" : "unsent")
      case .initializeWorkflow, .updateRandomSeed, .queryWorkflow, nil: break
      }
    }
    let commands = advance()
    return isLost ? nil : words + commands
  }

  private mutating func end(_ seq: UInt32, _ outcome: String) {
    waiting.removeAll { $0 == seq }
    outcomes[seq] = outcome
  }

  /// nil: it goes on.
  private static func outcome(_ started: ResolveChildStart) -> String? {
    switch started.result {
    case .started: nil
    case .failed: "unstarted"
    case .canceled: "cancelled"
    case nil: "?"
    }
  }

  private static func outcome(_ ended: ResolveChild) -> String {
    switch ended.result {
    case .completed: "ok"
    case .failed: "failed"
    case .canceled: "cancelled"
    case nil: "?"
    }
  }

  private static func outcome(_ resolved: ResolveActivity) -> String {
    switch resolved.result {
    case .completed: "ok"
    case .failed: "failed"
    case .canceled: "cancelled"
    case nil: "?"
    }
  }

  private mutating func advance() -> [Command.Kind] {
    var commands: [Command.Kind] = []
    guard !isDone else { return commands }
    if isCancelled && program.obeysCancel {
      isDone = true
      return [.cancelledWorkflow(CancelledWorkflow())]
    }
    while step < program.steps.count {
      if !hasBegun {
        begin(program.steps[step], &commands)
        hasBegun = true
      }
      guard isOver(program.steps[step], &commands) else { return commands }
      step += 1
      hasBegun = false
    }
    isDone = true
    commands.append(end)
    return commands
  }

  private var end: Command.Kind {
    if program.fails {
      var failure = FailWorkflow()
      failure.failure = .application(summary, isNonRetryable: false)
      return .failWorkflow(failure)
    }
    if program.continues {
      var next = ContinueAsNew()
      next.input = program.nextInput
      return .continueAsNew(next)
    }
    var complete = CompleteWorkflow()
    complete.result = [Payload(text: summary)]
    return .completeWorkflow(complete)
  }

  // MARK: - Steps

  private mutating func begin(_ step: Program.Step, _ commands: inout [Command.Kind]) {
    waiting = []
    outcomes = [:]
    timer = nil
    activity = nil
    hasAskedToCancel = false
    switch step {
    case .activities(let plans): for plan in plans { schedule(plan, &commands) }
    case .timer(let ms): start(ms, &commands)
    case .cancelledTimer(let ms):
      start(ms, &commands)
      cancelTimer(&commands)
    case .race(let plan, let ms):
      schedule(plan, &commands)
      start(ms, &commands)
    case .child(let plan): start(plan, &commands)
    case .cancelledChild(let plan):
      start(plan, &commands)
      cancelChild(lastSeq, &commands)
    case .childRace(let plan, let ms):
      start(plan, &commands)
      start(ms, &commands)
    case .signalOther(let id): signal(id, &commands)
    case .cancelOther(let id): cancel(id, &commands)
    case .signals: break
    case .sideEffect: runSideEffect(&commands)
    case .patch(let id): askForPatch(id, &commands)
    case .note(let note): commands += note.commands
    }
  }

  private mutating func schedule(_ plan: ActivityPlan, _ commands: inout [Command.Kind]) {
    lastSeq += 1
    waiting.append(lastSeq)
    activity = lastSeq
    if plan.isLocal { locals[lastSeq] = plan }
    commands.append(
      plan.isLocal
        ? .scheduleLocalActivity(plan.localCommand(seq: lastSeq))
        : .scheduleActivity(plan.command(seq: lastSeq)))
  }

  private mutating func start(_ ms: Int64, _ commands: inout [Command.Kind]) {
    lastSeq += 1
    waiting.append(lastSeq)
    timer = lastSeq
    var start = StartTimer()
    start.seq = lastSeq
    start.startToFireTimeoutMs = .init(ms: ms)
    commands.append(.startTimer(start))
  }

  private mutating func start(_ plan: ChildPlan, _ commands: inout [Command.Kind]) {
    lastSeq += 1
    waiting.append(lastSeq)
    activity = lastSeq
    commands.append(.startChild(plan.command(seq: lastSeq)))
  }

  private func cancelChild(_ seq: UInt32, _ commands: inout [Command.Kind]) {
    var cancel = CancelChild()
    cancel.seq = seq
    commands.append(.cancelChild(cancel))
  }

  private mutating func signal(_ workflowID: String, _ commands: inout [Command.Kind]) {
    lastSeq += 1
    waiting.append(lastSeq)
    var signal = SignalExternal()
    signal.seq = lastSeq
    signal.execution = WorkflowExecution()
    signal.execution?.workflowID = workflowID
    signal.signalName = "go"
    signal.input = [Payload(text: "x\(chance.int(0...999))")]
    commands.append(.signalExternal(signal))
  }

  private mutating func cancel(_ workflowID: String, _ commands: inout [Command.Kind]) {
    lastSeq += 1
    waiting.append(lastSeq)
    var cancel = CancelExternal()
    cancel.seq = lastSeq
    cancel.execution = WorkflowExecution()
    cancel.execution?.workflowID = workflowID
    commands.append(.cancelExternal(cancel))
  }

  private mutating func cancelTimer(_ commands: inout [Command.Kind]) {
    guard let seq = timer, waiting.contains(seq) else { return }
    waiting.removeAll { $0 == seq }
    outcomes[seq] = "cancelled"
    var cancel = CancelTimer()
    cancel.seq = seq
    commands.append(.cancelTimer(cancel))
  }

  private mutating func isOver(_ step: Program.Step, _ commands: inout [Command.Kind]) -> Bool {
    switch step {
    case .signals(let count):
      guard signals.count >= count else { return false }
      results.append("signalled")
    case .race, .childRace:
      return isRaceOver(step, &commands)
    case .sideEffect, .patch, .note: break
    case .activities, .timer, .cancelledTimer, .child, .cancelledChild, .signalOther, .cancelOther:
      guard waiting.isEmpty else { return false }
      results += outcomes.keys.sorted().map { outcomes[$0] ?? "?" }
    }
    return true
  }

  // MARK: - Updates

  /// A third is rejected, a third ends at once, a third with the next turn.
  private mutating func take(_ update: DoUpdate, _ words: inout [Command.Kind]) {
    let number = Int(update.updateID.dropFirst()) ?? 0
    if update.runValidator && number % 3 == 0 {
      var rejection = UpdateRejection()
      rejection.updateID = update.updateID
      rejection.failure = .application("no", isNonRetryable: true)
      return rejections.append(rejection)
    }
    updates.append(update.args.first?.text ?? "?")
    var accepted = UpdateAccepted()
    accepted.updateID = update.updateID
    words.append(.updateAccepted(accepted))
    if number % 3 == 1 {
      words.append(Replica.end(of: update.updateID))
    } else {
      updatesToEnd.append(update.updateID)
    }
  }

  private static func end(of id: String) -> Command.Kind {
    var completed = UpdateCompleted()
    completed.updateID = id
    var list = PayloadList()
    list.payloads = [Payload(text: "done \(id)")]
    completed.outcome = UpdateOutcome()
    completed.outcome?.result = .succeeded(list)
    return .updateCompleted(completed)
  }

  // MARK: - Markers

  /// A value that differs each time, but not within its run.
  private mutating func runSideEffect(_ commands: inout [Command.Kind]) {
    lastSeq += 1
    var value = Payload(text: "v\(chance.int(0...9))")
    if let past {
      guard let marker = past.first(where: { $0.seq == lastSeq }) else {
        isLost = true
        return
      }
      value = marker.details.first?.value ?? Payload()
    }
    var entry = PayloadEntry()
    entry.key = "value"
    entry.value = value
    var marker = RecordMarker()
    marker.markerName = "side_effect"
    marker.seq = lastSeq
    marker.details = [entry]
    commands.append(.recordMarker(marker))
    results.append(value.text)
  }

  /// Code of before the change does not ask.
  private mutating func askForPatch(_ id: String, _ commands: inout [Command.Kind]) {
    guard isChanged, past == nil || patches.contains(id) else { return results.append("old") }
    results.append("new")
    var marker = RecordMarker()
    marker.markerName = "patch"
    marker.markerID = id
    commands.append(.recordMarker(marker))
  }

  private mutating func isRaceOver(_ step: Program.Step, _ commands: inout [Command.Kind])
    -> Bool
  {
    guard let activity, let timer else { return true }
    if !waiting.contains(activity) {
      cancelTimer(&commands)
      results.append("\(outcomes[activity] ?? "?")-\(outcomes[timer] ?? "?")")
      return true
    }
    if !waiting.contains(timer) && !hasAskedToCancel {
      hasAskedToCancel = true
      if case .childRace = step {
        cancelChild(activity, &commands)
        return false
      }
      var cancel = RequestCancelActivity()
      cancel.seq = activity
      commands.append(.requestCancelActivity(cancel))
    }
    return false
  }
}

extension Failure {
  static func application(_ message: String, isNonRetryable: Bool) -> Failure {
    var application = ApplicationFailure()
    application.type = "Planned"
    application.nonRetryable = isNonRetryable
    var info = FailureInfo()
    info.message = message
    info.source = "sim"
    info.kind = .application(application)
    var failure = Failure()
    failure.info = info
    return failure
  }
}

extension Command.Kind {
  /// What a replay tells of the command.
  var head: CommandHead {
    var head = CommandHead()
    switch self {
    case .scheduleActivity(let command):
      head.type = .scheduleActivity
      head.seq = command.seq
      head.name = command.activityType
    case .scheduleLocalActivity(let command):
      head.type = .scheduleLocalActivity
      head.seq = command.seq
      head.name = command.activityType
    case .requestCancelActivity(let command):
      head.type = .requestCancelActivity
      head.seq = command.seq
    case .startTimer(let command):
      head.type = .startTimer
      head.seq = command.seq
    case .cancelTimer(let command):
      head.type = .cancelTimer
      head.seq = command.seq
    case .completeWorkflow: head.type = .completeWorkflow
    case .failWorkflow: head.type = .failWorkflow
    case .cancelledWorkflow: head.type = .cancelledWorkflow
    case .continueAsNew: head.type = .continueAsNew
    case .updateAccepted(let command):
      head.type = .updateAccepted
      head.id = command.updateID
    case .updateCompleted(let command):
      head.type = .updateCompleted
      head.id = command.updateID
    case .recordMarker(let command):
      head.type = .recordMarker
      head.seq = command.seq
      head.name = command.markerName
      head.id = command.markerID
    case .startChild(let command):
      head.type = .startChild
      head.seq = command.seq
      head.name = command.workflowType
      head.id = command.workflowID
    case .cancelChild(let command):
      head.type = .cancelChild
      head.seq = command.seq
    case .signalExternal(let command):
      head.type = .signalExternal
      head.seq = command.seq
      head.name = command.signalName
      head.id = command.execution?.workflowID ?? ""
    case .upsertMemo: head.type = .upsertMemo
    case .upsertSearchAttributes: head.type = .upsertSearchAttributes
    case .setCurrentDetails: head.type = .setCurrentDetails
    case .cancelExternal(let command):
      head.type = .cancelExternal
      head.seq = command.seq
      head.id = command.execution?.workflowID ?? ""
    }
    return head
  }
}
