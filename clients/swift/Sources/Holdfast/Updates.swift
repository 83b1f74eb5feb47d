import Basics
internal import Messages

/// An update that a workflow answers, without its Swift types.
struct UpdateHandler<W: Workflow> {
  let validate: @Sendable (W, [Payload]) throws -> Void
  let handle: @Sendable (W, WorkflowContext, [Payload]) async throws -> [Payload]
}

extension Handlers {
  /// A request that changes the workflow and has an answer. `validate` may refuse it: it sees the
  /// state, changes nothing and may not await; what it throws is told to the caller, and nothing is
  /// recorded. `handle` may await all that the context offers. An `ApplicationError` or
  /// `ActivityError` that it throws is the update's outcome; any other error fails the workflow
  /// task.
  public mutating func update<Input: Codable & Sendable, Output: Codable & Sendable>(
    _ name: String, validate: @escaping @Sendable (W, Input) throws -> Void = { _, _ in },
    _ handle: @escaping @Sendable (W, WorkflowContext, Input) async throws -> Output
  ) {
    updates[name] = UpdateHandler(
      validate: { workflow, payloads in
        try validate(workflow, try Payloads.decode(payloads, as: Input.self))
      },
      handle: { workflow, context, payloads in
        let input = try Payloads.decode(payloads, as: Input.self)
        return try Payloads.encode(try await handle(workflow, context, input))
      })
  }

  /// An update without a value.
  public mutating func update<Output: Codable & Sendable>(
    _ name: String, validate: @escaping @Sendable (W) throws -> Void = { _ in },
    _ handle: @escaping @Sendable (W, WorkflowContext) async throws -> Output
  ) {
    updates[name] = UpdateHandler(
      validate: { workflow, _ in try validate(workflow) },
      handle: { workflow, context, _ in
        try Payloads.encode(try await handle(workflow, context))
      })
  }
}

extension TypedInstance {
  func validate(_ update: String, _ input: [Payload]) throws {
    guard let handler = handlers.updates[update] else {
      let known = handlers.updates.keys.sorted().joined(separator: ", ")
      throw ApplicationError(
        "no update '\(update)'; this workflow answers: \(known)", type: "UnknownUpdate")
    }
    try handler.validate(workflow, input)
  }

  func update(_ name: String, _ context: WorkflowContext, _ input: [Payload]) async throws
    -> [Payload]
  {
    guard let handler = handlers.updates[name] else {
      throw NondeterministicHandlerError(update: name)
    }
    return try await handler.handle(workflow, context, input)
  }
}

/// The history holds an update that this version of the code does not answer: the task fails, and
/// the workflow waits for code that does.
struct NondeterministicHandlerError: Error, CustomStringConvertible {
  let update: String
  var description: String {
    "the history holds update '\(update)', which this workflow's code does not answer"
  }
}

extension WorkflowRun {
  /// Accepts the update and begins its handler, or rejects it.
  func take(_ update: DoUpdate) {
    do {
      if update.runValidator { try instance.validate(update.updateName, update.args) }
    } catch {
      return reject(update, Failure(error))
    }
    var accepted = UpdateAccepted()
    accepted.updateID = update.updateID
    emit(.updateAccepted(accepted))
    begin(update)
  }
}

extension PayloadList {
  init(_ payloads: [Payload]) {
    self.init()
    self.payloads = payloads
  }
}

/// An update was rejected by the workflow's code, or failed.
public struct UpdateFailedError: Error, Sendable, CustomStringConvertible {
  public let updateID: String
  /// The code did not take it on: nothing of it is recorded.
  public let isRejected: Bool
  public let message: String
  public let causes: [ActivityError.Cause]

  public var description: String {
    "update '\(updateID)' \(isRejected ? "was rejected" : "failed"): "
      + ([message] + causes.map(\.message)).joined(separator: ": ")
  }
}

/// An update that the workflow has accepted.
public struct UpdateHandle<Output: Decodable & Sendable>: Sendable {
  let client: Client
  public let workflowID: String
  public let runID: String
  public let updateID: String

