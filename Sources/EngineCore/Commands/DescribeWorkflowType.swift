import Basics
import Messages

extension Engine {
  /// DescribeWorkflowType: its limits, what runs of it and what waits.
  mutating func describeWorkflowType(_ id: RequestID, _ request: DescribeWorkflowTypeRequest) {
    if request.workflowType.isEmpty { return refuse(id, .missing("workflow_type")) }
    if let status = first(
      namespaceFault(request.namespace), idFault(request.workflowType, "workflow_type"))
    {
      return refuse(id, status)
    }
    let limit =
      concurrency[TypeKey(request.namespace.orDefault, request.workflowType)] ?? ConcurrencyLimit()
    let keys = limit.keys(at: now)
    var response = DescribeWorkflowTypeResponse()
    response.info = limit.info(request.workflowType, at: now)
    response.keys = Array(keys.prefix(Engine.describedKeysMax))
    response.keysCount = Int64(keys.count)
    reply(id, .workflowType(.describe(response)), .engine)
  }

  /// As many as a person looks at.
  private static let describedKeysMax = 100
}
