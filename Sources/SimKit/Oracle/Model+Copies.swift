import Basics
import EngineCore
import Messages

/// Resets and forks: runs that begin with the first events of another one.
extension Model {
  mutating func reset(_ r: ResetWorkflowRequest, _ request: Request) -> Response {
    let workflowID = r.execution?.workflowID ?? ""
    if let answer = before("Reset", workflowID, r.requestID, request) { return answer }
    guard case .run(let base) = find(r.execution) else { return notFound(r.execution) }
    guard let point = base.event(at: r.point) else { return .failure(noPoint(r.point)) }
    let again = comesAgain(of: base, after: point, r.reapplyExclude)
    if let refusal = refusal(of: base, point, again) { return .failure(refusal) }
    let open = newest(workflowID)
    guard let run = copy(base, point, workflowID, r.reason, r.identity) else {
      return .failure(Status())
    }
    for known in remembered where known.run == base.id && (0..<point).contains(known.event) {
      remember(
        known.method, run, known.requestID, known.request, event: known.event,
        known.answer.moved(to: run.id))
    }
    give(again, run)
    if !base.isOpen { askAgain(run) }
    remember("Reset", run, r.requestID, request, event: -1, .reset(run.id))
    base.resetTo = run.id
    if let open, open.isOpen { end(open, r, inFavorOf: run) }
    dispatch(run)
    return .reset(run.id)
  }

  mutating func fork(_ r: ForkWorkflowRequest, _ request: Request) -> Response {
    // A repetition is answered, but what is wrong with a point is said before.
    let earlier = before("Fork", r.workflowID, r.requestID, request)
    guard case .run(let base) = find(r.execution) else {
      return earlier ?? notFound(r.execution)
    }
    guard let point = base.event(at: r.point) else { return .failure(noPoint(r.point)) }
    if let earlier { return earlier }
    let again = comesAgain(of: base, after: point, r.reapplyExclude)
    if let refusal = refusal(of: base, point, again) { return .failure(refusal) }
    var start = StartWorkflowRequest()
    start.workflowID = r.workflowID
    start.idReusePolicy = r.idReusePolicy
    start.idConflictPolicy = r.idConflictPolicy
    start.identity = r.identity
    switch admit(start, default: .fail) {
    case .refused(let response): return response
    case .existing(let run), .started(let run): return .start(.of(run.id, started: false))
    case nil: break
    }
    guard let run = copy(base, point, r.workflowID, r.reason, r.identity) else {
      return .failure(Status())
    }
    let answer = Response.start(.of(run.id, started: true))
    remember("Fork", run, r.requestID, request, event: -1, answer)
    give(again, run)
    leaveBehind(run)
    dispatch(run)
    return answer
  }

  private func notFound(_ execution: WorkflowExecution?) -> Response {
    .failure(.of(.notFound, .workflowNotFound, run: execution?.runID ?? .none))
  }

  private func noPoint(_ point: WorkflowPoint?) -> Status {
    switch point?.kind {
    case .event: invalid("point.event_id")
    case .beforeActivity: invalid("point.activity_type")
    default: invalid("point.kind")
    }
  }

  private func refusal(of base: ModelRun, _ point: Int64, _ again: [Again]) -> Status? {
    if let status = refusalOfStarts { return status }
    let before = base.events.prefix(Int(point) - 1).count { $0.isSignal }
    let signals = Int64(before + again.count { $0.event.isSignal })
    return signals > limits.signalsPerRunMax ? .of(.resourceExhausted, .limitReached) : nil
  }

  // MARK: - What comes again

  struct Again {
    let event: HistoryEvent
    let run: ModelRun
  }

