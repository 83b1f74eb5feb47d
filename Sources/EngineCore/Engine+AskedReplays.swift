import Basics
import Messages

/// The worker that answers for the code of a history which a client sends.
struct AskedWorker {
  let queue: QueueKey
  /// Under which it is shown: of no other run, so that what the worker has of the run itself stays.
  let runID: RunID
  /// nil until there is something to be shown.
  var session: SessionID?
}

/// Replays of sent histories in which a worker takes the client's part.
extension Engine {
  /// Shows the part to the worker, which is chosen for the first one. Why that cannot be.
  mutating func ask(_ id: RequestID, _ part: ReplayHistory) -> Status? {
    guard let asked = sentReplays[id]?.asked else { return nil }
    if asked.session == nil {
      switch worker(for: part.workflowType, on: asked.queue) {
      case .failure(let refusal): return refusal.status
      case .success(let session):
        sessions[session]?.workflowSlots -= 1
        sessions[session]?.replays += 1
        sentReplays[id]?.asked?.session = session
      }
    }
    guard let session = sentReplays[id]?.asked?.session else { return nil }
    var part = part
    part.runID = asked.runID
    part.token = Array("replay-\(id.connection)-\(id.stream)-".utf8) + part.token
    var message = EngineMessage()
    message.kind = .replayHistory(part)
    send(.worker(session, message), .free)
    count(taskBytes: part.serialized().count, for: session, .free)
    awaitReplay(id)
    return nil
  }

  private func worker(for type: String, on queue: QueueKey) -> Result<SessionID, Refusal> {
    let serving = (queues[queue]?.sessions ?? []).compactMap { sessions[$0] }
      .filter { $0.serves(workflow: type) && !$0.isDraining }
    guard !serving.isEmpty else {
      return .failure(
        Refusal(
          .refusal(
            .unavailable, .noWorker,
            "no worker for workflow type '\(type)' is attached to task queue '\(queue.name)'")))
    }
    let free = serving.first { $0.takesTasks && $0.replays < limits.replaysPerSessionMax }
    if let free { return .success(free.id) }
    return .failure(
      Refusal(
        .refusal(
          .resourceExhausted, .overloaded,
          "the workers of task queue '\(queue.name)' have no room for a replay",
          retryAfter: Span(ms: 100))))
  }

  /// Neither side may hold the worker's slot for ever.
  mutating func awaitReplay(_ id: RequestID) {
    guard sentReplays[id]?.asked?.session != nil else { return }
    deadlines.set(
      .sentReplay(id), at: now + times.taskTimeoutDefault,
      order: .init(Int64(bitPattern: id.connection), Int64(bitPattern: id.stream)))
  }

  mutating func sentReplayDue(_ id: RequestID) {
    let seconds = times.taskTimeoutDefault.ms / 1_000
    let whose = sentReplays[id]?.isWaiting ?? false ? "part of the history" : "answer of the worker"
    endReplay(
      id, .refusal(.deadlineExceeded, .timedOut, "no \(whose) came within \(seconds) s"))
  }

  /// The replay for which the session answers with the token of its part.
  func asked(_ session: SessionID, _ token: [UInt8]) -> RequestID? {
    guard token.starts(with: "replay-".utf8) else { return nil }
    return sentReplays.first { id, sent in
      sent.asked?.session == session
        && token == Array("replay-\(id.connection)-\(id.stream)-".utf8) + sent.token
    }?.key
  }

  /// The worker drops what it has of it; with that it gives its slot back.
  mutating func release(_ asked: AskedWorker, _ id: RequestID) {
    deadlines.remove(.sentReplay(id))
    guard let session = asked.session, sessions[session] != nil else { return }
    endReplay(of: session)
    sendEvict(asked.runID, to: session, .closed, "the replay has ended")
  }

  /// The session has ended.
  mutating func endReplays(askedOf session: SessionID) {
    let ended = sentReplays.filter { $0.value.asked?.session == session }.keys.sorted()
    for id in ended {
      endReplay(id, .refusal(.unavailable, .noWorker, "the worker that was asked is gone"))
    }
  }
}
