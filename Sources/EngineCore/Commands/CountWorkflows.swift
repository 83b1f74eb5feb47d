import Messages

extension Engine {
  /// CountWorkflows: how many runs the filter accepts, in groups if the query asks for them.
  mutating func countWorkflows(_ id: RequestID, _ request: CountWorkflowsRequest) {
    count(id, request, .workflow)
  }

  mutating func count(_ id: RequestID, _ request: CountWorkflowsRequest, _ kind: RunKind) {
    if let status = namespaceFault(request.namespace) { return refuse(id, status) }
    do throws(FilterError) {
      let selection = try ListSelection(
        parsing: request.query, .count, limits,
        attributes: listAttributes(in: request.namespace.orDefault, kind))
      let aim: ListReader.Aim =
        selection.groups.isEmpty ? .count(0) : .group(Groups(selection.groups))
      open(id, .list(ListReader(kind, selection, aim)), in: request.namespace.orDefault)
    } catch { refuse(id, error.status) }
  }
}
