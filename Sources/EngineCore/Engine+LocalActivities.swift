import Basics
import Messages

/// Activities that the worker which has their run runs by itself.
///
/// Such an activity has no queue and no lease. An activation names those that nobody has in hand,
/// and what the code schedules in it joins them; that the completion is recorded is the worker's
/// leave to run them. They are in its hands for as long as it has the run: when it loses that, in
/// whatever way, the attempt under way is lost with it, and the next activation, wherever it goes,
/// names them again.
extension Engine {
  /// They are in the session's hands from here on; durable before it is told so.
  mutating func startLocals(_ events: [Int64], of run: Run, on id: SessionID) {
    guard !events.isEmpty, run.cachedBy == id, let session = sessions[id] else { return }
    for event in events {
      // It may have been cancelled in this turn, or its time is over.
      guard let index = run.fold.activityIndex(scheduledEvent: event),
        run.fold.activities[index].isLocal, run.fold.activities[index].canStart
      else { continue }
      run.fold.activities[index].start(
        at: now, session: id, holder: session.holder, branch: branch)
      counters.activityAttempts += 1
      #if MUTANTS
        if Mutant.isOn(.localStartsAreNotWritten) { continue }
      #endif
      changed(run, index)
    }
  }

  // MARK: - Reports

  mutating func localActivityDone(_ id: SessionID, _ m: LocalActivityDone) {
    guard m.token.count <= 64 else {
      return endSession(id, .invalid("token", "more than 64 bytes"))
    }
    let end = EndedLocal(run: m.runID, seq: m.seq, attempt: m.attempt)
    guard let run = byRunID[m.runID].flatMap({ runs[$0] }), let index = inHand(of: id, m, run)
    else { return answerAgain(m.token, end, id) }
    sessions[id]?.remember(end)
    // Those between were made by the worker itself.
    run.fold.activities[index].row.attempt = m.attempt
    changed(run, index)
    switch m.result {
    case .completed(let list):
      if let fault = payloadFault(list.payloads, "result") {
        attemptFailed(run, index, .server(fault.message))
      } else {
        self.end(run, index, .completed(list.payloads))
      }
    case .canceled(let list):
      if let fault = payloadFault(list.payloads, "details") {
        attemptFailed(run, index, .server(fault.message))
      } else {
        attemptCancelled(run, index, list.payloads)
      }
    case .failed(let failure): attemptFailed(run, index, bounded(failure))
    case nil: attemptFailed(run, index, bounded(nil))
    }
    recorded(m.token, id, run)
  }

  /// A repetition, or a report of what the session does not have in hand.
  private mutating func answerAgain(_ token: [UInt8], _ end: EndedLocal, _ id: SessionID) {
    guard sessions[id]?.endedLocals.elements.contains(end) ?? false else {
      return refused(token, id, .staleLease, .engine)
    }
    var recorded = Recorded()
    recorded.tokens = [token]
    var message = EngineMessage()
    message.kind = .recorded(recorded)
    send(.worker(id, message), .engine)
  }

  /// The place of the local activity, if this session has that attempt of it in hand, or an earlier
  /// one.
  private func inHand(of id: SessionID, _ m: LocalActivityDone, _ run: Run) -> Int? {
    guard let index = run.fold.activityIndex(seq: m.seq), run.fold.activities[index].isLocal
    else { return nil }
    #if MUTANTS
      if Mutant.isOn(.anyoneEndsLocals) {
        return run.fold.activities[index].phase == .started ? index : nil
      }
    #endif
    let activity = run.fold.activities[index]
    return activity.phase == .started && activity.session == id && run.cachedBy == id
      && m.attempt >= activity.row.attempt ? index : nil
  }

  // MARK: - Losses

  /// The worker does not have the run any more: what it had in hand is lost, when the step has done
  /// what brought that about.
  mutating func dropLocals(of run: Run) {
    guard run.hasLocalsInHand else { return }
    #if MUTANTS
      if Mutant.isOn(.localsAreForgotten) { return }
    #endif
    for index in run.fold.activities.indices where run.fold.activities[index].isLocalInHand {
      run.fold.activities[index].session = nil
    }
    bereft.append(run)
  }

  mutating func loseLocals() {
    while let run = bereft.popFirst() { loseLocals(of: run) }
  }

  mutating func loseLocals(of run: Run) {
    for event in run.fold.activities.map(\.scheduledEvent) {
      guard let index = run.fold.activityIndex(scheduledEvent: event),
        run.fold.activities[index].isLocalInHand, run.fold.activities[index].session == nil
      else { continue }
      loseLocal(run, index)
    }
  }

  /// It counts as an attempt: a policy of one attempt means at most once.
  mutating func loseLocal(_ run: Run, _ index: Int) {
    var lost = WorkerLostFailure()
    lost.identity = run.fold.activities[index].row.holder?.identity ?? ""
    lost.evidence = "it does not have the run any more"
    attemptFailed(
      run, index,
      .engine(
        "the worker '\(lost.identity)' was lost: \(lost.evidence)", .workerLost(lost)))
  }
}

extension Run {
  /// Local activities wait for somebody to run them.
  var wantsLocals: Bool {
    fold.localActivities > 0 && fold.activities.contains { $0.isLocal && $0.canStart }
  }

  var hasLocalsInHand: Bool {
    fold.localActivities > 0 && fold.activities.contains(where: \.isLocalInHand)
  }
}

extension Session {
  fileprivate func remember(_ end: EndedLocal) {
    endedLocals.append(end)
    if endedLocals.count > 64 { _ = endedLocals.popFirst() }
  }
}

/// An attempt of a local activity whose end was reported, and counted.
struct EndedLocal: Equatable {
  let run: RunID
  let seq: UInt32
  let attempt: Int32
}
