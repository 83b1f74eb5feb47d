import Basics
import CHoldfast
import Glibc
internal import Messages

/// A connection to an engine, for starting and watching workflows. Safe to use from any task.
///
///     let client = try Client(socket: "orders.sock")
///     let handle = try await client.start(Order.self, input, id: "o-1", taskQueue: "orders")
///     let receipt = try await handle.result()
public final class Client: @unchecked Sendable {
  let handle: OpaquePointer
  // Invariant: `waiting` and `lastTag` are touched only while `mutex` is held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var waiting: [UInt64: CheckedContinuation<[UInt8], any Error>] = [:]
  private var lastTag: UInt64 = 0
  private var pump = pthread_t()

  /// Connects. `socket` nil: $HOLDFAST_SOCKET, else $XDG_RUNTIME_DIR/holdfast/holdfast.sock, else
  /// /run/holdfast/holdfast.sock. Throws `HoldfastError` when no engine answers within five
  /// seconds.
  public init(socket: String? = nil, namespace: String = "default", identity: String = "") throws {
    var options = holdfast_client_options()
    options.struct_size = UInt32(MemoryLayout<holdfast_client_options>.size)
    var connected: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    let status = (socket ?? "").withView { socket in
      namespace.withView { namespace in
        identity.withView { identity in
          "swift".withView { language in
            options.socket_path = socket
            options.name_space = namespace
            options.identity = identity
            options.language = language
            return holdfast_client_connect(&options, &connected, &error)
          }
        }
      }
    }
    guard status == HOLDFAST_OK, let connected else { throw HoldfastError(status, error) }
    handle = connected
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    let context = Unmanaged.passUnretained(self).toOpaque()
    pthread_create(
      &pump, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Client>.fromOpaque(context).takeUnretainedValue().pumpCompletions()
        return nil
      }, context)
  }

  deinit {
    holdfast_client_shutdown(handle)
    pthread_join(pump, nil)
    holdfast_client_close(handle)
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  private func pumpCompletions() {
    while true {
      var completion: UnsafeMutablePointer<holdfast_completion>?
      let status = holdfast_client_next_completion(handle, 60_000, &completion)
      if status == HOLDFAST_TIMEOUT { continue }
      guard status == HOLDFAST_OK, let completion else { return }
      finish(completion.pointee)
      holdfast_completion_free(completion)
    }
  }

  private func finish(_ completion: holdfast_completion) {
    pthread_mutex_lock(mutex)
    let continuation = waiting.removeValue(forKey: completion.tag)
    pthread_mutex_unlock(mutex)
    if completion.status == HOLDFAST_OK {
      continuation?.resume(returning: completion.response.array)
    } else {
      continuation?.resume(
        throwing: HoldfastError(completion.status, view: completion.error))
    }
  }

  private func register(_ continuation: CheckedContinuation<[UInt8], any Error>, _ tag: UInt64) {
    pthread_mutex_lock(mutex)
    waiting[tag] = continuation
    pthread_mutex_unlock(mutex)
  }

  private func unregister(_ tag: UInt64) -> CheckedContinuation<[UInt8], any Error>? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return waiting.removeValue(forKey: tag)
  }

  private func nextTag() -> UInt64 {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    lastTag += 1
    return lastTag
  }

  /// One unary call; a cancelled task gives it up.
  func call<Response: Message>(
    _ method: Method, _ request: some Message, timeoutMs: Int64 = 0, as: Response.Type
  ) async throws -> Response {
    let tag = nextTag()
    let bytes = request.serialized()
    let answer = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        register(continuation, tag)
        var error: UnsafeMutablePointer<holdfast_error>?
        let status = bytes.withView {
          holdfast_client_submit(handle, method.rawValue, $0, timeoutMs, tag, &error)
        }
        if status != HOLDFAST_OK {
          unregister(tag)?.resume(throwing: HoldfastError(status, error))
        }
      }
    } onCancel: {
      _ = holdfast_client_cancel_call(handle, tag)
    }
    return try Response(bytes: answer)
  }

  // MARK: - Workflows

  /// Starts a workflow of a Swift type.
  public func start<W: Workflow>(
    _ type: W.Type, _ input: W.Input, id: String, taskQueue: String,
    options: StartOptions = StartOptions()
  ) async throws -> WorkflowHandle<W.Output> {
    try await start(
      type: W.type, input, id: id, taskQueue: taskQueue, returning: W.Output.self,
      options: options)
  }

  /// Starts a workflow by its type's name.
  public func start<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    type: String, _ input: Input, id: String, taskQueue: String, returning: Output.Type,
    options: StartOptions = StartOptions()
  ) async throws -> WorkflowHandle<Output> {
    var request = StartWorkflowRequest()
    request.workflowType = type
    request.workflowID = id
    request.taskQueue = taskQueue
    request.input = try Payloads.encode(input)
    try options.apply(to: &request)
    let response = try await call(
      .workflowStartWorkflow, request, as: StartWorkflowResponse.self)
    return WorkflowHandle(client: self, workflowID: id, runID: response.runID.description)
  }

  /// A handle on a workflow that was started elsewhere.
  public func handle<Output: Decodable & Sendable>(
    _ id: String, runID: String? = nil, returning: Output.Type = Output.self
  ) -> WorkflowHandle<Output> {
    WorkflowHandle(client: self, workflowID: id, runID: runID)
  }
}

