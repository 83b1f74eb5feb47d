import Basics
import Messages

/// An update that the run's code has not taken on: only memory knows of it.
struct WaitingUpdate {
  /// Who waits, and for what.
  struct Client {
    let id: RequestID
    let stage: UpdateStage
    /// Its request started the run.
    let started: Bool
  }

  let request: UpdateWorkflowRequest
  let record: RequestRecord
  /// The last event when it came: its place among the signals.
  var afterEvent: Int64
  var clients: [Client]
  /// History holds it: whoever asked for it, it stays until the code has spoken.
  var isAdmitted = false

  var pending: PendingUpdate { PendingUpdate(request.updateID, acceptedBy: 0) }

  /// What the code is asked.
  var placed: Inbound.PlacedUpdate {
    Inbound.PlacedUpdate(WaitingUpdate.job(of: request), after: afterEvent)
  }

  static func job(of request: UpdateWorkflowRequest) -> DoUpdate {
    var job = DoUpdate()
    job.updateID = request.updateID
    job.updateName = request.updateName
    job.args = request.args
    job.header = request.header
    job.identity = request.identity
    job.runValidator = true
    return job
  }
}

/// The outcome of an update of a run, by the update's request key.
struct AwaitedOutcome: Hashable {
  let run: RunNumber
  let update: Fingerprint
}

/// Updates: from their admission over the code's word to their outcome.
extension Engine {
  // MARK: - Before the code's word

  /// The update waits for the next activation, or joins its repetition that does.
  mutating func admit(
    _ request: UpdateWorkflowRequest, to run: Run, _ record: RequestRecord, _ id: RequestID,
    started: Bool
  ) {
    guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
    let client = WaitingUpdate.Client(id: id, stage: request.waitFor, started: started)
    if let index = run.updates.firstIndex(where: { $0.record.key == record.key }) {
      guard run.updates[index].record.requestHash == record.requestHash else {
        return refuse(id, .requestIDReused(request.updateID, "update_id", run.runID), .run(run))
      }
      return join(client, at: index, of: run)
    }
    if let status = admissionFault(run) { return refuse(id, status, .run(run)) }
    run.updates.append(
      WaitingUpdate(
        request: request, record: record, afterEvent: run.fold.lastEventID, clients: [client]))
    waiting[id] = .update(
      AwaitedOutcome(run: run.number, update: record.key), started: started)
    count(run)
    offerTask(run)
  }

  private func admissionFault(_ run: Run) -> Status? {
    if isDraining { return .draining }
    if run.fold.pause != nil { return .workflowPaused(run) }
    if let time = run.fold.firstTaskTime, run.isHeld { return .notBegun(run, in: time - now) }
    if run.permit.isAwaited { return .notBegun(run) }
    if run.updates.count + run.fold.updates.count >= limits.updatesInFlightMax {
      return .refusal(
        .resourceExhausted, .limitReached,
        "\(limits.updatesInFlightMax) updates of the workflow are in flight", runID: run.runID,
        retryAfter: Span(ms: 1_000))
    }
    if run.fold.updatesAccepted >= limits.updatesPerRunMax {
      return .refusal(
        .resourceExhausted, .limitReached,
        "the run has accepted \(limits.updatesPerRunMax) updates; continue as new",
        runID: run.runID)
    }
    return nil
  }

  /// Waits with those that wait for the code's word already; false when nobody does.
  mutating func join(
    _ id: RequestID, _ update: Fingerprint, _ run: Run, waitsFor stage: UpdateStage
  ) -> Bool {
    guard let index = run.updates.firstIndex(where: { $0.record.key == update }) else {
      return false
    }
    join(WaitingUpdate.Client(id: id, stage: stage, started: false), at: index, of: run)
    return true
  }

  private mutating func join(_ client: WaitingUpdate.Client, at index: Int, of run: Run) {
    run.updates[index].clients.append(client)
    waiting[client.id] = .update(
      AwaitedOutcome(run: run.number, update: run.updates[index].record.key),
      started: client.started)
    // One that a reset has asked again may be there while the code is asked for nothing.
    updatesCameBack(to: run)
  }

