import Basics
import EngineCore
import Messages

/// A stored run whose checksums hold and whose bytes may be anything: what the engine cannot read
/// it refuses, and it serves on.
func fuzzHistory(_ input: inout FuzzInput) {
  let kind = input.byte()
  let isOpen = kind & 1 == 0
  let state = kind & 2 == 0 ? nil : input.piece()
  var tail: [StoredBatch] = []
  var stateEvent: Int64 = 0
  if let state { stateEvent = (try? RunState(bytes: state))?.lastEventID ?? 0 }
  var last = stateEvent
  for _ in 0..<input.byte() % 16 {
    let bytes = input.piece()
    let events = (try? HistoryBatch(bytes: bytes))?.events ?? []
    let first = events.first?.eventID ?? last
    last = events.last?.eventID ?? first
    tail.append(StoredBatch(first: first, last: last, bytes: bytes))
  }
  var activities: [StoredActivity] = []
  while !input.isAtEnd {
    let event = Int64(input.byte())
    activities.append(StoredActivity(scheduledEvent: event, bytes: input.piece()))
  }
  let run = StoredRun(
    row: row(isOpen: isOpen, last), state: state, stateEvent: stateEvent, tail: tail,
    activities: activities, requests: [])
  serve(run)
}

private let runID = RunID(high: 7, low: 7)

private func row(isOpen: Bool, _ last: Int64) -> RunRow {
  RunRow(
    number: RunNumber(1), namespace: "default", workflowID: "w", runID: runID,
    workflowType: "order", taskQueue: "q", status: isOpen ? .running : .completed,
    startTime: Instant(ms: 1_700_000_000_000),
    closeTime: isOpen ? nil : Instant(ms: 1_700_000_100_000), historyLength: last,
    historySizeBytes: 500, deadline: nil, summary: "")
}

/// All that can be asked of a run, with a worker that takes its tasks, and all of its deadlines.
private func serve(_ run: StoredRun) {
  var filter = IDFilter()
  filter.insert(IDFilter.key(namespace: "default", workflowID: "w"))
  var engine = FuzzEngine(nextRun: 2, filter: filter) { subject in
    switch subject {
    case .workflow(_, "w", .workflow, _), .runNamed(_, "w", runID), .run(RunNumber(1)):
      .run(run, request: nil)
    case .history(_, let from, _):
      .history(run.tail.filter { $0.last >= from }, more: false)
    case .rows(_, _, nil, _): .rows([run.row])
    case .rows: .rows([])
    case .deadlines: .deadlines([])
    case .lifetimes: .lifetimes([])
    case .zone: .zone(nil)
    default: .run(nil, request: nil)
    }
  }
  var attach = Attach()
  attach.taskQueue = "q"
  attach.workflowTypes = ["order"]
  attach.activityTypes = ["charge", "mark"]
  let session = SessionID(1)
  engine.step(.sessionOpened(session, attach, nil))
  var grant = WorkerMessage()
  var slots = Grant()
  slots.workflowSlots = 4
  slots.activitySlots = 4
  grant.kind = .grant(slots)
  engine.step(.workerMessage(session, grant))

  var execution = WorkflowExecution()
  execution.workflowID = "w"
  var describe = DescribeWorkflowRequest()
  describe.execution = execution
  engine.request(.describeWorkflow(describe))
  var signal = SignalWorkflowRequest()
  signal.execution = execution
  signal.signalName = "go"
  engine.request(.signalWorkflow(signal))
  var history = GetHistoryRequest()
  history.execution = execution
  engine.request(.getHistory(history))
  for send in engine.takeSends() {
    guard case .worker(_, let message) = send, let answer = answer(message) else { continue }
    engine.step(.workerMessage(session, answer))
  }
  engine.advance(3_600_000)
  var terminate = TerminateWorkflowRequest()
  terminate.execution = execution
  engine.request(.terminateWorkflow(terminate))
}

/// The replay of a worker whose code asks for nothing.
private func answer(_ message: EngineMessage) -> WorkerMessage? {
  guard case .replayHistory(let part) = message.kind else { return nil }
  var completed = ReplayCompleted()
  completed.token = part.token
  completed.completions = part.activations.map { _ in PastCompletion() }
  var answer = WorkerMessage()
  answer.kind = .replayCompleted(completed)
  return answer
}
