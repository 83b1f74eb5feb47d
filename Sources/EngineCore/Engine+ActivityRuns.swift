import Basics
import Messages

/// Activities without a workflow. Each is a run of its own kind, and the first two events of its
/// history start it and schedule its one activity: so it has its ids, policies, rows, place in
/// memory and retention as every run has, and its attempts are those of every activity. What it has
/// not is code: no workflow task is ever made of it, and its history is shown to nobody.
extension Engine {
  mutating func handle(_ id: RequestID, _ request: ActivityRunRequest) {
    switch request {
    case .start(let r): startActivity(id, r)
    case .describe(let r): describeActivity(id, r)
    case .result(let r): getActivityResult(id, r)
    case .list(let r): listActivities(id, r)
    case .count(let r): countActivities(id, r)
    case .cancel(let r): cancelActivity(id, r)
    case .terminate(let r): terminateActivity(id, r)
    case .delete(let r): deleteActivity(id, r)
    }
  }

  /// The run that a request names; nil when the request has been answered, or waits for the store.
  mutating func activityRun(
    _ id: RequestID, _ namespace: String, _ activityID: String, _ runID: RunID,
    _ request: ActivityRunRequest
  ) -> Run? {
    switch key(namespace, .activity(activityID, runID)) {
    case .failure(let refusal):
      refuse(id, refusal.status)
      return nil
    case .success(let key):
      let found = find(key, runID, for: .request(id, .activityRun(request)))
      guard let settled = found.settled else { return nil }
      if settled.run == nil { refuse(id, .runNotFound(key, runID)) }
      return settled.run
    }
  }
}

extension ActivityTask {
  /// By a task that names no workflow its worker knows an activity without one.
  mutating func nameWorkflow(of run: Run) {
    #if MUTANTS
      let isNamed = !run.fold.isOfActivity || Mutant.isOn(.activityNamesAWorkflow)
    #else
      let isNamed = !run.fold.isOfActivity
    #endif
    guard isNamed else { return }
    workflowID = run.key.workflowID
    workflowType = run.workflowType
  }
}
