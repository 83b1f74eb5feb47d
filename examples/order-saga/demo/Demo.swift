import Foundation
import Holdfast
import OrderSaga

/// Starts an engine and its workers, runs all orders, and kills the engine and a worker under way.
@main
struct Demo {
  static func main() async {
    do {
      let demo = try Demo(CommandLine.arguments)
      exit(try await demo.run())
    } catch {
      print("order-demo: \(error)")
      exit(1)
    }
  }

  private let bin: String
  private let python: String
  private let saga: String
  private let scene: Scene

  /// order-demo BIN PYTHON SAGA DIRECTORY
  init(_ arguments: [String]) throws {
    guard arguments.count == 5 else {
      throw DemoError(
        text: "usage: order-demo BIN PYTHON SAGA DIRECTORY (make demo calls it so)")
    }
    bin = arguments[1]
    python = arguments[2]
    saga = arguments[3]
    scene = try Scene(directory: arguments[4])
  }

  func run() async throws -> Int32 {
    let lines = try Orders.read(saga + "/orders/orders.csv")
    print("order saga: \(lines.count) orders; state and logs in \(scene.directory)")
    try startEngine()
    try startWorkers()
    let progress = Progress(total: lines.count, scene: self.scene, demo: self)
    let client = try Client(socket: scene.socket)
    let began = Date()
    let outcomes = try await withThrowingTaskGroup(of: (String, Outcome).self) { group in
      var results: [String: Outcome] = [:]
      var next = 0
      // As many orders under way as a busy shop would have, not all at once.
      while next < min(64, lines.count) {
        add(lines[next], client, to: &group)
        next += 1
      }
      while let (id, outcome) = try await group.next() {
        results[id] = outcome
        try progress.add(outcome)
        if next < lines.count {
          add(lines[next], client, to: &group)
          next += 1
        }
      }
      return results
    }
    progress.finish()
    print(String(format: "all orders have ended after %.1f s", Date().timeIntervalSince(began)))
    let code = try report(lines, outcomes)
    scene.end()
    return code
  }

  private func add(
    _ line: OrderLine, _ client: Client,
    to group: inout ThrowingTaskGroup<(String, Outcome), any Error>
  ) {
    group.addTask {
      let handle = try await client.start(
        OrderWorkflow.self, line.order, id: line.order.orderID, taskQueue: "orders")
      if line.isApproved { try await handle.signal("approve") }
      return (line.order.orderID, try await handle.result())
    }
  }

  // MARK: - Processes

  func startEngine() throws {
    try scene.start(
      "engine", bin + "/holdfast",
      ["serve", "--db", scene.directory + "/holdfast.db", "--socket", scene.socket])
  }

  func startPayments() throws {
    try scene.start(
      "payments", saga + "/payments/build/payments",
      ["--ledger", scene.directory + "/ledger.txt", "--socket", scene.socket])
  }

  private func startWorkers() throws {
    try scene.start("orders", bin + "/order-worker", [scene.socket])
    try startPayments()
    try scene.start(
      "inventory", python,
      [
        saga + "/inventory/inventory.py", "--db", scene.directory + "/inventory.db", "--stock",
        saga + "/orders/stock.csv", "--socket", scene.socket,
      ])
  }

  // MARK: - The end

  private func report(_ lines: [OrderLine], _ outcomes: [String: Outcome]) throws -> Int32 {
    let results = outcomes.sorted { $0.key < $1.key }.map {
      ["order_id": $0.key, "outcome": $0.value.rawValue]
    }
    let path = scene.directory + "/results.json"
    try JSONSerialization.data(withJSONObject: results, options: [.prettyPrinted])
      .write(to: URL(fileURLWithPath: path))
    let shown = lines.first { outcomes[$0.order.orderID] == .compensated } ?? lines[0]
    print("\nthe history of \(shown.order.orderID), which was compensated:")
    fflush(nil)
    _ = try Scene.run(
      bin + "/holdfast",
      ["workflow", "show", "--socket", scene.socket, "--id", shown.order.orderID])
    print("")
    fflush(nil)
    return try Scene.run(
      python,
      [
        saga + "/orders/verify.py", "--ledger", scene.directory + "/ledger.txt", "--stock-db",
        scene.directory + "/inventory.db", "--orders", saga + "/orders/orders.csv", "--stock",
        saga + "/orders/stock.csv", "--results", path,
      ])
  }
}

/// Counts ends, shows them, and does the killing: the engine at a third, a worker at two thirds.
final class Progress: @unchecked Sendable {
  private let total: Int
  private let scene: Scene
  private let demo: Demo
  private var counts: [Outcome: Int] = [:]
  private var ended = 0
  private let isTerminal = isatty(1) == 1

  init(total: Int, scene: Scene, demo: Demo) {
    self.total = total
    self.scene = scene
    self.demo = demo
  }

  func add(_ outcome: Outcome) throws {
    counts[outcome, default: 0] += 1
    ended += 1
    if ended == total / 3 {
      say("kill -9 of the engine, and start it again")
      scene.kill("engine")
      try demo.startEngine()
    }
    if ended == 2 * total / 3 {
      say("kill -9 of the payments worker, and start another")
      scene.kill("payments")
      try demo.startPayments()
    }
    show()
  }

  private var line: String {
    "\(ended)/\(total) ended: \(counts[.completed, default: 0]) completed,"
      + " \(counts[.compensated, default: 0]) compensated,"
      + " \(counts[.timedOut, default: 0]) timed out"
  }

  private func show() {
    if isTerminal {
      print("\r\u{1B}[K\(line)", terminator: "")
      fflush(nil)
    } else if ended % 50 == 0 {
      print(line)
      fflush(nil)
    }
  }

  private func say(_ text: String) {
    print((isTerminal ? "\r\u{1B}[K" : "") + "\(ended)/\(total): \(text)")
    fflush(nil)
  }

  func finish() { print((isTerminal ? "\r\u{1B}[K" : "") + line) }
}
