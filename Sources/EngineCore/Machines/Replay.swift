import Basics
import Messages

/// Shows a worker the past activations of a run, part by part, and compares what its code asks for
/// with what history holds.
struct Replay {
  enum State {
    /// A slice of the history is awaited: of the store's, or of one that a client sends. Can
    /// transition to: answering, loading, done.
    case loading(Load.ID)
    /// A part is with the worker. Can transition to: loading, done, or the task fails.
    case answering
    /// All past activations have been compared.
    case done
  }

  /// A past completion: what history holds of it.
  private struct Expected {
    let completedEvent: Int64
    let heads: [Recorded]
  }

  private struct Recorded {
    let event: Int64
    let head: CommandHead
    /// The code may have lost it: a deprecated marker.
    let mayBeMissing: Bool
  }

  /// A completion whose commands have not all been read: a slice may end among them.
  private struct Unfinished {
    var activation: PastActivation
    let commands: Int
    let shown: ArraySlice<HistoryEvent>
    var updates: [Inbound.PlacedUpdate] = []
    var heads: [Recorded] = []
    /// About how much the activation takes in a message.
    var bytes: Int

    var isWhole: Bool { heads.count == commands }
  }

  var state: State
  private(set) var nextEvent: Int64 = 1
  /// No part has been sent yet.
  private(set) var isFirst = true
  private var inbound = Inbound()
  private var unfinished: Unfinished?
  private var expected: [Expected] = []
  /// Past activations that agree.
  private(set) var agreed: Int64 = 0
  private var collected: [PastCompletion] = []
  /// History ends with the slice that was read last.
  private var exhausted = false

  init(loading load: Load.ID) { state = .loading(load) }

  /// Events that no activation has shown yet, and about what is held of the history.
  var unshown: (events: Int, bytes: Int) {
    (inbound.events.count, inbound.bytes + (unfinished?.bytes ?? 0))
  }

  /// Takes a slice of the history, as far as its past activations fit one message; these, in order.
  /// A slice of small completions can show large signals of earlier ones.
  mutating func take(
    _ events: [HistoryEvent], more: Bool, bytesMax: Int, countMax: Int = .max
  ) throws(CorruptRun) -> [PastActivation] {
    var activations: [PastActivation] = []
    var bytes = unfinished?.bytes ?? 0
    var isCut = false
    for event in events {
      guard event.eventID == nextEvent else {
        throw CorruptRun(place: "event \(event.eventID) in the place of event \(nextEvent)")
      }
      let before = unfinished?.bytes ?? 0
      if case .workflowTaskCompleted(let completed) = event.attributes {
        let isFull = bytes + inbound.bytes > bytesMax || activations.count >= countMax
        isCut = !activations.isEmpty && isFull
        if isCut { break }
        try begin(event.eventID, completed)
      } else if unfinished != nil {
        try add(event)
      }
      nextEvent += 1
      bytes += (unfinished?.bytes ?? 0) - before
      inbound.apply(event)
      if let unfinished, unfinished.isWhole { activations.append(finish(unfinished)) }
    }
    guard unfinished == nil || more else {
      throw CorruptRun(place: "it ends within the completion of event \(nextEvent - 1)")
    }
    exhausted = !more && !isCut
    if activations.isEmpty && exhausted { state = .done }
    return activations
  }

  private mutating func begin(_ id: Int64, _ completed: WorkflowTaskCompletedEvent)
    throws(CorruptRun)
  {
    if let unfinished {
      throw CorruptRun(
        place: "event \(id) stands among the \(unfinished.commands) commands of event"
          + " \(unfinished.activation.workflowTaskCompletedEventID)")
    }
    unfinished = Unfinished(
      activation: past(id, completed), commands: Int(completed.commands),
      shown: inbound.shown(through: completed.throughEventID), bytes: inbound.bytes)
  }

