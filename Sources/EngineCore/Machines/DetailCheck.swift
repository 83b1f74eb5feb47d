import Messages

/// Checks what the commands of one completion make of the run's memo and search attributes, in
/// their order.
struct DetailCheck {
  private let limits: EngineLimits
  private let names: AttributeNames
  private let namespace: String
  /// As the commands so far leave them.
  private var details: RunDetails
  /// Names that these commands give a type.
  private var declared: [String: SearchAttributeType] = [:]
  /// What the run that may follow begins with beside the memo.
  private let inherited: Int

  init(_ run: Run, _ names: AttributeNames, _ limits: EngineLimits) {
    self.limits = limits
    self.names = names
    namespace = run.key.namespace
    details = run.fold.details
    inherited = run.fold.started.input.bytes + (run.fold.started.header?.bytes ?? 0)
  }

  var memo: Memo? { details.memo }

  mutating func change(_ memo: Memo) -> String? {
    details.change(memo)
    return fault(of: memo) ?? fault(of: details.memo) ?? fit(inherited, details.memo)
  }

  mutating func change(_ attributes: SearchAttributes?) -> String? {
    if let fault = declare(attributes) { return fault }
    details.change(attributes)
    return details.searchAttributes?.sizeFault(limits)?.text
  }

  /// Of a run that is to be started with these.
  mutating func beginning(_ bytes: Int, _ memo: Memo?, _ attributes: SearchAttributes?) -> String? {
    fault(of: memo) ?? fit(bytes, memo) ?? declare(attributes)
  }

  private func fault(of memo: Memo?) -> String? { memo?.fault(limits)?.text }

  /// A run's first event holds its input, header and memo.
  private func fit(_ bytes: Int, _ memo: Memo?) -> String? {
    let all = bytes + (memo?.bytes ?? 0)
    return all > limits.requestPayloadBytesMax
      ? "input, header and memo of a run would hold \(all) bytes together;"
        + " \(limits.requestPayloadBytesMax) are allowed" : nil
  }

  private mutating func declare(_ attributes: SearchAttributes?) -> String? {
    guard let attributes else { return nil }
    let fault = names.fault(of: attributes, in: namespace, limits, declared: declared)
    if let fault = attributes.fault(limits)?.text ?? fault { return fault }
    for field in attributes.fields where names.type(of: field.name, in: namespace) == nil {
      declared[field.name] = field.type ?? declared[field.name]
    }
    return nil
  }
}

extension DetailFault {
  fileprivate var text: String { "\(field): \(message)" }
}
