import Basics
internal import Messages

/// How a child is run; what is nil is the engine's default.
public struct ChildOptions: Sendable {
  /// The parent's run id and a number if nil.
  public var id: String?
  /// The parent's own if nil.
  public var taskQueue: String?
  /// The longest that its whole chain of runs may take, that one run may, and that a task may.
  public var executionTimeout: Duration?
  public var runTimeout: Duration?
  public var taskTimeout: Duration?
  /// When the whole workflow is tried again; nil: never.
  public var retry: Retry?
  /// What the start does where a closed run has the id; an open one always keeps it.
  public var reuse: StartOptions.Reuse
  public var parentClose: ParentClose
  public var cancellation: Cancellation
  public var memo: [String: any Encodable & Sendable]
  public var searchAttributes: [String: SearchValue]
  /// What is not set comes from the parent.
  public var priority: Priority?
  /// As of StartOptions; the parent's does not count for it.
  public var concurrencyKey: String?

  /// What becomes of the child when the parent's run ends before it, by continuing as new too.
  public enum ParentClose: Sendable {
    case terminate
    case abandon
    case requestCancel
  }

  /// What a cancel of the awaiting task does.
  public enum Cancellation: Sendable {
    /// Goes on at once; the child is not told.
    case abandon
    /// Asks the child to end and goes on at once.
    case tryCancel
    /// Asks the child to end and waits for its end.
    case waitCompleted
    /// Asks the child to end and goes on when the request has reached it.
    case waitRequested
  }

  public init(
    id: String? = nil, taskQueue: String? = nil, executionTimeout: Duration? = nil,
    runTimeout: Duration? = nil, taskTimeout: Duration? = nil, retry: Retry? = nil,
    reuse: StartOptions.Reuse = .allowDuplicate, parentClose: ParentClose = .terminate,
    cancellation: Cancellation = .waitCompleted,
    memo: [String: any Encodable & Sendable] = [:],
    searchAttributes: [String: SearchValue] = [:], priority: Priority? = nil,
    concurrencyKey: String? = nil
  ) {
    self.id = id
    self.taskQueue = taskQueue
    self.executionTimeout = executionTimeout
    self.runTimeout = runTimeout
    self.taskTimeout = taskTimeout
    self.retry = retry
    self.reuse = reuse
    self.parentClose = parentClose
    self.cancellation = cancellation
    self.memo = memo
    self.searchAttributes = searchAttributes
    self.priority = priority
    self.concurrencyKey = concurrencyKey
  }

  func command() throws -> StartChild {
    var command = StartChild()
    command.workflowID = id ?? ""
    command.taskQueue = taskQueue ?? ""
    command.executionTimeoutMs = executionTimeout?.span ?? .zero
    command.runTimeoutMs = runTimeout?.span ?? .zero
    command.taskTimeoutMs = taskTimeout?.span ?? .zero
    command.retryPolicy = retry?.policy
    command.memo = memo.isEmpty ? nil : try Memo(memo)
    command.searchAttributes =
      searchAttributes.isEmpty ? nil : SearchAttributes(searchAttributes)
    command.idReusePolicy = reuse.policy
    command.priority = priority?.message
    command.concurrencyKey = concurrencyKey ?? ""
    switch parentClose {
    case .terminate: command.parentClosePolicy = .terminate
    case .abandon: command.parentClosePolicy = .abandon
    case .requestCancel: command.parentClosePolicy = .requestCancel
    }
    switch cancellation {
    case .abandon: command.cancellationType = .abandon
    case .tryCancel: command.cancellationType = .tryCancel
    case .waitCompleted: command.cancellationType = .waitCancellationCompleted
    case .waitRequested: command.cancellationType = .waitCancellationRequested
    }
    return command
  }
}

extension WorkflowContext {
  /// Runs a child workflow and returns its result, that of the last run of its chain. Throws
  /// `ChildWorkflowError` when it was not started or ended without a result, and
  /// `CancellationError` when it was cancelled.
  public func child<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    _ type: String, _ input: Input, returning: Output.Type = Output.self,
    options: ChildOptions = ChildOptions(), file: String = #fileID, line: Int = #line
  ) async throws -> Output {
    let child = try await startChild(type, input, options: options, file: file, line: line)
    return try await child.result(as: Output.self)
  }

  /// Starts a child workflow and returns when it runs. Throws `ChildWorkflowError` when it cannot
  /// be started, as when a workflow has its id.
  public func startChild<Input: Encodable & Sendable>(
    _ type: String, _ input: Input, options: ChildOptions = ChildOptions(), file: String = #fileID,
    line: Int = #line
  ) async throws -> ChildWorkflow {
    try await handle.checkAlive()
    var command = try options.command()
    command.workflowType = type
    command.input = try Payloads.encode(input)
    let (seq, execution) = try await handle.run.startChild(command, at: "\(file):\(line)")
    return ChildWorkflow(handle, seq, execution)
  }

  /// Another workflow, to signal or to cancel it; its newest run if no run is named.
  public func workflow(id: String, runID: String? = nil) -> ExternalWorkflow {
    var execution = WorkflowExecution()
    execution.workflowID = id
    execution.runID = runID.flatMap { RunID(parsing: $0) } ?? .none
    return ExternalWorkflow(handle, execution)
  }
}

