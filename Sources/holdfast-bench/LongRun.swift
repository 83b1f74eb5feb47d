import Basics
import EngineCore
import Glibc
import Messages
import SQLiteStore

/// What a turn of a workflow costs the engine and its store as the history grows: a signal, the
/// activation that shows it, and the completion with a marker, over and over, in one process.
///
/// `isDormant`: the run leaves memory before each turn, and is read for it.
struct LongRun {
  private let isDormant: Bool
  private let store: Store
  private var engine: Engine
  private var effects = Effects()
  private var now = Instant(ms: 1_700_000_000_000)
  private var inputs: [Input] = []
  private var requests: UInt64 = 0
  private var token: [UInt8] = []
  private static let session = SessionID(1)

  private static let eventsPerTurn = 3
  private static let compared = 1_000
  /// How much more the last turns may cost than the first.
  private static let ratioMax = 1.2

  init(isDormant: Bool) throws {
    self.isDormant = isDormant
    let (store, opened) = try Store.open(path: nil)
    self.store = store
    var configuration = EngineConfiguration(seed: 7)
    configuration.limits.signalsPerRunMax = .max
    engine = Engine(configuration, opened: opened)
  }

  /// False when the last turns cost too much more than the first.
  mutating func run(events: Int) throws -> Bool {
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["long"]
    attach.cachedRunsMax = 10
    try take(.sessionOpened(LongRun.session, attach, nil))
    var grant = Grant()
    grant.workflowSlots = UInt32.max
    try say(.grant(grant))
    var start = StartWorkflowRequest()
    start.workflowID = "long"
    start.workflowType = "long"
    start.taskQueue = "q"
    try ask(.startWorkflow(start))
    try complete(marker: false)
    var costs: [Int64] = []
    for _ in 0..<events / LongRun.eventsPerTurn {
      if isDormant { try rest() }
      let begin = Device.nowNs
      try turn()
      costs.append(Device.nowNs - begin)
    }
    return tell(costs)
  }

  private func tell(_ costs: [Int64]) -> Bool {
    let first = LongRun.median(costs.prefix(LongRun.compared))
    let last = LongRun.median(costs.suffix(LongRun.compared))
    let ratio = Double(last) / Double(first)
    print(
      "\(isDormant ? "dormant " : "resident")  \(costs.count) turns: the first"
        + " \(LongRun.compared) took \(first / 1_000) us each, the last \(last / 1_000) us"
        + " (medians): \(fixed(ratio)) times as long")
    return ratio <= LongRun.ratioMax
  }

  private static func median(_ values: ArraySlice<Int64>) -> Int64 {
    values.sorted()[values.count / 2]
  }

  private mutating func turn() throws {
    now = now + Span(ms: 1)
    var signal = SignalWorkflowRequest()
    var execution = WorkflowExecution()
    execution.workflowID = "long"
    signal.execution = execution
    signal.signalName = "go"
    try ask(.signalWorkflow(signal))
    try complete(marker: true)
  }

  private mutating func complete(marker: Bool) throws {
    precondition(!token.isEmpty, "the run has no task")
    var completed = WorkflowTaskCompleted()
    completed.token = token
    token = []
    if marker {
      var record = RecordMarker()
      record.markerName = "side_effect"
      var command = Command()
      command.kind = .recordMarker(record)
      completed.commands = [command]
    }
    try say(.workflowTaskCompleted(completed))
  }

  /// Until the run has left memory.
  private mutating func rest() throws {
    let end = now + EngineTimes().residency + Span(ms: 1)
    while let next = engine.nextDeadline, next <= end {
      now = max(now, next)
      try take(.deadlineReached)
    }
    now = end
    precondition(engine.statistics.residentRuns == 0, "the run stays in memory")
  }

  private mutating func ask(_ request: Request) throws {
    requests += 1
    try take(.request(RequestID(connection: 1, stream: requests), request))
  }

  private mutating func say(_ kind: WorkerMessage.Kind) throws {
    var message = WorkerMessage()
    message.kind = kind
    try take(.workerMessage(LongRun.session, message))
  }

  /// Takes the input and what follows from it; each step's writes are committed before anything
  /// else.
  private mutating func take(_ input: Input) throws {
    inputs.append(input)
    while !inputs.isEmpty {
      engine.step(inputs.removeFirst(), now: now, into: &effects)
      if !effects.writes.isEmpty {
        try store.commit(effects.writes)
        inputs.append(.persisted(effects.serial))
      }
      for gated in effects.loads { inputs.append(.loaded(try store.load(gated.load))) }
      for gated in effects.sends {
        switch gated.send {
        case .worker(_, let message):
          switch message.kind {
          case .activation(let activation): token = activation.token
          case .replayHistory: preconditionFailure("the worker has the run, and is shown its past")
          default: break
          }
        case .awaitRoom(let session): inputs.append(.sessionHasRoom(session))
        case .reply(_, .failure(let status)): preconditionFailure("refused: \(status.message)")
        default: break
        }
      }
    }
  }
}
