import Basics
import EngineCore
import Messages

/// A list and a count over three runs: the same runs, or the same refusal.
func fuzzFilter(_ input: inout FuzzInput) {
  let text = String(decoding: input.rest(), as: UTF8.self)
  var engine = FuzzEngine(nextRun: 4, filter: IDFilter()) { subject in
    guard case .rows(_, let before, _) = subject else { return .run(nil, request: nil) }
    return .rows(rows.filter { row in before.map { row.number < $0 } ?? true })
  }
  var list = ListWorkflowsRequest()
  list.query = text
  engine.request(.listWorkflows(list))
  let listed = engine.takeSends()
  var count = CountWorkflowsRequest()
  count.query = text
  engine.request(.countWorkflows(count))
  let counted = engine.takeSends()
  switch counted.first {
  case .reply(_, .countWorkflows(let answer)):
    let count = listed.reduce(0) { sum, send in
      guard case .part(_, let bytes) = send else { return sum }
      return sum + ((try? ListWorkflowsResponse(bytes: bytes))?.workflows.count ?? 0)
    }
    precondition(count == Int(answer.count), "\(count) listed, \(answer.count) counted")
  case .reply(_, .failure(let status)):
    guard case .end(_, let other) = listed.first, status == other else {
      preconditionFailure("count refuses with \(status.message), list does not")
    }
    precondition(status.code == .invalidArgument, "\(status.message)")
  default: preconditionFailure("no answer")
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
