import Basics
import Messages

/// What is asked in and of namespaces beside `default`: no worker serves there, so what begins is
/// terminated. The workflow ids are those of `default`.
enum NamespaceCall {
  case create(CreateNamespaceRequest)
  case update(UpdateNamespaceRequest)
  case delete(DeleteNamespaceRequest)
  case describe(DescribeNamespaceRequest)
  case start(StartWorkflowRequest)
  case terminate(TerminateWorkflowRequest)
  case list(ListWorkflowsRequest)
  case lookAt(DescribeWorkflowRequest)

  var method: Method {
    switch self {
    case .create: .operatorCreateNamespace
    case .update: .operatorUpdateNamespace
    case .delete: .operatorDeleteNamespace
    case .describe: .operatorDescribeNamespace
    case .start: .workflowStartWorkflow
    case .terminate: .workflowTerminateWorkflow
    case .list: .workflowListWorkflows
    case .lookAt: .workflowDescribeWorkflow
    }
  }

  var bytes: [UInt8] {
    switch self {
    case .create(let m): m.serialized()
    case .update(let m): m.serialized()
    case .delete(let m): m.serialized()
    case .describe(let m): m.serialized()
    case .start(let m): m.serialized()
    case .terminate(let m): m.serialized()
    case .list(let m): m.serialized()
    case .lookAt(let m): m.serialized()
    }
  }

  var namespace: String {
    switch self {
    case .create(let m): m.namespace
    case .update(let m): m.namespace
    case .delete(let m): m.namespace
    case .describe(let m): m.namespace
    case .start(let m): m.namespace
    case .terminate(let m): m.namespace
    case .list(let m): m.namespace
    case .lookAt(let m): m.namespace
    }
  }

  static func drawn(_ workflowID: String, _ id: String, _ dice: inout Dice) -> NamespaceCall {
    let name = dice.pick(["n1", "n2"])
    switch dice.int(0...19) {
    case 0...2:
      var request = CreateNamespaceRequest()
      request.namespace = name
      request.retentionMs = Span(ms: dice.pick([0, 1_000, 20_000]))
      request.requestID = id
      return .create(request)
    case 3:
      var request = UpdateNamespaceRequest()
      request.namespace = name
      request.retentionMs = Span(ms: dice.pick([0, 1_000, 20_000]))
      request.updateMask = ["retention_ms"]
      return .update(request)
    case 4...6:
      var request = DeleteNamespaceRequest()
      request.namespace = name
      return .delete(request)
    case 7:
      var request = DescribeNamespaceRequest()
      request.namespace = name
      return .describe(request)
    case 8...11:
      var request = StartWorkflowRequest()
      request.namespace = name
      request.workflowID = workflowID
      request.workflowType = Program.type
      request.taskQueue = "q"
      request.requestID = id
      return .start(request)
    case 12...16: return terminate(workflowID, name, id)
    case 17, 18:
      var request = ListWorkflowsRequest()
      request.namespace = name
      return .list(request)
    default:
      var request = DescribeWorkflowRequest()
      request.namespace = name
      request.execution = .of(workflowID)
      return .lookAt(request)
    }
  }

  static func terminate(
    _ workflowID: String, _ namespace: String, _ id: String
  ) -> NamespaceCall {
    var request = TerminateWorkflowRequest()
    request.namespace = namespace
    request.execution = .of(workflowID)
    request.reason = id
    request.requestID = id
    return .terminate(request)
  }
}
