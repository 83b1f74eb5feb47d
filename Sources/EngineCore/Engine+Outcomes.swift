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
}

extension Engine {
  /// Answers a repetition of an update that was accepted, or lets it wait.
  mutating func answer(
    _ id: RequestID, _ updateID: String, _ known: FoundRequest, waitsFor stage: UpdateStage,
    started: Bool
  ) {
    let awaited = AwaitedOutcome(run: known.run, update: known.record.key)
    if let run = runs[known.run], run.fold.update(updateID) != nil {
      return awaitOutcome(
        WaitingUpdate.Client(id: id, stage: stage, started: started), known.record.key, run)
    }
    waiting[id] = .update(awaited, started: started)
    let search = OutcomeSearch(
      request: id, updateID: updateID, awaited: awaited, runID: known.runID, stage: stage,
      nextEvent: known.record.event)
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
        search.nextEvent = event.eventID + 1
        search.hasSeenIt = true
        if let outcome = event.outcome(of: search.updateID) {
          return tell(search, .completed, outcome)
        }
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

extension HistoryEvent {
  /// What the event says of the update's outcome.
  fileprivate func outcome(of updateID: String) -> UpdateOutcome? {
    if case .workflowExecutionUpdateCompleted(let completed) = attributes {
      return completed.updateID == updateID ? completed.outcome ?? UpdateOutcome() : nil
    }
    return endsItsRun ? .closedBefore : nil
  }
}