  /// The code has said of each update that the activation asked for whether it takes it on; what is
  /// wrong with that, in words. That nothing else was accepted is checked with the commands.
  func updateFault(
    _ commands: [Command], _ rejections: [UpdateRejection], _ lease: WorkflowTask.Lease
  ) -> String? {
    let asked = lease.shown.updates
    if asked.isEmpty && rejections.isEmpty { return nil }
    let accepted = commands.compactMap { command in
      if case .updateAccepted(let c) = command.kind { c.updateID } else { nil }
    }
    let rejected = rejections.map(\.updateID)
    for id in rejected where !asked.contains(id) {
      return "update '\(id)' was not asked for by this activation"
    }
    for id in asked {
      let words = accepted.count { $0 == id } + rejected.count { $0 == id }
      if words != 1 {
        return "update '\(id)' has to be accepted or rejected, once, in this completion"
      }
    }
    if accepted != asked.filter({ accepted.contains($0) }) {
      return "updates have to be accepted in the order in which they were asked for"
    }
    for rejection in rejections
    where (rejection.failure?.approximateBytes ?? 0) > limits.payloadBytesMax {
      return "the rejection of update '\(rejection.updateID)' is over \(limits.payloadBytesMax)"
        + " bytes"
    }
    return nil
  }

  /// Leaves no trace; the clients are told.
  mutating func reject(_ rejections: [UpdateRejection], of run: Run) {
    for rejection in rejections {
      guard
        let index = run.updates.firstIndex(where: { $0.request.updateID == rejection.updateID })
      else { continue }
      let update = run.updates.remove(at: index)
      var outcome = UpdateOutcome()
      outcome.result = .failed(bounded(rejection.failure))
      for client in update.clients { tell(client, .rejected, outcome, run) }
      tellOutcome(of: rejection.updateID, outcome, run, .rejected)
    }
  }

  /// The task that asked for updates has ended without a word on them.
  mutating func updatesCameBack(to run: Run) {
    if isDraining { refuseUpdates(of: run, .draining) }
    if run.fold.pause != nil { refuseUpdates(of: run, .workflowPaused(run)) }
    dropAbandonedUpdates(of: run)
  }

  /// Updates that nobody waits for any more are not asked for; one that is out may still be
  /// accepted.
  func dropAbandonedUpdates(of run: Run) {
    guard !run.updates.isEmpty else { return }
    let out = run.task.lease?.shown.updates ?? []
    run.updates.removeAll {
      $0.clients.isEmpty && !$0.isAdmitted && !out.contains($0.request.updateID)
    }
  }

  // MARK: - After it

  /// An accepted update: tells the client, or lets it wait for the outcome.
  mutating func awaitOutcome(
    _ client: WaitingUpdate.Client, _ update: Fingerprint, _ run: Run
  ) {
    if client.stage == .accepted { return tell(client, .accepted, nil, run) }
    awaitOutcome(
      client.id, AwaitedOutcome(run: run.number, update: update), started: client.started)
  }

  /// By the run's number: it may become dormant meanwhile.
  mutating func awaitOutcome(_ id: RequestID, _ awaited: AwaitedOutcome, started: Bool) {
    outcomeWaiters[awaited, default: Waiters()].append(id)
    waiting[id] = .update(awaited, started: started)
  }

  mutating func tellOutcome(
    of updateID: String, _ outcome: UpdateOutcome, _ run: Run,
    _ stage: UpdateStage = .completed
  ) {
    let key = requestKey(method: Engine.updateMethod, run.key, updateID)
    let awaited = AwaitedOutcome(run: run.number, update: key)
    for id in outcomeWaiters.removeValue(forKey: awaited)?.inOrder ?? [] {
      var started = false
      if case .update(_, let didStart) = waiting[id] { started = didStart }
      let client = WaitingUpdate.Client(id: id, stage: .completed, started: started)
      tell(client, stage, outcome, run)
    }
  }

