import Basics
import Messages

/// What is wrong with the values of a request.
extension Engine {
  func idFault(_ text: String, _ field: String) -> Status? {
    text.utf8.count > limits.idBytesMax
      ? .invalid(field, "\(text.utf8.count) bytes; \(limits.idBytesMax) are allowed") : nil
  }

  /// A text for people.
  func textFault(_ text: String, _ field: String) -> Status? {
    text.utf8.count > limits.textBytesMax
      ? .invalid(field, "\(text.utf8.count) bytes; \(limits.textBytesMax) are allowed") : nil
  }

  func textFault(_ metadata: UserMetadata?) -> Status? {
    guard let metadata else { return nil }
    return first(
      textFault(metadata.summary, "user_metadata.summary"),
      textFault(metadata.details, "user_metadata.details"))
  }

  /// Payloads and the header that goes with them: together they must fit what is made of them.
  func payloadFault(
    _ payloads: [Payload], _ field: String, with header: Header?, _ headerField: String = "header"
  ) -> Status? {
    if let status = first(payloadFault(payloads, field), headerFault(header, headerField)) {
      return status
    }
    let bytes = payloads.bytes + (header?.bytes ?? 0)
    guard bytes > limits.requestPayloadBytesMax else { return nil }
    return .refusal(
      .invalidArgument, .payloadTooLarge,
      "\(field) and \(headerField) hold \(bytes) bytes together;"
        + " \(limits.requestPayloadBytesMax) are allowed",
      field: field)
  }

  func payloadFault(_ payloads: [Payload], _ field: String) -> Status? {
    #if MUTANTS
      if Mutant.isOn(.payloadsUnbounded) { return nil }
    #endif
    for (index, payload) in payloads.enumerated() {
      if payload.data.count > limits.payloadBytesMax {
        return .refusal(
          .invalidArgument, .payloadTooLarge,
          "\(field)[\(index)] holds \(payload.data.count) bytes; \(limits.payloadBytesMax) are"
            + " allowed: keep large data elsewhere and pass a reference",
          field: field)
      }
      if let status = sortedFault(payload.metadata.map(\.key), "\(field)[\(index)].metadata") {
        return status
      }
    }
    if payloads.bytes > limits.requestPayloadBytesMax {
      return .refusal(
        .invalidArgument, .payloadTooLarge,
        "\(field) holds \(payloads.bytes) bytes in all; \(limits.requestPayloadBytesMax) are"
          + " allowed",
        field: field)
    }
    return nil
  }

  private func headerFault(_ header: Header?, _ field: String) -> Status? {
    guard let header else { return nil }
    if let status = sortedFault(header.fields.map(\.key), field) { return status }
    return payloadFault(header.fields.compactMap(\.value), field)
  }

  func sortedFault(_ keys: [String], _ field: String) -> Status? {
    for (a, b) in zip(keys, keys.dropFirst()) where a >= b {
      return .invalid(field, "keys must be sorted and without duplicates ('\(a)', '\(b)')")
    }
    return nil
  }

  func spanFault(_ span: Span, _ field: String) -> Status? {
    span.ms < 0 ? .invalid(field, "must not be negative") : nil
  }

  /// The first fault of several checks.
  func first(_ faults: Status?...) -> Status? { faults.lazy.compactMap { $0 }.first }

  /// The workflow that a request names.
  func key(_ namespace: String, _ execution: WorkflowExecution?) -> Result<WorkflowKey, Refusal> {
    guard let execution, !execution.workflowID.isEmpty else {
      return .failure(Refusal(.missing("execution.workflow_id")))
    }
    if let status = first(
      idFault(execution.workflowID, "execution.workflow_id"), namespaceFault(namespace))
    {
      return .failure(Refusal(status))
    }
    return .success(
      WorkflowKey(namespace: namespace.orDefault, workflowID: execution.workflowID))
  }

  func key(_ namespace: String, _ target: RunTarget) -> Result<WorkflowKey, Refusal> {
    switch target {
    case .workflow(let execution): return key(namespace, execution)
    case .activity(let activityID, _):
      if activityID.isEmpty { return .failure(Refusal(.missing("activity_id"))) }
      if let status = first(idFault(activityID, "activity_id"), namespaceFault(namespace)) {
        return .failure(Refusal(status))
      }
      return .success(
        WorkflowKey(namespace: namespace.orDefault, workflowID: activityID, kind: .activity))
    }
  }

  func namespaceFault(_ namespace: String) -> Status? {
    namespace.isEmpty || namespaces.holds(namespace) ? nil : .noNamespace(namespace)
  }
}

/// A request's refusal, as an error.
struct Refusal: Error {
  let status: Status
  init(_ status: Status) { self.status = status }
}

extension String {
  /// An empty namespace is `default`.
  var orDefault: String { isEmpty ? Namespace.initialName : self }
}

/// A request that says who sent it.
protocol Identified: Message {
  var identity: String { get set }
}

extension StartWorkflowRequest: Identified {}
extension StartActivityRequest: Identified {}
extension SignalWorkflowRequest: Identified {}
extension CreateScheduleRequest: Identified {}
extension UpdateScheduleRequest: Identified {}
extension TriggerScheduleRequest: Identified {}
extension BackfillScheduleRequest: Identified {}
extension CompleteActivityRequest: Identified {}
extension StartBatchRequest: Identified {}
extension FailActivityRequest: Identified {}
extension ReportActivityCancelledRequest: Identified {}

extension Identified {
  /// Tells two requests with the same request id apart. Who sent them is not looked at: a
  /// repetition may come from another process.
  var requestHash: UInt64 {
    var request = self
    request.identity = ""
    return Fingerprint(of: request.serialized()).low
  }
}

extension SignalWithStartWorkflowRequest {
  /// As `Identified.requestHash`.
  var requestHash: UInt64 {
    var request = self
    request.start?.identity = ""
    return Fingerprint(of: request.serialized()).low
  }
}
