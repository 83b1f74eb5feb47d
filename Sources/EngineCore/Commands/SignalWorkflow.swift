import Basics
import Messages

extension Engine {
  /// SignalWorkflow: an event of an open run, shown to its code.
  mutating func signalWorkflow(_ id: RequestID, _ request: SignalWorkflowRequest) {
    if let status = fault(in: request) { return refuse(id, status) }
    guard case .success(let key) = key(request.namespace, request.execution) else { return }
    let input = Input.request(id, .signalWorkflow(request))
    guard let found = find(key, request.execution?.runID ?? .none, for: input).settled else {
      return
    }
    let earlier = earlier(
      id, method: "SignalWorkflow", key: key, requestID: request.requestID,
      hash: request.requestHash, run: found.run, input: input)
    switch earlier {
    case .handled: return
    case .done(let found): return replySignaled(id, found.runID, runs[found.run])
    case .new(let record):
      guard let run = found.run else {
        return refuse(id, .workflowNotFound(key, request.execution?.runID ?? .none))
      }
      #if MUTANTS
        if Mutant.isOn(.closedIsUnknown), !run.fold.isOpen {
          return refuse(id, .workflowNotFound(key, run.runID), .run(run))
        }
      #endif
      guard run.fold.isOpen else { return refuse(id, .workflowClosed(run), .run(run)) }
      if park(input, behindRedoOf: run) { return }
      if let status = signalFault(run) { return refuse(id, status, .run(run)) }
      let event = signal(
        run, request.signalName, request.input, request.header, request.identity,
        request.requestID)
      remember(record, event: event, in: run)
      afterInbound(run)
      replySignaled(id, run.runID, run)
    }
  }

  private func fault(in request: SignalWorkflowRequest) -> Status? {
    if case .failure(let refusal) = key(request.namespace, request.execution) {
      return refusal.status
    }
    if let status = idFault(request.identity, "identity") { return status }
    return signalFault(
      name: request.signalName, request.input, request.header, request.requestID, "input")
  }

  func signalFault(
    name: String, _ input: [Payload], _ header: Header?, _ requestID: String, _ field: String
  ) -> Status? {
    if name.isEmpty { return .missing("signal_name") }
    return first(
      idFault(name, "signal_name"), idFault(requestID, "request_id"),
      payloadFault(input, field, with: header, field == "input" ? "header" : "signal_header"))
  }

  func signalFault(_ run: Run) -> Status? {
    #if MUTANTS
      if Mutant.isOn(.signalsUnbounded) { return nil }
    #endif
    guard run.fold.signals >= limits.signalsPerRunMax else { return nil }
    return .refusal(
      .resourceExhausted, .limitReached,
      "the run has taken \(limits.signalsPerRunMax) signals; continue as new", runID: run.runID)
  }

  /// Records the signal; the event's id.
  mutating func signal(
    _ run: Run, _ name: String, _ input: [Payload], _ header: Header?, _ identity: String,
    _ requestID: String
  ) -> Int64 {
    var event = WorkflowExecutionSignaled()
    event.signalName = name
    event.input = input
    event.header = header
    event.identity = identity
    event.requestID = requestID
    #if MUTANTS
      if Mutant.isOn(.signalIsTwice) { record(run, .workflowExecutionSignaled(event)) }
    #endif
    return record(run, .workflowExecutionSignaled(event))
  }

  private mutating func replySignaled(_ id: RequestID, _ runID: RunID, _ run: Run?) {
    var response = SignalWorkflowResponse()
    response.runID = runID
    reply(id, .signalWorkflow(response), run.map { .run($0) } ?? .engine)
  }
}
