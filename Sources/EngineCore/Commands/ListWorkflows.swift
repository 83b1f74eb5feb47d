import Basics
import Messages

extension Engine {
  /// ListWorkflows: the runs that the query asks for, newest first unless it says otherwise, in
  /// parts; all of them, or a page.
  mutating func listWorkflows(_ id: RequestID, _ request: ListWorkflowsRequest) {
    list(id, request, .workflow)
  }

  mutating func list(_ id: RequestID, _ request: ListWorkflowsRequest, _ kind: RunKind) {
    if let status = namespaceFault(request.namespace) ?? boundFault(request) {
      return refuseStream(id, status)
    }
    do throws(FilterError) {
      let selection = try ListSelection(
        parsing: request.query, .list, limits,
        attributes: listAttributes(in: request.namespace.orDefault, kind))
      let limit = lower(selection.limit, request.limit == 0 ? nil : request.limit)
      var page: ListReader.Page?
      var left = limit
      if request.pageSize > 0 {
        guard let asked = askedPage(request, kind, selection, limit) else {
          return refuseStream(
            id, .invalid("next_page_token", "is not of a page of this query"))
        }
        page = asked
        left = lower(request.pageSize, asked.left)
      }
      guard selection.order.isEmpty || left.map({ $0 <= limits.pageRowsMax }) ?? false else {
        return refuseStream(id, .unboundedOrder(limits.pageRowsMax))
      }
      let aim: ListReader.Aim =
        selection.order.isEmpty
        ? .show(left: left) : .order(OrderedRows(selection.order, max: Int(left ?? 0)))
      open(id, .list(ListReader(kind, selection, aim, page)), in: request.namespace.orDefault)
    } catch { refuseStream(id, error.status) }
  }

  private func boundFault(_ request: ListWorkflowsRequest) -> Status? {
    if request.limit < 0 { return .invalid("limit", "must not be negative; 0 is no limit") }
    guard (0...Int64(limits.pageRowsMax)).contains(request.pageSize) else {
      return .invalid(
        "page_size", "must be at most \(limits.pageRowsMax) and not negative; 0: no pages")
    }
    guard request.nextPageToken.isEmpty || request.pageSize > 0 else {
      return .invalid("next_page_token", "needs page_size beside it")
    }
    return nil
  }

  /// nil when the token is not one of this query.
  private func askedPage(
    _ request: ListWorkflowsRequest, _ kind: RunKind, _ selection: ListSelection, _ limit: Int64?
  ) -> ListReader.Page? {
    let namespace = request.namespace.orDefault
    let query =
      kind == .workflow
      ? Fingerprint(of: namespace, request.query)
      : Fingerprint(of: namespace, request.query, kind.noun)
    guard !request.nextPageToken.isEmpty else {
      return ListReader.Page(query: query, left: limit, after: nil)
    }
    guard let token = ListToken(request.nextPageToken), token.query == query,
      token.values.count == selection.order.count
    else { return nil }
    return ListReader.Page(query: query, left: token.left == 0 ? nil : token.left, after: token)
  }

  private func lower(_ a: Int64?, _ b: Int64?) -> Int64? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
  }
}

extension Status {
  fileprivate static func unboundedOrder(_ max: Int) -> Status {
    refusal(
      .invalidArgument, .filterInvalid,
      "query: ORDER BY needs LIMIT, or limit or page_size beside it, of at most \(max)",
      field: "query")
  }
}
