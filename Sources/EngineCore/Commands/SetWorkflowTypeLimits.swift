import Basics
import Messages

extension Engine {
  mutating func handle(_ id: RequestID, _ request: WorkflowTypeRequest) {
    switch request {
    case .setLimits(let r): setWorkflowTypeLimits(id, r)
    case .describe(let r): describeWorkflowType(id, r)
    case .list(let r): listWorkflowTypes(id, r)
    }
  }

  /// SetWorkflowTypeLimits: how many runs of a type run at once, from now on. Of a type that has
  /// had no limits, the runs that are open are counted first.
  private mutating func setWorkflowTypeLimits(
    _ id: RequestID, _ request: SetWorkflowTypeLimitsRequest
  ) {
    if request.workflowType.isEmpty { return refuse(id, .missing("workflow_type")) }
    if let status = first(
      namespaceFault(request.namespace), idFault(request.workflowType, "workflow_type"),
      request.limits?.fault)
    {
      return refuse(id, status)
    }
    let type = TypeKey(request.namespace.orDefault, request.workflowType)
    let limits = request.limits.flatMap { $0 == WorkflowTypeLimits() ? nil : $0 }
    let isNew = limits != nil && concurrency[type]?.limits == nil
    if isNew, counts[type] == nil, limitedTypes >= Engine.limitedTypesMax {
      return refuse(
        id,
        .refusal(
          .resourceExhausted, .limitReached,
          "\(limitedTypes) workflow types have limits; no more are allowed"))
    }
    if isNew || counts[type] != nil { return count(type, id, limits) }
    put(limits, of: type, id)
  }

  /// What is open of the type has been counted.
  mutating func put(_ limits: WorkflowTypeLimits?, of type: TypeKey, _ id: RequestID) {
    if limits != concurrency[type]?.limits {
      concurrency[type]?.set(limits)
      out.writes.append(
        .putWorkflowTypeLimits(
          namespace: type.namespace, workflowType: type.workflowType, limits?.serialized()))
    }
    freedPermits.insert(type)
    reply(id, .workflowType(.setLimits(SetWorkflowTypeLimitsResponse())), .engine)
  }

  private var limitedTypes: Int { concurrency.values.count { $0.limits != nil } + counts.count }

  /// All of them stay in memory.
  private static let limitedTypesMax = 1_000
}

extension WorkflowTypeLimits {
  fileprivate static let max: Int32 = 1_000_000

  fileprivate var fault: Status? {
    for (field, limit) in [("running", running), ("running_of_key", runningOfKey)]
    where !(0...WorkflowTypeLimits.max).contains(limit) {
      return .invalid(
        "limits.\(field)", "is \(limit); 1 to 1,000,000 are allowed, or 0 for no limit")
    }
    return nil
  }
}
