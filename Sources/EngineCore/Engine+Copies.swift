import Basics
import Messages

/// A reset or a fork while it reads the history of its base.
struct RunCopying {
  let base: Run
  /// The request, which is taken up again where it has to wait for another run.
  let input: Input
  var history: HistoryCopy
  /// The runs that are read and have been: they stay in memory.
  var runs: [Run]
  /// What has come since the history of the last of them was read begins here in its tail.
  var tailFrom: Int
  /// What went on in the place of the last of them is not there any more.
  var endsHere = false

  func reads(_ run: Run) -> Bool { runs.contains { $0 === run } }
}

/// The run that is to begin, and what it begins with.
struct PlannedCopy {
  let base: Run
  /// The run of the base's workflow that had the first events first: what it has begun and not
  /// ended speaks of that one.
  let source: WorkflowExecution
  let prefix: HistoryCopy.Prefix
  let later: [HistoryCopy.Later]
}

/// Resets and forks: a new run with the first part of another one's history.
///
/// The history is read in slices, while the base goes on: for the state at the point, and for what
/// has come since. Then everything is written in one step, the copied events by the store itself.
extension Engine {
  // MARK: - Reading

  mutating func beginCopy(
    _ id: RequestID, _ input: Input, of base: Run, to point: WorkflowPoint,
    excluding excluded: [ReapplyExclude]
  ) {
    copies[id] = RunCopying(
      base: base, input: input, history: HistoryCopy(point, of: base, excluding: excluded),
      runs: [], tailFrom: 0)
    waiting[id] = .copying
    read(base, for: id)
  }

  /// Reads the run's history from the beginning; what is recorded meanwhile is kept in its tail.
  private mutating func read(_ run: Run, for id: RequestID) {
    run.copiers += 1
    copies[id]?.runs.append(run)
    copies[id]?.tailFrom = run.tail.count
    readOn(id, .run(run))
  }

  private mutating func readOn(_ id: RequestID, _ gate: Gate) {
    guard let copy = copies[id], let run = copy.runs.last else { return }
    // Small ones: to fold a slice takes a while, in which nobody else is served.
    let slice = Load.Subject.history(
      run.number, from: copy.history.nextEvent, bytesMax: limits.activationBytesMax / 4)
    loading.purposes[load(slice, gate)] = .copy(id)
    counters.loads += 1
  }

  mutating func takeCopySlice(_ id: RequestID, _ content: Loaded.Content) {
    // It may have been given up.
    guard var copy = copies[id], let run = copy.runs.last else { return }
    do {
      guard case .history(let batches, let more) = content else {
        if case .corrupt(let place) = content { return refuse(id, .corrupt(place)) }
        preconditionFailure("a load of history was answered with something else")
      }
      for batch in batches { try copy.history.take(batch, events(of: batch, run.number)) }
      copies[id]?.history = copy.history
      if more { return readOn(id, .free) }
      if copy.runs.count == 1 { copy.history.endSearch() }
      copies[id]?.history = copy.history
    } catch { return refuse(id, .corrupt(error.place)) }
    guard copy.history.prefix != nil else {
      return refuse(id, copy.history.point.notFound(in: copy.base))
    }
    goOn(id)
  }

  /// The history of a run has been read: that of the run which went on, or all that is needed.
  mutating func goOn(_ id: RequestID) {
    guard var copy = copies[id], let run = copy.runs.last else { return }
    // What has come since it was read, or while the request waited.
    for event in run.tail[copy.tailFrom...] where event.eventID >= copy.history.nextEvent {
      copy.history.gather(event)
    }
    copy.history.settle()
    copy.tailFrom = run.tail.count
    copies[id] = copy
    if run.nextRunID != .none, !copy.endsHere {
      // While it waits, nobody can give it up.
      waiting.removeValue(forKey: id)
      guard let found = find(run.key, run.nextRunID, for: copy.input).settled else { return }
      if let next = found.run {
        waiting[id] = .copying
        copy.history.goOn(in: next, isReset: next.runID == run.resetRunID)
        copies[id] = copy
        return read(next, for: id)
      }
      copies[id]?.endsHere = true
    }
    takeRead(id, copy.input)
  }

  private mutating func takeRead(_ id: RequestID, _ input: Input) {
    guard case .request(_, let request) = input else { return }
    switch request {
    case .resetWorkflow(let r): reset(id, r)
    case .forkWorkflow(let r): fork(id, r)
    default: preconditionFailure("only resets and forks copy a history")
    }
  }

  /// The request is answered, or given up: lets go of the runs that were read.
  mutating func endCopy(_ id: RequestID) {
    guard !copies.isEmpty, let copy = copies.removeValue(forKey: id) else { return }
    for run in copy.runs {
      run.copiers -= 1
      if run.copiers == 0 { run.tail = [] }
      if !run.isTouched { settle(run) }
    }
  }

  // MARK: - Making the copy

