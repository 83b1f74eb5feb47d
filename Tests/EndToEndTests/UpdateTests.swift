import Harness
import Holdfast
import Messages
import Testing

/// A cart whose items are put in by updates; a slow one is asked of an activity.
private final class Cart: Workflow, @unchecked Sendable {
  private var items: [String] = []
  private var isOrdered = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Cart>) {
    handlers.update("add") { (cart: Cart, item: String) in
      if item.isEmpty { throw ApplicationError("an item needs a name", type: "NoName") }
    } _: { (cart: Cart, context: WorkflowContext, item: String) -> Int in
      cart.items.append(try await cart.look(up: item, context))
      return cart.items.count
    }
    handlers.update("order") { cart, _ in
      cart.isOrdered = true
      return cart.items
    }
    handlers.update("hold") { (cart: Cart, context: WorkflowContext) -> Int in
      try await context.wait { cart.isOrdered }
      return cart.items.count
    }
    handlers.query("items") { $0.items }
  }

  private func look(up item: String, _ context: WorkflowContext) async throws -> String {
    guard item.hasPrefix("slow") else { return item }
    return try await context.activity(
      "find", item,
      options: ActivityOptions(startToClose: .seconds(10), retry: Retry(attempts: 1)))
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> [String] {
    try await context.wait { self.isOrdered }
    return items
  }
}

@Suite struct UpdateTests {
  private func worker(_ socket: String) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: socket)
    worker.register(Cart.self)
    worker.activity("find") { (_, item: String) in
      if item == "slow and gone" { throw ApplicationError("sold out", type: "SoldOut") }
      return "found \(item)"
    }
    return RunningWorker(worker)
  }

  private func updateEvents(_ id: String, _ figures: EngineFigures) -> Int {
    (figures.history(id) ?? []).count {
      switch $0.attributes {
      case .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted: true
      default: false
      }
    }
  }

  @Test func anUpdateChangesTheWorkflowAndAnswers() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(Cart.self, Nothing(), id: "c-1", taskQueue: "q")
    #expect(try await handle.update("add", "book", returning: Int.self) == 1)
    #expect(try await handle.update("add", "slow lamp", returning: Int.self) == 2)
    let held = try await handle.startUpdate("hold", Nothing(), returning: Int.self)
    await #expect {
      _ = try await handle.update("add", "slow and gone", returning: Int.self)
    } throws: { error in
      let error = error as? UpdateFailedError
      return error?.isRejected == false && error?.causes.first?.message == "sold out"
    }
    #expect(
      try await handle.update("order", Nothing(), returning: [String].self)
        == ["book", "found slow lamp"])
    #expect(try await handle.result() == ["book", "found slow lamp"])
    #expect(try await held.result() == 2)
  }

  @Test func aRejectionLeavesNoEvent() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let figures = try #require(EngineFigures(engine.socket))
    let handle = try await client.start(Cart.self, Nothing(), id: "c-1", taskQueue: "q")
    #expect(try await handle.update("add", "book", returning: Int.self) == 1)
    let before = figures.history("c-1")?.count
    for (name, message) in [("add", "an item needs a name"), ("drop", "no update 'drop'")] {
      await #expect { _ = try await handle.update(name, "", returning: Int.self) } throws: {
        error in
        let error = error as? UpdateFailedError
        return error?.isRejected == true && error?.message.hasPrefix(message) == true
      }
    }
    #expect(figures.history("c-1")?.count == before)
    #expect(try await handle.query("items", returning: [String].self) == ["book"])
  }

  @Test func anUpdateThatIsSentAgainAfterAKillHasOneOutcome() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let figures = try #require(EngineFigures(engine.socket))
    let handle = try await client.start(Cart.self, Nothing(), id: "c-1", taskQueue: "q")
    for round in 1...5 {
      async let first = handle.update("add", "slow \(round)", id: "u-\(round)", returning: Int.self)
      try engine.restart()
      #expect(try await first == round)
      #expect(
        try await handle.update("add", "slow \(round)", id: "u-\(round)", returning: Int.self)
          == round)
    }
    #expect(updateEvents("c-1", figures) == 10)
    _ = try await handle.update("order", Nothing(), returning: [String].self)
    #expect(
      try await handle.update("add", "slow 3", id: "u-3", returning: Int.self) == 3,
      "a closed workflow knows the outcomes of its updates")
  }

  @Test func anUpdateStartsItsWorkflow() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let (handle, count) = try await client.updateWithStart(
      Cart.self, Nothing(), id: "c-1", taskQueue: "q", update: "add", "book",
      returning: Int.self)
    #expect(count == 1)
    let (same, more) = try await client.updateWithStart(
      Cart.self, Nothing(), id: "c-1", taskQueue: "q", update: "add", "lamp",
      returning: Int.self)
    #expect(more == 2)
    #expect(same.runID == handle.runID)
  }

  @Test func theCommandLineUpdates() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    _ = try await client.start(Cart.self, Nothing(), id: "c-1", taskQueue: "q")
    let added = try await engine.run("workflow update --id c-1 --name add --input \"book\"")
    #expect(added.output == "1\n")
    let rejected = try await engine.run(
      "workflow update --id c-1 --name add --update-id u1", ["--input", "\"\""])
    #expect(rejected.code == 1)
    #expect(rejected.errors.contains("update 'u1' rejected: an item needs a name"))
    let accepted = try await engine.run(
      "workflow update --id c-1 --name hold --update-id u2 --accepted")
    #expect(accepted.output.hasPrefix("'c-1' has accepted update 'u2', run "))
    let described = try await engine.run("workflow describe --id c-1")
    #expect(described.output.contains("\nupdate u2 is accepted\n"))
    let shown = try await engine.run("workflow show --id c-1")
    #expect(shown.output.contains("WorkflowExecutionUpdateAccepted  add \"book\", id '"))
  }
}
