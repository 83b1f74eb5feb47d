import Basics
import EngineCore
import Messages

/// Updates: asked of the code, taken on by it or not, and brought to an end.
extension Model {
  // MARK: - Requests

  mutating func update(_ id: RequestID, _ r: UpdateWorkflowRequest, _ request: Request)
    -> Response?
  {
    let workflowID = r.execution?.workflowID ?? ""
    if let known = known(r.updateID, workflowID, r.execution?.runID ?? .none) {
      return answer(id, r, known, newest: find(r.execution), request)
    }
    switch find(r.execution) {
    case .none(let status): return .failure(status)
    case .run(let run): return admit(id, r, to: run, request, started: false)
    }
  }

  mutating func updateWithStart(
    _ id: RequestID, _ r: UpdateWithStartWorkflowRequest, _ request: Request
  ) -> Response? {
    let start = r.start ?? StartWorkflowRequest()
    let update = r.update ?? UpdateWorkflowRequest()
    if let known = known(update.updateID, start.workflowID, .none) {
      return answer(id, update, known, newest: find(.of(start.workflowID)), request)
    }
    if let fault = contradiction(start.searchAttributes, "start.") { return fault }
    switch begin(start, default: .useExisting) {
    case .refused(let response): return response
    case .existing(let run): return admit(id, update, to: run, request, started: false)
    case .started(let run):
      remember("Update", run, update.updateID, request, event: 0, .done)
      ask(run)
      giveAtOnce(run)
      return admit(id, update, to: run, request, started: true)
    }
  }

  mutating func poll(_ id: RequestID, _ r: PollUpdateRequest) -> Response? {
    let found = find(r.execution)
    if case .run(let run) = found, let place = run.place(ofWaiting: r.updateID) {
      run.updates[place].clients.append(ModelUpdate.Client(id, r.waitFor, started: false))
      return nil
    }
    let workflowID = r.execution?.workflowID ?? ""
    if let known = known(r.updateID, workflowID, r.execution?.runID ?? .none),
      let run = run(known.run), run.isAccepted(r.updateID)
    {
      if let place = run.place(ofWaiting: r.updateID), run.updates[place].isAdmitted {
        run.updates[place].clients.append(ModelUpdate.Client(id, r.waitFor, started: false))
        return nil
      }
      return outcome(id, r.updateID, r.waitFor, run)
    }
    if case .none(let status) = found { return .failure(status) }
    return .failure(.of(.notFound, .updateNotFound))
  }

  /// What is remembered of the id, of any run of the workflow id.
  private func known(_ updateID: String, _ workflowID: String, _ named: RunID) -> Remembered? {
    if mutant == .forgetsRequestIDs { return nil }
    let all = remembered.filter {
      $0.method == "Update" && $0.requestID == updateID
        && $0.workflowID.utf8.elementsEqual(workflowID.utf8)
    }
    return all.last { $0.run == named } ?? all.last
  }

  private mutating func answer(
    _ id: RequestID, _ r: UpdateWorkflowRequest, _ known: Remembered, newest: Found,
    _ request: Request
  ) -> Response? {
    if !known.request.isSame(as: request) {
      return .failure(
        .of(.invalidArgument, .requestIDReused, field: "update_id", run: known.run))
    }
    guard let run = run(known.run) else { return .failure(.of(.notFound, .updateNotFound)) }
    if let place = run.place(ofWaiting: r.updateID), run.updates[place].isAdmitted {
      run.updates[place].clients.append(ModelUpdate.Client(id, r.waitFor, started: false))
      return nil
    }
    if run.isAccepted(r.updateID) { return outcome(id, r.updateID, r.waitFor, run) }
    // It started the run.
    guard case .run(let found) = newest, found === run else {
      return .failure(.of(.failedPrecondition, .workflowClosed, run: run.id))
    }
    return admit(id, r, to: run, request, started: true)
  }

