import Basics
import CHoldfast
import Glibc
internal import Messages

/// Runs workflows and activities of one task queue.
///
///     var worker = Worker(taskQueue: "orders", socket: "orders.sock")
///     worker.register(Order.self)
///     worker.activity("charge") { (context, order: OrderInput) in Receipt(…) }
///     try worker.run()
public struct Worker: Sendable {
  private let socket: String?
  private let namespace: String
  private let taskQueue: String
  private let identity: String
  private let buildID: String
  private let options: Options
  private var workflows: [String: WorkflowDefinition] = [:]
  private var activities: [String: ActivityDefinition] = [:]
  private let control = WorkerControl()

  public struct Options: Sendable {
    /// Attempts that run at once.
    public var activitiesMax: Int
    /// Local activities that run at once; further ones wait in this worker.
    public var localActivitiesMax: Int
    /// Workflow tasks that may be here at once.
    public var workflowTasksMax: Int
    /// Runs that are kept in memory between their tasks.
    public var cachedRunsMax: Int
    /// How long activities, local ones too, may go on after `stop`; then they are cancelled.
    public var stopGrace: Duration
    /// Which errors, beside those that always do, fail a workflow or an update whose code throws
    /// them. All others are taken for faults of the code and fail the workflow task.
    public var failsWorkflow: @Sendable (any Error) -> Bool

    public init(
      activitiesMax: Int = 100, workflowTasksMax: Int = 100, cachedRunsMax: Int = 1_000,
      localActivitiesMax: Int = 100, stopGrace: Duration = .seconds(10),
      failsWorkflow: @escaping @Sendable (any Error) -> Bool = { _ in false }
    ) {
      self.activitiesMax = activitiesMax
      self.localActivitiesMax = localActivitiesMax
      self.workflowTasksMax = workflowTasksMax
      self.cachedRunsMax = cachedRunsMax
      self.stopGrace = stopGrace
      self.failsWorkflow = failsWorkflow
    }
  }

  /// `socket` as for `Client`. `buildID` names the version of the code.
  public init(
    taskQueue: String, socket: String? = nil, namespace: String = "default",
    identity: String = "", buildID: String = "", options: Options = Options()
  ) {
    self.taskQueue = taskQueue
    self.socket = socket
    self.namespace = namespace
    self.identity = identity
    self.buildID = buildID
    self.options = options
  }

  /// Serves a workflow type.
  public mutating func register<W: Workflow>(_ type: W.Type) {
    precondition(workflows[W.type] == nil, "workflow type '\(W.type)' is registered twice")
    workflows[W.type] = TypedInstance<W>.definition()
  }

  /// Serves an activity type. Whatever the function throws fails the attempt.
  public mutating func activity<Input: Decodable & Sendable, Output: Encodable & Sendable>(
    _ type: String,
    _ run: @escaping @Sendable (ActivityContext, Input) async throws -> Output
  ) {
    precondition(activities[type] == nil, "activity type '\(type)' is registered twice")
    activities[type] = ActivityDefinition(type: type) { context, payloads in
      try Payloads.encode(
        try await run(context, try Payloads.decode(payloads, as: Input.self)))
    }
  }

  /// Ends `run` once what is under way has finished, within `Options.stopGrace`; a second call ends
  /// the grace. Safe from any thread.
  public func stop() { control.stop() }

  /// Serves until `stop`, on the calling thread; reconnects by itself. Throws `HoldfastError` when
  /// the engine refuses the worker for good.
  public func run() throws {
    let worker = try create()
    let handle = WorkerHandle(worker)
    defer { handle.free() }
    control.attach(worker)
    defer { control.detach() }
    let loop = WorkLoop(worker, handle, workflows, activities, options)
    try loop.run()
  }

  private func create() throws -> OpaquePointer {
    var created: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    let types = workflows.keys.sorted().map { strdup($0) }
    defer { for type in types { free(type) } }
    let views = types.map { holdfast_string(ptr: $0, len: $0.map { strlen($0) } ?? 0) }
    let texts = [socket ?? "", namespace, taskQueue, identity, buildID, "swift", "0.1.0"]
    let strings = texts.map { strdup($0) }
    defer { for string in strings { free(string) } }
    let view = strings.map { holdfast_string(ptr: $0, len: $0.map { strlen($0) } ?? 0) }
    let status = views.withUnsafeBufferPointer { views in
      var options = holdfast_worker_options()
      options.struct_size = UInt32(MemoryLayout<holdfast_worker_options>.size)
      options.socket_path = view[0]
      options.name_space = view[1]
      options.task_queue = view[2]
      options.identity = view[3]
      options.build_id = view[4]
      options.sdk_name = view[5]
      options.sdk_version = view[6]
      options.language = view[5]
      options.workflow_types = views.baseAddress
      options.workflow_types_count = views.count
      options.max_concurrent_activities = UInt32(self.options.activitiesMax)
      options.max_concurrent_workflow_tasks = UInt32(self.options.workflowTasksMax)
      options.cached_runs_max = UInt32(self.options.cachedRunsMax)
      // 0 would be the library's default, and less no end at all.
      options.grace_ms = max(1, self.options.stopGrace.span.ms)
      return holdfast_worker_create(&options, &created, &error)
    }
    guard status == HOLDFAST_OK, let created else { throw HoldfastError(status, error) }
    for type in activities.keys.sorted() {
      let status = holdfast_worker_register_activity(created, type, nil, nil)
      guard status == HOLDFAST_OK else {
        holdfast_worker_free(created)
        throw HoldfastError(status, nil)
      }
    }
    return created
  }
}

/// Lets any thread stop a worker that runs.
private final class WorkerControl: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var handle: OpaquePointer?
  private var isStopped = false

  init() {
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  private func locked(_ body: () -> Void) {
    pthread_mutex_lock(mutex)
    body()
    pthread_mutex_unlock(mutex)
  }

  func attach(_ worker: OpaquePointer) {
    locked {
      handle = worker
      if isStopped { holdfast_worker_stop(worker) }
    }
  }

  func detach() { locked { handle = nil } }

  func stop() {
    locked {
      isStopped = true
      holdfast_worker_stop(handle)
    }
  }
}
