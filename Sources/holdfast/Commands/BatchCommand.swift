import ArgumentParser
import Basics
import Glibc
import Messages

struct BatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch",
    abstract: "Do one thing to all workflows that a filter selects.",
    discussion: ExitCodes.after(
      """
      Each command starts a batch, which the engine carries out by itself, from the newest workflow
      to the oldest of those that are there now, at a rate. The command shows how it goes and ends
      with it; interrupted, the batch goes on.

      holdfast batch terminate --query "WorkflowType = 'import'" --reason 'the wrong file'
      holdfast batch signal --query "Customer = 'c-7'" --name pay --rate 200 --no-wait
      holdfast batch list
      """),
    subcommands: [
      BatchSignal.self, BatchCancel.self, BatchTerminate.self, BatchDelete.self, BatchReset.self,
      BatchPause.self, BatchUnpause.self, BatchPauseActivities.self, BatchUnpauseActivities.self,
      BatchResetActivities.self, BatchDescribe.self, BatchList.self, BatchStop.self,
    ])
}

/// What every batch is started with.
struct BatchOptions: ParsableArguments {
  @Option(
    help: "Which workflows; see `holdfast help workflow list`. --query '' selects all of them.")
  var query: String
  @Option(help: "How many workflows in a second, at most 10,000.") var rate: Double = 50
  @Option(help: "The batch's id: the same one starts it once. By default a new one.")
  var batchID: String?
  @Option(help: "Why.") var reason = ""
  @Flag(help: "Ask nothing.") var yes = false
  @Flag(inversion: .prefixedNo, help: "Follow the batch to its end.") var wait = true

  func validate() throws {
    // The engine takes 0 as its default.
    if rate == 0 { throw ValidationError("--rate is 0; the slowest one is 0.001") }
  }

  /// Starts the batch and, if that is wanted, follows it. `what` fits "… 12 workflows".
  func run(_ engine: EngineOptions, _ what: String, _ operation: BatchOperation.Operation) throws {
    let connection = try engine.connect()
    guard try isWanted(connection, engine, what) else { throw Fault.notWanted }
    var request = StartBatchRequest()
    request.namespace = engine.namespace
    request.batchID = batchID ?? BatchOptions.newID
    request.query = query
    request.operation = BatchOperation()
    request.operation?.operation = operation
    request.ratePerSecond = rate
    request.reason = reason
    let response: StartBatchResponse = try connection.call(.batchStartBatch, request)
    guard wait else {
      guard engine.output == .table else { return print(response.json()) }
      let did = response.started ? "started" : "has been started before"
      return print("batch '\(request.batchID)' \(did); `holdfast batch describe` shows it")
    }
    let end = try follow(connection, engine, request.batchID)
    print(engine.output == .json ? end.json(pretty: true) : BatchText.outcome(end))
    if let code = BatchText.exitCode(end) { throw ExitCode(code) }
  }

  private static var newID: String {
    "\(RunID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)))"
  }

  /// Asks a person how many are meant.
  private func isWanted(
    _ connection: EngineConnection, _ engine: EngineOptions, _ what: String
  ) throws -> Bool {
    guard !yes, isatty(0) == 1, isatty(2) == 1 else { return true }
    var request = CountWorkflowsRequest()
    request.namespace = engine.namespace
    request.query = query
    let response: CountWorkflowsResponse = try connection.call(.workflowCountWorkflows, request)
    Progress.show("\(what) up to \(response.count) workflows? [y/N] ")
    return ["y", "yes"].contains(readLine()?.lowercased())
  }

  private func follow(
    _ connection: EngineConnection, _ engine: EngineOptions, _ id: String
  ) throws -> DescribeBatchResponse {
    var request = DescribeBatchRequest()
    request.namespace = engine.namespace
    request.batchID = id
    defer { Progress.show("") }
    while true {
      let response: DescribeBatchResponse = try connection.call(.batchDescribeBatch, request)
      let info = response.info ?? BatchInfo()
      if info.status != .running { return response }
      Progress.show(
        "\(Int(info.progress * 100)) %: \(info.succeeded) done, \(info.failed) failed"
          + " (batch '\(id)')")
      usleep(200_000)
    }
  }
}

extension Fault {
  fileprivate static let notWanted = Fault(text: "nothing was done", code: ExitCodes.refused)
}

/// Batches as people read of them.
enum BatchText {
  static func outcome(_ response: DescribeBatchResponse) -> String {
    let info = response.info ?? BatchInfo()
    var text = "batch '\(info.batchID)' \(info.status.name): \(info.succeeded) done"
    if info.failed > 0 { text += ", \(info.failed) failed" }
    return response.failures.isEmpty ? text : text + "\n\n" + failures(response)
  }

  static func failures(_ response: DescribeBatchResponse) -> String {
    let rows = response.failures.map { failure in
      [
        failure.execution?.workflowID ?? "", "\(failure.execution?.runID ?? .none)",
        failure.status?.message ?? "",
      ]
    }
    let shown = Show.table(["WORKFLOW ID", "RUN ID", "FAILURE"], rows)
    let more = (response.info?.failed ?? 0) - Int64(rows.count)
    return more > 0 ? shown + "\n… and \(more) more" : shown
  }

  /// nil: everything was done.
  static func exitCode(_ response: DescribeBatchResponse) -> Int32? {
    let info = response.info ?? BatchInfo()
    return info.status == .completed && info.failed == 0 ? nil : ExitCodes.refused
  }
}
