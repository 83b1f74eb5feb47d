import Basics
import Messages

/// A report on an attempt that is over, and of which nobody here remembers who ended it.
///
/// A worker sends again what it was not told to be recorded (WRK-012). After a start of the engine,
/// or when the run has left memory meanwhile, only the history knows whether it is (WRK-009).
struct Repetition {
  let session: SessionID
  let bytes: [UInt8]
  let token: ActivityToken
  let kind: WorkerMessage.Kind
  /// The attempt whose start was read last.
  fileprivate var attempt: Int32 = 0
  fileprivate var nextEvent: Int64

  init(_ session: SessionID, _ bytes: [UInt8], _ token: ActivityToken, _ kind: WorkerMessage.Kind) {
    self.session = session
    self.bytes = bytes
    self.token = token
    self.kind = kind
    nextEvent = token.scheduledEvent
  }
}

extension Engine {
  /// True when the report is answered here, at once or when the history has been read.
  mutating func lookUp(_ repetition: Repetition, in run: Run) -> Bool {
    let token = repetition.token
    guard run.runID == token.runID,
      (1...run.fold.lastEventID).contains(token.scheduledEvent)
    else { return false }
    guard let index = run.fold.activityIndex(scheduledEvent: token.scheduledEvent) else {
      read(repetition, run.number, .run(run))
      return true
    }
    // An earlier attempt of an activity that goes on: its failure is in the row.
    guard case .activityFailed(let report) = repetition.kind else { return false }
    let failure = bounded(report.failure).cut(to: limits.keptFailureBytesMax)
    let isKept = run.fold.activities[index].row.failedAttempts.contains {
      $0.attempt + $0.attemptsBefore == token.attempt && $0.failure == failure
    }
    if isKept { recorded(repetition.bytes, repetition.session, run) }
    return isKept
  }

  private mutating func read(_ repetition: Repetition, _ run: RunNumber, _ gate: Gate) {
    let id = load(
      .history(run, from: repetition.nextEvent, bytesMax: limits.activationBytesMax), gate)
    loading.purposes[id] = .repetition(repetition)
    counters.loads += 1
  }

  mutating func takeRepetitionSlice(_ repetition: Repetition, _ content: Loaded.Content) {
    guard sessions[repetition.session] != nil else { return }  // It ended meanwhile.
    var repetition = repetition
    let number = repetition.token.run
    guard case .history(let batches, let more) = content else {
      return refuseRepetition(repetition)
    }
    for batch in batches {
      guard let events = try? events(of: batch, number) else {
        return refuseRepetition(repetition)
      }
      for event in events where event.eventID >= repetition.nextEvent {
        repetition.nextEvent = event.eventID + 1
        switch repetition.verdict(event, bounded: bounded) {
        case .recorded:
          // It was read from the store: it is durable.
          var recorded = Recorded()
          recorded.tokens = [repetition.bytes]
          var message = EngineMessage()
          message.kind = .recorded(recorded)
          return send(.worker(repetition.session, message), .free)
        case .other: return refuseRepetition(repetition)
        case nil: continue
        }
      }
    }
    if more { read(repetition, number, .free) } else { refuseRepetition(repetition) }
  }

  private mutating func refuseRepetition(_ repetition: Repetition) {
    refused(repetition.bytes, repetition.session, .staleLease, .free)
  }
}

extension Repetition {
  fileprivate enum Verdict {
    /// The history holds what the report brings.
    case recorded
    /// The activity came to another end.
    case other
  }

  /// What the event says of the report; nil when it is not about the end of its activity.
  fileprivate mutating func verdict(_ event: HistoryEvent, bounded: (Failure?) -> Failure)
    -> Verdict?
  {
    let isSame: Bool
    switch event.attributes {
    case .activityTaskStarted(let started):
      if started.scheduledEventID == token.scheduledEvent {
        attempt = started.attempt + started.attemptsBefore
      }
      return nil
    case .activityTaskCompleted(let end) where end.scheduledEventID == token.scheduledEvent:
      guard case .activityCompleted(let report) = kind else { return .other }
      isSame = report.result == end.result
    case .activityTaskFailed(let end) where end.scheduledEventID == token.scheduledEvent:
      guard case .activityFailed(let report) = kind else { return .other }
      isSame = bounded(report.failure).layers == end.failure?.causes
    case .activityTaskCanceled(let end) where end.scheduledEventID == token.scheduledEvent:
      guard case .reportActivityCancelled(let report) = kind else { return .other }
      isSame = report.details == end.details
    case .activityTaskTimedOut(let end) where end.scheduledEventID == token.scheduledEvent:
      return .other
    default: return nil
    }
    return isSame && attempt == token.attempt ? .recorded : .other
  }
}