  /// What has come since the point, in this run and those that went on.
  private func comesAgain(
    of base: ModelRun, after point: Int64, _ excluded: [ReapplyExclude]
  ) -> [Again] {
    var again: [Again] = []
    var (run, after, shared) = (base, point, point)
    // What the new run has in its first events already.
    let known = base.events.prefix(Int(point) - 1).map { base.origin(of: $0) }
    while true {
      if let own = run.copy, run !== base {
        after = min(after, own.baseEventID)
        shared = min(shared, own.baseEventID)
      }
      for event in run.events where event.eventID > after {
        let isWanted =
          switch event.attributes {
          case .workflowExecutionSignaled: !excluded.contains(.signals)
          case .workflowExecutionUpdateAdmitted: !excluded.contains(.updates)
          case .workflowExecutionUpdateAccepted(let m):
            !excluded.contains(.updates)
              && !run.events.contains { $0.admitted?.updateID == m.updateID }
          default: event.answeredEvent.map { $0 < shared } ?? false
          }
        let origin = run.origin(of: event)
        if isWanted && !known.contains(origin)
          && !again.contains(where: { $0.run.origin(of: $0.event) == origin })
        {
          again.append(Again(event: event, run: run))
        }
      }
      guard let next = self.run(run.nextRunID) else { return again }
      if next.id == run.resetRunID {
        // That one was given it again already.
        again.removeAll { $0.run === run }
      } else {
        let taken = run.unseen.filter { run.hasRequest(at: $0) }.map(\.eventID)
        again.removeAll { $0.run === run && taken.contains($0.event.eventID) }
        (after, shared) = (1, 0)
      }
      run = next
    }
  }

  private mutating func give(_ again: [Again], _ run: ModelRun) {
    for item in again {
      switch item.event.attributes {
      case .workflowExecutionSignaled, .workflowExecutionUpdateAdmitted,
        .workflowExecutionUpdateAccepted:
        takeOver(item.event, item.run, run)
      default: hearAgain(item.event, run)
      }
    }
  }

  mutating func admitAgain(_ m: WorkflowExecutionUpdateAdmitted, _ run: ModelRun) {
    append(.workflowExecutionUpdateAdmitted(m), to: run)
    var waiting = m.waiting
    waiting.after = run.lastEventID
    remember("Update", run, m.updateID, waiting.request, event: run.lastEventID, .done)
    run.updates.append(waiting)
  }

  /// An answer that the base has had, to a request that the copy has made, too.
  private mutating func hearAgain(_ event: HistoryEvent, _ run: ModelRun) {
    let about = event.answeredEvent ?? 0
    if let place = run.children.firstIndex(where: { $0.event == about }) {
      let child = run.children[place]
      let seq = child.isLeft ? 0 : child.initiated.seq
      guard let known = event.attributes?.answer(seq: seq, started: child.startedEvent) else {
        return
      }
      append(known, to: run)
      if case .childWorkflowExecutionStarted(let m) = known {
        run.children[place].startedEvent = run.lastEventID
        run.children[place].runID = m.execution?.runID ?? .none
      } else {
        run.children.remove(at: place)
      }
    } else if let place = run.sent.firstIndex(where: { $0.event == about }),
      let attributes = event.attributes
    {
      append(attributes, to: run)
      requestArrived(run.sent.remove(at: place), run)
    }
  }

  // MARK: - The new run

  private mutating func copy(
    _ base: ModelRun, _ point: Int64, _ workflowID: String, _ reason: String, _ identity: String
  ) -> ModelRun? {
    guard let choice = draw(workflowID) else { return nil }
    if choice.randomSeed == base.started.randomSeed {
      objections.append("the copy of \(base.id) has the same random numbers")
    }
    var failed = WorkflowTaskFailed()
    failed.cause = .resetWorkflow
    failed.attempt = 1
    failed.identity = identity
    var copy = RunCopy()
    copy.baseExecution = .of(base.workflowID, base.source(before: point))
    copy.execution = .of(workflowID, choice.runID)
    copy.baseEventID = point
    copy.randomSeed = choice.randomSeed
    copy.reason = reason
    let isFork = !workflowID.utf8.elementsEqual(base.workflowID.utf8)
    copy.firstRunID = isFork ? choice.runID : base.started.firstRunID
    copy.ofFork = isFork || base.copy?.ofFork ?? false
    failed.copy = copy
    let run = ModelRun(copy, of: base, at: now)
    runs.append(run)
    for event in base.events.prefix(Int(point) - 1) {
      run.fold(event)
      facts.append(.event(run.id, event.plain))
    }
    run.askAgain()
    append(.workflowTaskFailed(failed), to: run)
    run.beginAgain(at: now, base.source(before: point))
    return run
  }