  /// What is behind a completion records its commands.
  private mutating func add(_ event: HistoryEvent) throws(CorruptRun) {
    guard let head = CommandHead(recordedBy: event) else {
      throw CorruptRun(place: "event \(event.eventID) records no command")
    }
    var mayBeMissing = false
    if case .markerRecorded(let recorded) = event.attributes {
      mayBeMissing = recorded.deprecated
      show(recorded)
    } else if case .workflowExecutionUpdateAccepted(let accepted) = event.attributes {
      let update = Inbound.PlacedUpdate(accepted)
      unfinished?.updates.append(update)
      unfinished?.bytes += update.bytes
    }
    unfinished?.heads.append(
      Recorded(event: event.eventID, head: head, mayBeMissing: mayBeMissing))
  }

  /// The code is to know of it before it runs.
  private mutating func show(_ recorded: MarkerRecorded) {
    #if MUTANTS
      if Mutant.isOn(.markersAreHidden) { return }
    #endif
    let marker = RecordMarker(recordedBy: recorded)
    unfinished?.activation.markers.append(marker)
    unfinished?.bytes += marker.bytes
  }

  private mutating func finish(_ whole: Unfinished) -> PastActivation {
    unfinished = nil
    var activation = whole.activation
    activation.jobs = Inbound.jobs(showing: whole.shown, whole.updates[...])
    expected.append(
      Expected(completedEvent: activation.workflowTaskCompletedEventID, heads: whole.heads))
    return activation
  }

  mutating func partSent() {
    isFirst = false
    state = .answering
  }

  private func past(_ id: Int64, _ completed: WorkflowTaskCompletedEvent) -> PastActivation {
    var activation = PastActivation()
    activation.workflowTaskCompletedEventID = id
    activation.activationTimeMs = completed.activationTimeMs
    activation.historyLength = completed.historyLength
    activation.historySizeBytes = completed.historySizeBytes
    activation.continueAsNewSuggested = completed.continueAsNewSuggested
    activation.sdkFlags = completed.sdkFlags
    activation.sdkMetadata = completed.sdkMetadata
    return activation
  }

  /// Keeps the answers of a part that come in several messages.
  mutating func collect(_ completions: [PastCompletion]) { collected += completions }

  private func isForgiven(_ recorded: Recorded) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.deprecatedIsRequired) { return false }
    #endif
    return recorded.mayBeMissing
  }

  /// Compares the worker's answers with the part that it was shown; nil when they agree.
  mutating func compare(_ last: [PastCompletion], failure: WorkflowTaskFailure?)
    -> NondeterminismDiff?
  {
    let completions = collected + last
    collected = []
    for (index, past) in expected.enumerated() {
      let heads = index < completions.count ? completions[index].heads : []
      let actual = heads.filter { $0.type != .setCurrentDetails }
      var place = 0
      for (index, recorded) in past.heads.enumerated() {
        if place < actual.count, actual[place].agrees(with: recorded.head) {
          place += 1
        } else if !isForgiven(recorded) {
          return .parting(
            past.completedEvent, index, event: recorded.event, expected: recorded.head,
            actual: place < actual.count ? actual[place] : nil, failure)
        }
      }
      if place < actual.count {
        return .parting(
          past.completedEvent, past.heads.count, event: 0, expected: nil, actual: actual[place],
          failure)
      }
    }
    if let failure, let past = expected.last {
      return .parting(past.completedEvent, 0, event: 0, expected: nil, actual: nil, failure)
    }
    agreed += Int64(expected.count)
    expected = []
    if exhausted { state = .done }
    return nil
  }
}

extension NondeterminismDiff {
  fileprivate static func parting(
    _ completedEvent: Int64, _ index: Int, event: Int64, expected: CommandHead?,
    actual: CommandHead?, _ failure: WorkflowTaskFailure?
  ) -> NondeterminismDiff {
    let actual = actual?.cut
    var diff = NondeterminismDiff()
    diff.workflowTaskCompletedEventID = completedEvent
    diff.commandIndex = Int32(index)
    diff.eventID = event
    diff.expected = expected
    diff.actual = actual
    let held = expected.map { "event \(event): \($0.text)" } ?? "no command here"
    var asked = actual.map { $0.text } ?? "nothing"
    if let message = failure?.failure?.info?.message, actual == nil {
      asked += " (replay ended: \(message.cut(to: 1 << 10)))"
    }
    diff.message =
      "the workflow's code does not match its history at command \(index) of the task recorded"
      + " by event \(completedEvent): history holds \(held); the code asked for \(asked)."
      + " Put the code back, or let a patch guard the change"
    return diff
  }
}