/// A child that runs. Valid within its parent's run only.
public struct ChildWorkflow: Sendable {
  private let handle: RunHandle
  private let seq: UInt32
  private let execution: WorkflowExecution

  init(_ handle: RunHandle, _ seq: UInt32, _ execution: WorkflowExecution) {
    self.handle = handle
    self.seq = seq
    self.execution = execution
  }

  public var workflowID: String { execution.workflowID }
  /// Of its first run.
  public var runID: String { execution.runID.description }

  /// Waits for the child's end. Throws as `WorkflowContext.child` does.
  public func result<Output: Decodable & Sendable>(
    as: Output.Type = Output.self, file: String = #fileID, line: Int = #line
  ) async throws -> Output {
    try await handle.checkAlive()
    let result = try await handle.run.childResult(seq, at: "\(file):\(line)")
    return try Payloads.decode(result, as: Output.self)
  }

  /// Signals it; returns when the signal has arrived. Throws `ApplicationError` when it cannot.
  public func signal<Input: Encodable & Sendable>(
    _ name: String, _ input: Input, file: String = #fileID, line: Int = #line
  ) async throws {
    try await handle.checkAlive()
    var target = WorkflowExecution()
    target.workflowID = execution.workflowID
    try await handle.run.signal(
      target, name, try Payloads.encode(input), ofChildOnly: true, at: "\(file):\(line)")
  }

  /// Asks it to end, as a cancel of the task that awaits it does.
  public func cancel(reason: String = "", file: String = #fileID, line: Int = #line) {
    handle.run.cancelChild(seq, reason, at: "\(file):\(line)")
  }
}

/// Any workflow of the same namespace.
public struct ExternalWorkflow: Sendable {
  private let handle: RunHandle
  private let execution: WorkflowExecution

  init(_ handle: RunHandle, _ execution: WorkflowExecution) {
    self.handle = handle
    self.execution = execution
  }

  /// Signals it; returns when the signal has arrived. Throws `ApplicationError` of the type
  /// `WorkflowNotFound`, `WorkflowClosed` or `LimitReached` when it cannot.
  public func signal<Input: Encodable & Sendable>(
    _ name: String, _ input: Input, file: String = #fileID, line: Int = #line
  ) async throws {
    try await handle.checkAlive()
    try await handle.run.signal(
      execution, name, try Payloads.encode(input), ofChildOnly: false, at: "\(file):\(line)")
  }

  /// Asks it to end; returns when the request has arrived. Throws as `signal` does.
  public func cancel(reason: String = "", file: String = #fileID, line: Int = #line) async throws {
    try await handle.checkAlive()
    try await handle.run.cancel(execution, reason, at: "\(file):\(line)")
  }
}

/// What a run's code awaits of other runs, by the numbers of its commands.
struct Children {
  fileprivate var starts: [UInt32: UnsafeContinuation<WorkflowExecution, any Error>] = [:]
  /// Those that were started.
  fileprivate var known: [UInt32: State] = [:]
  fileprivate var cancelled: Set<UInt32> = []
  fileprivate var requests: [UInt32: UnsafeContinuation<Void, any Error>] = [:]

  fileprivate enum State {
    /// With those who wait for its end.
    case runs([UnsafeContinuation<[Payload], any Error>])
    case ended(Result<[Payload], any Error>)

    var runs: Bool {
      if case .runs = self { return true }
      return false
    }
  }

  /// Within the executor: ends all that is awaited.
  mutating func evict() {
    let left = self
    self = Children()
    for (_, waiting) in left.starts.sorted(by: { $0.key < $1.key }) {
      waiting.resume(throwing: WorkflowEvictedError.one)
    }
    for (_, child) in left.known.sorted(by: { $0.key < $1.key }) {
      guard case .runs(let awaited) = child else { continue }
      for waiting in awaited { waiting.resume(throwing: WorkflowEvictedError.one) }
    }
    for (_, waiting) in left.requests.sorted(by: { $0.key < $1.key }) {
      waiting.resume(throwing: WorkflowEvictedError.one)
    }
  }
}

