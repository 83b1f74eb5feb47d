import ArgumentParser
import Messages

struct WorkflowSignal: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signal", abstract: "Send a signal to a running workflow.",
    discussion: ExitCodes.after(
      "holdfast workflow signal --id o-1 --name approve --input '{\"by\":\"ann\"}'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "The signal's name.") var name: String
  @OptionGroup var input: InputOptions
  @Option(help: "The same request id makes the same signal, however often it is sent.")
  var requestID: String?

  func run() throws {
    var request = SignalWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.signalName = name
    request.input = try input.payloads()
    request.requestID = requestID ?? ""
    let response: SignalWorkflowResponse = try engine.connect().call(
      .workflowSignalWorkflow, request)
    print(
      engine.output == .json
        ? response.json() : "signaled '\(execution.id)', run \(response.runID)")
  }
}

struct WorkflowQuery: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Ask a workflow's code; open or closed, it needs a worker.",
    discussion: ExitCodes.after("holdfast workflow query --id o-1 --name status"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "The query's name.") var name: String
  @OptionGroup var input: InputOptions

  func run() throws {
    var request = QueryWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.queryType = name
    request.args = try input.payloads()
    let response: QueryWorkflowResponse = try engine.connect().call(
      .workflowQueryWorkflow, request)
    print(engine.output == .json ? response.json() : Show.payloads(response.result))
  }
}

struct WorkflowCancel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Ask a workflow to end; its code decides how.",
    discussion: ExitCodes.after("holdfast workflow cancel --id o-1 --reason 'out of stock'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = CancelWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.reason = reason
    let response: CancelWorkflowResponse = try engine.connect().call(
      .workflowCancelWorkflow, request)
    print(engine.output == .json ? response.json() : "asked '\(execution.id)' to end")
  }
}

struct WorkflowTerminate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "terminate", abstract: "End a workflow at once, without its code.",
    discussion: ExitCodes.after("holdfast workflow terminate --id o-1 --reason 'a mistake'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = TerminateWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.reason = reason
    let response: TerminateWorkflowResponse = try engine.connect().call(
      .workflowTerminateWorkflow, request)
    print(engine.output == .json ? response.json() : "terminated '\(execution.id)'")
  }
}
