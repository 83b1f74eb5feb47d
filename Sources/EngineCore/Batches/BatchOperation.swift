import Messages

extension BatchOperation {
  /// As it is shown.
  package var name: String {
    switch operation {
    case .signalWorkflow: "signal_workflow"
    case .cancelWorkflow: "cancel_workflow"
    case .terminateWorkflow: "terminate_workflow"
    case .deleteWorkflow: "delete_workflow"
    case .resetWorkflow: "reset_workflow"
    case .pauseWorkflow: "pause_workflow"
    case .unpauseWorkflow: "unpause_workflow"
    case .pauseActivity: "pause_activity"
    case .unpauseActivity: "unpause_activity"
    case .resetActivity: "reset_activity"
    case .updateActivityOptions: "update_activity_options"
    case nil: ""
    }
  }

  /// It makes sense for closed runs as well.
  package var isForClosed: Bool {
    switch operation {
    case .deleteWorkflow, .resetWorkflow: true
    default: false
    }
  }

  /// What the engine fills in has to be empty; the first field that is not.
  package var filledField: String? {
    switch operation {
    case .signalWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .cancelWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .terminateWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .deleteWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, "")
    case .resetWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .pauseWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .unpauseWorkflow(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .pauseActivity(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .unpauseActivity(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .resetActivity(let r): BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case .updateActivityOptions(let r):
      BatchOperation.filled(r.namespace, r.execution, r.requestID)
    case nil: nil
    }
  }

  private static func filled(
    _ namespace: String, _ execution: WorkflowExecution?, _ requestID: String
  ) -> String? {
    if !namespace.isEmpty { return "namespace" }
    if execution != nil { return "execution" }
    return requestID.isEmpty ? nil : "request_id"
  }
}

extension StartBatchRequest {
  /// The request that the batch makes for a run.
  package func request(for execution: WorkflowExecution) -> Request? {
    switch operation?.operation {
    case .signalWorkflow(var r):
      (r.namespace, r.execution) = (namespace, execution)
      if r.identity.isEmpty { r.identity = identity }
      return .signalWorkflow(r)
    case .cancelWorkflow(let r): return .cancelWorkflow(of(r, execution))
    case .terminateWorkflow(let r): return .terminateWorkflow(of(r, execution))
    case .deleteWorkflow(let r): return .deleteWorkflow(of(r, execution))
    case .resetWorkflow(let r): return .resetWorkflow(of(r, execution))
    case .pauseWorkflow(let r): return .pauseWorkflow(of(r, execution))
    case .unpauseWorkflow(let r): return .unpauseWorkflow(of(r, execution))
    case .pauseActivity(let r): return .pauseActivity(of(r, execution))
    case .unpauseActivity(let r): return .unpauseActivity(of(r, execution))
    case .resetActivity(let r): return .resetActivity(of(r, execution))
    case .updateActivityOptions(let r): return .updateActivityOptions(of(r, execution))
    case nil: return nil
    }
  }

  private func of<R: BatchedRequest>(_ request: R, _ execution: WorkflowExecution) -> R {
    var request = request
    request.namespace = namespace
    request.execution = execution
    if request.reason.isEmpty { request.reason = reason }
    if request.identity.isEmpty { request.identity = identity }
    return request
  }
}

/// A request that a batch may make for each of its runs, and that says why.
private protocol BatchedRequest {
  var namespace: String { get set }
  var execution: WorkflowExecution? { get set }
  var reason: String { get set }
  var identity: String { get set }
}

extension CancelWorkflowRequest: BatchedRequest {}
extension TerminateWorkflowRequest: BatchedRequest {}
extension DeleteWorkflowRequest: BatchedRequest {}
extension ResetWorkflowRequest: BatchedRequest {}
extension PauseWorkflowRequest: BatchedRequest {}
extension UnpauseWorkflowRequest: BatchedRequest {}
extension PauseActivityRequest: BatchedRequest {}
extension UnpauseActivityRequest: BatchedRequest {}
extension ResetActivityRequest: BatchedRequest {}
extension UpdateActivityOptionsRequest: BatchedRequest {}
