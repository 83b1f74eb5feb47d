import Basics
import EngineCore
import Messages
import Testing

/// Queries of several clients at once, and workers that go.
@Suite struct QueryTests {
  /// A world in which a worker is asked a first query of `o-1`.
  private func asked(
    _ configure: (inout EngineConfiguration) -> Void = { _ in }
  ) throws -> (World, SessionID, Activation, RequestID) {
    let world = World(configure)
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    let first = query(world)
    return (world, worker, try #require(world.activation(worker)), first)
  }

  private func query(_ world: World) -> RequestID {
    var query = QueryWorkflowRequest()
    query.execution = world.execution("o-1")
    query.queryType = "total"
    return world.request(.queryWorkflow(query))
  }

  private func answer(
    _ world: World, _ worker: SessionID, _ activation: Activation, _ jobs: ArraySlice<Job>,
    more: Bool = false
  ) {
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    completed.more = more
    for case .queryWorkflow(let job) in jobs.compactMap(\.kind) {
      var result = QueryResult()
      result.queryID = job.queryID
      var list = PayloadList()
      list.payloads = [.text(job.queryID)]
      result.result = .succeeded(list)
      completed.queryResults.append(result)
    }
    world.tell(worker, .workflowTaskCompleted(completed))
  }

  private func payloads(_ reply: Reply?) -> Int? {
    if case .queryWorkflow(let response) = reply { response.result.count } else { nil }
  }

  /// Seed 50619 of the oracle: a closed run stayed in memory when its query had come to nothing,
  /// and nobody waited for that any more.
  @Test(arguments: ["an answer", "a command", "a timeout", "the worker goes", "nothing to replay"])
  func aClosedRunLeavesMemoryWhenNobodyAsksAnyMore(_ end: String) throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    if end != "nothing to replay" {
      world.complete(worker, try #require(world.activation(worker)), [.timer(1, 60_000)])
    }
    world.terminate("o-1")
    #expect(world.engine.statistics.residentRuns == 0)
    let asked = query(world)
    if let activation = world.replayed(worker) {
      world.step(.requestAbandoned(asked))
      switch end {
      case "an answer": answer(world, worker, activation, activation.jobs[...])
      case "a command": world.complete(worker, activation, [.timer(2, 1_000)])
      case "a timeout": world.advance(10_000)
      default: world.step(.sessionClosed(worker))
      }
    }
    #expect(world.engine.statistics.residentRuns == 0)
  }

  @Test func aDeletedRunIsTakenFromTheWorkerThatIsShownItsPast() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    let asked = query(world)
    let isShown = world.take(worker) { if case .replayHistory = $0 { true } else { nil } }
    #expect(isShown == true)
    while world.take(worker, { if case .evict = $0 { true } else { nil } }) != nil {}
    var delete = DeleteWorkflowRequest()
    delete.execution = world.execution("o-1")
    _ = world.ask(.deleteWorkflow(delete))
    #expect(world.failure(asked)?.code == .notFound)
    let evicted = world.take(worker) { if case .evict(let m) = $0 { m.reason } else { nil } }
    #expect(evicted == .closed)
  }

  /// Both wait for the load of the run, and are taken up in one step.
  @Test func whatIsAskedOfARunBehindItsRemovalIsAskedOfTheOneBeforeIt() throws {
    let world = World()
    for _ in 0..<2 {
      _ = world.start("o-1")
      var terminate = TerminateWorkflowRequest()
      terminate.execution = world.execution("o-1")
      _ = world.ask(.terminateWorkflow(terminate))
    }
    world.crash()
    world.holdsLoads = true
    var delete = DeleteWorkflowRequest()
    delete.execution = world.execution("o-1")
    _ = world.request(.deleteWorkflow(delete))
    var describe = DescribeWorkflowRequest()
    describe.execution = world.execution("o-1")
    let id = world.request(.describeWorkflow(describe))
    while world.loadsWaiting > 0 { world.serveLoads() }
    let first = try #require(world.store.runs[RunNumber(1)]).row.runID
    guard case .describeWorkflow(let response) = world.reply(id) else {
      Issue.record("the workflow's earlier run was not found")
      return
    }
    #expect(response.info?.execution?.runID == first)
    #expect(world.store.runs[RunNumber(2)] == nil)
  }

  @Test func theAnswersMayComeInParts() throws {
    let (world, worker, activation, _) = try asked()
    let others = [query(world), query(world)]
    answer(world, worker, activation, activation.jobs[...])
    let both = try #require(world.activation(worker))
    #expect(both.jobs.count == 2)
    answer(world, worker, both, both.jobs[..<1], more: true)
    #expect(world.sent.allSatisfy { if case .reply(others[0], _) = $0 { false } else { true } })
    answer(world, worker, both, both.jobs[1...])
    #expect(others.map { payloads(world.reply($0)) } == [1, 1])
  }

  /// An answer may be of few bytes, and take many in memory.
  @Test func theAnswersInPartsAreCounted() throws {
    let (world, worker, activation, first) = try asked { $0.limits.commandsMax = 2 }
    for _ in 1...2 { answer(world, worker, activation, activation.jobs[...], more: true) }
    #expect(world.reply(first) == nil)
    answer(world, worker, activation, activation.jobs[...], more: true)
    #expect(world.failure(first)?.reason == .workflowTaskFailing)
  }

  @Test func whoWaitsBehindAnAnswerIsToldThatNobodyServesIt() throws {
    let (world, worker, activation, first) = try asked()
    let second = query(world)
    world.tell(worker, .detach(Detach()))
    answer(world, worker, activation, activation.jobs[...])
    #expect(payloads(world.reply(first)) == 1)
    #expect(world.failure(second)?.reason == .noWorker)
  }

  /// Seed 13 of the oracle: the task was out for the query when the engine began to drain, and
  /// turned into one for the code.
  @Test func whoWaitsBehindTheCodeIsToldOfTheDrain() throws {
    let world = World()
    let first = world.attach()
    _ = world.start("o-1")
    world.complete(first, try #require(world.activation(first)), [])
    world.step(.sessionClosed(first))
    let second = world.attach()
    let asked = query(world)
    let past = world.take(second) { if case .replayHistory(let m) = $0 { m } else { nil } }
    _ = world.signal("o-1", "go")
    world.step(.drain)
    #expect(world.reply(asked) == nil, "the worker may answer it still")
    var completed = ReplayCompleted()
    completed.token = try #require(past).token
    completed.completions = [PastCompletion()]
    world.tell(second, .replayCompleted(completed))
    #expect(world.activation(second)?.jobs.count == 1)
    #expect(world.failure(asked)?.reason == .draining)
  }

  @Test func whoWaitsBehindAnAnswerIsToldOfTheDrain() throws {
    let (world, worker, activation, first) = try asked()
    let second = query(world)
    world.step(.drain)
    answer(world, worker, activation, activation.jobs[...])
    #expect(payloads(world.reply(first)) == 1)
    #expect(world.failure(second)?.reason == .draining)
  }
}