  private mutating func admit(
    _ id: RequestID, _ r: UpdateWorkflowRequest, to run: ModelRun, _ request: Request,
    started: Bool
  ) -> Response? {
    guard run.isOpen else {
      return .failure(.of(.failedPrecondition, .workflowClosed, run: run.id))
    }
    let client = ModelUpdate.Client(id, r.waitFor, started: started)
    if let place = run.place(ofWaiting: r.updateID) {
      if !run.updates[place].request.isSame(as: request) {
        return .failure(
          .of(.invalidArgument, .requestIDReused, field: "update_id", run: run.id))
      }
      run.updates[place].clients.append(client)
      return nil
    }
    if isDraining {
      return .failure(.of(.unavailable, .draining, retryAfter: Span(ms: 1_000)))
    }
    if run.pause != nil {
      return .failure(.of(.failedPrecondition, .workflowPaused, run: run.id))
    }
    if isHeld(run) {
      return .failure(
        .of(
          .unavailable, .workflowNotBegun, run: run.id,
          retryAfter: max(run.begins - now, Span(ms: 1))))
    }
    if run.permit.isAwaited {
      return .failure(
        .of(.unavailable, .workflowNotBegun, run: run.id, retryAfter: Span(ms: 1_000)))
    }
    if run.updates.count + run.accepted.count >= limits.updatesInFlightMax {
      return .failure(
        .of(.resourceExhausted, .limitReached, run: run.id, retryAfter: Span(ms: 1_000)))
    }
    run.updates.append(
      ModelUpdate(update: r, request: request, after: run.lastEventID, clients: [client]))
    return nil
  }

  /// Of one that was accepted: as far as it has come, or nothing yet.
  private func outcome(
    _ id: RequestID, _ updateID: String, _ wanted: UpdateStage, _ run: ModelRun
  ) -> Response? {
    // What a fork has of its base may be of another update with the same id.
    let last = run.events.last { $0.isWord(on: updateID) }
    if case .workflowExecutionUpdateCompleted(let m) = last?.attributes {
      return .update(.of(run, .completed, m.outcome))
    }
    if run.isRejectedAgain(updateID) { return .update(.of(run, .rejected, .rejectedAgain)) }
    if !run.isOpen { return .update(.of(run, .completed, .closedBefore)) }
    if wanted == .accepted { return .update(.of(run, .accepted, nil)) }
    run.outcomeWaiting.append((updateID, ModelUpdate.Client(id, wanted, started: false)))
    return nil
  }

  // MARK: - The code's word

  /// What is wrong with what the completion says of the updates that its activation asked for.
  func isBadWord(
    _ commands: [Command], _ rejections: [UpdateRejection], _ run: ModelRun
  ) -> Bool {
    var accepted: [String] = []
    var pending = run.accepted.map(\.updateID)
    for command in commands {
      if case .updateAccepted(let m) = command.kind {
        accepted.append(m.updateID)
        pending.append(m.updateID)
      } else if case .updateCompleted(let m) = command.kind {
        guard let place = pending.firstIndex(of: m.updateID), m.outcome?.result != nil else {
          return true
        }
        pending.remove(at: place)
      }
    }
    let asked = run.task.asked
    let words = accepted + rejections.map(\.updateID)
    return words.sorted() != asked.sorted() || accepted != asked.filter(accepted.contains)
  }

  mutating func accept(
    _ m: UpdateAccepted, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    guard let place = run.place(ofWaiting: m.updateID) else { return }
    let waiting = run.updates.remove(at: place)
    var accepted = WorkflowExecutionUpdateAccepted()
    accepted.updateID = waiting.update.updateID
    accepted.updateName = waiting.update.updateName
    accepted.args = waiting.update.args
    accepted.header = waiting.update.header
    accepted.identity = waiting.update.identity
    accepted.afterEventID = waiting.after
    accepted.workflowTaskCompletedEventID = completion
    accepted.location = command.location
    append(
      .workflowExecutionUpdateAccepted(accepted), to: run, metadata: command.userMetadata)
    remembered.removeAll {
      $0.method == "Update" && $0.run == run.id && $0.requestID == m.updateID
    }
    remember("Update", run, m.updateID, waiting.request, event: run.lastEventID, .done)
    for client in waiting.clients {
      if client.wanted == .accepted {
        tell(client, .of(run, .accepted, nil))
      } else {
        run.outcomeWaiting.append((m.updateID, client))
      }
    }
  }

