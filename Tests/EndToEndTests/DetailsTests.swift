import Foundation
import Holdfast
import Testing

/// Says of itself how far it is, and forgets where it came from.
private final class Parcel: Workflow, @unchecked Sendable {
  private var isAddressed = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Parcel>) {
    handlers.signal("address") { $0.isAddressed = true }
    handlers.query("stage") { $0.isAddressed }
  }

  func run(_ context: WorkflowContext, _ runs: Int) async throws -> [String] {
    let owner = try context.memo.value("owner", as: String.self) ?? "nobody"
    context.currentDetails = "waits for an address"
    context.upsertSearchAttributes(["Stage": .keyword("packed"), "Origin": nil])
    try context.upsertMemo(["weight": 2.5, "origin": nil])
    try await context.wait { self.isAddressed }
    if runs > 1 { try context.continueAsNew(runs - 1) }
    context.currentDetails = "is on its way"
    try await context.sleep(for: .milliseconds(1), summary: "a moment")
    return [owner] + context.memo.keys + context.searchAttributes.keys.sorted()
  }
}

/// What workflows say of themselves, through the SDK, the command line and starts of the engine.
@Suite(.serialized) struct DetailsTests {
  private let options = StartOptions(
    summary: "a parcel", details: "with care", memo: ["owner": "ann", "origin": "shop"],
    searchAttributes: ["Customer": .keyword("c-7"), "Amount": .int(7), "Origin": .text("a shop")])

  private func worker(_ engine: EngineProcess) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Parcel.self)
    return RunningWorker(worker)
  }

  @Test func whatAWorkflowSaysOfItselfIsFoundWithoutItsWorker() async throws {
    let engine = try EngineProcess()
    let running = worker(engine)
    let client = try Client(socket: engine.socket)
    let first = try await client.start(Parcel.self, 1, id: "p-1", taskQueue: "q", options: options)
    try await until("it waits") { try await !first.describe().currentDetails.isEmpty }
    #expect(try await client.countWorkflows("Stage = 'packed'").count == 1)
    running.stop()
    try engine.restart()
    let again = try Client(socket: engine.socket)
    let parcel = again.handle("p-1", returning: [String].self)
    let described = try await parcel.describe()
    #expect(described.currentDetails == "waits for an address")
    #expect(described.details == "with care")
    #expect(described.run.summary == "a parcel")
    #expect(described.run.memo.keys == ["owner", "weight"])
    #expect(try described.run.memo.value("weight", as: Double.self) == 2.5)
    #expect(
      described.run.searchAttributes == [
        "Amount": .int(7), "Customer": .keyword("c-7"), "Stage": .keyword("packed"),
      ])
    let second = worker(engine)
    defer { second.stop() }
    try await parcel.signal("address")
    let result = try await parcel.result()
    #expect(result == ["ann", "owner", "weight", "Amount", "Customer", "Stage"])
    let query = "Amount > 6 AND Origin IS NULL AND ExecutionStatus = 'Completed'"
    var found: [String] = []
    for try await run in again.listWorkflows(query) { found.append(run.workflowID) }
    #expect(found == ["p-1"])
    #expect(try await parcel.describe().currentDetails == "is on its way")
  }

  @Test func theNextRunGoesOnWithIt() async throws {
    let engine = try EngineProcess()
    let running = worker(engine)
    defer { running.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Parcel.self, 2, id: "p-1", taskQueue: "q", options: options)
    try await handle.signal("address")
    try await until("the second run waits") {
      let details = try await client.handle("p-1", returning: [String].self).describe()
      return details.run.runID != handle.runID && !details.currentDetails.isEmpty
    }
    #expect(try await client.countWorkflows("Customer = 'c-7'").count == 2)
    let query = "Stage = 'packed' AND ExecutionStatus = 'Running'"
    #expect(try await client.countWorkflows(query).count == 1)
    try await handle.signal("address")
    #expect(try await handle.result() == ["ann", "owner", "weight", "Amount", "Customer", "Stage"])
  }

  @Test func theCommandLineGivesAndShowsThem() async throws {
    let engine = try EngineProcess()
    let start = "workflow start --type Parcel --task-queue q --id"
    try await engine.run(
      "\(start) p-1 --memo owner=ann --memo size=[1,2]",
      [
        "--search-attribute", "Customer:Keyword=c-7", "--search-attribute", "Amount:int=7",
        "--search-attribute", "Tags:KeywordList=new,hot", "--search-attribute",
        "Due:Datetime=2026-01-31T12:00:00Z", "--details", "with care",
      ])
    let described = try await engine.run("workflow describe --id p-1")
    for line in [
      "  Amount    7", "  Customer  c-7", "  Tags      new, hot", "  owner  \"ann\"",
      "  size   [1,2]", "  with care",
    ] {
      #expect(described.lines.contains(line), "\(line) is not in \(described.output)")
    }
    let listed = try await engine.run(
      "workflow list --column Customer --column owner", ["--query", "Tags = 'hot'"])
    #expect(listed.lines[0].contains("CLOSED  Customer  owner  NOTE"))
    #expect(listed.lines[1].contains("c-7       \"ann\""))
    let names = try await engine.run("search-attribute list")
    #expect(
      names.lines == [
        "NAME      TYPE", "Amount    Int", "Customer  Keyword", "Due       Datetime",
        "Tags      KeywordList",
      ])
    let other = try await engine.run("\(start) p-2 --search-attribute Amount:Text=7")
    #expect(other.code != 0 && other.errors.contains("'Amount' is of type Int, not Text"))
    let unknown = try await engine.run("\(start) p-2 --search-attribute Amount=7")
    #expect(unknown.code == 64 && unknown.errors.contains("is not NAME:TYPE=VALUE"))
    try await engine.run("search-attribute create --name Later --type bool")
    #expect(
      try await engine.run("search-attribute remove --name Later").output
        == "'Later' is removed\n")
    let gone = try await engine.run("workflow count", ["--query", "Later = TRUE"])
    #expect(gone.errors.contains("expected one of the attributes"))
  }
}
