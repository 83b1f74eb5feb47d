import ArgumentParser
import Messages

struct WorkflowResult: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "result", abstract: "Wait for a workflow's end and print its result.",
    discussion: ExitCodes.after("holdfast workflow result --id o-1 --timeout 30s"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    var request = GetWorkflowResultRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    try WorkflowResult.show(
      try engine.connect().call(.workflowGetWorkflowResult, request, waits: true), engine.output)
  }

  /// Prints the result; a workflow that did not complete ends the command with exit code 1.
  static func show(_ response: GetWorkflowResultResponse, _ output: OutputFormat) throws {
    if output == .json { print(response.json()) }
    if response.status == .completed {
      if output == .table { print(Show.payloads(response.result)) }
      return
    }
    throw Fault(
      text: (["the workflow ended as \(response.status.name)"] + Show.failure(response.failure))
        .joined(separator: "\n  "), code: ExitCodes.workflowNotCompleted)
  }
}
