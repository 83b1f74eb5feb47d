import Basics
import Messages

/// Leases of attempts over lost connections and starts of the engine.
extension Engine {
  /// The connection of the lease's worker is gone: the worker has a while to come back.
  mutating func orphan(_ key: LeaseKey, canResume: Bool) {
    guard let run = runs[key.run],
      let index = run.fold.activityIndex(scheduledEvent: key.scheduledEvent)
    else { return }
    guard canResume else {
      return loseWorker(run, index, evidence: "its process or connection has ended")
    }
    run.fold.activities[index].session = nil
    run.fold.activities[index].orphanedUntil = now + times.resumeWindow
    orphans.insert(key)
    armActivity(run, index)
  }

  /// The leases that a worker names at its attachment and that are no longer its own. Those of runs
  /// that are not in memory are told when these have been loaded.
  func lostLeases(of attach: Attach) -> [[UInt8]] {
    guard !attach.resumeToken.isEmpty else { return attach.heldLeases }
    return attach.heldLeases.filter { bytes in
      guard let token = known(bytes) else { return true }
      guard let run = runs[token.run] else { return false }
      return !holds(token, of: run, attach)
    }
  }

  private func holds(_ token: ActivityToken, of run: Run, _ attach: Attach) -> Bool {
    guard let index = current(token, in: run) else { return false }
    return run.fold.activities[index].row.holder?.resumeToken == attach.resumeToken
  }

  /// A token of a run that there may be.
  private func known(_ bytes: [UInt8]) -> ActivityToken? {
    guard let token = ActivityToken(bytes), token.run.value > 0, token.run < nextRun else {
      return nil
    }
    return token
  }

  /// A worker attaches: what it still holds is its own again; what it does not name it never
  /// received, and the same attempt is sent again.
  mutating func resume(_ attach: Attach, in id: SessionID) {
    guard !attach.resumeToken.isEmpty else { return }
    let named = attach.heldLeases.compactMap { known($0) }
    for token in named where runs[token.run] == nil {
      claims[token.run, default: []].append((id, token))
      wake(token.run)
    }
    let held = Set(named)
    for key in orphans.sorted() {
      guard let run = runs[key.run],
        let index = run.fold.activityIndex(scheduledEvent: key.scheduledEvent),
        run.fold.activities[index].row.holder?.resumeToken == attach.resumeToken
      else { continue }
      settle(
        run, index, in: id, isHeld: held.contains(run.token(of: run.fold.activities[index])))
    }
  }

  /// The worker of this lease is attached: it has it, or never had it.
  private mutating func settle(_ run: Run, _ index: Int, in id: SessionID, isHeld: Bool) {
    let key = LeaseKey(
      run: run.number, scheduledEvent: run.fold.activities[index].scheduledEvent)
    orphans.remove(key)
    if isHeld {
      run.fold.activities[index].session = id
      run.fold.activities[index].orphanedUntil = nil
      sessions[id]?.leases.insert(key)
      armActivity(run, index)
      if let wish = run.fold.activities[index].wish { tellHolder(run, index, wish) }
    } else {
      run.fold.activities[index].returnToQueue(at: now)
      changed(run, index)
      offerActivity(key.scheduledEvent, of: run)
    }
  }

  /// A run has come into memory: its activities go on where they were.
  mutating func resume(_ scheduledEvent: Int64, of run: Run) {
    guard let index = run.fold.activityIndex(scheduledEvent: scheduledEvent) else { return }
    let activity = run.fold.activities[index]
    switch activity.phase {
    case .queued:
      armActivity(run, index)
      offerActivity(scheduledEvent, of: run)
    case .backingOff:  // If its time has come, then after what came before it, as the run's end.
      armActivity(run, index)
    case .started:
      if activity.row.elsewhere { return armActivity(run, index) }
      // What an engine has handed out of workflow tasks ends with it.
      if activity.isLocal { return loseLocal(run, index) }
      guard let holder = activity.row.holder, !holder.resumeToken.isEmpty else {
        return loseWorker(run, index, evidence: "the engine was started again")
      }
      if let session = sessionByResumeToken[holder.resumeToken] {
        let isHeld = claims[run.number]?.contains { $0.token == run.token(of: activity) } ?? false
        return settle(run, index, in: session, isHeld: isHeld)
      }
      run.fold.activities[index].orphanedUntil = now + times.resumeWindow
      orphans.insert(LeaseKey(run: run.number, scheduledEvent: scheduledEvent))
      if let process = holder.processIdentity { out.watches.append(process) }
      armActivity(run, index)
    }
  }

  /// The run of some claims has been loaded, or is not there: stale ones are told.
  mutating func settleClaims(_ number: RunNumber) {
    guard let claims = claims.removeValue(forKey: number) else { return }
    for claim in claims {
      guard let attach = sessions[claim.session]?.attach else { continue }
      if let run = runs[number], holds(claim.token, of: run, attach) { continue }
      cancelLease(claim.token.bytes, claim.session, .notFound, .engine)
    }
  }
}
