import Basics
import EngineCore
import Messages

/// An engine over a store in memory, with everything that it sends.
///
/// Commits are immediate unless `holdsCommits`; then sends that depend on a write wait for
/// `commit()`, as they would outside.
final class World {
  private(set) var engine: Engine
  var store = MemoryStore()
  static let start = Instant(ms: 1_700_000_000_000)
  var now = World.start
  private var effects = Effects()
  /// Sees each input and what the engine made of it.
  var observer: ((Input, Effects) -> Void)?

  var holdsCommits = false
  private var staged: [Write] = []
  private var stagedSerial = WriteSerial.none
  private var durable = WriteSerial.none
  private var gated: [GatedSend] = []
  private var gatedLoads: [GatedLoad] = []
  private var ready: [Load] = []
  private(set) var commits = 0
  /// Processes that the engine wants watched.
  private(set) var watches: [ProcessIdentity] = []
  /// Loads are kept until `serveLoads`, instead of being answered at once.
  var holdsLoads = false
  /// What an answer asks for is answered after those that were asked for before it.
  private var isServing = false
  var loadsWaiting: Int { ready.count }

  /// Workers read what they are sent, at once.
  var workersRead = true
  private var full: [SessionID] = []

  /// What has left, oldest first; tests take it out.
  var sent: [Send] = []
  private var requests: UInt64 = 0
  private var sessions: UInt64 = 0
  private var configuration: EngineConfiguration

  init(_ change: (inout EngineConfiguration) -> Void = { _ in }) {
    var configuration = EngineConfiguration(seed: 7)
    configuration.skipsTime = true
    change(&configuration)
    self.configuration = configuration
    engine = Engine(configuration, opened: store.open(window: configuration.limits.deadlineWindow))
  }

  // MARK: - Driving

  func step(_ input: Input) {
    engine.step(input, now: now, into: &effects)
    if let fault = engine.fault { preconditionFailure(fault) }
    observer?(input, effects)
    staged += effects.writes
    if !effects.writes.isEmpty { stagedSerial = effects.serial }
    gated += effects.sends
    gatedLoads += effects.loads
    watches += effects.watches
    release()
    if !holdsCommits { commit() }
    while !holdsLoads && !ready.isEmpty && !isServing { serveLoads() }
    while workersRead && !full.isEmpty { readTasks() }
  }

  /// The workers that were sent much have read it.
  func readTasks() {
    let sessions = full
    full = []
    for session in sessions { step(.sessionHasRoom(session)) }
  }

  /// Makes everything staged durable.
  func commit() {
    guard !staged.isEmpty else { return }
    store.apply(staged)
    staged = []
    commits += 1
    durable = stagedSerial
    release()
    step(.persisted(durable))
  }

  private func release() {
    for case .awaitRoom(let session) in gated.filter({ $0.after <= durable }).map(\.send) {
      full.append(session)
    }
    sent += gated.filter { $0.after <= durable }.map(\.send)
    gated.removeAll { $0.after <= durable }
    ready += gatedLoads.filter { $0.after <= durable }.map(\.load)
    gatedLoads.removeAll { $0.after <= durable }
  }

  /// Answers the loads that wait now.
  func serveLoads() {
    let loads = ready
    ready = []
    isServing = true
    defer { isServing = false }
    for load in loads { step(.loaded(store.load(load))) }
  }

  /// Lets time pass, deadline by deadline.
  func advance(_ span: Int64) {
    let end = now + Span(ms: span)
    while let next = engine.nextDeadline, next <= end {
      now = max(now, next)
      step(.deadlineReached)
    }
    now = end
  }

  /// The process dies: what was not committed is gone, and a new engine opens the store.
  func crash() {
    staged = []
    gated = []
    gatedLoads = []
    ready = []
    full = []
    sent = []
    durable = .none
    stagedSerial = .none
    configuration.seed += 1  // Another process draws other random numbers.
    engine = Engine(configuration, opened: store.open(window: configuration.limits.deadlineWindow))
    advance(0)
  }

  // MARK: - Requests

  /// The id that the next request will have.
  var nextRequest: RequestID { RequestID(connection: 1, stream: requests + 1) }

