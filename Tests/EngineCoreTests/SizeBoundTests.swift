import Basics
import EngineCore
import Messages
import Testing

/// Whatever one request may hold, what the engine makes of it fits a frame of 4 MiB.
@Suite struct SizeBoundTests {
  private static let frame = 4 << 20

  private func payload(_ bytes: Int) -> Payload {
    var payload = Payload()
    payload.encoding = "binary/plain"
    payload.data = [UInt8](repeating: 7, count: bytes)
    return payload
  }

  private func header(_ bytes: Int) -> Header {
    var entry = PayloadEntry()
    entry.key = "k"
    entry.value = payload(bytes)
    var header = Header()
    header.fields = [entry]
    return header
  }

  @Test func inputAndHeaderAreBoundedTogether() throws {
    let world = World()
    let worker = world.attach()
    let start = world.start("o-1") { request in
      request.input = [payload(2 << 20)]
      request.header = header(1 << 20)
    }
    let failure = try #require(world.failure(start))
    #expect(failure.code == .invalidArgument && failure.reason == .payloadTooLarge)
    #expect(failure.field == "input")
    _ = world.start("o-1") { request in
      request.input = [payload(2 << 20)]
      request.header = header((1 << 20) - 100)
    }
    let activation = try #require(world.activation(worker))
    #expect(activation.serialized().count < SizeBoundTests.frame)
  }

  @Test func signalsWithLargeHeadersAreShownInSeveralActivations() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    var activation = try #require(world.activation(worker))
    for number in 1...4 {
      var signal = SignalWorkflowRequest()
      signal.execution = world.execution("o-1")
      signal.signalName = "s-\(number)"
      signal.header = header(2 << 20)
      #expect(world.ask(.signalWorkflow(signal)) != nil)
    }
    var shown: [String] = []
    while true {
      #expect(activation.serialized().count < SizeBoundTests.frame)
      shown += activation.jobNames
      world.complete(worker, activation, [])
      guard let next = world.activation(worker) else { break }
      activation = next
    }
    #expect(shown == ["initialize"] + (1...4).map { "signal s-\($0)" })
  }

  @Test func aWorkerThatDoesNotReadIsSentABoundedPartOfItsTasks() throws {
    let world = World { $0.limits.unreadTaskBytesMax = 100_000 }
    world.workersRead = false
    for number in 1...10 {
      _ = world.start("o-\(number)") { $0.input = [payload(40_000)] }
    }
    let worker = world.attach(slots: 10_000)
    var out: [Activation] = []
    while let activation = world.activation(worker) { out.append(activation) }
    #expect(out.count == 3)
    world.readTasks()
    while let activation = world.activation(worker) { out.append(activation) }
    #expect(out.count == 6)
    for _ in 0..<2 { world.readTasks() }
    while let activation = world.activation(worker) { out.append(activation) }
    #expect(out.map(\.workflowID) == (1...10).map { "o-\($0)" }, "the oldest first")
  }

  @Test func andOfItsAttempts() throws {
    let world = World { $0.limits.unreadTaskBytesMax = 100_000 }
    let worker = world.attach(slots: 100)
    _ = world.start("o-1")
    world.workersRead = false
    let activation = try #require(world.activation(worker))
    world.complete(
      worker, activation, (1...10).map { .activity($0) { $0.input = [payload(40_000)] } })
    var counts: [Int] = []
    for _ in 0..<4 {
      var count = 0
      while world.activity(worker) != nil { count += 1 }
      counts.append(count)
      world.readTasks()
    }
    #expect(counts == [3, 3, 3, 1])
  }

  @Test func aDescriptionLeavesOutWhatDoesNotFit() throws {
    let world = World()
    let worker = world.attach(slots: 100)
    _ = world.start("o-1")
    world.complete(
      worker, try #require(world.activation(worker)),
      (1...20).map { .activity(UInt32($0)) } + [.timer(21, 1_000)])
    while let task = world.activity(worker) {
      var heartbeat = Heartbeat()
      heartbeat.token = task.token
      heartbeat.details = [payload(500 << 10)]
      world.tell(worker, .heartbeat(heartbeat))
    }
    let description = try #require(world.describe("o-1"))
    #expect(description.serialized().count < SizeBoundTests.frame)
    #expect(description.pendingActivities.count == 20 && description.pendingTimers.count == 1)
    #expect(description.pendingActivities[0].heartbeatDetails.count == 1)
    #expect(description.pendingActivities[19].heartbeatDetails.isEmpty)
    #expect(description.warnings.last?.hasSuffix("activities are left out") == true)
  }

  @Test func textsForPeopleAreBounded() throws {
    let world = World()
    let long = String(repeating: "x", count: (64 << 10) + 1)
    let start = world.start("o-1") { request in
      request.userMetadata = UserMetadata()
      request.userMetadata?.summary = long
    }
    #expect(world.failure(start)?.field == "user_metadata.summary")
    _ = world.start("o-1") { request in
      request.userMetadata = UserMetadata()
      request.userMetadata?.summary = String(long.dropFirst())
    }
    var terminate = TerminateWorkflowRequest()
    terminate.execution = world.execution("o-1")
    terminate.reason = long
    #expect(world.failure(world.request(.terminateWorkflow(terminate)))?.field == "reason")
    let list = world.request(.listWorkflows(ListWorkflowsRequest()))
    for case .part(list, let bytes) in world.sent {
      let part = try ListWorkflowsResponse(bytes: bytes)
      #expect(part.workflows.map { $0.userMetadata?.summary.utf8.count } == [1_024])
    }
    #expect(world.describe("o-1")?.info?.userMetadata?.summary.utf8.count == 64 << 10)
  }
}
