import Basics
import EngineCore
import Messages
import Testing

/// Namespaces: what is in one is in no other, and each keeps its closed runs for a time of its own.
@Suite struct NamespaceTests {
  private static let hour: Int64 = 3_600_000

  private func world(_ change: (inout EngineConfiguration) -> Void = { _ in }) -> World {
    World { configuration in
      configuration.times.retention = Span(ms: 72 * NamespaceTests.hour)
      change(&configuration)
    }
  }

  // MARK: - What is asked

  @discardableResult
  private func create(
    _ world: World, _ name: String, hours: Int64 = 0,
    _ change: (inout CreateNamespaceRequest) -> Void = { _ in }
  ) -> Reply? {
    var request = CreateNamespaceRequest()
    request.namespace = name
    request.retentionMs = Span(ms: hours * NamespaceTests.hour)
    change(&request)
    return world.ask(.namespace(.create(request)))
  }

  private func delete(_ world: World, _ name: String) -> Reply? {
    var request = DeleteNamespaceRequest()
    request.namespace = name
    return world.ask(.namespace(.delete(request)))
  }

  private func keep(_ world: World, _ name: String, hours: Int64) {
    var request = UpdateNamespaceRequest()
    request.namespace = name
    request.retentionMs = Span(ms: hours * NamespaceTests.hour)
    request.updateMask = ["retention_ms"]
    guard case .namespace(.update) = world.ask(.namespace(.update(request))) else {
      Issue.record("'\(name)' cannot be updated")
      return
    }
  }

  private func info(_ world: World, _ name: String) -> NamespaceInfo? {
    var request = DescribeNamespaceRequest()
    request.namespace = name
    guard case .namespace(.describe(let response)) = world.ask(.namespace(.describe(request)))
    else { return nil }
    return response.info
  }

  private func describe(_ world: World, _ id: String, in name: String) -> WorkflowInfo? {
    var request = DescribeWorkflowRequest()
    request.namespace = name
    request.execution = world.execution(id)
    guard case .describeWorkflow(let response) = world.ask(.describeWorkflow(request)) else {
      return nil
    }
    return response.info
  }

  private func terminate(_ world: World, _ id: String, in name: String) {
    var request = TerminateWorkflowRequest()
    request.namespace = name
    request.execution = world.execution(id)
    guard case .terminateWorkflow = world.ask(.terminateWorkflow(request)) else {
      Issue.record("'\(id)' in '\(name)' cannot be terminated")
      return
    }
  }

  /// A workflow that has closed.
  private func close(_ world: World, _ id: String, in name: String) {
    _ = world.start(id) { $0.namespace = name }
    terminate(world, id, in: name)
  }

  private func list(_ world: World, in name: String, _ query: String = "") -> [String] {
    var request = ListWorkflowsRequest()
    request.namespace = name
    request.query = query
    let id = world.request(.listWorkflows(request))
    var found: [String] = []
    while !world.sent.contains(where: { if case .end(id, _) = $0 { true } else { false } }) {
      world.step(.readMore(id))
    }
    for case .part(id, let bytes) in world.sent {
      found +=
        (try? ListWorkflowsResponse(bytes: bytes))?.workflows
        .compactMap(\.execution?.workflowID) ?? []
    }
    world.sent = []
    return found
  }

  private func status(_ reply: Reply?) -> Status? {
    if case .failure(let status) = reply { status } else { nil }
  }

  private func ids(_ world: World) -> [String] {
    world.store.runs.values.map { "\($0.row.namespace)/\($0.row.workflowID)" }.sorted()
  }

  // MARK: - What is in one is in no other

  @Test func theSameIDInTwoIsTwoWorkflows() throws {
    let world = world()
    create(world, "bills")
    let one = world.start("o-1") { $0.requestID = "r" }
    let other = world.start("o-1") {
      $0.namespace = "bills"
      $0.requestID = "r"
    }
    guard case .startWorkflow(let first) = world.reply(one),
      case .startWorkflow(let second) = world.reply(other)
    else {
      Issue.record("a start is refused")
      return
    }
    #expect(first.started && second.started && first.runID != second.runID)
    terminate(world, "o-1", in: "bills")
    #expect(describe(world, "o-1", in: "bills")?.status == .terminated)
    #expect(describe(world, "o-1", in: "default")?.status == .running)
    #expect(describe(world, "o-1", in: "")?.status == .running)
    #expect(list(world, in: "bills") == ["o-1"])
    close(world, "o-2", in: "bills")
    #expect(list(world, in: "bills") == ["o-2", "o-1"])
    #expect(list(world, in: "default") == ["o-1"])
    // By its run id, too, it is found in its own one only.
    var request = DescribeWorkflowRequest()
    request.execution = world.execution("o-1", second.runID)
    #expect(status(world.ask(.describeWorkflow(request)))?.reason == .workflowNotFound)
    let counts = [info(world, "bills"), info(world, "default")].map {
      [$0?.openWorkflows, $0?.closedWorkflows]
    }
    #expect(counts == [[0, 2], [1, 0]])
  }

