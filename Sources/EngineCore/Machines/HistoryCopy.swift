import Basics
import Messages

/// Reads the history of a run for a reset or a fork: finds the point, folds what comes before it,
/// and gathers what has come since and is to come again.
///
/// Only the fold and what is gathered stay in memory; the events themselves are copied by the
/// store.
struct HistoryCopy {
  let point: WorkflowPoint
  private let excluded: Set<ReapplyExclude>
  private(set) var prefix: Prefix?
  /// The run that had the first events first, if that is not the base: the base has begun as a copy
  /// of it, after the point.
  private(set) var source: WorkflowExecution?
  private var readsBase = true
  /// In the order in which it came.
  private(set) var later: [Later] = []
  private(set) var nextEvent: Int64 = 1

  /// The run that is read: the base, then those that went on in its place or after it.
  private var run: Run
  private var fold = Fold()
  /// What its code has not seen of it.
  private var unseen = Inbound()
  /// What the next run of its chain has of it.
  private var takenOver: Set<Int64> = []
  /// Stored batches up to this event have been read.
  private var wholeThrough: Int64 = 0
  /// The fold a while ago, when nothing waited to be shown.
  private var checkpoint: Fold?
  /// No event that is still to come can be the point.
  private var isFixed = false
  /// Of the run that is read, what comes after this event is gathered,
  private var gathersAfter = Int64.max
  /// of that, updates are left out that this run has admitted itself,
  private var admitted: Set<String> = []
  /// and answers to what it asked for before this one: the copy has asked for the same.
  private var sharesBefore: Int64 = 0

  /// What the base has had before the point, by its first place: a later run may have it, too.
  private var known: Set<Origin> = []
  /// What has been gathered of the run that is read while it is open which run had it first: the
  /// base of the next copy that the history tells of, or this one.
  private var unplaced: [Unplaced] = []

  /// The same of all that is gathered: nothing comes again twice.
  private var gathered: Set<Origin> = []

  private struct Origin: Hashable {
    let run: RunID
    let event: Int64

    init(_ item: Later) {
      let origin = item.event.origin(in: item.source)
      run = origin.runID
      event = origin.eventID
    }
  }

  private struct Unplaced {
    let event: HistoryEvent
    /// It came before the point.
    var isKnown: Bool
  }

  /// What the copy begins with.
  struct Prefix {
    let fold: Fold
    /// The base's WorkflowTaskCompleted in whose place the copy goes on.
    let event: Int64
    let stored: CopiedHistory
  }

  /// An event that is to come again, the run in whose history it was read, and the one that had it
  /// first.
  struct Later {
    let event: HistoryEvent
    let run: Run
    let source: RunID
  }

  init(_ point: WorkflowPoint, of base: Run, excluding excluded: [ReapplyExclude]) {
    self.point = point
    #if MUTANTS
      self.excluded = Mutant.isOn(.resetForgetsExclusion) ? [] : Set(excluded)
    #else
      self.excluded = Set(excluded)
    #endif
    run = base
  }

  // MARK: - Reading

  /// Takes the events of the next stored batch.
  mutating func take(_ batch: StoredBatch, _ events: [HistoryEvent]) throws(CorruptRun) {
    for event in events where event.eventID >= nextEvent {
      if !isFixed, case .workflowTaskCompleted = event.attributes, isPoint(event) {
        cut(at: event, in: batch)
      }
      if !isFixed { try apply(event) }
      gather(event)
      if case .activityTaskScheduled(let scheduled) = event.attributes,
        point.kind == .beforeActivity, scheduled.activityType == point.activityType
      {
        isFixed = true
      }
    }
    guard !isFixed else { return }
    fold.addHistoryBytes(batch.eventBytes)
    wholeThrough = batch.last
    let isDue = fold.lastEventID - (checkpoint?.lastEventID ?? 0) >= 1_000
    if isDue, fold.canBeSaved { checkpoint = fold }
  }

  private mutating func apply(_ event: HistoryEvent) throws(CorruptRun) {
    if let fault = fold.fault(of: event) {
      throw CorruptRun(place: "\(run.number): event \(event.eventID): \(fault)")
    }
    fold.apply(event)
  }

