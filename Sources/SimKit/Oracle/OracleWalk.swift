import Basics
import EngineCore
import Messages
import SQLiteStore

/// A random walk of the engine and the model, side by side.
///
/// It plays the clients and the workers. Names are few, so that everything meets everything.
struct OracleWalk {
  var dice: Dice
  var engine: OracleEngine
  var model: Model
  private let seed: UInt64
  private let tell: ((String) -> Void)?
  /// Draws of its own: what is replayed beside the walk changes nothing of it.
  var replayDice: Dice
  /// As `replayDice`.
  var namespaceDice: Dice
  /// At one moment.
  private static let wakingsMax = 10_000
  var sentReplays: UInt64 = 0
  /// Of a hundred steps, after how many every run is looked at. Runs that are looked at do not
  /// become dormant.
  private let snapshotPercent: Int
  private let holdPercent: Int

  // What the players know.
  var tasks: [(session: SessionID, activation: Activation)] = []
  var replays: [(session: SessionID, history: ReplayHistory)] = []
  var leases: [(session: SessionID, task: ActivityTask)] = []
  /// Tokens of the past.
  var oldTasks: [[UInt8]] = []
  var oldLeases: [ActivityTask] = []
  /// On local activities.
  var reports: [LocalActivityDone] = []
  var requests: [RequestID] = []
  /// Requests for the next page of a list.
  var pages: [ListWorkflowsRequest] = []
  /// How many processes of a worker have ended.
  var deaths: [String: Int64] = [:]
  var sessionCount: UInt64 = 0
  /// Two faults at once would ask which is told first.
  private var mayBeWrong = true
  private var requestCount: UInt64 = 0

  private var steps = 0
  private var runs = 0
  private var events = 0
  private var answers = 0
  private var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  private var difference: String?
  var hasDiffered: Bool { difference != nil }

  init(seed: UInt64, mutant: Oracle.Mutant?, tell: ((String) -> Void)?) throws(StoreError) {
    self.seed = seed
    self.tell = tell
    dice = Dice(seed: seed)
    replayDice = Dice(seed: ~seed)
    namespaceDice = Dice(seed: seed &+ 1 << 32)
    var configuration = EngineConfiguration(seed: dice.word())
    configuration.limits.payloadBytesMax = 1_000
    // The model knows nothing of bytes that are on their way.
    configuration.limits.unreadTaskBytesMax = .max
    configuration.limits.signalsPerRunMax = dice.pick([10, 1_000])
    // Every second walk is one of runs that come and go, waiting or not.
    if seed % 2 == 0 { configuration.limits.residentBytesMax = 10_000 }
    configuration.limits.updatesInFlightMax = dice.pick([2, 10])
    configuration.times.residency = Span(ms: dice.pick([0, 1_000, 10_000]))
    configuration.times.retention = Span(ms: dice.pick([60_000, 3_600_000]))
    snapshotPercent = dice.pick([5, 30, 100])
    holdPercent = dice.pick([0, 50])
    configuration.limits.waitingActionsMax = dice.pick([2, 1_000])
    configuration.limits.scheduledWorkflowsMax = dice.pick([3, 1_000])
    configuration.limits.scheduleRequestsKept = dice.pick([2, 50])
    let start = dice.pick(OracleWalk.beginnings)
    engine = try OracleEngine(configuration, at: start)
    model = Model(at: start, configuration)
    model.mutant = mutant
  }

  mutating func run(steps wanted: Int) throws(StoreError) -> OracleReport {
    while steps < wanted && difference == nil {
      steps += 1
      mayBeWrong = true
      engine.holdsCommits = dice.percent(holdPercent)
      try act()
      try settle()
      if dice.percent(snapshotPercent) { try lookAtAll() }
      if replayDice.percent(3) { replaySent() }
      if namespaceDice.percent(3) {
        try askOfNamespaces()
        try settle()
      }
    }
    return OracleReport(
      seed: seed, steps: steps, runs: runs, events: events, answers: answers, hash: hash,
      difference: difference)
  }