  @Test func theSameQueueInTwoIsTwoQueues() throws {
    let world = world()
    create(world, "bills")
    let here = world.attach()
    let there = world.attach { $0.namespace = "bills" }
    _ = world.start("o-1") { $0.namespace = "bills" }
    #expect(world.activation(here) == nil)
    let activation = try #require(world.activation(there))
    #expect(activation.namespace == "bills")
    world.complete(there, activation, [.activity(1)])
    #expect(world.activity(here) == nil)
    let task = try #require(world.activity(there))
    // What completes in the other one says nothing about it.
    var report = CompleteActivityRequest()
    report.activity = ActivityReference()
    report.activity?.token = task.token
    #expect(status(world.ask(.completeActivity(report)))?.reason == .activityNotFound)
    report.namespace = "bills"
    guard case .completeActivity = world.ask(.completeActivity(report)) else {
      Issue.record("the report is refused in its own namespace")
      return
    }
    for (name, count) in [("", 1), ("bills", 1)] {
      var request = DescribeTaskQueueRequest()
      request.namespace = name
      request.taskQueue = "q"
      guard case .describeTaskQueue(let queue) = world.ask(.describeTaskQueue(request)) else {
        Issue.record("no queue in '\(name)'")
        return
      }
      #expect(queue.workers.count == count)
    }
    var limit = SetTaskQueueLimitsRequest()
    limit.namespace = "bills"
    limit.taskQueue = "q"
    limit.limits = TaskQueueLimits()
    limit.limits?.activitiesPerSecond = 1
    _ = world.ask(.setTaskQueueLimits(limit))
    #expect(world.store.queueLimits.map(\.namespace) == ["bills"])
  }

  @Test func anAttributeHasATypeInEach() throws {
    let world = world()
    create(world, "bills")
    for (name, type) in [("default", SearchAttributeType.int), ("bills", .keyword)] {
      var request = AddSearchAttributeRequest()
      request.namespace = name
      request.name = "Customer"
      request.type = type
      #expect(status(world.ask(.attribute(.add(request)))) == nil)
    }
    func attributes(_ content: SearchAttribute.Content) -> SearchAttributes {
      var field = SearchAttribute()
      field.name = "Customer"
      field.content = content
      var attributes = SearchAttributes()
      attributes.fields = [field]
      return attributes
    }
    _ = world.start("o-1") { $0.searchAttributes = attributes(.intValue(7)) }
    _ = world.start("o-2") {
      $0.namespace = "bills"
      $0.searchAttributes = attributes(.keyword("7"))
    }
    #expect(list(world, in: "default", "Customer = 7") == ["o-1"])
    #expect(list(world, in: "bills", "Customer = '7'") == ["o-2"])
    var remove = RemoveSearchAttributeRequest()
    remove.namespace = "bills"
    remove.name = "Customer"
    _ = world.ask(.attribute(.remove(remove)))
    world.crash()
    #expect(list(world, in: "default", "Customer = 7") == ["o-1"])
    #expect(world.store.attributeNames.map(\.namespace) == ["default"])
  }

  @Test func aChildIsInTheNamespaceOfItsParent() throws {
    let world = world()
    create(world, "bills")
    let worker = world.attach(slots: 100) { $0.namespace = "bills" }
    _ = world.start("c-1")
    _ = world.start("o-1") { $0.namespace = "bills" }
    var child = StartChild()
    child.seq = 1
    child.workflowID = "c-1"
    child.workflowType = "order"
    world.complete(worker, try #require(world.activation(worker)), [.startChild(child)])
    #expect(ids(world) == ["bills/c-1", "bills/o-1", "default/c-1"])
    var signal = SignalExternal()
    signal.seq = 2
    signal.execution = world.execution("c-1")
    signal.signalName = "go"
    let parent = try #require(
      [world.activation(worker), world.activation(worker)].compactMap { $0 }
        .first { $0.jobNames == ["started 1"] })
    world.complete(worker, parent, [.signalExternal(signal)])
    let signalled = world.store.runs.values.filter { run in
      world.store.history(run.row.number).contains { $0.kindName == "workflowExecutionSignaled" }
    }
    #expect(signalled.map(\.row.namespace) == ["bills"])
  }

  @Test func everyRequestInOneThatIsNotThereIsRefused() throws {
    let world = world()
    create(world, "gone")
    #expect(status(delete(world, "gone")) == nil)
    for request in NamespaceTests.requests(in: "gone") {
      let id = world.request(request)
      let failure = world.failure(id) ?? world.end(of: id)
      #expect(failure?.reason == .namespaceNotFound, "\(request)")
      #expect(failure?.code == .notFound)
    }
    let worker = world.attach { $0.namespace = "gone" }
    let ended = world.sent.contains { send in
      if case .endSession(worker, let status) = send {
        status.reason == .namespaceNotFound
      } else {
        false
      }
    }
    #expect(ended)
  }

