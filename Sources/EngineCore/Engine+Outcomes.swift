import Basics
import Messages

/// What became of an update that was accepted, where memory does not know it: the history tells.
struct OutcomeSearch {
  let request: RequestID
  let updateID: String
  let awaited: AwaitedOutcome
  let runID: RunID
  let stage: UpdateStage
  fileprivate var nextEvent: Int64
  fileprivate var hasSeenIt = false
  /// It was admitted by this event, and the code has not spoken of it.
  private var admittedBy: Int64?
  /// The last event by which the code could take it on.
  private var lastWord = Int64.max

  init(
    _ request: RequestID, _ updateID: String, _ awaited: AwaitedOutcome, _ known: FoundRequest,
    _ stage: UpdateStage
  ) {
    self.request = request
    self.updateID = updateID
    self.awaited = awaited
    runID = known.runID
    self.stage = stage
    nextEvent = known.record.event
  }

  /// What the event says of the update's outcome.
  fileprivate mutating func outcome(_ event: HistoryEvent) -> (UpdateStage, UpdateOutcome)? {
    nextEvent = event.eventID + 1
    hasSeenIt = true
    switch event.attributes {
    case .workflowExecutionUpdateAdmitted(let admitted):
      if admitted.updateID == updateID { admittedBy = event.eventID }
    case .workflowExecutionUpdateAccepted(let accepted):
      if accepted.updateID == updateID { admittedBy = nil }
    case .workflowTaskCompleted(let completed):
      if let admittedBy, completed.throughEventID >= admittedBy {
        lastWord = event.eventID + Int64(completed.commands)
      }
    case .workflowExecutionUpdateCompleted(let completed):
      guard completed.updateID == updateID else { break }
      return (.completed, completed.outcome ?? UpdateOutcome())
    default: break
    }
    if admittedBy != nil && event.eventID >= lastWord { return (.rejected, .rejectedAgain) }
    return event.endsItsRun ? (.completed, .closedBefore) : nil
  }
}

extension Engine {
  /// Answers a repetition of an update that was accepted, or lets it wait.
  mutating func answer(
    _ id: RequestID, _ updateID: String, _ known: FoundRequest, waitsFor stage: UpdateStage,
    started: Bool
  ) {
    // It was admitted, and its code is to speak of it again.
    if let run = runs[known.run], join(id, known.record.key, run, waitsFor: stage) { return }
    let awaited = AwaitedOutcome(run: known.run, update: known.record.key)
    if let run = runs[known.run], run.fold.update(updateID) != nil {
      return awaitOutcome(
        WaitingUpdate.Client(id: id, stage: stage, started: started), known.record.key, run)
    }
    waiting[id] = .update(awaited, started: started)
    let search = OutcomeSearch(id, updateID, awaited, known, stage)
    read(search, runs[known.run].map { .run($0) } ?? .engine)
  }

  private mutating func read(_ search: OutcomeSearch, _ gate: Gate) {
    let id = load(
      .history(
        search.awaited.run, from: search.nextEvent, bytesMax: limits.activationBytesMax), gate)
    loading.purposes[id] = .outcome(search)
    counters.loads += 1
  }

  mutating func takeOutcomeSlice(_ search: OutcomeSearch, _ content: Loaded.Content) {
    guard waiting[search.request] != nil else { return }  // It was given up.
    var search = search
    guard case .history(let batches, let more) = content else {
      if case .corrupt(let place) = content { return refuse(search.request, .corrupt(place)) }
      preconditionFailure("a load of history was answered with something else")
    }
    for batch in batches {
      let events: [HistoryEvent]
      do { events = try self.events(of: batch, search.awaited.run) } catch {
        return refuse(search.request, .corrupt(error.place))
      }
      for event in events where event.eventID >= search.nextEvent {
        if let (stage, outcome) = search.outcome(event) { return tell(search, stage, outcome) }
      }
    }
    if more { return read(search, .free) }
    goOn(search)
  }

  /// The stored history holds no outcome.
  private mutating func goOn(_ search: OutcomeSearch) {
    if let run = runs[search.awaited.run], run.fold.update(search.updateID) == nil,
      run.fold.lastEventID >= search.nextEvent
    {
      // It has come since, and is on its way to the store.
      return read(search, .run(run))
    }
    guard search.hasSeenIt else {
      return refuse(
        search.request,
        .refusal(.notFound, .updateNotFound, "the run of update '\(search.updateID)' is removed"))
    }
    if search.stage == .accepted { return tell(search, .accepted, nil) }
    awaitOutcome(search.request, search.awaited, started: false)
  }

  private mutating func tell(
    _ search: OutcomeSearch, _ stage: UpdateStage, _ outcome: UpdateOutcome?
  ) {
    var response = UpdateWorkflowResponse()
    response.runID = search.runID
    response.stage = stage
    response.outcome = outcome
    // It was read from the store: it is durable.
    reply(search.request, .updateWorkflow(response), .free)
  }
}
