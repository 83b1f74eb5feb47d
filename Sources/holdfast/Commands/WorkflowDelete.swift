import ArgumentParser
import Messages

struct WorkflowDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Remove a workflow's run with its history; one that is running ends first.",
    discussion: ExitCodes.after("holdfast workflow delete --id o-1 --reason 'a test'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = DeleteWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.reason = reason
    let response: DeleteWorkflowResponse = try engine.connect().call(
      .workflowDeleteWorkflow, request)
    print(
      engine.output == .json
        ? response.json() : "deleted '\(execution.id)', run \(response.runID)")
  }
}
