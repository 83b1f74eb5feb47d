import Messages

/// A request of an operator about pending activities of a run.
protocol ActivityRequest: RunRequest {
  var execution: WorkflowExecution? { get }
  var activities: ActivitySelection? { get }
}

extension ActivityRequest {
  /// Without a workflow id: that of an activity without a workflow, which the selection names.
  var target: RunTarget {
    guard case .activityID(let id) = activities?.which, execution?.workflowID ?? "" == "" else {
      return .workflow(execution)
    }
    return .activity(id, execution?.runID ?? .none)
  }
}

extension PauseActivityRequest: ActivityRequest {}
extension UnpauseActivityRequest: ActivityRequest {}
extension ResetActivityRequest: ActivityRequest {}
extension UpdateActivityOptionsRequest: ActivityRequest {}

extension Engine {
  /// Lets `body` change each activity that the request means, once per request id; it says whether
  /// it did. `fault` looks at each of them before: one that cannot be changed, and none is.
  mutating func control(
    _ request: some ActivityRequest, _ id: RequestID, method: String, as whole: Request,
    done: Reply, fault: (Activity) -> Status? = { _ in nil },
    _ body: (inout Engine, Run, Int) -> Bool
  ) {
    guard let selection = request.activities, let which = selection.which else {
      return refuse(id, .missing("activities"))
    }
    guard let (run, record) = target(of: request, id, method: method, as: whole, done: done) else {
      return
    }
    guard run.fold.isOpen else { return refuse(id, .runClosed(run), .run(run)) }
    let indices = run.fold.activities.indices.filter { which.means(run.fold.activities[$0]) }
    guard !indices.isEmpty else {
      return refuse(id, .activityNotFound("\(which.text) in run \(run.runID)"), .run(run))
    }
    for index in indices {
      if let status = fault(run.fold.activities[index]) { return refuse(id, status, .run(run)) }
    }
    var hasEffect = false
    // None of them ends here, so each keeps its place.
    for index in indices where body(&self, run, index) {
      hasEffect = true
      changed(run, index)
    }
    if hasEffect { remember(record, event: 0, in: run) }
    reply(id, done, .run(run))
  }
}

extension ActivitySelection.Which {
  /// Local ones are in the hands of the code's own worker: nobody pauses or changes them.
  fileprivate func means(_ activity: Activity) -> Bool {
    if activity.isLocal { return false }
    return switch self {
    case .activityID(let id): activity.scheduled.activityID == id
    case .activityType(let type): activity.scheduled.activityType == type
    case .all(let all): all
    }
  }

  fileprivate var text: String {
    switch self {
    case .activityID(let id): "'\(id)'"
    case .activityType(let type): "of type '\(type)'"
    case .all(let all): all ? "at all" : "is meant by all = false"
    }
  }
}
