import Basics
import Messages

/// Workflows with a cron schedule: each run is followed by the one of the next time.
extension Engine {
  func cronFault(_ request: StartWorkflowRequest) -> Status? {
    guard !request.cronSchedule.isEmpty else {
      return request.cronTimeZone.isEmpty
        ? nil : .invalid("cron_time_zone", "cron_schedule is empty")
    }
    if request.startDelayMs != .zero || request.startAtTimeMs != .epoch {
      return .invalid("cron_schedule", "start_delay_ms or start_at_time_ms is set too")
    }
    do {
      let times = try ScheduleTimes(cron: request.cronSchedule, in: .utc)
      guard case .found = times.next(after: now) else {
        return .invalid("cron_schedule", "names no time that is to come")
      }
    } catch { return .invalid("cron_schedule", error.message) }
    return nil
  }

  /// The first time of a cron schedule after now.
  private func cronTime(_ text: String, _ zone: String) -> Instant? {
    // What was taken can be read, unless the file was damaged in a way that its checksums miss.
    guard let rules = zones[zone], let times = try? ScheduleTimes(cron: text, in: rules),
      case .found(let time) = times.next(after: now)
    else { return nil }
    return time
  }

  /// How long the first run waits for its time.
  func cronDelay(of request: StartWorkflowRequest) -> Span {
    cronTime(request.cronSchedule, request.cronTimeZone).map { $0 - now } ?? .zero
  }

  /// The run of the next time, after one that has given a result, or that has failed for good; nil:
  /// the chain ends.
  mutating func nextCronRun(of run: Run, result: [Payload]? = nil, failure: Failure? = nil)
    -> WorkflowExecutionStarted?
  {
    let started = run.fold.started
    guard !started.cronSchedule.isEmpty, !run.fold.cancelRequested,
      let time = cronTime(started.cronSchedule, started.cronTimeZone)
    else { return nil }
    let end = started.executionExpirationTimeMs
    guard end == .epoch || time < end else { return nil }
    var next = successor(of: run, .cron)
    next.firstWorkflowTaskBackoffMs = max(next.firstWorkflowTaskBackoffMs, time - now)
    next.continuedFailure = failure.map(bounded)
    if let result { next.lastCompletionResult = carried(result, beside: next) }
    return next
  }

  /// One that does not fit a frame together with the input is left out.
  private func carried(_ result: [Payload], beside next: WorkflowExecutionStarted)
    -> PayloadList?
  {
    let others = next.input.bytes + (next.header?.bytes ?? 0) + (next.memo?.bytes ?? 0)
    guard result.bytes + others <= limits.requestPayloadBytesMax else { return nil }
    var list = PayloadList()
    list.payloads = result
    return list
  }
}
