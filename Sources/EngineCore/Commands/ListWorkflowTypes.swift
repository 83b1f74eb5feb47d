import Messages

extension Engine {
  /// ListWorkflowTypes: the types of a namespace that have limits.
  mutating func listWorkflowTypes(_ id: RequestID, _ request: ListWorkflowTypesRequest) {
    if let status = namespaceFault(request.namespace) { return refuse(id, status) }
    let namespace = request.namespace.orDefault
    var response = ListWorkflowTypesResponse()
    response.types = concurrency.filter { $0.key.namespace == namespace && $0.value.limits != nil }
      .sorted { $0.key < $1.key }
      .map { $0.value.info($0.key.workflowType, at: now) }
    reply(id, .workflowType(.list(response)), .engine)
  }
}