  /// What is due happens, and nothing that could go on waits.
  mutating func settle() throws(StoreError) {
    var wakings = 0
    while engine.isDue && difference == nil {
      try play(.deadlineReached)
      wakings += 1
      if wakings > OracleWalk.wakingsMax { object("the engine wakes itself up without end") }
    }
    guard difference == nil else { return }
    model.objectToWaiting()
    model.endShares()
    model.objectToOverdue()
    if !model.objections.isEmpty { differ("after the step", [], []) }
  }

  private mutating func lookAtAll() throws(StoreError) {
    for run in model.runs.suffix(12) {
      if run.isOfActivity {
        var describe = DescribeActivityRequest()
        describe.activityID = run.workflowID
        describe.runID = run.id
        try ask(.activityRun(.describe(describe)))
        continue
      }
      var describe = DescribeWorkflowRequest()
      describe.execution = .of(run.workflowID, run.id)
      try ask(.describeWorkflow(describe))
      guard difference == nil else { return }
    }
  }

  /// At times something is wrong, at most one thing a step.
  mutating func isWrong() -> Bool {
    guard mayBeWrong, dice.percent(1) else { return false }
    mayBeWrong = false
    return true
  }

  // MARK: - Playing

  mutating func ask(_ request: Request) throws(StoreError) {
    requestCount += 1
    let id = RequestID(connection: 1, stream: requestCount)
    switch request {
    case .getWorkflowResult, .queryWorkflow, .getHistory, .updateWorkflow,
      .updateWithStartWorkflow, .pollUpdate, .activityRun(.result):
      requests.append(id)
    default: break
    }
    try play(.request(id, request))
    if case .listWorkflows(let list) = request { turn(list) }
  }

  /// Keeps the request for the next page.
  private mutating func turn(_ list: ListWorkflowsRequest) {
    guard !hasDiffered, list.pageSize > 0, !engine.pageToken.isEmpty else { return }
    model.pages[engine.pageToken] = model.lastPage
    var next = list
    next.nextPageToken = engine.pageToken
    pages = (pages + [next]).suffix(10)
  }

  /// Both take the input, and have to do the same.
  mutating func play(_ input: Input) throws(StoreError) {
    guard difference == nil else { return }
    tell?("step \(steps) at \(engine.now.ms): \(input.line)")
    let observed = try engine.unit(input)
    model.begin(at: engine.now, drawn: engine.created)
    model.isStepwise = engine.isStepwise
    model.lateLetters = engine.lateLetters
    model.permitted = engine.permitsGiven
    model.heard = observed.compactMap { fact in
      guard case .event(let run, let event) = fact else { return nil }
      return event.answeredEvent.map { (run, $0) }
    }
    model.leaving = engine.removed
    model.given = observed.compactMap { fact in
      guard case .told(let session, .activityTask(let task)) = fact else { return nil }
      return (session, task)
    }
    model.shown = shown(observed)
    for case .answered(_, .queue(let response)) in observed {
      model.backlog = response.workflowTasks
      model.told = response.activityTasks
    }
    model.handle(input)
    compare(observed, input.line)
    deliver()
  }

  /// Everything becomes durable; that alone has no effect but what leaves.
  mutating func commit() throws(StoreError) {
    let observed = try engine.commitUnit()
    model.begin(at: engine.now, drawn: [])
    model.shown = shown(observed)
    compare(observed, "commit")
    deliver()
  }

  /// The engine ends and is started again over what it wrote. Heartbeats are waited for until they
  /// are durable: how many of them a sudden end takes along is left open.
  mutating func restart() throws(StoreError) {
    try pass(model.times.heartbeatFlush)
    try settle()
    try commit()
    guard difference == nil else { return }
    tell?("step \(steps) at \(engine.now.ms): the engine is started again")
    let observed = try engine.restart(seed: dice.word())
    model.begin(at: engine.now, drawn: engine.created)
    model.lateLetters = engine.lateLetters
    model.permitted = engine.permitsGiven
    model.isStepwise = engine.isStepwise
    model.shown = shown(observed)
    model.restart()
    compare(observed, "a start of the engine")
    oldTasks += tasks.map(\.activation.token) + replays.map(\.history.token)
    tasks = []
    replays = []
    requests = []
    deliver()
    for case .watched(let process) in observed.prefix(1) where dice.percent(30) {
      try die(process)
    }
  }