  /// In a store with many runs of others, a slice of a small one's list ends all the same.
  @Test func aListPassesOthersBitByBit() throws {
    let world = world()
    create(world, "bills")
    close(world, "o-1", in: "bills")
    for number in 1...9 { _ = world.start("d-\(number)") }
    close(world, "o-2", in: "bills")
    world.advance(20_000)
    world.store.othersPerSlice = 2
    var loads = 0
    world.observer = { _, effects in
      loads += effects.loads.count { if case .rows = $0.load.subject { true } else { false } }
    }
    #expect(list(world, in: "bills") == ["o-2", "o-1"])
    #expect(loads >= 5)
    #expect(list(world, in: "default").count == 9)
  }

  // MARK: - Retention

  @Test func eachKeepsItsOwnForItsOwnTime() throws {
    let world = world()
    create(world, "short", hours: 1)
    create(world, "long", hours: 100)
    create(world, "plain")
    for name in ["default", "short", "long", "plain"] { close(world, "o", in: name) }
    func left(after hours: Int64, less ms: Int64) -> [String] {
      world.advance(hours * NamespaceTests.hour - ms)
      return ids(world)
    }
    #expect(left(after: 1, less: 1).count == 4)
    world.advance(1)
    #expect(ids(world) == ["default/o", "long/o", "plain/o"])
    #expect(left(after: 71, less: 1).count == 3)
    world.advance(1)
    #expect(ids(world) == ["long/o"])
    #expect(left(after: 28, less: 1).count == 1)
    world.advance(1)
    #expect(ids(world) == [])
    #expect(world.engine.nextDeadline == nil)
  }

  @Test func aShorterRetentionHoldsForWhatHasClosed() throws {
    let world = world()
    create(world, "bills", hours: 100)
    close(world, "old", in: "bills")
    close(world, "old", in: "default")
    world.advance(2 * NamespaceTests.hour)
    close(world, "new", in: "bills")
    world.advance(NamespaceTests.hour)
    keep(world, "bills", hours: 2)
    world.advance(0)
    #expect(ids(world) == ["bills/new", "default/old"])
    world.advance(NamespaceTests.hour)
    #expect(ids(world) == ["default/old"])
  }

  @Test func aLongerRetentionHoldsForWhatHasClosed() throws {
    let world = world()
    create(world, "bills", hours: 2)
    close(world, "o", in: "bills")
    world.advance(NamespaceTests.hour)
    keep(world, "bills", hours: 10)
    world.crash()
    world.advance(9 * NamespaceTests.hour - 1)
    #expect(ids(world) == ["bills/o"])
    world.advance(1)
    #expect(ids(world) == [])
    // Back to the engine's own.
    close(world, "p", in: "bills")
    keep(world, "bills", hours: 0)
    world.advance(72 * NamespaceTests.hour - 1)
    #expect(ids(world) == ["bills/p"])
    world.advance(1)
    #expect(ids(world) == [])
  }

  @Test func anEngineThatKeepsForEverRemovesWhereANamespaceSaysSo() throws {
    let world = world { $0.times.retention = .zero }
    create(world, "bills", hours: 1)
    close(world, "o", in: "bills")
    close(world, "o", in: "default")
    #expect(info(world, "default")?.effectiveRetentionMs == .zero)
    world.advance(NamespaceTests.hour)
    #expect(ids(world) == ["default/o"])
    keep(world, "bills", hours: 0)
    close(world, "p", in: "bills")
    world.advance(10_000 * NamespaceTests.hour)
    #expect(ids(world) == ["bills/p", "default/o"])
  }

  /// A look begins where the namespace's runs do, and ends with the first that is too young.
  @Test func aLookTouchesLittleBesideWhatItRemoves() throws {
    let world = world { $0.limits.lifetimeSliceRows = 4 }
    for number in 1...20 { close(world, "d-\(number)", in: "default") }
    create(world, "bills", hours: 1)
    for number in 1...3 { close(world, "o-\(number)", in: "bills") }
    var loads: [Load.Subject] = []
    world.observer = { _, effects in
      for case .lifetimes(let after, let countMax) in effects.loads.map(\.load.subject) {
        loads.append(.lifetimes(after: after, countMax: countMax))
      }
    }
    world.advance(NamespaceTests.hour)
    #expect(world.store.runs.count == 20)
    #expect(loads == [.lifetimes(after: RunNumber(20), countMax: 4)])
    loads = []
    // The next one begins behind what was found to be empty.
    close(world, "o-4", in: "bills")
    world.advance(NamespaceTests.hour)
    #expect(loads == [.lifetimes(after: RunNumber(23), countMax: 4)])
    #expect(world.store.runs.count == 20)
  }

