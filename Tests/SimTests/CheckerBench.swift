import Basics
import EngineCore
import Messages
import Shell

@testable import SimKit

/// A checker over a store of its own: told a story, it says what it found.
final class CheckerBench {
  let ledger = Ledger()
  private let checker: any Checker
  var us: Int64 = 0
  private(set) var found: [String] = []
  private var lengths: [Int64: Int64] = [:]

  init(_ checker: any Checker) { self.checker = checker }

  func see(_ observation: Observation) {
    checker.see(observation, Scene(us: us, ledger: ledger) { [unowned self] in found.append($0) })
  }

  func commit(_ writes: Write...) {
    ledger.apply(writes)
    see(.committed(writes))
  }

  // MARK: - Runs

  static func runID(_ number: Int64) -> RunID { RunID(high: 7, low: UInt64(number)) }

  /// A run with its first event.
  func make(
    _ number: Int64, of workflowID: String = "w", program: Int64 = 0,
    in namespace: String = "default"
  ) {
    let row = RunRow(
      number: RunNumber(number), namespace: namespace, workflowID: workflowID,
      runID: CheckerBench.runID(number), workflowType: Program.type, taskQueue: "q",
      status: .running, startTime: Instant(ms: 1), closeTime: nil, historyLength: 0,
      historySizeBytes: 0, deadline: nil, summary: "")
    var started = WorkflowExecutionStarted()
    started.workflowID = workflowID
    started.runID = row.runID
    started.firstRunID = row.runID
    started.requestID = "start-\(number)"
    started.input = [Payload(numbers: [program])]
    commit(.createRun(row), append(number, [.workflowExecutionStarted(started)]))
  }

  /// A run that begins with the events of `base` before this one; it `says` whose they are.
  func copy(
    _ base: Int64, to number: Int64, before event: Int64, _ again: [HistoryEvent.Attributes],
    says: Int64? = nil
  ) {
    var row = ledger.run(RunNumber(base))!.row
    row.number = RunNumber(number)
    row.runID = CheckerBench.runID(number)
    var failed = WorkflowTaskFailed()
    failed.cause = .resetWorkflow
    failed.copy = RunCopy()
    failed.copy?.baseExecution = WorkflowExecution()
    failed.copy?.baseExecution?.runID = CheckerBench.runID(says ?? base)
    failed.copy?.execution = WorkflowExecution()
    failed.copy?.execution?.runID = row.runID
    failed.copy?.baseEventID = event
    lengths[number] = event - 1
    commit(
      .createRun(row),
      .copyHistory(
        from: RunNumber(base), to: row.number, through: event - 1, event: event,
        resetTo: row.runID), append(number, [.workflowTaskFailed(failed)] + again))
  }

  func add(_ number: Int64, _ events: HistoryEvent.Attributes..., ms: Int64 = 1) {
    commit(append(number, events, ms: ms))
  }

  /// The closing event, and the row that tells of it.
  func close(
    _ number: Int64, _ end: HistoryEvent.Attributes, _ status: WorkflowStatus, ms: Int64 = 1
  ) {
    commit(
      append(number, [end], ms: ms),
      .closeRun(
        run: RunNumber(number), status: status, closeTime: Instant(ms: ms),
        historyLength: lengths[number] ?? 0, historySizeBytes: 0))
  }

  /// The events with the next ids; `skipping`: with ids after those.
  func append(
    _ number: Int64, _ attributes: [HistoryEvent.Attributes], ms: Int64 = 1, skipping: Int64 = 0
  ) -> Write {
    var batch = HistoryBatch()
    let first = (lengths[number] ?? 0) + 1 + skipping
    batch.events = attributes.enumerated().map { index, attributes in
      var event = HistoryEvent()
      event.eventID = first + Int64(index)
      event.eventTimeMs = Instant(ms: ms)
      event.attributes = attributes
      return event
    }
    let last = first + Int64(attributes.count) - 1
    lengths[number] = last
    return .appendHistory(
      run: RunNumber(number), first: first, last: last, bytes: batch.serialized())
  }