  mutating func complete(
    _ m: UpdateCompleted, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var completed = WorkflowExecutionUpdateCompleted()
    completed.updateID = m.updateID
    let accepted = run.accepted.first { $0.updateID == m.updateID }
    completed.acceptedEventID = accepted?.acceptedEventID ?? 0
    completed.outcome = m.outcome
    completed.workflowTaskCompletedEventID = completion
    completed.location = command.location
    append(
      .workflowExecutionUpdateCompleted(completed), to: run, metadata: command.userMetadata)
    for (id, client) in run.outcomeWaiting where id == m.updateID {
      tell(client, .of(run, .completed, m.outcome))
    }
    run.outcomeWaiting.removeAll { $0.updateID == m.updateID }
  }

  mutating func reject(_ rejections: [UpdateRejection], _ run: ModelRun) {
    for rejection in rejections {
      guard let place = run.place(ofWaiting: rejection.updateID) else { continue }
      var outcome = UpdateOutcome()
      outcome.result = .failed(rejection.failure ?? Failure())
      for client in run.updates.remove(at: place).clients {
        tell(client, .of(run, .rejected, outcome))
      }
      for (id, client) in run.outcomeWaiting where id == rejection.updateID {
        tell(client, .of(run, .rejected, outcome))
      }
      run.outcomeWaiting.removeAll { $0.updateID == rejection.updateID }
    }
  }

  private mutating func tell(_ client: ModelUpdate.Client, _ response: UpdateWorkflowResponse) {
    var response = response
    response.started = client.started
    facts.append(.answered(client.id, .update(response)))
  }

  // MARK: - Without it

  /// The run is over.
  mutating func endUpdates(_ run: ModelRun) {
    for (_, client) in run.outcomeWaiting { tell(client, .of(run, .completed, .closedBefore)) }
    run.outcomeWaiting = []
    refuse(run.updates, .of(.failedPrecondition, .workflowClosed, run: run.id))
    run.updates = []
  }

  private mutating func refuse(_ updates: [ModelUpdate], _ status: Status) {
    for client in updates.flatMap(\.clients) {
      facts.append(.answered(client.id, .failure(status)))
    }
  }

  /// What is with no worker is not asked for when nobody wants to know, or the engine goes.
  mutating func dropUpdates() {
    for run in runs where !run.updates.isEmpty {
      let back = run.updates.filter { !run.task.asked.contains($0.update.updateID) }
      if isDraining {
        refuse(back, .of(.unavailable, .draining, retryAfter: Span(ms: 1_000)))
      } else if run.pause != nil {
        refuse(back, .of(.failedPrecondition, .workflowPaused, run: run.id))
      }
      for place in run.updates.indices {
        let update = run.updates[place]
        if run.task.asked.contains(update.update.updateID) { continue }
        if isDraining || run.pause != nil { run.updates[place].clients = [] }
      }
      run.updates.removeAll { update in
        !run.task.asked.contains(update.update.updateID) && !update.isAdmitted
          && update.clients.isEmpty
      }
    }
  }
}

/// One that the code has not spoken of.
struct ModelUpdate {
  struct Client {
    let id: RequestID
    let wanted: UpdateStage
    let started: Bool

    init(_ id: RequestID, _ wanted: UpdateStage, started: Bool) {
      self.id = id
      self.wanted = wanted
      self.started = started
    }
  }

