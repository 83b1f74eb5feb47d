import Basics
import Messages

extension Engine {
  /// SignalWithStartWorkflow: signals the open run, or starts one whose first activation shows the
  /// signal; both in one step.
  mutating func signalWithStartWorkflow(
    _ id: RequestID, _ request: SignalWithStartWorkflowRequest
  ) {
    guard let start = request.start else { return refuse(id, .missing("start")) }
    if let status = first(
      fault(in: start)?.within("start"), conflictFault(start),
      signalFault(
        name: request.signalName, request.signalInput, request.signalHeader, start.requestID,
        "signal_input"))
    {
      return refuse(id, status)
    }
    let input = Input.request(id, .signalWithStartWorkflow(request))
    let key = WorkflowKey(namespace: start.namespace.orDefault, workflowID: start.workflowID)
    guard hasZone(start.cronTimeZone, for: input, in: .workflow(key)) else { return }
    if let status = zoneFault(start.cronTimeZone, "start.cron_time_zone") {
      return refuse(id, status)
    }
    guard let found = find(key, .none, for: input).settled else { return }
    let earlier = earlier(
      id, method: "SignalWithStartWorkflow", key: key, requestID: start.requestID,
      hash: request.requestHash, run: found.run, input: input)
    switch earlier {
    case .handled: return
    case .done(let found):
      return replyStarted(id, found.runID, started: found.record.event == 0, nil)
    case .new(let record):
      if let status = typeFault(start.searchAttributes, in: key.namespace) {
        return refuse(id, status.within("start"))
      }
      if let run = found.run, run.fold.isOpen, park(input, behindRedoOf: run) { return }
      switch admit(start, found.run, default: .useExisting) {
      case .refuse(let status): refuse(id, status, found.run.map { .run($0) } ?? .engine)
      case .use(let run):
        if let status = signalFault(run) { return refuse(id, status, .run(run)) }
        signal(request, start, run, record, started: false, id)
      case .start: signal(request, start, self.start(start, key), record, started: true, id)
      }
    }
  }

  private mutating func signal(
    _ request: SignalWithStartWorkflowRequest, _ start: StartWorkflowRequest, _ run: Run,
    _ record: RequestRecord?, started: Bool, _ id: RequestID
  ) {
    let event = signal(
      run, request.signalName, request.signalInput, request.signalHeader, start.identity,
      start.requestID)
    remember(record, event: started ? 0 : event, in: run)
    afterInbound(run)
    replyStarted(id, run.runID, started: started, run)
  }

  private func conflictFault(_ start: StartWorkflowRequest) -> Status? {
    start.idConflictPolicy == .fail
      ? .invalid("start.id_conflict_policy", "FAIL would never signal a running workflow") : nil
  }
}