  /// Takes note of an event after the point. One that came while the history was read need not be
  /// stored yet, and those between may be missing.
  mutating func gather(_ event: HistoryEvent) {
    if event.isContinued { takenOver = Set(unseen.requests(of: run.runID).map(\.event.eventID)) }
    unseen.apply(event)
    nextEvent = event.eventID + 1
    if let copy = event.copy {
      place(copy.baseExecution?.runID ?? .none)
      if readsBase && prefix != nil && source == nil { source = copy.baseExecution }
      if copy.execution?.runID == run.runID {
        gathersAfter = min(gathersAfter, event.eventID)
        sharesBefore = min(sharesBefore, event.eventID)
      }
    }
    if let update = event.admitted { admitted.insert(update.updateID) }
    guard isGathered(event), prefix == nil || event.eventID > gathersAfter else { return }
    unplaced.append(Unplaced(event: event, isKnown: prefix == nil))
  }

  /// What waits for it was had first by this run.
  private mutating func place(_ source: RunID) {
    for waiting in unplaced {
      let item = Later(event: waiting.event, run: run, source: source)
      let origin = Origin(item)
      if waiting.isKnown {
        known.insert(origin)
        continue
      }
      #if MUTANTS
        let isKnown = !Mutant.isOn(.resetIsTwice) && known.contains(origin)
      #else
        let isKnown = known.contains(origin)
      #endif
      if !isKnown && gathered.insert(origin).inserted { later.append(item) }
    }
    unplaced = []
  }

  /// All of the run's history has been gathered.
  mutating func settle() { place(run.runID) }

  /// What was stored when the request came has been read.
  mutating func endSearch() {
    if point.kind == .beforeActivity && !isFixed { prefix = nil }
    isFixed = true
  }

  /// The workflow went on in another run; `isReset`: that one is a copy of this one.
  mutating func goOn(in next: Run, isReset: Bool) {
    if isReset {
      // It has everything again that counts.
      forget { item, run in item.run === run }
    } else {
      let takenOver = takenOver
      forget { item, run in item.run === run && takenOver.contains(item.event.eventID) }
      gathersAfter = 1
      sharesBefore = 0
    }
    run = next
    readsBase = false
    admitted = []
    unseen = Inbound()
    takenOver = []
    nextEvent = 1
  }

  private mutating func forget(_ isGone: (Later, Run) -> Bool) {
    let run = run
    gathered.subtract(later.filter { isGone($0, run) }.map { Origin($0) })
    later.removeAll { isGone($0, run) }
  }

  // MARK: - The point

  private mutating func isPoint(_ event: HistoryEvent) -> Bool {
    switch point.kind {
    case .event where event.eventID != point.eventID: return false
    case .event, .firstWorkflowTask: isFixed = true
    default: break  // The last one so far.
    }
    return true
  }

  private mutating func cut(at event: HistoryEvent, in batch: StoredBatch) {
    var cut = batch.before(event.eventID)
    var fold = fold
    fold.addHistoryBytes(cut?.bytes.count ?? 0)
    cut?.bytes += batch.attempts(endedBefore: event.eventID)
    prefix = Prefix(
      fold: fold, event: event.eventID,
      stored: CopiedHistory(
        base: run.number, through: wholeThrough, cut: cut, checkpoint: checkpoint))
    source = nil
    known.formUnion(gathered)
    gathered = []
    later = []
    for index in unplaced.indices { unplaced[index].isKnown = true }
    gathersAfter = event.eventID
    sharesBefore = event.eventID
  }

  private func isGathered(_ event: HistoryEvent) -> Bool {
    switch event.attributes {
    case .workflowExecutionSignaled: !excluded.contains(.signals)
    case .workflowExecutionUpdateAdmitted: !excluded.contains(.updates)
    case .workflowExecutionUpdateAccepted(let e):
      !excluded.contains(.updates) && !admitted.contains(e.updateID)
    default: event.answers.map { $0 < sharesBefore } ?? false
    }
  }

