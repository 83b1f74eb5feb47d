import ArgumentParser
import Messages

struct WorkflowPause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Keep a workflow's tasks back; what comes meanwhile is kept.",
    discussion: ExitCodes.after("holdfast workflow pause --id o-1 --reason 'the bank is down'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = PauseWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.reason = reason
    let response: PauseWorkflowResponse = try engine.connect().call(
      .workflowPauseWorkflow, request)
    print(engine.output == .json ? response.json() : "paused '\(execution.id)'")
  }
}

struct WorkflowUnpause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause", abstract: "Let a paused workflow go on.",
    discussion: ExitCodes.after("holdfast workflow unpause --id o-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = UnpauseWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.reason = reason
    let response: UnpauseWorkflowResponse = try engine.connect().call(
      .workflowUnpauseWorkflow, request)
    print(engine.output == .json ? response.json() : "'\(execution.id)' goes on")
  }
}