  /// Waits for the outcome, for as long as it takes; throws `UpdateFailedError` when it failed.
  public func result() async throws -> Output {
    var request = PollUpdateRequest()
    request.execution = WorkflowExecution()
    request.execution?.workflowID = workflowID
    request.updateID = updateID
    let response = try await client.call(
      .workflowPollUpdate, request, timeoutMs: -1, as: UpdateWorkflowResponse.self)
    return try response.output(updateID)
  }
}

extension UpdateWorkflowResponse {
  /// The result, or what the outcome throws.
  func output<Output: Decodable>(_ updateID: String) throws -> Output {
    switch outcome?.result {
    case .succeeded(let list): return try Payloads.decode(list.payloads, as: Output.self)
    case .failed(let failure):
      throw UpdateFailedError(
        updateID: updateID, isRejected: stage == .rejected,
        message: failure.layers.first?.message ?? "",
        causes: failure.layers.dropFirst().map(ActivityError.Cause.init))
    case nil:
      throw UpdateFailedError(
        updateID: updateID, isRejected: false, message: "it has no outcome", causes: [])
    }
  }
}

extension WorkflowHandle {
  /// Asks the workflow's code for a change, and waits for its answer. Sent again with the same
  /// `id`, it is the same update and has the same answer; one is made if it is nil.
  public func update<Input: Encodable & Sendable, Result: Decodable & Sendable>(
    _ name: String, _ input: Input, id: String? = nil, returning: Result.Type = Result.self
  ) async throws -> Result {
    let request = try updateRequest(name, input, id, .completed)
    let response = try await client.call(
      .workflowUpdateWorkflow, request, timeoutMs: -1, as: UpdateWorkflowResponse.self)
    return try response.output(request.updateID)
  }

  /// Waits only until the code has accepted the update; throws `UpdateFailedError` if it does not.
  public func startUpdate<Input: Encodable & Sendable, Result: Decodable & Sendable>(
    _ name: String, _ input: Input, id: String? = nil, returning: Result.Type = Result.self
  ) async throws -> UpdateHandle<Result> {
    let request = try updateRequest(name, input, id, .accepted)
    let response = try await client.call(
      .workflowUpdateWorkflow, request, timeoutMs: -1, as: UpdateWorkflowResponse.self)
    if response.stage == .rejected { _ = try response.output(request.updateID) as Result }
    return UpdateHandle(
      client: client, workflowID: workflowID, runID: response.runID.description,
      updateID: request.updateID)
  }

  private func updateRequest(
    _ name: String, _ input: some Encodable & Sendable, _ id: String?, _ stage: UpdateStage
  ) throws -> UpdateWorkflowRequest {
    var request = try UpdateWorkflowRequest(name, input, id, stage)
    request.execution = WorkflowExecution()
    request.execution?.workflowID = workflowID
    return request
  }
}

extension UpdateWorkflowRequest {
  init(_ name: String, _ input: some Encodable & Sendable, _ id: String?, _ stage: UpdateStage)
    throws
  {
    self.init()
    updateID = id ?? RunID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)).description
    updateName = name
    args = try Payloads.encode(input)
    waitFor = stage
  }
}

extension Client {
  /// Starts the workflow if it is not running, and waits for its answer to the update.
  public func updateWithStart<W: Workflow, Input: Encodable & Sendable, Result>(
    _ type: W.Type, _ input: W.Input, id: String, taskQueue: String,
    options: StartOptions = StartOptions(conflict: .useExisting), update name: String,
    _ argument: Input, updateID: String? = nil, returning: Result.Type = Result.self
  ) async throws -> (handle: WorkflowHandle<W.Output>, result: Result)
  where Result: Decodable & Sendable {
    var request = UpdateWithStartWorkflowRequest()
    var start = StartWorkflowRequest()
    start.workflowType = W.type
    start.workflowID = id
    start.taskQueue = taskQueue
    start.input = try Payloads.encode(input)
    try options.apply(to: &start)
    request.start = start
    let update = try UpdateWorkflowRequest(name, argument, updateID, .completed)
    request.update = update
    let response = try await call(
      .workflowUpdateWithStartWorkflow, request, timeoutMs: -1, as: UpdateWorkflowResponse.self)
    let handle = WorkflowHandle<W.Output>(
      client: self, workflowID: id, runID: response.runID.description)
    return (handle, try response.output(update.updateID))
  }
}
