import Basics
import EngineCore
import Messages

/// The limits of workflow types.
extension OracleWalk {
  mutating func drawConcurrencyKey() -> String {
    isWrong() ? OracleWalk.tooLong : dice.pick(["", "", "k1", "k2"])
  }

  mutating func drawTypeRequest() -> WorkflowTypeRequest {
    let type = isWrong() ? "" : dice.pick(["order", "order", "ship"])
    switch dice.int(0...9) {
    case 0..<6:
      var request = SetWorkflowTypeLimitsRequest()
      request.namespace = drawNamespace()
      request.workflowType = type
      guard dice.percent(60) else { return .setLimits(request) }
      var limits = WorkflowTypeLimits()
      limits.running = isWrong() ? -1 : dice.pick([0, 1, 2, 4])
      limits.runningOfKey = isWrong() ? 1_000_001 : dice.pick([0, 1, 2])
      request.limits = limits
      return .setLimits(request)
    case 6..<9:
      var request = DescribeWorkflowTypeRequest()
      request.namespace = drawNamespace()
      request.workflowType = type
      return .describe(request)
    default:
      var request = ListWorkflowTypesRequest()
      request.namespace = drawNamespace()
      return .list(request)
    }
  }
}
