import Foundation
import Harness
import Messages
import Testing

/// A worker that answers with commands no code of ours gives, over a raw socket: the task fails and
/// says why, the workflow does not, and the engine goes on.
@Suite(.serialized) struct BadWorkerTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    let fault: String
    let commands: [Command]

    var testDescription: String { fault }
  }

  private static func command(_ kind: Command.Kind) -> Command {
    var command = Command()
    command.kind = kind
    return command
  }

  private static func activity(_ change: (inout ScheduleActivity) -> Void) -> Command {
    var activity = ScheduleActivity()
    activity.seq = 1
    activity.activityType = "a"
    activity.startToCloseTimeoutMs = .init(ms: 1_000)
    change(&activity)
    return command(.scheduleActivity(activity))
  }

  private static func retry(_ change: (inout RetryPolicy) -> Void) -> [Command] {
    var policy = RetryPolicy()
    change(&policy)
    return [activity { $0.retryPolicy = policy }]
  }

  private static func timer(_ seq: UInt32, _ ms: Int64, _ id: String = "") -> Command {
    var timer = StartTimer()
    timer.seq = seq
    timer.timerID = id
    timer.startToFireTimeoutMs = .init(ms: ms)
    return command(.startTimer(timer))
  }

  static let bad = [
    Bad(
      fault: "command 0: retry_policy.maximum_attempts must not be negative; 0 is unlimited",
      commands: retry { $0.maximumAttempts = -1 }),
    Bad(
      fault: "command 0: retry_policy.initial_interval_ms must not be negative",
      commands: retry { $0.initialIntervalMs = .init(ms: -1) }),
    Bad(
      fault:
        "command 0: retry_policy.backoff_coefficient must be at least 1.0 (0 is the default, 2.0)",
      commands: retry { $0.backoffCoefficient = 0.5 }),
    Bad(
      fault: "command 0: retry_policy.backoff_coefficient must be a number",
      commands: retry { $0.backoffCoefficient = .nan }),
    Bad(
      fault: "command 0: retry_policy.maximum_interval_ms must not be below initial_interval_ms",
      commands: retry {
        $0.initialIntervalMs = .init(ms: 2)
        $0.maximumIntervalMs = .init(ms: 1)
      }),
    Bad(
      fault: "command 0: one of start_to_close_timeout_ms and schedule_to_close_timeout_ms is"
        + " required",
      commands: [activity { $0.startToCloseTimeoutMs = .zero }]),
    Bad(
      fault: "command 0: heartbeat_timeout_ms is negative",
      commands: [activity { $0.heartbeatTimeoutMs = .init(ms: -5) }]),
    Bad(
      fault: "command 0: activity_type is empty", commands: [activity { $0.activityType = "" }]),
    Bad(
      fault: "command 0: activity_id is over 1000 bytes",
      commands: [activity { $0.activityID = String(repeating: "x", count: 1_001) }]),
    Bad(fault: "command 0: seq 7 where 1 is next", commands: [timer(7, 1)]),
    Bad(
      fault: "command 1: timer id 't' is running already",
      commands: [timer(1, 1, "t"), timer(2, 1, "t")]),
    Bad(fault: "command 0: start_to_fire_timeout_ms is negative", commands: [timer(1, -1)]),
    Bad(
      fault: "command 1: it comes after the command that closes the workflow",
      commands: [command(.completeWorkflow(CompleteWorkflow())), timer(1, 1)]),
    Bad(fault: "command 0: it has no kind that this engine knows", commands: [Command()]),
    Bad(
      fault: "command 0: failure is empty", commands: [command(.failWorkflow(FailWorkflow()))]),
    Bad(
      fault: "command 0: seq 3 was never given",
      commands: [
        command(
          .cancelTimer(
            {
              var cancel = CancelTimer()
              cancel.seq = 3
              return cancel
            }()))
      ]),
  ]

  @Test(arguments: bad) func aBadCommandFailsTheTaskAlone(_ bad: Bad) async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let worker = try await RawWorker(engine.socket)
    try await engine.run("workflow start --id w --type T --task-queue q")
    var completed = WorkflowTaskCompleted()
    completed.token = try worker.activation().token
    completed.commands = bad.commands
    worker.send(.workflowTaskCompleted(completed))
    let figures = try #require(EngineFigures(engine.socket))
    var request = DescribeWorkflowRequest()
    request.execution = WorkflowExecution()
    request.execution?.workflowID = "w"
    var described: DescribeWorkflowResponse?
    try await until("the task has failed") {
      described = figures.call(
        .workflowDescribeWorkflow, request, DescribeWorkflowResponse.self)
      return described?.pendingWorkflowTask?.state == .backingOff
    }
    #expect(described?.info?.status == .running)
    #expect(described?.pendingWorkflowTask?.lastCause == .badCommand)
    #expect(described?.pendingWorkflowTask?.lastFailure?.info?.message == bad.fault)
    #expect(described?.pendingActivities.count == 0)
    #expect(described?.pendingTimers.count == 0)
    let warnings = "the workflow task is failing (BAD_COMMAND, attempt 2): \(bad.fault)"
    #expect(described?.warnings == [warnings])
    #expect(try await RawPeer.probe(engine.socket))
  }

  @Test func aTokenThatIsNobodysIsRefusedAndTheStreamGoesOn() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    let worker = try await RawWorker(engine.socket)
    var completed = ActivityCompleted()
    completed.token = [1, 2, 3]
    worker.send(.activityCompleted(completed))
    guard case .refused(let refused) = try worker.next() else {
      Issue.record("nothing was refused")
      return
    }
    #expect(refused.token == [1, 2, 3])
    #expect(refused.status?.code == .failedPrecondition)
    #expect(refused.status?.reason == .staleLease)
    try await engine.run("workflow start --id w --type T --task-queue q")
    #expect(try worker.activation().workflowID == "w")
  }
}

/// A worker of workflow type `T` on queue `q`, message by message.
final class RawWorker {
  private let peer: RawPeer
  private let stream: UInt64
  private var waiting: [EngineMessage] = []

  init(_ socket: String) async throws {
    peer = try await RawPeer(socket)
    try peer.hello()
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["T"]
    var grant = Grant()
    grant.workflowSlots = 10
    let messages = [WorkerMessage(.attach(attach)), WorkerMessage(.grant(grant))]
    stream = peer.open(
      Method.workerWork.rawValue, WorkRequest(messages: messages).serialized(), end: false)
    guard case .attached = try next() else { throw RawPeer.Gone() }
  }

  func send(_ kind: WorkerMessage.Kind) {
    var message = StreamMessage()
    message.body = WorkRequest(messages: [WorkerMessage(kind)]).serialized()
    peer.send(.message(message), stream: stream)
  }

  func next() throws -> EngineMessage.Kind? {
    while waiting.isEmpty {
      let frame = try peer.next()
      guard frame.stream == stream else { continue }
      guard case .message(let message) = frame.kind else { throw RawPeer.Gone() }
      waiting = try WorkResponse(bytes: message.body).messages
    }
    return waiting.removeFirst().kind
  }

  func activation() throws -> Activation {
    while true {
      if case .activation(let activation) = try next() { return activation }
    }
  }
}
