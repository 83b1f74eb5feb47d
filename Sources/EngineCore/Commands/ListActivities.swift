import Messages

extension Engine {
  /// ListActivities: as ListWorkflows, of activities without a workflow.
  mutating func listActivities(_ id: RequestID, _ request: ListActivitiesRequest) {
    var list = ListWorkflowsRequest()
    list.namespace = request.namespace
    list.query = request.query
    list.limit = request.limit
    list.pageSize = request.pageSize
    list.nextPageToken = request.nextPageToken
    self.list(id, list, .activity)
  }
}
