import Basics
internal import Messages

/// Tries workflow code on histories that earlier code has recorded, so that a change which would
/// break open workflows is found before it is deployed.
///
///     let replayer = Replayer(workflows: [Order.self], client: client)
///     try await replayer.replay(WorkflowHistory(contentsOf: "o-1.json")).check()
///
/// The engine compares, as it does when a worker takes over a run: any engine will do, for nothing
/// is stored. The module HoldfastTesting starts one: `Replayer.startLocal(workflows:)`.
public struct Replayer: Sendable {
  private let workflows: [String: WorkflowDefinition]
  private let client: Client
  private let failsWorkflow: @Sendable (any Error) -> Bool
  /// Lives as long as the replayer.
  private let kept: (any Sendable)?

  /// `failsWorkflow`: as the worker's options have it.
  public init(
    workflows: [any Workflow.Type], client: Client,
    failsWorkflow: @escaping @Sendable (any Error) -> Bool = { _ in false }
  ) {
    self.init(
      workflows: workflows, client: client, failsWorkflow: failsWorkflow, keeping: nil)
  }

  package init(
    workflows: [any Workflow.Type], client: Client,
    failsWorkflow: @escaping @Sendable (any Error) -> Bool, keeping kept: (any Sendable)?
  ) {
    var definitions: [String: WorkflowDefinition] = [:]
    for type in workflows {
      let definition = Replayer.definition(type)
      precondition(
        definitions.updateValue(definition, forKey: definition.type) == nil,
        "workflow type '\(definition.type)' is given twice")
    }
    self.workflows = definitions
    self.client = client
    self.failsWorkflow = failsWorkflow
    self.kept = kept
  }

  private static func definition<W: Workflow>(_ type: W.Type) -> WorkflowDefinition {
    TypedInstance<W>.definition()
  }

  /// Runs the code against the history. Throws `HoldfastError` when the engine cannot read it, and
  /// `ApplicationError` when its workflow type is not one of the replayer's.
  public func replay(_ history: WorkflowHistory) async throws -> ReplayResult {
    guard let definition = workflows[history.workflowType] else {
      throw ApplicationError(
        "the replayer has no workflow type '\(history.workflowType)'; it has"
          + " \(workflows.keys.sorted())", type: "UnknownType")
    }
    let replay = RunningReplay(history, definition, failsWorkflow)
    defer { replay.leave() }
    try await client.takeTurns(.workerReplay, replay.first()) { try replay.answer($0) }
    guard let verdict = replay.verdict else {
      throw ApplicationError("the engine ended the replay without a verdict")
    }
    return ReplayResult(verdict)
  }

  /// Replays each run that a query of lists asks for, in its order. `source`: the engine that has
  /// them, if it is another one.
  ///
  ///     let results = try await replayer.replay(
  ///       matching: "WorkflowType = 'Order' AND ExecutionStatus = 'Running'", limit: 100)
  ///     for result in results { try result.check() }
  public func replay(matching query: String, of source: Client? = nil, limit: Int? = nil)
    async throws -> [ReplayResult]
  {
    let source = source ?? client
    var results: [ReplayResult] = []
    for try await run in source.listWorkflows(query, limit: limit) {
      let history = try await source.history(of: run.workflowID, runID: run.runID)
      results.append(try await replay(history))
    }
    return results
  }
}

/// What a replay came to.
public struct ReplayResult: Sendable {
  public let workflowID: String
  public let runID: String
  public let workflowType: String
  /// Events that were read.
  public let events: Int64
  /// Workflow tasks of the past in which the code did what the history holds.
  public let workflowTasks: Int64
  /// Where code and history part; nil: the code does what it did.
  public let divergence: Divergence?

  /// Where code and history part.
  public struct Divergence: Sendable {
    /// All of it in a sentence.
    public let message: String
    /// The event that the history holds at that place; nil: it holds none.
    public let eventID: Int64?
    /// What the history holds, and what the code asked for: `START_TIMER seq 2`; nil: nothing.
    public let expected: String?
    public let actual: String?
    /// Where in the code the command stood when it was recorded, and where the other one stands
    /// now: `Order.swift:12`.
    public let expectedLocation: String?
    public let actualLocation: String?
    /// What the code threw, or why it could not go on.
    public let failure: String?
  }

  public var isDeterministic: Bool { divergence == nil }

  /// Throws `ReplayDivergedError` unless the code does what it did.
  public func check() throws {
    if let divergence {
      throw ReplayDivergedError(
        workflowID: workflowID, runID: runID, workflowType: workflowType, divergence: divergence)
    }
  }
}

/// Changed code does not do what a history holds.
public struct ReplayDivergedError: Error, Sendable, CustomStringConvertible {
  public let workflowID: String
  public let runID: String
  public let workflowType: String
  public let divergence: ReplayResult.Divergence

