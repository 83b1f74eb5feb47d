import Basics
import Messages

extension Engine {
  /// UpdateWithStartWorkflow: updates the open run, or starts one whose first activation asks for
  /// the update. The start is remembered under the update's id; a request id of its own would say
  /// nothing more.
  mutating func updateWithStartWorkflow(
    _ id: RequestID, _ request: UpdateWithStartWorkflowRequest
  ) {
    guard let start = request.start else { return refuse(id, .missing("start")) }
    guard let update = request.update else { return refuse(id, .missing("update")) }
    if let status = first(
      fault(in: start)?.within("start"), fault(in: update)?.within("update"),
      targetFault(start, update), sizeFault(start, update))
    {
      return refuse(id, status)
    }
    let input = Input.request(id, .updateWithStartWorkflow(request))
    let key = WorkflowKey(namespace: start.namespace.orDefault, workflowID: start.workflowID)
    guard let found = find(key, .none, for: input).settled else { return }
    let earlier = earlier(
      id, method: Engine.updateMethod, key: key, requestID: update.updateID,
      hash: update.requestHash, run: found.run, input: input)
    switch earlier {
    case .handled: return
    case .done(let known) where known.record.event == 0:
      guard let run = found.run, run.number == known.run else {
        return refuse(id, .workflowClosed(key, known.runID))
      }
      admit(update, to: run, known.record, id, started: true)
    case .done(let known):
      answer(id, update.updateID, known, waitsFor: update.waitFor, started: false)
    case .new(let record):
      guard let record else { preconditionFailure("an update without an id passed the check") }
      if let status = typeFault(start.searchAttributes, in: key.namespace) {
        return refuse(id, status.within("start"))
      }
      switch admit(start, found.run, default: .useExisting) {
      case .refuse(let status): refuse(id, status, found.run.map { .run($0) } ?? .engine)
      case .use(let run): admit(update, to: run, record, id, started: false)
      case .start:
        let run = self.start(start, key)
        remember(record, event: 0, in: run)
        offerTask(run)
        admit(update, to: run, record, id, started: true)
      }
    }
  }

  private func targetFault(_ start: StartWorkflowRequest, _ update: UpdateWorkflowRequest)
    -> Status?
  {
    if update.execution != nil || !update.namespace.isEmpty {
      return .invalid("update.execution", "the start says which workflow is meant")
    }
    if start.startDelayMs != .zero || start.startAtTimeMs != .epoch {
      return .invalid("start.start_delay_ms", "the update would wait for the code to begin")
    }
    if !start.cronSchedule.isEmpty {
      return .invalid("start.cron_schedule", "the update would wait for the code to begin")
    }
    return nil
  }

  /// Both may stand in one activation.
  private func sizeFault(_ start: StartWorkflowRequest, _ update: UpdateWorkflowRequest)
    -> Status?
  {
    let bytes = start.input.bytes + update.args.bytes
    guard bytes > limits.requestPayloadBytesMax else { return nil }
    return .refusal(
      .invalidArgument, .payloadTooLarge,
      "start.input and update.args hold \(bytes) bytes together;"
        + " \(limits.requestPayloadBytesMax) are allowed", field: "update.args")
  }
}