  /// An event that a copy may be given again.
  private static func mayComeAgain(_ event: HistoryEvent) -> Bool {
    switch event.attributes {
    case .workflowExecutionSignaled, .workflowExecutionUpdateAccepted,
      .workflowExecutionUpdateAdmitted:
      true
    default: event.answers != nil
    }
  }

  /// What `gather` has to know of.
  static func isNoted(_ event: HistoryEvent) -> Bool {
    if case .workflowTaskCompleted = event.attributes { return true }
    return event.endsItsRun || mayComeAgain(event)
  }
}

/// What of another run the store copies into a new one.
struct CopiedHistory {
  let base: RunNumber
  /// Whole batches up to this event,
  let through: Int64
  /// and the first events of the one that follows.
  let cut: StoredBatch?
  /// A state row is made of it, so that a load stays short.
  let checkpoint: Fold?
}

extension RunCopy {
  /// Of another workflow: ids are compared byte by byte.
  var isFork: Bool {
    let (base, own) = (baseExecution?.workflowID ?? "", execution?.workflowID ?? "")
    return !base.utf8.elementsEqual(own.utf8)
  }
}

extension StoredBatch {
  /// The events before this one, as they are stored; nil: there are none.
  fileprivate func before(_ event: Int64) -> StoredBatch? {
    guard event > first else { return nil }
    var end = 0
    for _ in first..<event { end = endOfEvent(at: end) }
    return StoredBatch(first: first, last: event - 1, bytes: Array(bytes[..<end]))
  }

  /// What counts as the history's; the batch can be read.
  var eventBytes: Int {
    var end = 0
    while end < bytes.count, bytes[end] == StoredBatch.eventTag { end = endOfEvent(at: end) }
    return end
  }

  fileprivate func attempts(endedBefore event: Int64) -> [UInt8] {
    guard eventBytes < bytes.count, var batch = try? HistoryBatch(bytes: bytes) else { return [] }
    batch.events = []
    batch.activityAttempts.removeAll { $0.endedEventID >= event }
    return batch.serialized()
  }

  /// Field 1, bytes with their length.
  private static let eventTag: UInt8 = 0x0A

  /// Each event is a field of its own: a tag, a length and so many bytes.
  private func endOfEvent(at start: Int) -> Int {
    var length = 0
    var place = start + 1
    var shift = 0
    while bytes[place] >= 0x80 {
      length |= Int(bytes[place] & 0x7F) << shift
      shift += 7
      place += 1
    }
    return place + 1 + (length | Int(bytes[place]) << shift)
  }
}

extension HistoryEvent {
  var copy: RunCopy? {
    if case .workflowTaskFailed(let failed) = attributes { failed.copy } else { nil }
  }

  /// The run has ended and its chain goes on in the next one.
  fileprivate var isContinued: Bool {
    switch attributes {
    case .workflowExecutionContinuedAsNew: true
    case .workflowExecutionCompleted(let end): end.newRunID != .none
    case .workflowExecutionFailed(let end): end.newRunID != .none
    case .workflowExecutionTimedOut(let end): end.newRunID != .none
    default: false
    }
  }

  /// Of what tells how a request of the run to others ended: the event by which it asked.
  var answers: Int64? {
    switch attributes {
    // What the run did because its code went on without its child is undone.
    case .startChildWorkflowExecutionFailed(let e): e.early ? nil : e.initiatedEventID
    case .childWorkflowExecutionStarted(let e): e.initiatedEventID
    case .childWorkflowExecutionCompleted(let e): e.initiatedEventID
    case .childWorkflowExecutionFailed(let e): e.initiatedEventID
    case .childWorkflowExecutionCanceled(let e): e.early ? nil : e.initiatedEventID
    case .childWorkflowExecutionTimedOut(let e): e.initiatedEventID
    case .childWorkflowExecutionTerminated(let e): e.initiatedEventID
    case .signalExternalWorkflowExecutionFailed(let e): e.initiatedEventID
    case .externalWorkflowExecutionSignaled(let e): e.initiatedEventID
    case .requestCancelExternalWorkflowExecutionFailed(let e): e.initiatedEventID
    case .externalWorkflowExecutionCancelRequested(let e): e.initiatedEventID
    default: nil
    }
  }
}
