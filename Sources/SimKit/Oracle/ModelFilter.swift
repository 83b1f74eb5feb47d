import Messages

/// The list filter, as far as the walk asks for it: comparisons of texts and of the status, joined
/// by AND.
struct ModelFilter {
  private struct Clause {
    let attribute: String
    let comparison: String
    let value: String
  }
  private var clauses: [Clause] = []

  init?(_ query: String) {
    var words = query.split(separator: " ").map(String.init)[...]
    while !words.isEmpty {
      if !clauses.isEmpty {
        guard words.removeFirst() == "AND" else { return nil }
      }
      guard words.count >= 3 else { return nil }
      let clause = Clause(
        attribute: words.removeFirst(), comparison: words.removeFirst(),
        value: words.removeFirst())
      guard ModelFilter.attributes.contains(clause.attribute),
        ["=", "!=", "STARTS_WITH"].contains(clause.comparison), clause.value.count >= 2,
        clause.value.first == "'", clause.value.last == "'"
      else { return nil }
      clauses.append(clause)
    }
  }

  private static let attributes = [
    "WorkflowId", "RunId", "WorkflowType", "ExecutionStatus", "TaskQueue",
  ]

  func takes(_ run: ModelRun) -> Bool {
    clauses.allSatisfy { clause in
      let text = text(clause.attribute, run)
      let value = String(clause.value.dropFirst().dropLast())
      switch clause.comparison {
      case "=": return text == value
      case "!=": return text != value
      default: return text.hasPrefix(value)
      }
    }
  }

  private func text(_ attribute: String, _ run: ModelRun) -> String {
    switch attribute {
    case "WorkflowId": run.workflowID
    case "RunId": "\(run.id)"
    case "WorkflowType": run.started.workflowType
    case "TaskQueue": run.started.taskQueue
    default: ModelFilter.name(run.shownStatus)
    }
  }

  static func name(_ status: WorkflowStatus) -> String {
    switch status {
    case .running: "Running"
    case .completed: "Completed"
    case .failed: "Failed"
    case .canceled: "Canceled"
    case .terminated: "Terminated"
    case .timedOut: "TimedOut"
    case .continuedAsNew: "ContinuedAsNew"
    case .paused: "Paused"
    case .unspecified, .unrecognized: ""
    }
  }
}