  @discardableResult
  func request(_ request: Request) -> RequestID {
    let id = nextRequest
    requests += 1
    step(.request(id, request))
    return id
  }

  /// The id of a stream on which messages follow.
  func openStream() -> RequestID {
    requests += 1
    return RequestID(connection: 1, stream: requests)
  }

  func replay(_ id: RequestID, _ part: HistoryPart) {
    var request = ReplayRequest()
    request.kind = .history(part)
    step(.replay(id, request))
  }

  /// The answer to a request; taken out.
  func reply(_ id: RequestID) -> Reply? {
    for (index, send) in sent.enumerated() {
      if case .reply(let to, let reply) = send, to == id {
        sent.remove(at: index)
        return reply
      }
    }
    return nil
  }

  func failure(_ id: RequestID) -> Status? {
    if case .failure(let status) = reply(id) { return status }
    return nil
  }

  func ask(_ request: Request) -> Reply? { reply(self.request(request)) }

  func start(_ workflowID: String, _ change: (inout StartWorkflowRequest) -> Void = { _ in })
    -> RequestID
  {
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = "order"
    start.taskQueue = "q"
    change(&start)
    return request(.startWorkflow(start))
  }

  func execution(_ workflowID: String, _ runID: RunID = .none) -> WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    execution.runID = runID
    return execution
  }

  func signal(_ workflowID: String, _ name: String, requestID: String = "") -> RequestID {
    var signal = SignalWorkflowRequest()
    signal.execution = execution(workflowID)
    signal.signalName = name
    signal.requestID = requestID
    return request(.signalWorkflow(signal))
  }

  func describe(_ workflowID: String) -> DescribeWorkflowResponse? {
    var request = DescribeWorkflowRequest()
    request.execution = execution(workflowID)
    if case .describeWorkflow(let response) = ask(.describeWorkflow(request)) { return response }
    return nil
  }

  func result(_ workflowID: String) -> RequestID {
    var request = GetWorkflowResultRequest()
    request.execution = execution(workflowID)
    return self.request(.getWorkflowResult(request))
  }

  /// The kinds of a run's events, as the store holds them.
  func history(_ run: Int64 = 1) -> [String] {
    store.history(RunNumber(run)).map(\.kindName)
  }

  // MARK: - Workers

  func attach(
    workflows: [String] = ["order"], activities: [String] = ["charge"], queue: String = "q",
    slots: UInt32 = 10, _ change: (inout Attach) -> Void = { _ in },
    process: ProcessIdentity? = nil
  ) -> SessionID {
    sessions += 1
    let id = SessionID(sessions)
    var attach = Attach()
    attach.taskQueue = queue
    attach.workflowTypes = workflows
    attach.activityTypes = activities
    attach.identity = "worker-\(sessions)"
    attach.resumeToken = Array("token-\(sessions)".utf8)
    change(&attach)
    step(.sessionOpened(id, attach, process))
    var grant = Grant()
    grant.workflowSlots = slots
    grant.activitySlots = slots
    step(.workerMessage(id, .of(.grant(grant))))
    return id
  }

  func tell(_ id: SessionID, _ kind: WorkerMessage.Kind) { step(.workerMessage(id, .of(kind))) }

  /// The next message to a session that `pick` accepts; taken out.
  func take<T>(_ id: SessionID, _ pick: (EngineMessage.Kind) -> T?) -> T? {
    for (index, send) in sent.enumerated() {
      if case .worker(let to, let message) = send, to == id, let kind = message.kind,
        let value = pick(kind)
      {
        sent.remove(at: index)
        return value
      }
    }
    return nil
  }

  func activation(_ id: SessionID) -> Activation? {
    take(id) { if case .activation(let m) = $0 { m } else { nil } }
  }

  func activity(_ id: SessionID) -> ActivityTask? {
    take(id) { if case .activityTask(let m) = $0 { m } else { nil } }
  }

  /// The worker brings itself up to date, if it has to, with the past of a run that has started a
  /// timer; the task that follows.
  func replayed(_ id: SessionID) -> Activation? {
    guard let part = take(id, { if case .replayHistory(let m) = $0 { m } else { nil } }) else {
      return activation(id)
    }
    var head = CommandHead()
    head.type = .startTimer
    head.seq = 1
    var completion = PastCompletion()
    completion.heads = [head]
    var completed = ReplayCompleted()
    completed.token = part.token
    completed.completions = [completion]
    tell(id, .replayCompleted(completed))
    return activation(id)
  }

  func terminate(_ workflowID: String) {
    var request = TerminateWorkflowRequest()
    request.execution = execution(workflowID)
    _ = ask(.terminateWorkflow(request))
  }

  func complete(_ id: SessionID, _ activation: Activation, _ commands: [Command.Kind]) {
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    completed.commands = commands.map { kind in
      var command = Command()
      command.kind = kind
      return command
    }
    tell(id, .workflowTaskCompleted(completed))
  }

  func finish(_ id: SessionID, _ task: ActivityTask, _ result: String = "ok") {
    var completed = ActivityCompleted()
    completed.token = task.token
    completed.result = [.text(result)]
    tell(id, .activityCompleted(completed))
  }
}

