internal import Messages

/// A workflow: plain code that decides, deterministic, replayed from its history.
///
///     final class Order: Workflow, @unchecked Sendable {
///       private var approved = false
///       init() {}
///
///       static func handlers(_ handlers: inout Handlers<Order>) {
///         handlers.signal("approve") { order in order.approved = true }
///         handlers.query("approved") { order in order.approved }
///       }
///
///       func run(_ context: WorkflowContext, _ input: OrderInput) async throws -> Receipt {
///         try await context.wait { self.approved }
///         return try await context.activity(
///           "charge", input, options: ActivityOptions(startToClose: .seconds(30)))
///       }
///     }
///
/// All code of one run is executed by one executor, one job at a time, so the class may hold plain
/// mutable state; it says so with `@unchecked Sendable`. Time, randomness and everything awaited
/// come from the context: what is awaited elsewhere fails the workflow task with a clear message.
public protocol Workflow: AnyObject, Sendable {
  associatedtype Input: Codable & Sendable
  associatedtype Output: Codable & Sendable

  /// The type under which it is started; the class's name if not given.
  static var type: String { get }
  init()
  static func handlers(_ handlers: inout Handlers<Self>)
  func run(_ context: WorkflowContext, _ input: Input) async throws -> Output
}

extension Workflow {
  public static var type: String { String(describing: Self.self) }
  public static func handlers(_ handlers: inout Handlers<Self>) {}
}

/// The signals, queries and updates that a workflow answers.
public struct Handlers<W: Workflow> {
  var signals: [String: @Sendable (W, [Payload]) throws -> Void] = [:]
  var queries: [String: @Sendable (W, [Payload]) throws -> [Payload]] = [:]
  var updates: [String: UpdateHandler<W>] = [:]

  /// What a signal does to the workflow's state; it may not await.
  public mutating func signal<Input: Codable & Sendable>(
    _ name: String, _ handle: @escaping @Sendable (W, Input) throws -> Void
  ) {
    signals[name] = { workflow, payloads in
      try handle(workflow, try Payloads.decode(payloads, as: Input.self))
    }
  }

  /// A signal without a value.
  public mutating func signal(
    _ name: String, _ handle: @escaping @Sendable (W) throws -> Void
  ) {
    signals[name] = { workflow, _ in try handle(workflow) }
  }

  /// What a query tells of the workflow's state; it may not change it.
  public mutating func query<Input: Codable & Sendable, Output: Codable & Sendable>(
    _ name: String, _ handle: @escaping @Sendable (W, Input) throws -> Output
  ) {
    queries[name] = { workflow, payloads in
      try Payloads.encode(try handle(workflow, try Payloads.decode(payloads, as: Input.self)))
    }
  }
}

extension Handlers {
  /// A query without a value.
  public mutating func query<Output: Codable & Sendable>(
    _ name: String, _ handle: @escaping @Sendable (W) throws -> Output
  ) {
    queries[name] = { workflow, _ in try Payloads.encode(try handle(workflow)) }
  }
}

/// A workflow type without its Swift types, for the worker's table.
struct WorkflowDefinition: Sendable {
  let type: String
  let make: @Sendable () -> any WorkflowInstance
}

/// One workflow object, addressed by names and payloads.
protocol WorkflowInstance: AnyObject {
  func run(_ context: WorkflowContext, _ input: [Payload]) async throws -> [Payload]
  func signal(_ name: String, _ input: [Payload]) throws
  func query(_ name: String, _ input: [Payload]) throws -> [Payload]
  func validate(_ update: String, _ input: [Payload]) throws
  func update(_ name: String, _ context: WorkflowContext, _ input: [Payload]) async throws
    -> [Payload]
}

final class TypedInstance<W: Workflow>: WorkflowInstance, @unchecked Sendable {
  let workflow = W()
  let handlers: Handlers<W>

  init(_ handlers: Handlers<W>) { self.handlers = handlers }

  static func definition() -> WorkflowDefinition {
    var handlers = Handlers<W>()
    W.handlers(&handlers)
    nonisolated(unsafe) let made = handlers
    return WorkflowDefinition(type: W.type) { TypedInstance<W>(made) }
  }

  func run(_ context: WorkflowContext, _ input: [Payload]) async throws -> [Payload] {
    let input = try Payloads.decode(input, as: W.Input.self)
    return try Payloads.encode(try await workflow.run(context, input))
  }

  func signal(_ name: String, _ input: [Payload]) throws {
    // A signal that this version does not know is in the history; it has no effect here.
    try handlers.signals[name]?(workflow, input)
  }

  func query(_ name: String, _ input: [Payload]) throws -> [Payload] {
    guard let handle = handlers.queries[name] else {
      let known = handlers.queries.keys.sorted().joined(separator: ", ")
      throw ApplicationError(
        "no query '\(name)'; this workflow answers: \(known)", type: "UnknownQuery")
    }
    return try handle(workflow, input)
  }
}
