import Harness
import Holdfast
import Messages
import Testing

/// A sale that was charged with what its notes said by then, and ends when a note says so.
private final class Sale: Workflow, @unchecked Sendable {
  private var notes: [String] = []
  private var draws: [UInt64] = []
  private var receipt = ""
  init() {}

  static func handlers(_ handlers: inout Handlers<Sale>) {
    handlers.signal("note") { sale, note in sale.notes.append(note) }
    handlers.query("draws") { $0.draws }
    handlers.query("receipt") { $0.receipt }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> [String] {
    let options = ActivityOptions(startToClose: .seconds(600))
    draws.append(context.random())
    let packed = try await context.activity(
      "pack", "lamp", returning: String.self, options: options)
    draws.append(context.random())
    receipt = try await context.activity("charge", packed, returning: String.self, options: options)
    draws.append(context.random())
    try await context.wait { self.notes.contains("end") }
    return [receipt] + notes
  }
}

/// What the activities have done; the price is mended while the workflow runs.
private actor Shop {
  private(set) var packed = 0
  private(set) var charged: [String] = []
  private var price = 7

  func pack() { packed += 1 }
  func mend() { price = 5 }
  func charge() -> String {
    charged.append("paid \(price)")
    return "paid \(price)"
  }
}

@Suite struct ResetTests {
  private let shop = Shop()

  private func worker(_ socket: String) -> RunningWorker {
    let shop = shop
    var worker = Worker(taskQueue: "q", socket: socket)
    worker.register(Sale.self)
    worker.activity("pack") { (_, item: String) -> String in
      await shop.pack()
      return item
    }
    worker.activity("charge") { (_, _: String) -> String in await shop.charge() }
    return RunningWorker(worker)
  }

  /// A sale that was charged a wrong price, with a note from before and one from after it.
  private func charged(_ client: Client) async throws -> WorkflowHandle<[String]> {
    let sale = try await client.start(Sale.self, Nothing(), id: "s-1", taskQueue: "q")
    try await sale.signal("note", "first")
    await waitForReceipt(of: sale)
    try await sale.signal("note", "second")
    return sale
  }

  /// While its worker is not there yet, nobody answers.
  private func waitForReceipt(of sale: WorkflowHandle<[String]>) async {
    while ((try? await sale.query("receipt", returning: String.self)) ?? "").isEmpty {}
  }

  @Test func aResetToBeforeAnActivityGivesLaterSignalsAgain() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let sale = try await charged(client)
    let old = try await sale.query("draws", returning: [UInt64].self)
    async let end = sale.result()
    await shop.mend()
    let again = try await sale.reset(
      to: .beforeActivity("charge"), reason: "a wrong price", requestID: "r-1")
    let repeated = try await sale.reset(
      to: .beforeActivity("charge"), reason: "a wrong price", requestID: "r-1")
    #expect(repeated.runID == again.runID)
    #expect(again.runID != sale.runID)
    await waitForReceipt(of: again)
    let new = try await again.query("draws", returning: [UInt64].self)
    try await again.signal("note", "end")
    let result = ["paid 5", "first", "second", "end"]
    #expect(try await again.result() == result)
    // Who waited for the old run is told the end of the new one.
    #expect(try await end == result)
    #expect(await shop.packed == 1)
    #expect(await shop.charged == ["paid 7", "paid 5"])
    // What was drawn before the point is the same, what was drawn after it is not.
    #expect(new.count == 3)
    #expect(new[0] == old[0])
    #expect(new[1] != old[1])
  }

  @Test func aReplayOfTheNewRunDrawsTheSameNumbers() async throws {
    let engine = try EngineProcess()
    let first = worker(engine.socket)
    let client = try Client(socket: engine.socket)
    let sale = try await charged(client)
    let again = try await sale.reset(to: .beforeActivity("charge"))
    await waitForReceipt(of: again)
    let draws = try await again.query("draws", returning: [UInt64].self)
    first.stop()
    let second = worker(engine.socket)
    defer { second.stop() }
    try await again.signal("note", "end")
    #expect(try await again.result().last == "end")
    #expect(try await again.query("draws", returning: [UInt64].self) == draws)
  }

  @Test func aForkIsTriedBesideTheWorkflow() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let sale = try await charged(client)
    await shop.mend()
    let copy = try await sale.fork(to: .firstWorkflowTask, id: "s-2", leavingOut: [.signals])
    try await copy.signal("note", "end")
    #expect(try await copy.result() == ["paid 5", "end"])
    try await sale.signal("note", "end")
    #expect(try await sale.result() == ["paid 7", "first", "second", "end"])
  }

  @Test func theCommandLineResetsAndForks() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let sale = try await charged(client)
    let reset = try await engine.run(
      "workflow reset --id s-1 --before-activity charge --reason mended")
    #expect(reset.code == 0)
    let run = try #require(reset.output.split(separator: " ").last).dropLast()
    #expect(reset.output == "'s-1' goes on in run \(run)\n")
    let old = try #require(sale.runID)
    let described = try await engine.run("workflow describe --id s-1 --run-id \(old)")
    #expect(described.output.contains("reset to run  \(run)\n"))
    let copied = try await engine.run("workflow describe --id s-1")
    #expect(copied.output.contains("run \(old), before event"))
    #expect(copied.output.contains(": mended\n"))
    let forked = try await engine.run("workflow fork --id s-1 --new-id s-2 --to first")
    #expect(forked.output.hasPrefix("forked 's-2', run "))
    let refused = try await engine.run("workflow reset --id s-1 --before-activity bake")
    #expect(refused.code != 0)
    #expect(refused.errors.contains("has never scheduled an activity of type 'bake'"))
    let unclear = try await engine.run("workflow reset --id s-1")
    #expect(unclear.errors.contains("--before-activity"))
  }
}
