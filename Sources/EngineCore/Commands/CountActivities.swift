import Messages

extension Engine {
  /// CountActivities: as CountWorkflows, of activities without a workflow.
  mutating func countActivities(_ id: RequestID, _ request: CountActivitiesRequest) {
    var count = CountWorkflowsRequest()
    count.namespace = request.namespace
    count.query = request.query
    self.count(id, count, .activity)
  }
}