  func put(
    _ namespace: String, _ change: (inout NamespaceDefinition) -> Void = { _ in }
  ) {
    var definition = NamespaceDefinition()
    change(&definition)
    commit(.putNamespace(name: namespace, definition.serialized()))
  }

  func remove(_ number: Int64) { commit(.deleteRun(run: RunNumber(number))) }

  // MARK: - Clients

  func answer(_ request: ClientRequest, _ answer: Answer, _ parts: [[UInt8]] = []) {
    see(.answered(request, answer, parts))
  }
}

/// Requests and their answers.
enum Ask {
  static func request(
    _ kind: ClientRequest.Kind, _ id: String = "r1", sentUs: Int64 = 0
  ) -> ClientRequest {
    ClientRequest(
      kind: kind, requestID: id, workflowID: "w", firstSentUs: sentUs, sentUs: sentUs)
  }

  static func start(
    _ conflict: WorkflowIdConflictPolicy = .fail, _ reuse: WorkflowIdReusePolicy = .allowDuplicate
  ) -> ClientRequest {
    var start = StartWorkflowRequest()
    start.idConflictPolicy = conflict
    start.idReusePolicy = reuse
    return request(.start(start))
  }

  static func signal(_ id: String, sentUs: Int64 = 0) -> ClientRequest {
    request(.signal(SignalWorkflowRequest()), id, sentUs: sentUs)
  }

  static func ok(_ message: some Message) -> Answer {
    var end = End()
    end.message = message.serialized()
    return Answer(end)
  }

  static func started(_ number: Int64, _ isNew: Bool = true) -> Answer {
    var response = StartWorkflowResponse()
    response.runID = CheckerBench.runID(number)
    response.started = isNew
    return ok(response)
  }

  static func signaled(_ number: Int64) -> Answer {
    var response = SignalWorkflowResponse()
    response.runID = CheckerBench.runID(number)
    return ok(response)
  }

  static func refused(_ reason: Reason, by number: Int64) -> Answer {
    var status = Status()
    status.code = .alreadyExists
    status.reason = reason
    status.runID = CheckerBench.runID(number)
    var end = End()
    end.status = status
    return Answer(end)
  }
}

/// Events, in short.
extension HistoryEvent.Attributes {
  static func signal(_ id: String) -> Self {
    var signal = WorkflowExecutionSignaled()
    signal.requestID = id
    signal.input = [Payload(text: id)]
    return .workflowExecutionSignaled(signal)
  }

  static func scheduled(_ seq: UInt32) -> Self {
    var scheduled = ActivityTaskScheduled()
    scheduled.seq = seq
    return .activityTaskScheduled(scheduled)
  }

  static func attempt(_ attempt: Int32, of event: Int64) -> Self {
    var started = ActivityTaskStarted()
    started.scheduledEventID = event
    started.attempt = attempt
    return .activityTaskStarted(started)
  }

  static func completed(_ mark: String, of event: Int64) -> Self {
    var completed = ActivityTaskCompleted()
    completed.scheduledEventID = event
    completed.result = [Payload(text: mark)]
    return .activityTaskCompleted(completed)
  }

  static func timer(_ seq: UInt32, ms: Int64) -> Self {
    var timer = TimerStarted()
    timer.seq = seq
    timer.startToFireTimeoutMs = Span(ms: ms)
    return .timerStarted(timer)
  }

  static func fired(_ seq: UInt32, of event: Int64) -> Self {
    var fired = TimerFired()
    fired.seq = seq
    fired.startedEventID = event
    return .timerFired(fired)
  }

  static func done(_ summary: String = "|") -> Self {
    var end = WorkflowExecutionCompleted()
    end.result = [Payload(text: summary)]
    return .workflowExecutionCompleted(end)
  }

  static func terminated(_ reason: String = "") -> Self {
    var end = WorkflowExecutionTerminated()
    end.reason = reason
    return .workflowExecutionTerminated(end)
  }
}
