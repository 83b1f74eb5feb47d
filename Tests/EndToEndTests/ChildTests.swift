import Harness
import Holdfast
import Messages
import Testing

/// Does what its input says.
final class Leaf: Workflow, @unchecked Sendable {
  private var words: [String] = []
  init() {}

  static func handlers(_ handlers: inout Handlers<Leaf>) {
    handlers.signal("word") { leaf, word in leaf.words.append(word) }
  }

  func run(_ context: WorkflowContext, _ order: String) async throws -> String {
    switch order {
    case "fail": throw ApplicationError("rotten", type: "Rotten")
    case "wait":
      try await context.wait { self.words.contains("end") }
      return words.joined(separator: " ")
    case "go on": try context.continueAsNew("done after all")
    default: return "leaf \(order)"
    }
  }
}

/// Starts what it is told to start, and tells how that ended.
final class Tree: Workflow, @unchecked Sendable {
  struct Order: Codable, Sendable {
    var leaves: [String] = []
    var child = ""
    var isCancelled = false
    var cancellation = ""
    var parentClose = ""
  }

  private var isToClose = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Tree>) {
    handlers.signal("close") { tree in tree.isToClose = true }
  }

  func run(_ context: WorkflowContext, _ order: Order) async throws -> [String] {
    if order.isCancelled { return [try await cancelled(context, order)] }
    if !order.parentClose.isEmpty { return try await closed(context, order) }
    return try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for (place, leaf) in order.leaves.enumerated() {
        group.addTask {
          do {
            return (place, try await context.child("Leaf", leaf, returning: String.self))
          } catch let error as ChildWorkflowError {
            return (place, "\(error.applicationType ?? "?"): \(error.causes[0].message)")
          }
        }
      }
      var ends = order.leaves
      for try await (place, end) in group { ends[place] = end }
      return ends
    }
  }

  /// A child that waits is cancelled once it runs.
  private func cancelled(_ context: WorkflowContext, _ order: Order) async throws -> String {
    var options = ChildOptions(id: order.child, parentClose: .abandon)
    switch order.cancellation {
    case "abandon": options.cancellation = .abandon
    case "try": options.cancellation = .tryCancel
    case "requested": options.cancellation = .waitRequested
    default: options.cancellation = .waitCompleted
    }
    let child = try await context.startChild("Leaf", "wait", options: options)
    child.cancel(reason: "too late")
    do {
      return try await child.result(as: String.self)
    } catch is CancellationError { return "cancelled" }
  }

  private func closed(_ context: WorkflowContext, _ order: Order) async throws -> [String] {
    var options = ChildOptions(id: order.child)
    switch order.parentClose {
    case "abandon": options.parentClose = .abandon
    case "cancel": options.parentClose = .requestCancel
    default: options.parentClose = .terminate
    }
    _ = try await context.startChild("Leaf", "wait", options: options)
    try await context.wait { self.isToClose }
    return []
  }
}

/// Tells another workflow something.
final class Messenger: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ to: String) async throws -> [String] {
    var heard: [String] = []
    let other = context.workflow(id: to)
    try await other.signal("word", "hello")
    try await other.signal("word", "end")
    heard.append("signalled")
    do {
      try await context.workflow(id: "nobody").signal("word", "hello")
    } catch let error as ApplicationError { heard.append(error.type) }
    let child = try await context.startChild("Leaf", "wait")
    try await child.signal("word", "to you")
    try await child.signal("word", "end")
    heard.append(try await child.result())
    let last = try await context.startChild("Leaf", "wait")
    try await context.workflow(id: last.workflowID, runID: last.runID).cancel(reason: "enough")
    do {
      heard.append(try await last.result())
    } catch is CancellationError { heard.append("cancelled") }
    return heard
  }
}

@Suite struct ChildTests {
  private func worker(_ socket: String) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: socket)
    worker.register(Leaf.self)
    worker.register(Tree.self)
    worker.register(Messenger.self)
    return RunningWorker(worker)
  }

  @Test func childrenTellHowTheyEnded() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let order = Tree.Order(leaves: ["one", "fail", "go on"])
    let handle = try await client.start(Tree.self, order, id: "t-1", taskQueue: "q")
    #expect(
      try await handle.result() == ["leaf one", "Rotten: rotten", "leaf done after all"])
  }

  @Test func aThousandChildren() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let order = Tree.Order(leaves: (1...1_000).map(String.init))
    let handle = try await client.start(Tree.self, order, id: "t-1", taskQueue: "q")
    #expect(try await handle.result() == (1...1_000).map { "leaf \($0)" })
  }

  @Test(arguments: [
    ("abandon", "RUNNING"), ("try", "CANCELED"), ("requested", "CANCELED"),
    ("completed", "CANCELED"),
  ])
  func aChildIsCancelledByEachKind(_ kind: String, _ end: String) async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let order = Tree.Order(child: "leaf", isCancelled: true, cancellation: kind)
    let handle = try await client.start(Tree.self, order, id: "t-1", taskQueue: "q")
    #expect(try await handle.result() == ["cancelled"])
    let leaf = client.handle("leaf", returning: String.self)
    if end == "RUNNING" {
      try await leaf.signal("word", "end")
      #expect(try await leaf.result() == "end")
    } else {
      await #expect { _ = try await leaf.result() } throws: {
        ($0 as? WorkflowFailedError)?.status == end
      }
    }
  }

  @Test(arguments: [("abandon", ""), ("cancel", "CANCELED"), ("terminate", "TERMINATED")])
  func aParentThatClosesLeavesItsChildByEachPolicy(_ policy: String, _ end: String) async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let order = Tree.Order(child: "leaf", parentClose: policy)
    let handle = try await client.start(Tree.self, order, id: "t-1", taskQueue: "q")
    try await handle.signal("close")
    #expect(try await handle.result() == [])
    let leaf = client.handle("leaf", returning: String.self)
    if end.isEmpty {
      try await leaf.signal("word", "end")
      #expect(try await leaf.result() == "end")
    } else {
      await #expect { _ = try await leaf.result() } throws: {
        ($0 as? WorkflowFailedError)?.status == end
      }
    }
  }

  @Test func aWorkflowSignalsAndCancelsOthers() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let leaf = try await client.start(Leaf.self, "wait", id: "leaf", taskQueue: "q")
    let messenger = try await client.start(Messenger.self, "leaf", id: "m-1", taskQueue: "q")
    #expect(try await leaf.result() == "hello end")
    #expect(
      try await messenger.result() == [
        "signalled", "WorkflowNotFound", "to you end", "cancelled",
      ])
  }

  /// The parent has left memory, and the engine is killed while its child goes on.
  @Test func aParentHearsOfItsChildOverAKill() async throws {
    let engine = try EngineProcess()
    let worker = worker(engine.socket)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    let order = Tree.Order(leaves: ["wait"])
    let handle = try await client.start(Tree.self, order, id: "t-1", taskQueue: "q")
    let leaf = client.handle("\(handle.runID ?? "")/1", returning: String.self)
    let figures = try #require(EngineFigures(engine.socket))
    try await until("the child runs") {
      (figures.history("t-1") ?? []).contains {
        if case .childWorkflowExecutionStarted = $0.attributes { true } else { false }
      }
    }
    try engine.restart()
    try await leaf.signal("word", "over")
    try engine.restart()
    try await leaf.signal("word", "end")
    #expect(try await handle.result() == ["over end"])
  }
}
