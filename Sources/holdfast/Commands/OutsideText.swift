import Basics
import Messages

/// Events about children and other workflows, as a person reads them.
enum OutsideText {
  static func parts(_ event: HistoryEvent) -> (String, String, Failure?)? {
    switch event.attributes {
    case .signalExternalWorkflowExecutionInitiated(let e):
      return (
        "SignalExternalWorkflowExecutionInitiated",
        "\(e.signalName) \(Show.payloads(e.input)) to \(workflow(e.execution))", nil
      )
    case .signalExternalWorkflowExecutionFailed(let e):
      return (
        "SignalExternalWorkflowExecutionFailed", "\(e.cause.name): \(workflow(e.execution))", nil
      )
    case .externalWorkflowExecutionSignaled(let e):
      return ("ExternalWorkflowExecutionSignaled", workflow(e.execution), nil)
    case .requestCancelExternalWorkflowExecutionInitiated(let e):
      let whom = e.childSeq == 0 ? workflow(e.execution) : "child \(e.childSeq)"
      return ("RequestCancelExternalWorkflowExecutionInitiated", "\(whom) \(e.reason)", nil)
    case .requestCancelExternalWorkflowExecutionFailed(let e):
      return (
        "RequestCancelExternalWorkflowExecutionFailed",
        "\(e.cause.name): \(workflow(e.execution))", nil
      )
    case .externalWorkflowExecutionCancelRequested(let e):
      return ("ExternalWorkflowExecutionCancelRequested", workflow(e.execution), nil)
    default: return child(event)
    }
  }

  private static func child(_ event: HistoryEvent) -> (String, String, Failure?)? {
    switch event.attributes {
    case .startChildWorkflowExecutionInitiated(let e):
      return (
        "StartChildWorkflowExecutionInitiated",
        "\(e.workflowType) '\(e.workflowID)' \(Show.payloads(e.input))", nil
      )
    case .startChildWorkflowExecutionFailed(let e):
      return (
        "StartChildWorkflowExecutionFailed", "\(e.cause.name): '\(e.workflowID)' \(e.message)", nil
      )
    case .childWorkflowExecutionStarted(let e):
      return ("ChildWorkflowExecutionStarted", workflow(e.execution), nil)
    case .childWorkflowExecutionCompleted(let e):
      return (
        "ChildWorkflowExecutionCompleted", "\(workflow(e.execution)) \(Show.payloads(e.result))",
        nil
      )
    case .childWorkflowExecutionFailed(let e):
      return ("ChildWorkflowExecutionFailed", workflow(e.execution), e.failure)
    case .childWorkflowExecutionCanceled(let e):
      return ("ChildWorkflowExecutionCanceled", workflow(e.execution), nil)
    case .childWorkflowExecutionTimedOut(let e):
      return ("ChildWorkflowExecutionTimedOut", workflow(e.execution), nil)
    case .childWorkflowExecutionTerminated(let e):
      return ("ChildWorkflowExecutionTerminated", workflow(e.execution), nil)
    default: return nil
    }
  }

  private static func workflow(_ execution: WorkflowExecution?) -> String {
    let id = "'\(execution?.workflowID ?? "")'"
    let run = execution?.runID ?? .none
    return run == .none ? id : "\(id) (run \(run))"
  }
}
