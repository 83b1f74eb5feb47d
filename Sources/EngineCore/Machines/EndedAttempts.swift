import Messages

/// What a report says of its attempt.
enum AttemptEnd {
  case completed, failed, cancelled
}

/// The attempts of which the lease itself brought the end, the last ones of a run: a report that is
/// sent again, also to a later start of the engine, is answered as recorded.
///
/// Derived from history. Attempts that were tried again stand in the activity's row instead.
struct EndedAttempts {
  private struct Entry: Equatable {
    let scheduledEvent: Int64
    let attempt: Int32
    let end: AttemptEnd
  }

  /// A ring: `next` is overwritten next.
  private var entries: [Entry] = []
  private var next = 0
  /// The attempt that the event before has told.
  private var started: (scheduledEvent: Int64, attempt: Int32)?

  /// More than a worker has out of one run when its connection breaks, as a rule.
  private static let size = 64

  /// Takes note of the next event; `activity` is the one that the event ends.
  mutating func apply(_ event: HistoryEvent, of activity: Activity?) {
    switch event.attributes {
    case .activityTaskStarted(let e): started = (e.scheduledEventID, e.attempt)
    case .activityTaskCompleted: add(.completed, activity)
    case .activityTaskFailed(let e):
      if !(e.failure?.isOfLostWorker ?? false) { add(.failed, activity) }
    case .activityTaskCanceled:
      // Of the other kinds the engine says so itself, without the worker.
      guard activity?.scheduled.cancellationType == .waitCancellationCompleted else { return }
      add(.cancelled, activity)
    default: started = nil
    }
  }

  private mutating func add(_ end: AttemptEnd, _ activity: Activity?) {
    guard let started, started.scheduledEvent == activity?.scheduledEvent else { return }
    let entry = Entry(
      scheduledEvent: started.scheduledEvent, attempt: started.attempt, end: end)
    if entries.count < EndedAttempts.size {
      entries.append(entry)
    } else {
      entries[next] = entry
      next = (next + 1) % EndedAttempts.size
    }
  }

  func contains(_ scheduledEvent: Int64, _ attempt: Int32, _ end: AttemptEnd) -> Bool {
    entries.contains(Entry(scheduledEvent: scheduledEvent, attempt: attempt, end: end))
  }
}

extension Activity {
  /// The attempt's failure was reported by its lease, and another attempt followed.
  func hasFailed(_ attempt: Int32) -> Bool {
    row.failedAttempts.contains { failed in
      guard failed.attempt == attempt else { return false }
      switch failed.failure?.info?.kind {
      case .timeout, .workerLost: return false
      default: return true
      }
    }
  }
}

extension Failure {
  /// An activity's failure whose cause is the loss of its worker.
  fileprivate var isOfLostWorker: Bool {
    if case .workerLost = causes.first?.kind { return true }
    return false
  }
}
