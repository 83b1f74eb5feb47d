import Basics
import Messages

extension Engine {
  /// ListWorkflows: the runs that the filter accepts, newest first, in parts.
  mutating func listWorkflows(_ id: RequestID, _ request: ListWorkflowsRequest) {
    if let status = namespaceFault(request.namespace) { return refuseStream(id, status) }
    guard request.limit >= 0 else {
      return refuseStream(id, .invalid("limit", "must not be negative; 0 is no limit"))
    }
    do {
      let filter = try ListFilter(parsing: request.query)
      open(
        id,
        .list(
          ListReader(
            namespace: request.namespace.orDefault, filter: filter,
            left: request.limit == 0 ? nil : request.limit, before: nil, count: nil)))
    } catch { refuseStream(id, error.status) }
  }
}