/// How a workflow is started.
public struct StartOptions: Sendable {
  public enum Reuse: Sendable {
    case allowDuplicate, allowDuplicateFailedOnly, rejectDuplicate
  }

  public enum Conflict: Sendable {
    case fail, useExisting, terminateExisting
  }

  /// What a start does where a closed run has the id.
  public var reuse: Reuse
  /// What it does where an open run has it.
  public var conflict: Conflict
  public var executionTimeout: Duration?
  public var runTimeout: Duration?
  /// Whether a run that fails or times out is tried again.
  public var retry: Retry?
  /// The code begins so long after the start, or with the first signal or cancel request.
  public var startDelay: Duration?
  /// A cron string: the code begins at each of its times, run after run.
  public var cron: String?
  /// The zone of the cron string: `Europe/Berlin`; empty: UTC.
  public var cronTimeZone: String
  /// The same id makes the same start, however often it is sent; one is made if it is nil.
  public var requestID: String?
  /// Text for people: a line, shown in lists, and more, shown by describe.
  public var summary: String
  public var details: String
  /// What is noted of the workflow, by keys.
  public var memo: [String: any Encodable & Sendable]
  /// What lists find it by; a name that nobody has used gets its type by it.
  public var searchAttributes: [String: SearchValue]
  /// Of its tasks, and of its activities and children.
  public var priority: Priority?
  /// Runs of one type and one key count together for the limits of the type.
  public var concurrencyKey: String?

  public init(
    reuse: Reuse = .allowDuplicate, conflict: Conflict = .fail, executionTimeout: Duration? = nil,
    runTimeout: Duration? = nil, retry: Retry? = nil, startDelay: Duration? = nil,
    cron: String? = nil, cronTimeZone: String = "", requestID: String? = nil,
    summary: String = "", details: String = "", memo: [String: any Encodable & Sendable] = [:],
    searchAttributes: [String: SearchValue] = [:], priority: Priority? = nil,
    concurrencyKey: String? = nil
  ) {
    self.reuse = reuse
    self.conflict = conflict
    self.executionTimeout = executionTimeout
    self.runTimeout = runTimeout
    self.retry = retry
    self.startDelay = startDelay
    self.cron = cron
    self.cronTimeZone = cronTimeZone
    self.requestID = requestID
    self.summary = summary
    self.details = details
    self.memo = memo
    self.searchAttributes = searchAttributes
    self.priority = priority
    self.concurrencyKey = concurrencyKey
  }

  func apply(to request: inout StartWorkflowRequest) throws {
    request.executionTimeoutMs = executionTimeout?.span ?? .zero
    request.runTimeoutMs = runTimeout?.span ?? .zero
    request.retryPolicy = retry?.policy
    request.startDelayMs = startDelay?.span ?? .zero
    request.cronSchedule = cron ?? ""
    request.cronTimeZone = cronTimeZone
    request.requestID = requestID ?? ""
    request.idReusePolicy = reuse.policy
    request.idConflictPolicy = conflict.policy
    request.memo = memo.isEmpty ? nil : try Memo(memo)
    request.searchAttributes =
      searchAttributes.isEmpty ? nil : SearchAttributes(searchAttributes)
    request.priority = priority?.message
    request.concurrencyKey = concurrencyKey ?? ""
    guard !summary.isEmpty || !details.isEmpty else { return }
    var metadata = UserMetadata()
    metadata.summary = summary
    metadata.details = details
    request.userMetadata = metadata
  }
}