  private func shown(_ observed: [Fact]) -> [(SessionID, EngineMessage.Kind)] {
    observed.compactMap { fact in
      guard case .told(let session, let kind) = fact, kind.shownRun != nil else { return nil }
      return (session, kind)
    }
  }

  private mutating func compare(_ observed: [Fact], _ input: String) {
    for fact in observed { count(fact) }
    var extra: [Fact] = []
    for fact in observed {
      if case .told(let session, let kind) = fact, model.take(session, kind) { continue }
      if case .answered(let id, let response) = fact, model.refuses(id, response) { continue }
      extra.append(fact)
    }
    model.objectToPermits()
    model.order(like: engine.created.map(\.runID))
    model.remove(engine.removed)
    var missing = model.facts
    for (one, other) in model.either {
      let place = extra.firstIndex { $0 == one || $0 == other }
      if let place { extra.remove(at: place) } else { missing.append(one) }
    }
    extra.removeAll { fact in
      guard let place = missing.firstIndex(of: fact) else { return false }
      missing.remove(at: place)
      return true
    }
    extra += model.unmatched
    if tell != nil {
      for fact in observed { tell?("  \(fact.text)") }
      for run in engine.removed { tell?("  \(run) is removed") }
    }
    if let fault = engine.fault { model.objections.append(fault) }
    if !missing.isEmpty || !extra.isEmpty || !model.objections.isEmpty {
      differ(input, missing, extra)
    }
  }

  mutating func object(_ objection: String) {
    model.objections = [objection]
    differ("beside the walk", [], [])
  }

  func tell(_ text: String) { tell?("step \(steps) at \(engine.now.ms): \(text)") }

  private mutating func differ(_ input: String, _ missing: [Fact], _ extra: [Fact]) {
    var lines = ["seed \(seed), step \(steps), at \(engine.now.ms): \(input)"]
    lines += missing.map { "- model:  \($0.text)" }
    lines += extra.map { "+ engine: \($0.text)" }
    lines += model.objections.map { "! \($0)" }
    difference = lines.joined(separator: "\n")
  }

  private mutating func count(_ fact: Fact) {
    var word: UInt64 = 0
    switch fact {
    case .event(let run, let event):
      events += 1
      word = run.low ^ UInt64(event.eventID)
      if event.eventID == 1 { runs += 1 }
    case .answered(let id, let answer):
      answers += 1
      word = id.stream
      if case .failure(let status) = answer { word ^= UInt64(status.reason.rawValue) << 32 }
    case .closed(let run, _), .remembered(let run, _), .attempts(let run, _): word = run.high
    case .told(let session, _), .ended(let session, _): word = session.value << 16
    case .watched(let process): word = UInt64(bitPattern: process.process) << 8
    }
    hash = (hash ^ word) &* 0x100_0000_01B3
  }

  /// What has left reaches the players.
  private mutating func deliver() {
    for (session, kind) in engine.delivered {
      switch kind {
      case .activation(let m): tasks.append((session, m))
      case .replayHistory(let m): replays.append((session, m))
      case .activityTask(let m): leases.append((session, m))
      case .evict(let m):
        oldTasks += tasks.filter { $0.activation.runID == m.runID }.map(\.activation.token)
        tasks.removeAll { $0.session == session && $0.activation.runID == m.runID }
        replays.removeAll { $0.session == session && $0.history.runID == m.runID }
      case .activityCancel(let m) where m.reason != .cancelled: forget(m.token)
      case .attached, .activityCancel, .recorded, .refused, .drain: break
      }
    }
    engine.delivered = []
    oldTasks = oldTasks.suffix(10)
    oldLeases = oldLeases.suffix(30)
    reports = reports.suffix(30)
  }

  mutating func forget(_ token: [UInt8]) {
    oldLeases += leases.filter { $0.task.token == token }.map(\.task)
    leases.removeAll { $0.task.token == token }
  }
}

extension Model {
  /// A unit begins.
  mutating func begin(at now: Instant, drawn: [WorkflowExecutionStarted]) {
    self.now = now
    self.drawn = drawn
    for run in runs where keeper(of: run) != nil { run.keptTime = now }
    given = []
    shown = []
    leaving = []
    permitted = []
    backlog = nil
    told = nil
    isStepwise = false
    closedLate = [:]
    lateLetters = []
    heard = []
    deleted = []
    facts = []
    either = []
    unmatched = []
    objections = []
  }

