import ArgumentParser
import Basics
import Messages

struct WorkflowUpdate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Ask a workflow's code for a change, and wait for its answer.",
    discussion: ExitCodes.after(
      "holdfast workflow update --id o-1 --name address --input '\"Elm Street 1\"'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var execution: ExecutionOptions
  @Option(help: "The update's name.") var name: String
  @OptionGroup var input: InputOptions
  @Option(help: "The same update id is the same update, however often it is sent.")
  var updateID: String?
  @Flag(help: "Wait only until the code has taken it on.") var accepted = false

  func run() throws {
    var request = UpdateWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = try execution.execution()
    request.updateID = updateID ?? RunID.unique().description
    request.updateName = name
    request.args = try input.payloads()
    request.waitFor = accepted ? .accepted : .completed
    let response: UpdateWorkflowResponse = try engine.connect().call(
      .workflowUpdateWorkflow, request, waits: true)
    try show(response, request.updateID)
  }

  private func show(_ response: UpdateWorkflowResponse, _ updateID: String) throws {
    if engine.output == .json {
      print(response.json())
    } else if response.stage == .accepted {
      print("'\(execution.id)' has accepted update '\(updateID)', run \(response.runID)")
    } else if case .succeeded(let list) = response.outcome?.result {
      print(Show.payloads(list.payloads))
    }
    guard case .failed(let failure) = response.outcome?.result else { return }
    let what = response.stage == .rejected ? "rejected" : "failed"
    throw Fault(
      text: "update '\(updateID)' \(what): \(failure.info?.message ?? "no message")",
      code: ExitCodes.workflowNotCompleted)
  }
}

extension RunID {
  /// An id that nobody else has drawn.
  fileprivate static func unique() -> RunID {
    RunID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
  }
}