extension WorkerMessage {
  static func of(_ kind: WorkerMessage.Kind) -> WorkerMessage {
    var message = WorkerMessage()
    message.kind = kind
    return message
  }
}

extension Payload {
  static func text(_ text: String) -> Payload {
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = Array("\"\(text)\"".utf8)
    return payload
  }
}

extension HistoryEvent {
  var kindName: String {
    guard let attributes else { return "none" }
    return String(describing: attributes).split(separator: "(").first.map(String.init) ?? "?"
  }
}

extension Command.Kind {
  static func activity(
    _ seq: UInt32, type: String = "charge", _ change: (inout ScheduleActivity) -> Void = { _ in }
  ) -> Command.Kind {
    var schedule = ScheduleActivity()
    schedule.seq = seq
    schedule.activityType = type
    schedule.startToCloseTimeoutMs = Span(ms: 10_000)
    change(&schedule)
    return .scheduleActivity(schedule)
  }

  static func timer(_ seq: UInt32, _ ms: Int64) -> Command.Kind {
    var timer = StartTimer()
    timer.seq = seq
    timer.startToFireTimeoutMs = Span(ms: ms)
    return .startTimer(timer)
  }

  static func cancelTimer(_ seq: UInt32) -> Command.Kind {
    var cancel = CancelTimer()
    cancel.seq = seq
    return .cancelTimer(cancel)
  }

  static func done(_ result: String = "done") -> Command.Kind {
    var complete = CompleteWorkflow()
    complete.result = [.text(result)]
    return .completeWorkflow(complete)
  }
}

extension Activation {
  /// The kinds of the jobs, shortly.
  var jobNames: [String] {
    jobs.map { job in
      switch job.kind {
      case .initializeWorkflow: return "initialize"
      case .signalWorkflow(let m): return "signal \(m.signalName)"
      case .cancelWorkflow: return "cancel"
      case .updateRandomSeed: return "seed"
      case .fireTimer(let m): return "fire \(m.seq)"
      case .resolveActivity(let m):
        switch m.result {
        case .completed: return "completed \(m.seq)"
        case .failed: return "failed \(m.seq)"
        case .canceled: return "canceled \(m.seq)"
        case nil: return "?"
        }
      case .queryWorkflow(let m): return "query \(m.queryType)"
      case .doUpdate(let m): return "update \(m.updateID)"
      case .resolveChildStart(let m):
        switch m.result {
        case .started: return "started \(m.seq)"
        case .failed: return "not started \(m.seq)"
        case .canceled: return "start canceled \(m.seq)"
        case nil: return "?"
        }
      case .resolveChild(let m):
        switch m.result {
        case .completed: return "child completed \(m.seq)"
        case .failed: return "child failed \(m.seq)"
        case .canceled: return "child canceled \(m.seq)"
        case nil: return "?"
        }
      case .resolveSignalExternal(let m):
        return "signal \(m.failure == nil ? "arrived" : "lost") \(m.seq)"
      case .resolveCancelExternal(let m):
        return "cancel \(m.failure == nil ? "arrived" : "lost") \(m.seq)"
      case nil: return "?"
      }
    }
  }
}
