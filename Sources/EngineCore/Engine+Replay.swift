import Basics
import Messages

/// Bringing a session up to date with a run that it does not cache.
extension Engine {
  mutating func startReplay(_ run: Run, _ id: SessionID) {
    sessions[id]?.replays += 1
    counters.replays += 1
    run.task.withLease { $0.replay = Replay(loading: Load.ID(0)) }
    readOn(run, from: 1)
  }

  /// Asks the store for the next slice of the history.
  private mutating func readOn(_ run: Run, from event: Int64) {
    let id = load(
      .history(run.number, from: event, bytesMax: limits.activationBytesMax / 2),
      .run(run))
    loading.purposes[id] = .replay(run.number)
    run.task.withLease { $0.replay?.state = .loading(id) }
  }

  mutating func takeReplaySlice(_ number: RunNumber, _ loaded: Loaded) {
    guard let run = runs[number], let lease = run.task.lease, let replay = lease.replay,
      case .loading(let awaited) = replay.state, awaited == loaded.id
    else { return }  // The task has ended meanwhile.
    do {
      advance(run, try take(loaded.content, of: run, from: replay.nextEvent))
    } catch { failTask(run, .workerFailure, .server("history: \(error.place)")) }
  }

  private func take(_ content: Loaded.Content, of run: Run, from next: Int64) throws(CorruptRun)
    -> [PastActivation]
  {
    switch content {
    case .history(let batches, let isMore):
      var events: [HistoryEvent] = []
      for batch in batches {
        events += try self.events(of: batch, run.number).drop { $0.eventID < next }
      }
      var replay = run.task.lease?.replay
      let past = try replay?.take(events, more: isMore, bytesMax: limits.partBytesMax)
      run.task.withLease { $0.replay = replay }
      return past ?? []
    case .corrupt(let place): throw CorruptRun(place: place)
    default: preconditionFailure("a load of history was answered with something else")
    }
  }

  /// Sends the part, reads on, or goes live.
  private mutating func advance(_ run: Run, _ past: [PastActivation]) {
    guard let lease = run.task.lease, let replay = lease.replay else { return }
    if !past.isEmpty {
      var part = ReplayHistory(past, isFirst: replay.isFirst)
      part.token = TaskToken(epoch: epoch, serial: lease.serial, run: run.number).bytes
      part.namespace = run.key.namespace
      part.taskQueue = run.fold.started.taskQueue
      part.runID = run.runID
      part.workflowID = run.key.workflowID
      part.workflowType = run.workflowType
      part.taskTimeoutMs = run.taskTimeout
      var message = EngineMessage()
      message.kind = .replayHistory(part)
      send(.worker(lease.session, message), .free)
      run.task.withLease { $0.replay?.partSent() }
      run.replayedTime = past.last?.activationTimeMs ?? run.replayedTime
      return restartTaskTimeout(run)
    }
    if case .done = replay.state {
      run.task.withLease { $0.replay = nil }
      endReplay(of: lease.session)
      if case .query = lease.purpose, !run.fold.isOpen, replay.isFirst {
        returnSlot(of: lease.session)
        endTask(run)
        // It stays so: to repeat the query is no use.
        failQueries(
          run,
          .refusal(
            .failedPrecondition, .workflowClosed,
            "the run closed before its code ran: there is nothing to query", runID: run.runID))
        return settle(run)
      }
      return goLive(run)
    }
    readOn(run, from: replay.nextEvent)
  }

  mutating func endReplay(of id: SessionID) {
    sessions[id]?.replays -= 1
    freed.insert(id)
  }

  mutating func replayCompleted(_ id: SessionID, _ completed: ReplayCompleted) {
    sessionAnswered(id)
    if let request = asked(id, completed.token) { return takeAnswer(request, completed) }
    guard let token = TaskToken(completed.token), token.epoch == epoch, let run = runs[token.run],
      let lease = run.task.lease, lease.serial == token.serial, lease.session == id,
      case .answering = lease.replay?.state
    else { return refused(completed.token, id, .staleLease, .engine) }
    if completed.more {
      guard keepsPart(completed.serialized().count, of: run) else { return }
      run.task.withLease { $0.replay?.collect(completed.completions) }
      return restartTaskTimeout(run)
    }
    let diff = run.task.withLease {
      $0.replay?.compare(completed.completions, failure: completed.failure)
    }
    if let diff {
      var server = ServerFailure()
      server.nonRetryable = true
      let failure = Failure.engine(
        diff.message, .server(server), causes: completed.failure?.failure?.layers ?? [])
      return failTask(run, .nondeterminism, failure, diff: diff)
    }
    restartTaskTimeout(run)
    advance(run, [])
  }
}

extension ReplayHistory {
  init(_ past: [PastActivation], isFirst: Bool) {
    self.init()
    activations = past
    first = isFirst
  }
}
