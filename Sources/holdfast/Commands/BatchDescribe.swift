import ArgumentParser
import Basics
import Messages

struct BatchDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show how far a batch has come, and what has failed.",
    discussion: ExitCodes.after("holdfast batch describe --batch-id b-1"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The batch's id.") var batchID: String

  func run() throws {
    var request = DescribeBatchRequest()
    request.namespace = engine.namespace
    request.batchID = batchID
    let response: DescribeBatchResponse = try engine.connect().call(.batchDescribeBatch, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    let info = response.info ?? BatchInfo()
    let fields = [
      ("batch id", info.batchID), ("operation", info.operation),
      ("query", info.query.isEmpty ? "all workflows" : info.query),
      ("status", info.status.name), ("progress", "\(Int(info.progress * 100)) %"),
      ("done", "\(info.succeeded)"), ("failed", "\(info.failed)"),
      ("rate", "\(info.ratePerSecond) in a second"), ("started", Show.time(info.startTimeMs)),
      ("ended", Show.time(info.closeTimeMs)), ("by", info.identity), ("reason", info.reason),
      ("stopped by", info.stopIdentity), ("stopped because", info.stopReason),
    ]
    print(Show.fields(fields))
    if !response.failures.isEmpty { print("\n" + BatchText.failures(response)) }
  }
}

struct BatchList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List batches, newest first.",
    discussion: ExitCodes.after("holdfast batch list"))

  @OptionGroup var engine: EngineOptions

  func run() throws {
    var request = ListBatchesRequest()
    request.namespace = engine.namespace
    let response: ListBatchesResponse = try engine.connect().call(.batchListBatches, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    guard !response.batches.isEmpty else { return print("no batches") }
    let rows = response.batches.map { info in
      [
        info.batchID, info.operation, info.status.name, "\(Int(info.progress * 100)) %",
        "\(info.succeeded)", "\(info.failed)", Show.time(info.startTimeMs), info.query,
      ]
    }
    let titles = ["BATCH ID", "OPERATION", "STATUS", "PROGRESS", "DONE", "FAILED", "STARTED"]
    print(Show.table(titles + ["QUERY"], rows))
  }
}

struct BatchStop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop a batch; what it has done stays done.",
    discussion: ExitCodes.after("holdfast batch stop --batch-id b-1 --reason 'the wrong query'"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The batch's id.") var batchID: String
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = StopBatchRequest()
    request.namespace = engine.namespace
    request.batchID = batchID
    request.reason = reason
    let response: StopBatchResponse = try engine.connect().call(.batchStopBatch, request)
    print(engine.output == .json ? response.json() : "batch '\(batchID)' is stopped")
  }
}