  /// The open run ends; who waits for it waits for the new one.
  private mutating func end(_ run: ModelRun, _ r: ResetWorkflowRequest, inFavorOf next: ModelRun) {
    run.resetTo = next.id
    let has = { id in
      next.accepted.contains { $0.updateID == id } || next.place(ofWaiting: id) != nil
    }
    next.outcomeWaiting += run.outcomeWaiting.filter { has($0.updateID) }
    run.outcomeWaiting.removeAll { has($0.updateID) }
    hand(run, next)
    next.waiting += run.waiting.filter { !run.waitsForThisRun.contains($0) }
    run.waiting.removeAll { !run.waitsForThisRun.contains($0) }
    var terminated = WorkflowExecutionTerminated()
    terminated.reason = r.reason
    terminated.identity = r.identity
    terminated.newRunID = next.id
    append(.workflowExecutionTerminated(terminated), to: run)
    close(run, .terminated)
  }

  /// What is pending begins anew; what its code has cancelled is at its end.
  private mutating func dispatch(_ run: ModelRun) {
    ask(run)
    for event in run.activities.filter(\.isCancelRequested).map(\.event) {
      guard let place = run.activities.firstIndex(where: { $0.event == event }) else { continue }
      resolveCanceled(run, place, [], identity: "")
    }
  }

  /// The new run has the child as well.
  func goesOver(_ child: ModelChild, _ run: ModelRun) -> Bool {
    guard let next = self.run(run.resetTo) else { return false }
    let starter = child.base == .none ? run.id : child.base
    return next.children.contains { $0.event == child.event && $0.base == starter }
  }

  /// Of its base's children, and of what that one has asked of others, a fork is told nothing.
  private mutating func leaveBehind(_ run: ModelRun) {
    for child in run.children {
      let (seq, id) = (child.isLeft ? 0 : child.initiated.seq, child.initiated.workflowID)
      if child.startedEvent == 0 {
        var failed = StartChildWorkflowExecutionFailed()
        (failed.initiatedEventID, failed.seq) = (child.event, seq)
        (failed.workflowID, failed.workflowType) = (id, child.initiated.workflowType)
        failed.cause = .workflowAlreadyExists
        append(.startChildWorkflowExecutionFailed(failed), to: run)
      } else {
        var failed = ChildWorkflowExecutionFailed()
        (failed.initiatedEventID, failed.startedEventID) = (child.event, child.startedEvent)
        (failed.seq, failed.workflowType) = (seq, child.initiated.workflowType)
        failed.execution = .of(id, child.runID)
        var server = ServerFailure()
        server.nonRetryable = true
        failed.failure = .of(
          "the child goes on for the run that this one was forked from", .server(server))
        append(.childWorkflowExecutionFailed(failed), to: run)
      }
    }
    run.children = []
    failSent(run, .notFound)
  }

  /// What a closed run's children and others have said since, its reset has to ask for.
  private mutating func askAgain(_ run: ModelRun) {
    let own = WorkflowExecution.of(run.workflowID, run.id)
    for child in run.children {
      mail.append(
        ModelLetter(
          from: own, to: .of(child.initiated.workflowID, child.runID), toChild: nil,
          event: child.event, content: .workflowExecutionStarted(WorkflowExecutionStarted()),
          root: own, metadata: nil, base: child.base, asks: true))
    }
    failSent(run, .outcomeUnknown)
  }

  private mutating func failSent(_ run: ModelRun, _ cause: ExternalFailedCause) {
    let sent = run.sent
    run.sent = []
    for sent in sent {
      if run.cancels(sent.event) {
        var failed = RequestCancelExternalWorkflowExecutionFailed()
        (failed.initiatedEventID, failed.seq, failed.cause) = (sent.event, sent.seq, cause)
        append(.requestCancelExternalWorkflowExecutionFailed(failed), to: run)
      } else {
        var failed = SignalExternalWorkflowExecutionFailed()
        (failed.initiatedEventID, failed.seq, failed.cause) = (sent.event, sent.seq, cause)
        append(.signalExternalWorkflowExecutionFailed(failed), to: run)
      }
      requestArrived(sent, run)
    }
  }
}