  // MARK: - Deletion

  @Test func oneInUseStays() throws {
    let world = world()
    create(world, "bills")
    _ = world.start("o-1") { $0.namespace = "bills" }
    let refusal = try #require(status(delete(world, "bills")))
    #expect(refusal.code == .failedPrecondition && refusal.reason == .namespaceInUse)
    #expect(refusal.message.contains("1 open workflows, 0 schedules and 0 running batches"))
    world.crash()
    #expect(status(delete(world, "bills"))?.reason == .namespaceInUse)
    #expect(describe(world, "o-1", in: "bills")?.status == .running)
    terminate(world, "o-1", in: "bills")
    #expect(status(delete(world, "default"))?.reason == .fieldInvalid)
    #expect(status(delete(world, ""))?.reason == .fieldInvalid)
    #expect(status(delete(world, "bills")) == nil)
  }

  /// Bit by bit, over an end of the engine; no name is given again before the last bit has gone.
  @Test func whatItHeldGoesBitByBit() throws {
    let world = world { configuration in
      configuration.limits.removedRunsMax = 2
      configuration.limits.removedRestMax = 1
      configuration.limits.lifetimeSliceRows = 3
    }
    create(world, "bills", hours: 1_000)
    for number in 1...9 {
      close(world, "o-\(number)", in: "bills")
      close(world, "o-\(number)", in: "default")
    }
    for name in ["A", "B", "C"] {
      var request = AddSearchAttributeRequest()
      request.namespace = "bills"
      request.name = name
      request.type = .keyword
      _ = world.ask(.attribute(.add(request)))
    }
    world.advance(20_000)
    world.holdsLoads = true
    #expect(status(delete(world, "bills")) == nil)
    var most = 0
    world.observer = { _, effects in
      most = max(most, effects.writes.count)
    }
    for _ in 1...2 {
      world.advance(10)
      world.serveLoads()
    }
    #expect(world.store.runs.values.count { $0.row.namespace == "bills" } == 6)
    #expect(status(create(world, "bills"))?.reason == .namespaceBeingRemoved)
    world.holdsLoads = false
    world.crash()
    world.advance(20_000)
    #expect(most <= 3, "two runs and one name in a step")
    #expect(world.store.runs.count == 9 && ids(world).allSatisfy { $0.hasPrefix("default/") })
    #expect(world.store.attributeNames.isEmpty)
    #expect(world.store.namespaces.isEmpty)
    guard case .namespace(.create(let again)) = create(world, "bills") else {
      Issue.record("the name is not given again")
      return
    }
    #expect(again.created)
    #expect(list(world, in: "bills") == [])
    #expect(describe(world, "o-1", in: "bills") == nil)
    #expect(info(world, "bills")?.closedWorkflows == 0)
  }

  @Test func whatIsUnderWayInItEnds() throws {
    let world = world { $0.limits.activationBytesMax = 2 }
    create(world, "bills")
    let worker = world.attach(slots: 100) { $0.namespace = "bills" }
    let other = world.attach(slots: 100)
    _ = world.start("o-1") { $0.namespace = "bills" }
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    var query = QueryWorkflowRequest()
    query.namespace = "bills"
    query.execution = world.execution("o-1")
    query.queryType = "state"
    let queried = world.request(.queryWorkflow(query))
    var history = GetHistoryRequest()
    history.namespace = "bills"
    history.execution = world.execution("o-1")
    let read = world.request(.getHistory(history))
    var reset = ResetWorkflowRequest()
    reset.namespace = "bills"
    reset.execution = world.execution("o-1")
    reset.point = WorkflowPoint()
    reset.point?.kind = .firstWorkflowTask
    world.holdsLoads = true
    let copied = world.request(.resetWorkflow(reset))
    #expect(status(delete(world, "bills")) == nil)
    #expect(world.failure(queried)?.reason == .namespaceNotFound)
    #expect(world.end(of: read)?.reason == .namespaceNotFound)
    #expect(world.failure(copied)?.reason == .namespaceNotFound)
    let sessions = world.sent.compactMap { send -> SessionID? in
      if case .endSession(let session, _) = send { session } else { nil }
    }
    #expect(sessions == [worker])
    world.holdsLoads = false
    world.serveLoads()
    world.advance(20_000)
    #expect(world.store.namespaces.isEmpty && world.store.runs.isEmpty)
    #expect(world.engine.statistics.sessions == 1)
    _ = other
  }
}

extension World {
  /// How a streamed answer ended.
  fileprivate func end(of id: RequestID) -> Status? {
    for case .end(id, let status) in sent { return status }
    return nil
  }
}
