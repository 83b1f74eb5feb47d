import Basics
import EngineCore
import Messages

/// Queries over three runs: pages show what one answer shows, a count counts it, and a filter and
/// its negation never accept the same run.
func fuzzFilter(_ input: inout FuzzInput) {
  let text = String(decoding: input.rest(), as: UTF8.self)
  var engine = FuzzEngine(nextRun: 4, filter: IDFilter()) { subject in
    guard case .rows(_, let key, let before, _) = subject else { return .run(nil, request: nil) }
    return .rows(
      rows.filter { row in
        var isOfID = true
        if case .workflowID(let id) = key { isOfID = row.workflowID.utf8.elementsEqual(id.utf8) }
        return isOfID && row.number < before ?? RunNumber(.max)
      })
  }
  let whole = engine.list(text, pageSize: 1_000)
  precondition(engine.list(text, pageSize: 1) == whole, "pages show another list")
  guard let counted = engine.count(text) else { return }
  precondition(whole?.count ?? counted == counted, "\(counted) counted, others listed")
  if let others = engine.count("NOT (\(text))") {
    precondition(counted + others <= rows.count, "\(counted) and \(others) of \(rows.count)")
  }
}

extension FuzzEngine {
  /// All pages; nil when the query is refused.
  fileprivate mutating func list(_ query: String, pageSize: Int64) -> [RunID]? {
    var request = ListWorkflowsRequest()
    request.query = query
    request.pageSize = pageSize
    var found: [RunID] = []
    while true {
      self.request(.listWorkflows(request))
      request.nextPageToken = []
      for send in takeSends() {
        switch send {
        case .part(_, let bytes):
          guard let part = try? ListWorkflowsResponse(bytes: bytes) else {
            preconditionFailure("no list")
          }
          found += part.workflows.compactMap(\.execution?.runID)
          request.nextPageToken = part.nextPageToken
        case .end(_, let status) where status.code == .ok: break
        case .end(_, let status):
          precondition(status.code == .invalidArgument && found.isEmpty, "\(status.message)")
          return nil
        default: preconditionFailure("no list")
        }
      }
      if request.nextPageToken.isEmpty { return found }
    }
  }

  fileprivate mutating func count(_ query: String) -> Int? {
    var request = CountWorkflowsRequest()
    request.query = query
    self.request(.countWorkflows(request))
    switch takeSends().first {
    case .reply(_, .countWorkflows(let answer)):
      let grouped = answer.groups.reduce(0) { $0 + $1.count }
      precondition(answer.groups.isEmpty || grouped == answer.count, "\(grouped) in groups")
      return Int(answer.count)
    case .reply(_, .failure(let status)):
      precondition(status.code == .invalidArgument, "\(status.message)")
      return nil
    default: preconditionFailure("no answer")
    }
  }
}

private let rows: [RunRow] = [
  (3, "eu-1", WorkflowStatus.running), (2, "us'2", .completed), (1, "é", .failed),
].map { number, id, status in
  RunRow(
    number: RunNumber(number), namespace: "default", workflowID: id,
    runID: RunID(high: UInt64(number), low: 1), workflowType: "order", taskQueue: "q",
    status: status, startTime: Instant(ms: 1_700_000_000_000 + number),
    closeTime: status == .running ? nil : Instant(ms: 1_700_000_100_000), historyLength: 5,
    historySizeBytes: 500, deadline: nil, summary: "")
}
