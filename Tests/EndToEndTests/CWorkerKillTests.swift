import Foundation
import Harness
import Holdfast
import Testing

private struct Order: Codable, Sendable {
  let order_id: String
  let card: String
  let amount_cents: Int
}

private struct Charged: Codable, Sendable {
  let order_id: String
  let amount_cents: Int
}

/// Charges a card on the queue of the payments worker.
private final class Charges: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ order: Order) async throws -> Int {
    let charged: Charged = try await context.activity(
      "charge", order,
      options: ActivityOptions(startToClose: .seconds(600), taskQueue: "payments"))
    return charged.amount_cents
  }
}

/// A worker in C, the order saga's payments, that is killed, or whose engine is.
@Suite(.serialized) struct CWorkerKillTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("examples/order-saga/payments").path

  /// Builds it, which does nothing when it is built.
  private func build() async throws {
    let make = try ChildProcess(
      "/usr/bin/env", ["make", "-C", CWorkerKillTests.folder], output: "/dev/null")
    try #require(try await make.end() == 0, "make -C examples/order-saga/payments")
  }

  private func start(_ engine: EngineProcess, delayMs: Int) throws -> ChildProcess {
    try ChildProcess(
      CWorkerKillTests.folder + "/build/payments",
      ["--ledger", engine.directory + "/ledger", "--socket", engine.socket],
      environment: ["PAYMENTS_DELAY_MS": String(delayMs)], output: engine.directory + "/worker.log")
  }

  private func ledger(_ engine: EngineProcess) -> [String] {
    let text = (try? String(contentsOfFile: engine.directory + "/ledger", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  private func charge(_ client: Client) async throws -> WorkflowHandle<Int> {
    try await client.start(
      Charges.self, Order(order_id: "o-1", card: "4000", amount_cents: 1_250), id: "o-1",
      taskQueue: "orders")
  }

  private func orders(_ engine: EngineProcess) -> RunningWorker {
    var worker = Worker(taskQueue: "orders", socket: engine.socket)
    worker.register(Charges.self)
    return RunningWorker(worker)
  }

  private func attempts(_ engine: EngineProcess) throws -> [Int32] {
    let events = try #require(EngineFigures(engine.socket)?.history("o-1"))
    #expect(events.count { $0.isActivityCompleted } == 1)
    return events.compactMap {
      guard case .activityTaskStarted(let started) = $0.attributes else { return nil }
      return started.attempt
    }
  }

  @Test func engineInAnActivity() async throws {
    try await build()
    let engine = try EngineProcess()
    let orders = orders(engine)
    defer { orders.stop() }
    let worker = try start(engine, delayMs: 1_000)
    defer { worker.killNow() }
    let handle = try await charge(try Client(socket: engine.socket))
    try await until("the money is moved") { ledger(engine).count == 1 }
    try engine.restart()
    #expect(try await handle.result() == 1_250)
    #expect(ledger(engine).count == 1)
    #expect(try attempts(engine) == [1], "the worker keeps its lease")
  }

  /// After the money was moved and before it was told: the ledger knows the key.
  @Test func workerInAnActivity() async throws {
    try await build()
    let engine = try EngineProcess()
    let orders = orders(engine)
    defer { orders.stop() }
    let first = try start(engine, delayMs: 20_000)
    let figures = try #require(EngineFigures(engine.socket))
    let client = try Client(socket: engine.socket)
    let handle = try await charge(client)
    try await until("the attempt is out") { figures.counter("activity_attempts_total") == 1 }
    first.killNow()
    let second = try start(engine, delayMs: 20_000)
    try await until("the money is moved") { ledger(engine).count == 1 }
    second.killNow()
    let third = try start(engine, delayMs: 0)
    defer { third.killNow() }
    #expect(try await handle.result() == 1_250)
    #expect(ledger(engine).count == 1, "no money was moved twice")
    #expect(try attempts(engine) == [3], "one event, of the attempt that ended it")
  }
}