  private mutating func tell(
    _ client: WaitingUpdate.Client, _ stage: UpdateStage, _ outcome: UpdateOutcome?, _ run: Run
  ) {
    var response = UpdateWorkflowResponse()
    response.runID = run.runID
    response.stage = stage
    response.outcome = outcome
    response.started = client.started
    reply(client.id, .updateWorkflow(response), .run(run))
  }

  // MARK: - The run's end

  /// The run closes before its code has brought these to their end.
  mutating func failUpdates(of run: Run) {
    let admitted = run.updates.filter(\.isAdmitted).map(\.request.updateID)
    for id in run.fold.updates.map(\.updateID) + admitted {
      tellOutcome(of: id, .closedBefore, run)
    }
  }

  /// The run has closed or is paused, or the engine is going away: those without the code's word
  /// are refused, but for those that are out.
  mutating func refuseUpdates(of run: Run, _ status: Status) {
    guard !run.updates.isEmpty else { return }
    let out = run.fold.isOpen ? run.task.lease?.shown.updates ?? [] : []
    let kept = run.fold.isOpen
    for index in run.updates.indices where !out.contains(run.updates[index].request.updateID) {
      for client in run.updates[index].clients { refuse(client.id, status, .run(run)) }
      run.updates[index].clients = []
    }
    run.updates.removeAll { !out.contains($0.request.updateID) && !($0.isAdmitted && kept) }
    count(run)
  }

  /// The engine is going away: those that are not out are refused.
  mutating func refuseUpdatesOfAll() {
    var asked: Set<RunNumber> = []
    for case .update(let awaited, _) in waiting.values { asked.insert(awaited.run) }
    for number in asked.sorted() {
      guard let run = runs[number] else { continue }
      refuseUpdates(of: run, .draining)
      waitersLeft(run)
    }
  }

  /// Those that name no run go on to the next one of the chain. Who waits for what this one has
  /// admitted hears that it is over.
  mutating func hand(_ updates: [WaitingUpdate], from run: Run, to successor: Run) {
    for var update in updates where update.request.execution?.runID ?? RunID.none == RunID.none {
      run.updates.removeAll { $0.record.key == update.record.key }
      tellOutcome(of: update.request.updateID, .closedBefore, run)
      let known = successor.updates.firstIndex { $0.record.key == update.record.key }
      if let known {
        successor.updates[known].clients += update.clients
      } else if !update.isAdmitted || !update.clients.isEmpty {
        // What this run has admitted the successor of another chain has not.
        update.isAdmitted = false
        update.afterEvent = successor.fold.lastEventID
        successor.updates.append(update)
      }
      for client in update.clients {
        waiting[client.id] = .update(
          AwaitedOutcome(run: successor.number, update: update.record.key), started: client.started)
      }
    }
  }

  /// The client does not want to know any more.
  mutating func abandon(_ id: RequestID, _ awaited: AwaitedOutcome) {
    outcomeWaiters[awaited]?.remove(id)
    if outcomeWaiters[awaited]?.isEmpty ?? false { outcomeWaiters.removeValue(forKey: awaited) }
    guard let run = runs[awaited.run] else { return }
    for index in run.updates.indices { run.updates[index].clients.removeAll { $0.id == id } }
    dropAbandonedUpdates(of: run)
    count(run)
    waitersLeft(run)
  }
}

extension UpdateWorkflowRequest {
  init(_ admitted: WorkflowExecutionUpdateAdmitted) {
    self.init()
    updateID = admitted.updateID
    updateName = admitted.updateName
    args = admitted.args
    header = admitted.header
    identity = admitted.identity
  }
}

extension UpdateOutcome {
  /// Of an update that the code had taken on before a reset, and did not take on after it.
  static var rejectedAgain: UpdateOutcome {
    var outcome = UpdateOutcome()
    outcome.result = .failed(.server("after a reset the workflow did not take on the update again"))
    return outcome
  }

  /// Of an accepted update whose run has closed.
  static var closedBefore: UpdateOutcome {
    var outcome = UpdateOutcome()
    outcome.result = .failed(.server("the workflow closed before the update came to its end"))
    return outcome
  }
}
