import Basics
import EngineCore
import Messages

/// Open runs whose code has started a timer and waits for it; all fire at one time.
struct IdleRuns {
  private let fireTime: Instant
  private let history: [UInt8]
  private let state: [UInt8]
  private let startTime: Instant
  private static let length: Int64 = 3

  static func id(_ number: Int) -> String { "idle-\(number)" }

  init(from startTime: Instant, until fireTime: Instant) {
    self.startTime = startTime
    self.fireTime = fireTime
    var started = WorkflowExecutionStarted()
    started.namespace = "default"
    started.workflowType = "sleeper"
    started.taskQueue = "unserved"
    started.taskTimeoutMs = Span(ms: 10_000)
    var shown = WorkflowTaskCompletedEvent()
    shown.throughEventID = 1
    shown.activationTimeMs = startTime
    var timer = TimerStarted()
    timer.seq = 1
    timer.timerID = "1"
    timer.startToFireTimeoutMs = fireTime - startTime
    let attributes: [HistoryEvent.Attributes] = [
      .workflowExecutionStarted(started), .workflowTaskCompleted(shown), .timerStarted(timer),
    ]
    var batch = HistoryBatch()
    batch.events = attributes.enumerated().map { place, attributes in
      var event = HistoryEvent()
      event.eventID = Int64(place) + 1
      event.eventTimeMs = startTime
      event.attributes = attributes
      return event
    }
    history = batch.serialized()
    state = IdleRuns.state(started, startTime, historyBytes: history.count, until: fireTime)
  }

  private static func state(
    _ started: WorkflowExecutionStarted, _ startTime: Instant, historyBytes: Int,
    until fireTime: Instant
  ) -> [UInt8] {
    var timer = StartedTimer()
    timer.startedEventID = length
    timer.seq = 1
    timer.timerID = "1"
    timer.fireTimeMs = fireTime
    var state = RunState()
    state.started = started
    state.startTimeMs = startTime
    state.lastEventID = length
    state.historySizeBytes = Int64(historyBytes)
    state.throughEventID = 1
    state.activationTimeMs = startTime
    state.lastTaskCompletedEventID = 2
    state.lastSeq = 1
    state.timers = [timer]
    return state.serialized()
  }

  func fill(_ path: String, count: Int) throws {
    var random = SeededRandom(seed: 7)
    try StoreFill.fill(path, count: count, "idle") { add($0, &random, to: &$1) }
  }

  private func add(_ run: RunNumber, _ random: inout SeededRandom, to writes: inout [Write]) {
    writes.append(
      .createRun(
        RunRow(
          number: run, namespace: "default", workflowID: IdleRuns.id(Int(run.value)),
          runID: RunID(at: startTime, random: (random.next(), random.next())),
          workflowType: "sleeper", taskQueue: "unserved", status: .running,
          startTime: startTime, closeTime: nil, historyLength: 0, historySizeBytes: 0,
          deadline: RunRow.immediately, summary: "")))
    writes.append(
      .appendHistory(run: run, first: 1, last: IdleRuns.length, bytes: history))
    writes.append(
      .saveState(
        run: run, throughEvent: IdleRuns.length, bytes: state,
        RunAtRest(
          deadline: fireTime, historyLength: IdleRuns.length,
          historySizeBytes: Int64(history.count))))
  }
}