extension WorkflowRun {
  // MARK: - What the context asks for

  func startChild(_ command: StartChild, at location: String) async throws
    -> (seq: UInt32, execution: WorkflowExecution)
  {
    var command = command
    let seq = takeSeq()
    command.seq = seq
    emit(.startChild(command), at: location)
    let execution = try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { children.starts[seq] = $0 }
    } onCancel: {
      if children.starts[seq] != nil { cancelChild(seq, "", at: location) }
    }
    return (seq, execution)
  }

  func childResult(_ seq: UInt32, at location: String) async throws -> [Payload] {
    if case .ended(let end) = children.known[seq] { return try end.get() }
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { waiting in
        guard case .runs(let awaited) = children.known[seq] else { return }
        children.known[seq] = .runs(awaited + [waiting])
      }
    } onCancel: {
      cancelChild(seq, "", at: location)
    }
  }

  /// A child that has ended, and one that was asked before, is not asked.
  func cancelChild(_ seq: UInt32, _ reason: String, at location: String) {
    let isPending = children.starts[seq] != nil || children.known[seq]?.runs ?? false
    guard isPending, children.cancelled.insert(seq).inserted else { return }
    var cancel = CancelChild()
    cancel.seq = seq
    cancel.reason = reason
    emit(.cancelChild(cancel), at: location)
  }

  func signal(
    _ execution: WorkflowExecution, _ name: String, _ input: [Payload], ofChildOnly: Bool,
    at location: String
  ) async throws {
    var signal = SignalExternal()
    signal.seq = takeSeq()
    signal.execution = execution
    signal.childWorkflowOnly = ofChildOnly
    signal.signalName = name
    signal.input = input
    emit(.signalExternal(signal), at: location)
    try await arrival(of: signal.seq)
  }

  func cancel(_ execution: WorkflowExecution, _ reason: String, at location: String) async throws {
    var cancel = CancelExternal()
    cancel.seq = takeSeq()
    cancel.execution = execution
    cancel.reason = reason
    emit(.cancelExternal(cancel), at: location)
    try await arrival(of: cancel.seq)
  }

  /// Not ended by a cancel: what has been sent arrives or does not, and the code is told.
  private func arrival(of seq: UInt32) async throws {
    try await withUnsafeThrowingContinuation { children.requests[seq] = $0 }
  }

  // MARK: - Resolutions

  func resolve(_ resolved: ResolveChildStart) throws {
    guard let waiting = children.starts.removeValue(forKey: resolved.seq) else {
      return unknown(resolved.seq)
    }
    switch resolved.result {
    case .started(let execution):
      children.known[resolved.seq] = .runs([])
      waiting.resume(returning: execution)
    case .failed(let failure): waiting.resume(throwing: ChildWorkflowError(failure))
    case .canceled: waiting.resume(throwing: CancellationError())
    case nil: throw ApplicationError("a child was started in a way that this SDK does not know")
    }
  }

  func resolve(_ resolved: ResolveChild) throws {
    guard case .runs(let awaited) = children.known[resolved.seq] else {
      return unknown(resolved.seq)
    }
    let end: Result<[Payload], any Error>
    switch resolved.result {
    case .completed(let list): end = .success(list.payloads)
    case .failed(let failure): end = .failure(ChildWorkflowError(failure))
    case .canceled: end = .failure(CancellationError())
    case nil: throw ApplicationError("a child ended in a way that this SDK does not know")
    }
    children.known[resolved.seq] = .ended(end)
    for waiting in awaited { waiting.resume(with: end) }
  }

  /// A signal or a cancel request has reached its workflow, or cannot.
  func arrived(_ seq: UInt32, _ failure: Failure?) {
    guard let waiting = children.requests.removeValue(forKey: seq) else { return unknown(seq) }
    if let failure {
      waiting.resume(throwing: ApplicationError(failure))
    } else {
      waiting.resume()
    }
  }
}

extension ApplicationError {
  init(_ failure: Failure) {
    var type = "ApplicationError"
    var nonRetryable = false
    if case .application(let application) = failure.info?.kind {
      (type, nonRetryable) = (application.type, application.nonRetryable)
    }
    self.init(failure.info?.message ?? "", type: type, nonRetryable: nonRetryable)
  }
}