extension StartOptions.Reuse {
  var policy: WorkflowIdReusePolicy {
    switch self {
    case .allowDuplicate: .allowDuplicate
    case .allowDuplicateFailedOnly: .allowDuplicateFailedOnly
    case .rejectDuplicate: .rejectDuplicate
    }
  }
}

extension StartOptions.Conflict {
  var policy: WorkflowIdConflictPolicy {
    switch self {
    case .fail: .fail
    case .useExisting: .useExisting
    case .terminateExisting: .terminateExisting
    }
  }
}

/// A workflow, as its client sees it.
public struct WorkflowHandle<Output: Decodable & Sendable>: Sendable {
  let client: Client
  public let workflowID: String
  /// nil: whichever run is current.
  public let runID: String?

  var execution: WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    return execution
  }

  var ownExecution: WorkflowExecution {
    var execution = execution
    execution.runID = runID.flatMap { RunID(parsing: $0) } ?? .none
    return execution
  }

  /// Waits for the end, over all runs of the chain. Throws `WorkflowFailedError` when the workflow
  /// did not complete.
  public func result() async throws -> Output {
    var request = GetWorkflowResultRequest()
    request.execution = ownExecution
    let response = try await client.call(
      .workflowGetWorkflowResult, request, timeoutMs: -1, as: GetWorkflowResultResponse.self)
    guard response.status == .completed else {
      let layers = response.failure?.layers ?? []
      throw WorkflowFailedError(
        status: response.status.name, message: layers.first?.message ?? "",
        causes: layers.dropFirst().map(ActivityError.Cause.init),
        runID: response.runID.description)
    }
    return try Payloads.decode(response.result, as: Output.self)
  }

  public func signal<Input: Encodable & Sendable>(_ name: String, _ input: Input) async throws {
    var request = SignalWorkflowRequest()
    request.execution = execution
    request.signalName = name
    request.input = try Payloads.encode(input)
    _ = try await client.call(.workflowSignalWorkflow, request, as: SignalWorkflowResponse.self)
  }

  public func signal(_ name: String) async throws { try await signal(name, Nothing()) }

  public func query<Input: Encodable & Sendable, Result: Decodable & Sendable>(
    _ name: String, _ input: Input, returning: Result.Type = Result.self
  ) async throws -> Result {
    var request = QueryWorkflowRequest()
    request.execution = ownExecution
    request.queryType = name
    request.args = try Payloads.encode(input)
    let response = try await client.call(
      .workflowQueryWorkflow, request, as: QueryWorkflowResponse.self)
    return try Payloads.decode(response.result, as: Result.self)
  }

  public func query<Result: Decodable & Sendable>(
    _ name: String, returning: Result.Type = Result.self
  ) async throws -> Result {
    try await query(name, Nothing(), returning: Result.self)
  }

  /// Asks the code to end; it decides how.
  public func cancel(reason: String = "") async throws {
    var request = CancelWorkflowRequest()
    request.execution = execution
    request.reason = reason
    _ = try await client.call(.workflowCancelWorkflow, request, as: CancelWorkflowResponse.self)
  }

  /// Keeps the workflow's tasks back; what comes meanwhile is kept.
  public func pause(reason: String = "") async throws {
    var request = PauseWorkflowRequest()
    request.execution = execution
    request.reason = reason
    _ = try await client.call(.workflowPauseWorkflow, request, as: PauseWorkflowResponse.self)
  }

  /// Lets a paused workflow go on.
  public func unpause(reason: String = "") async throws {
    var request = UnpauseWorkflowRequest()
    request.execution = execution
    request.reason = reason
    _ = try await client.call(
      .workflowUnpauseWorkflow, request, as: UnpauseWorkflowResponse.self)
  }

  /// Removes the workflow's current run with its history; one that is running ends first.
  public func delete(reason: String = "") async throws {
    var request = DeleteWorkflowRequest()
    request.execution = execution
    request.reason = reason
    _ = try await client.call(.workflowDeleteWorkflow, request, as: DeleteWorkflowResponse.self)
  }

  /// Ends the workflow at once, without its code.
  public func terminate(reason: String = "") async throws {
    var request = TerminateWorkflowRequest()
    request.execution = execution
    request.reason = reason
    _ = try await client.call(
      .workflowTerminateWorkflow, request, as: TerminateWorkflowResponse.self)
  }
}
