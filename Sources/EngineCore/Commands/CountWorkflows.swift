import Messages

extension Engine {
  /// CountWorkflows: how many runs the filter accepts.
  mutating func countWorkflows(_ id: RequestID, _ request: CountWorkflowsRequest) {
    if let status = namespaceFault(request.namespace) { return refuse(id, status) }
    do {
      let filter = try ListFilter(parsing: request.query)
      open(
        id,
        .list(
          ListReader(
            namespace: request.namespace.orDefault, filter: filter, left: nil, before: nil,
            count: 0)))
    } catch { refuse(id, error.status) }
  }
}
