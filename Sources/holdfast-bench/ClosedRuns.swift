import Basics
import EngineCore
import Messages

/// Closed one-activity runs.
enum ClosedRuns {
  /// Each run has a request id and a history of seven events in three batches.
  static func fill(_ path: String, count: Int) throws {
    var random = SeededRandom(seed: 7)
    let histories = try Histories()
    try StoreFill.fill(path, count: count, "closed") { add($0, histories, &random, to: &$1) }
  }

  private static func add(
    _ run: RunNumber, _ histories: Histories, _ random: inout SeededRandom,
    to writes: inout [Write]
  ) {
    let start = Instant(ms: 1_700_000_000_000 + run.value)
    let workflowID = "closed-\(run.value)"
    writes.append(
      .createRun(
        RunRow(
          number: run, namespace: "default", workflowID: workflowID,
          runID: RunID(at: start, random: (random.next(), random.next())),
          workflowType: "one", taskQueue: "bench", status: .running, startTime: start,
          closeTime: nil, historyLength: 0, historySizeBytes: 0,
          deadline: RunRow.immediately, summary: "")))
    for (first, last, bytes) in histories.batches {
      writes.append(.appendHistory(run: run, first: first, last: last, bytes: bytes))
    }
    writes.append(
      .putRequest(
        run: run,
        RequestRecord(
          key: Fingerprint(of: "default", "StartWorkflow", workflowID, "r-\(random.next())"),
          requestHash: random.next(), event: 0)))
    writes.append(
      .closeRun(
        run: run, status: .completed, closeTime: start + Span(ms: 5), historyLength: 7,
        historySizeBytes: histories.bytes))
  }

  /// The same history for all: what differs between runs is in their rows.
  private struct Histories {
    let batches: [(first: Int64, last: Int64, bytes: [UInt8])]
    var bytes: Int64 { batches.reduce(0) { $0 + Int64($1.bytes.count) } }

    init() throws {
      var started = WorkflowExecutionStarted()
      started.namespace = "default"
      started.workflowType = "one"
      started.taskQueue = "bench"
      var scheduled = ActivityTaskScheduled()
      scheduled.seq = 1
      scheduled.activityID = "1"
      scheduled.activityType = "step"
      scheduled.taskQueue = "bench"
      var activityStarted = ActivityTaskStarted()
      activityStarted.scheduledEventID = 3
      var activityCompleted = ActivityTaskCompleted()
      activityCompleted.scheduledEventID = 3
      activityCompleted.seq = 1
      let parts: [[HistoryEvent.Attributes]] = [
        [
          .workflowExecutionStarted(started),
          .workflowTaskCompleted(WorkflowTaskCompletedEvent()), .activityTaskScheduled(scheduled),
        ],
        [.activityTaskStarted(activityStarted), .activityTaskCompleted(activityCompleted)],
        [
          .workflowTaskCompleted(WorkflowTaskCompletedEvent()),
          .workflowExecutionCompleted(WorkflowExecutionCompleted()),
        ],
      ]
      var next: Int64 = 1
      batches = parts.map { attributes in
        let first = next
        var batch = HistoryBatch()
        batch.events = attributes.map { attributes in
          var event = HistoryEvent()
          event.eventID = next
          event.eventTimeMs = Instant(ms: 1_700_000_000_000 + next)
          event.attributes = attributes
          next += 1
          return event
        }
        return (first, next - 1, batch.serialized())
      }
    }
  }
}