  /// Which of several runs that a unit begins is the older one is the engine's matter.
  mutating func order(like ids: [RunID]) {
    let places = runs.indices.filter { ids.contains(runs[$0].id) }
    let new = ids.compactMap { id in runs.last { $0.id == id } }
    for (place, run) in zip(places, new) { runs[place] = run }
  }

  /// The engine has removed closed runs: when is its matter, but not before their time.
  mutating func remove(_ ids: [RunID]) {
    for id in ids where !deleted.contains(id) {
      guard let run = run(id), !run.isOpen, run.closeTime + retention <= now else {
        objections.append("\(id) is removed before its time")
        continue
      }
      runs.removeAll { $0 === run }
      remembered.removeAll { $0.run == id }
    }
  }
}

extension WorkflowExecution {
  static func of(_ workflowID: String, _ runID: RunID = .none) -> WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    execution.runID = runID
    return execution
  }
}

extension Input {
  /// In a line, for people.
  var line: String {
    switch self {
    case .request(let id, let request): "request \(id.stream): \(request.line)"
    case .workerMessage(let session, let message): "\(session) says \(message.json())"
    case .workerMessages(let session, let messages):
      "\(session) says \(messages.map { $0.json() })"
    case .sessionOpened(let session, let attach, _): "\(session) attaches: \(attach.json())"
    default: "\(self)"
    }
  }
}

extension Request {
  fileprivate var line: String {
    switch self {
    case .startWorkflow(let m): "StartWorkflow \(m.json())"
    case .signalWorkflow(let m): "SignalWorkflow \(m.json())"
    case .signalWithStartWorkflow(let m): "SignalWithStartWorkflow \(m.json())"
    case .queryWorkflow(let m): "QueryWorkflow \(m.json())"
    case .updateWorkflow(let m): "UpdateWorkflow \(m.json())"
    case .updateWithStartWorkflow(let m): "UpdateWithStartWorkflow \(m.json())"
    case .pollUpdate(let m): "PollUpdate \(m.json())"
    case .cancelWorkflow(let m): "CancelWorkflow \(m.json())"
    case .terminateWorkflow(let m): "TerminateWorkflow \(m.json())"
    case .deleteWorkflow(let m): "DeleteWorkflow \(m.json())"
    case .pauseWorkflow(let m): "PauseWorkflow \(m.json())"
    case .unpauseWorkflow(let m): "UnpauseWorkflow \(m.json())"
    case .resetWorkflow(let m): "ResetWorkflow \(m.json())"
    case .forkWorkflow(let m): "ForkWorkflow \(m.json())"
    case .describeWorkflow(let m): "DescribeWorkflow \(m.json())"
    case .getWorkflowResult(let m): "GetWorkflowResult \(m.json())"
    case .getHistory(let m): "GetHistory \(m.json())"
    case .listWorkflows(let m): "ListWorkflows \(m.json())"
    case .countWorkflows(let m): "CountWorkflows \(m.json())"
    case .completeActivity(let m): "CompleteActivity \(m.json())"
    case .failActivity(let m): "FailActivity \(m.json())"
    case .reportActivityCancelled(let m): "ReportActivityCancelled \(m.json())"
    case .heartbeatActivity(let m): "HeartbeatActivity \(m.json())"
    case .pauseActivity(let m): "PauseActivity \(m.json())"
    case .unpauseActivity(let m): "UnpauseActivity \(m.json())"
    case .resetActivity(let m): "ResetActivity \(m.json())"
    case .updateActivityOptions(let m): "UpdateActivityOptions \(m.json())"
    case .describeTaskQueue(let m): "DescribeTaskQueue \(m.json())"
    case .setTaskQueueLimits(let m): "SetTaskQueueLimits \(m.json())"
    case .workflowType(let m): "\(m)"
    case .schedule(let m): "\(m)"
    case .attribute(let m): "\(m)"
    case .namespace(let m): "\(m)"
    case .batch(let m): "\(m)"
    case .activityRun(let m): "\(m)"
    }
  }
}