extension CommandHead {
  /// Kind, seq, type and id count; where in the code it was called does not.
  func agrees(with other: CommandHead) -> Bool {
    type == other.type && seq == other.seq && name == other.name && fullID == other.fullID
  }

  /// An id that the code left out is the decimal seq.
  private var fullID: String {
    switch type {
    case .scheduleActivity, .scheduleLocalActivity, .startTimer: id.isEmpty ? String(seq) : id
    default: id
    }
  }

  /// A worker may say anything: what is told of it has to fit a message.
  fileprivate var cut: CommandHead {
    var head = self
    head.name = name.cut(to: CommandHead.textBytesMax)
    head.id = id.cut(to: CommandHead.textBytesMax)
    head.location = location.cut(to: CommandHead.textBytesMax)
    return head
  }

  /// No id and no name is longer (SCH-004).
  private static let textBytesMax = 1_000

  var text: String {
    var text = type.name
    if !name.isEmpty { text += " '\(name)'" }
    if seq != 0 { text += " seq \(seq)" }
    if !fullID.isEmpty { text += " id '\(fullID)'" }
    if !location.isEmpty { text += " at \(location)" }
    return text
  }

  /// The command that an event records; nil if it records none.
  init?(recordedBy event: HistoryEvent) {
    self.init()
    switch event.attributes {
    case .activityTaskScheduled(let e):
      type = e.local ? .scheduleLocalActivity : .scheduleActivity
      seq = e.seq
      name = e.activityType
      id = e.activityID
      location = e.location
    case .activityTaskCancelRequested(let e):
      type = .requestCancelActivity
      seq = e.seq
      location = e.location
    case .timerStarted(let e):
      type = .startTimer
      seq = e.seq
      id = e.timerID
      location = e.location
    case .timerCanceled(let e):
      type = .cancelTimer
      seq = e.seq
      location = e.location
    case .markerRecorded(let e):
      type = .recordMarker
      seq = e.seq
      name = e.markerName
      id = e.markerID
      location = e.location
    case .upsertWorkflowSearchAttributes(let e):
      type = .upsertSearchAttributes
      location = e.location
    case .workflowPropertiesModified(let e):
      type = .upsertMemo
      location = e.location
    case .workflowExecutionUpdateAccepted(let e):
      type = .updateAccepted
      id = e.updateID
      location = e.location
    case .workflowExecutionUpdateCompleted(let e):
      type = .updateCompleted
      id = e.updateID
      location = e.location
    case .startChildWorkflowExecutionInitiated(let e):
      type = .startChild
      seq = e.seq
      name = e.workflowType
      id = e.defaultWorkflowID ? "" : e.workflowID
      location = e.location
    case .signalExternalWorkflowExecutionInitiated(let e):
      type = .signalExternal
      seq = e.seq
      name = e.signalName
      id = e.execution?.workflowID ?? ""
      location = e.location
    case .requestCancelExternalWorkflowExecutionInitiated(let e):
      type = e.childSeq == 0 ? .cancelExternal : .cancelChild
      seq = e.childSeq == 0 ? e.seq : e.childSeq
      id = e.childSeq == 0 ? e.execution?.workflowID ?? "" : ""
      location = e.location
    case .workflowExecutionCompleted: type = .completeWorkflow
    case .workflowExecutionFailed: type = .failWorkflow
    case .workflowExecutionCanceled: type = .cancelledWorkflow
    case .workflowExecutionContinuedAsNew(let e):
      type = .continueAsNew
      location = e.location
    default: return nil
    }
  }
}