  /// What the request's copy begins with; nil: it has been refused.
  mutating func planned(_ id: RequestID) -> PlannedCopy? {
    guard let copy = copies[id], let prefix = copy.history.prefix else { return nil }
    let again = copy.history.later.count { later in
      if case .workflowExecutionSignaled = later.event.attributes { true } else { false }
    }
    let events = prefix.event + Int64(copy.history.later.count)
    if let status = refusalOfStarts {
      refuse(id, status)
      return nil
    }
    let signals = prefix.fold.signals + Int64(again)
    guard events <= limits.historyEventsMax, signals <= limits.signalsPerRunMax else {
      refuse(
        id,
        .refusal(
          .resourceExhausted, .limitReached,
          "the new run would begin with \(events) events and \(signals) signals; choose an earlier"
            + " point, or leave the signals out (reapply_exclude)"))
      return nil
    }
    let (base, source) = (copy.base.execution, copy.history.source)
    let isOwn = source.map { $0.workflowID.utf8.elementsEqual(base.workflowID.utf8) } ?? false
    return PlannedCopy(
      base: copy.base, source: isOwn ? source ?? base : base, prefix: prefix,
      later: copy.history.later)
  }

  /// Makes the new run, up to the event that tells of the copy.
  mutating func begin(
    _ plan: PlannedCopy, _ key: WorkflowKey, reason: String, identity: String
  ) -> Run {
    let run = enroll(key, newRunID(), plan.prefix.fold)
    run.copied = plan.prefix.stored
    var failed = WorkflowTaskFailed()
    failed.cause = .resetWorkflow
    failed.identity = identity
    failed.attempt = 1
    failed.copy = RunCopy()
    failed.copy?.baseExecution = plan.source
    failed.copy?.execution = run.execution
    failed.copy?.baseEventID = plan.prefix.event
    failed.copy?.randomSeed = random.next()
    failed.copy?.reason = reason
    let isFork = failed.copy?.isFork ?? false
    // Of the base, not of its first events: those may be older than a fork.
    let base = plan.base.fold
    failed.copy?.firstRunID = isFork ? run.runID : base.started.firstRunID
    failed.copy?.ofFork = isFork || base.copy?.ofFork ?? false
    #if MUTANTS
      if Mutant.isOn(.resetKeepsSeed) { failed.copy?.randomSeed = run.fold.started.randomSeed }
    #endif
    record(run, .workflowTaskFailed(failed))
    armDeadlines(of: run)
    // What an earlier reset asked of the code again, and it has not been shown.
    for (event, update) in run.fold.unseen.admitted { admit(update, by: event, of: run) }
    return run
  }

  /// What has come since the point comes again.
  mutating func giveAgain(_ later: [HistoryCopy.Later], to run: Run) {
    for item in later {
      guard let attributes = item.event.attributes else { continue }
      #if MUTANTS
        if Mutant.isOn(.resetLosesSignals), case .workflowExecutionSignaled = attributes {
          continue
        }
      #endif
      switch attributes {
      case .workflowExecutionSignaled, .workflowExecutionUpdateAccepted,
        .workflowExecutionUpdateAdmitted:
        takeOver(item.event, of: item.source, from: item.run, to: run)
      default: hearAgain(item.event, run)
      }
      #if MUTANTS
        if Mutant.isOn(.resetDoublesSignals), case .workflowExecutionSignaled = attributes {
          takeOver(item.event, of: item.source, from: item.run, to: run)
        }
      #endif
    }
  }

  /// The update was taken on once: it is kept until the code has spoken of it again.
  mutating func admitAgain(_ update: WorkflowExecutionUpdateAdmitted, to run: Run) {
    let event = record(run, .workflowExecutionUpdateAdmitted(update))
    let request = UpdateWorkflowRequest(update)
    let record = RequestRecord(
      key: requestKey(method: Engine.updateMethod, run.key, update.updateID),
      requestHash: request.requestHash, event: event)
    remember(record, event: event, in: run)
    admit(update, by: event, of: run)
  }

  /// Of what history holds: the update waits for the code's word.
  mutating func admit(_ update: WorkflowExecutionUpdateAdmitted, by event: Int64, of run: Run) {
    let request = UpdateWorkflowRequest(update)
    let record = RequestRecord(
      key: requestKey(method: Engine.updateMethod, run.key, update.updateID),
      requestHash: request.requestHash, event: event)
    run.updates.append(
      WaitingUpdate(
        request: request, record: record, afterEvent: event, clients: [], isAdmitted: true))
  }

  /// Pending activities begin anew, but for those whose cancel the code has asked for.
  mutating func dispatchAgain(_ run: Run) {
    #if MUTANTS
      if Mutant.isOn(.resetLosesActivities) { return }
    #endif
    askForPermit(run)
    for activity in run.fold.activities {
      guard let index = run.fold.activityIndex(scheduledEvent: activity.scheduledEvent) else {
        continue
      }
      if activity.cancelRequested {
        end(run, index, .canceled([]))
      } else {
        offerActivity(activity.scheduledEvent, of: run)
      }
    }
  }
}

extension WorkflowPoint {
  func notFound(in base: Run) -> Status {
    let run = "run \(base.runID)"
    switch kind {
    case .event:
      return .invalid(
        "point.event_id",
        "event \(eventID) of \(run) is no WorkflowTaskCompleted; its history shows those that are")
    case .beforeActivity:
      return .invalid(
        "point.activity_type",
        "\(run) has never scheduled an activity of type '\(activityType)'; its history shows which")
    default:
      return .invalid(
        "point.kind",
        "\(run) has completed no workflow task: there is nothing to undo; terminate it and start"
          + " the workflow again")
    }
  }
}

extension WorkflowExecutionUpdateAdmitted {
  init(_ accepted: WorkflowExecutionUpdateAccepted) {
    self.init()
    updateID = accepted.updateID
    updateName = accepted.updateName
    args = accepted.args
    header = accepted.header
    identity = accepted.identity
  }
}