  public var description: String {
    "\(workflowType) '\(workflowID)', run \(runID): \(divergence.message)"
  }
}

extension ReplayResult {
  init(_ verdict: ReplayVerdict) {
    workflowID = verdict.execution?.workflowID ?? ""
    runID = verdict.execution?.runID.description ?? ""
    workflowType = verdict.workflowType
    events = verdict.events
    workflowTasks = verdict.workflowTasks
    divergence = verdict.diff.map { Divergence($0, verdict.failure) }
  }
}

extension ReplayResult.Divergence {
  fileprivate init(_ diff: NondeterminismDiff, _ failure: Failure?) {
    message = diff.message
    eventID = diff.eventID == 0 ? nil : diff.eventID
    expected = diff.expected?.text
    actual = diff.actual?.text
    expectedLocation = diff.expected.flatMap { $0.location.isEmpty ? nil : $0.location }
    actualLocation = diff.actual.flatMap { $0.location.isEmpty ? nil : $0.location }
    self.failure = failure?.info?.message
  }
}

extension CommandHead {
  fileprivate var text: String {
    var text = type.name
    if !name.isEmpty { text += " '\(name)'" }
    if seq != 0 { text += " seq \(seq)" }
    return text
  }
}

/// Gives one history away, part by part, and answers for the code. On one thread at a time.
private final class RunningReplay: @unchecked Sendable {
  /// What a part may hold.
  private static let partBytes = 128 << 10
  /// From here on an answer goes on in another message.
  private static let answerBytes = 1 << 20

  private let history: WorkflowHistory
  private let definition: WorkflowDefinition
  private let failsWorkflow: @Sendable (any Error) -> Bool
  private var given = 0
  private var run: WorkflowRun?
  private(set) var verdict: ReplayVerdict?

  init(
    _ history: WorkflowHistory, _ definition: WorkflowDefinition,
    _ failsWorkflow: @escaping @Sendable (any Error) -> Bool
  ) {
    self.history = history
    self.definition = definition
    self.failsWorkflow = failsWorkflow
  }

  func first() -> [UInt8] {
    var part = next()
    part.form = .stored
    part.execution = history.execution
    return RunningReplay.message(.history(part))
  }

  private func next() -> HistoryPart {
    let end = min(given + RunningReplay.partBytes, history.stored.count)
    var part = HistoryPart()
    part.data = Array(history.stored[given..<end])
    part.more = end < history.stored.count
    given = end
    return part
  }

  private static func message(_ kind: ReplayRequest.Kind) -> [UInt8] {
    var request = ReplayRequest()
    request.kind = kind
    return request.serialized()
  }

  /// What there is to say to the engine's message.
  func answer(_ bytes: [UInt8]) throws -> [[UInt8]] {
    switch try ReplayResponse(bytes: bytes).kind {
    case .historyWanted: return [RunningReplay.message(.history(next()))]
    case .replayHistory(let part): return replay(part)
    case .verdict(let verdict):
      self.verdict = verdict
      return []
    case nil: throw ApplicationError("a message that this SDK does not know", type: "Replay")
    }
  }

  private func replay(_ part: ReplayHistory) -> [[UInt8]] {
    let run =
      self.run
      ?? WorkflowRun(
        runID: part.runID, workflowID: part.workflowID, workflowType: part.workflowType,
        taskQueue: part.taskQueue, instance: definition.make(), failsWorkflow: failsWorkflow)
    self.run = run
    var messages: [[UInt8]] = []
    var completed = ReplayCompleted()
    completed.token = part.token
    var bytes = 0
    do {
      for past in part.activations {
        let completion = try run.replay(past)
        completed.completions.append(completion)
        bytes += completion.serialized().count
        guard bytes > RunningReplay.answerBytes else { continue }
        completed.more = true
        messages.append(RunningReplay.message(.replayCompleted(completed)))
        completed.more = false
        completed.completions = []
        bytes = 0
      }
    } catch { completed.failure = WorkflowTaskFailure(error) }
    return messages + [RunningReplay.message(.replayCompleted(completed))]
  }

  /// The code ends, as that of an evicted run.
  func leave() {
    guard let run else { return }
    self.run = nil
    var leaving = LeavingRuns()
    leaving.evict(run)
    while !leaving.isEmpty { leaving.turn() }
  }
}

extension WorkflowRun {
  /// Shows the code a part of its past; what it did then.
  func replay(_ past: PastActivation) throws -> PastCompletion {
    let commands = try activate(
      at: past.activationTimeMs, past.jobs, markers: past.markers,
      historyLength: past.historyLength, suggested: past.continueAsNewSuggested)
    var completion = PastCompletion()
    completion.heads = commands.map(CommandHead.init)
    return completion
  }
}
