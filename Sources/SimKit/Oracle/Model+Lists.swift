import Basics
import EngineCore
import Messages

/// Where a page of a list has ended.
struct ModelPage {
  let query: String
  /// The row that was shown last.
  let last: ModelRow
  /// The runs that had begun before that one.
  let older: Set<RunID>
  /// Rows that the limit leaves.
  let left: Int
}

/// Lists and counts.
extension Model {
  mutating func list(_ r: ListWorkflowsRequest, ofActivities: Bool = false) -> Response {
    let selection = selections[r.query] ?? ModelSelection()
    var rows = selected(selection, ofActivities)
    var left = min(selection.limit ?? .max, r.limit > 0 ? Int(r.limit) : .max)
    if let page = pages[r.nextPageToken] {
      rows = rows.filter { isBehind(page, selection, $0) }
      left = page.left
    }
    let shown = rows.prefix(min(left, r.pageSize > 0 ? Int(r.pageSize) : .max))
    if ofActivities { return .activities(shown.map(activityInfo)) }
    left -= left == .max ? 0 : shown.count
    if let last = shown.last {
      lastPage = ModelPage(
        query: r.query, last: row(last),
        older: Set(runs.prefix { $0 !== last }.map(\.id)), left: left)
    }
    return .list(
      shown.map(info), hasMore: r.pageSize > 0 && left > 0 && shown.count < rows.count)
  }

  private func selected(_ selection: ModelSelection, _ ofActivities: Bool) -> [ModelRun] {
    let taken = runs.reversed().filter {
      $0.isOfActivity == ofActivities && selection.filter.takes(row($0))
    }
    return selection.ordered(taken) { row($0) }
  }

  private func row(_ run: ModelRun) -> ModelRow { ModelRow(info(run), names) }

  private func isBehind(_ page: ModelPage, _ selection: ModelSelection, _ run: ModelRun) -> Bool {
    let row = row(run)
    if selection.precedes(page.last, row) == true { return true }
    return selection.precedes(row, page.last) == nil && page.older.contains(run.id)
  }

  func count(_ r: CountWorkflowsRequest, ofActivities: Bool = false) -> CountWorkflowsResponse {
    let selection = selections[r.query] ?? ModelSelection()
    var response = CountWorkflowsResponse()
    for run in selected(selection, ofActivities) {
      response.count += 1
      guard !selection.groups.isEmpty else { continue }
      let row = row(run)
      let values = selection.groups.map { row[$0]?.groupName ?? "" }
      if let place = response.groups.firstIndex(where: { $0.groupValues == values }) {
        response.groups[place].count += 1
      } else {
        var group = WorkflowGroup()
        group.groupValues = values
        group.count = 1
        response.groups.append(group)
      }
    }
    response.groups.sort { a, b in
      a.count != b.count
        ? a.count > b.count : a.groupValues.lexicographicallyPrecedes(b.groupValues)
    }
    return response
  }
}