  let update: UpdateWorkflowRequest
  let request: Request
  /// The last event when it came.
  var after: Int64
  var clients: [Client]
  /// An event tells of it: it stays until the code has spoken.
  var isAdmitted = false
}

extension WorkflowExecutionUpdateAdmitted {
  /// The request that it holds.
  var asked: UpdateWorkflowRequest {
    var update = UpdateWorkflowRequest()
    update.updateID = updateID
    update.updateName = updateName
    update.args = args
    update.header = header
    update.identity = identity
    return update
  }

  var waiting: ModelUpdate {
    ModelUpdate(
      update: asked, request: .updateWorkflow(asked), after: 0, clients: [], isAdmitted: true)
  }
}

extension ModelRun {
  func place(ofWaiting updateID: String) -> Int? {
    updates.firstIndex { $0.update.updateID == updateID }
  }

  func isAccepted(_ updateID: String) -> Bool {
    events.contains { event in
      if let admitted = event.admitted { return admitted.updateID == updateID }
      guard case .workflowExecutionUpdateAccepted(let m) = event.attributes else { return false }
      return m.updateID == updateID
    }
  }

  /// After a reset its code has been asked again, and has not taken it on.
  func isRejectedAgain(_ updateID: String) -> Bool {
    let admitted = events.last { $0.admitted?.updateID == updateID }
    let accepted = events.last { event in
      guard case .workflowExecutionUpdateAccepted(let m) = event.attributes else { return false }
      return m.updateID == updateID
    }
    guard let admitted, admitted.eventID <= through else { return false }
    return (accepted?.eventID ?? 0) < admitted.eventID
  }

  /// Those that are accepted and have no outcome.
  var accepted: [PendingUpdate] {
    var pending: [PendingUpdate] = []
    for event in events where isOpen {
      switch event.attributes {
      case .workflowExecutionUpdateAccepted(let m):
        var update = PendingUpdate()
        update.updateID = m.updateID
        update.acceptedEventID = event.eventID
        pending.append(update)
      case .workflowExecutionUpdateCompleted(let m):
        pending.removeAll { $0.updateID == m.updateID }
      default: break
      }
    }
    return pending
  }
}

extension UpdateWorkflowResponse {
  static func of(_ run: ModelRun, _ stage: UpdateStage, _ outcome: UpdateOutcome?)
    -> UpdateWorkflowResponse
  {
    var response = UpdateWorkflowResponse()
    response.runID = run.id
    response.stage = stage
    response.outcome = outcome
    return response
  }
}

extension UpdateOutcome {
  fileprivate static var rejectedAgain: UpdateOutcome {
    var server = ServerFailure()
    server.nonRetryable = true
    var outcome = UpdateOutcome()
    outcome.result = .failed(
      .of("after a reset the workflow did not take on the update again", .server(server)))
    return outcome
  }

  fileprivate static var closedBefore: UpdateOutcome {
    var server = ServerFailure()
    server.nonRetryable = true
    var outcome = UpdateOutcome()
    outcome.result = .failed(
      .of("the workflow closed before the update came to its end", .server(server)))
    return outcome
  }
}

extension DoUpdate {
  init(_ update: UpdateWorkflowRequest) {
    self.init()
    updateID = update.updateID
    updateName = update.updateName
    args = update.args
    header = update.header
    identity = update.identity
    runValidator = true
  }

  init(past m: WorkflowExecutionUpdateAccepted) {
    self.init()
    updateID = m.updateID
    updateName = m.updateName
    args = m.args
    header = m.header
    identity = m.identity
  }
}

extension HistoryEvent {
  fileprivate func isWord(on updateID: String) -> Bool {
    switch attributes {
    case .workflowExecutionUpdateAdmitted(let m): m.updateID == updateID
    case .workflowExecutionUpdateAccepted(let m): m.updateID == updateID
    case .workflowExecutionUpdateCompleted(let m): m.updateID == updateID
    default: false
    }
  }
}
