import Messages
import Testing

@testable import EngineCore

@Suite("Deletion") struct DeletionTests {
  /// Two closed runs of o-1, both out of memory; their run ids, oldest first.
  private func twoClosedRuns(_ world: World) -> [String] {
    (1...2).map { _ in
      guard case .startWorkflow(let started) = world.reply(world.start("o-1")) else {
        return "not started"
      }
      var terminate = TerminateWorkflowRequest()
      terminate.execution = world.execution("o-1")
      _ = world.ask(.terminateWorkflow(terminate))
      return started.runID.description
    }
  }

  /// They wait for one load, and are taken up in one step.
  @Test func whatIsBehindADeletionInTheLineOfItsWorkflowFindsTheRunGone() throws {
    let world = World()
    let runs = twoClosedRuns(world)
    #expect(world.engine.statistics.residentRuns == 0)
    world.holdsLoads = true
    var delete = DeleteWorkflowRequest()
    delete.execution = world.execution("o-1")
    var describe = DescribeWorkflowRequest()
    describe.execution = world.execution("o-1")
    let requests: [Request] = [
      .deleteWorkflow(delete), .describeWorkflow(describe), .deleteWorkflow(delete),
      .describeWorkflow(describe),
    ]
    let ids = requests.map { world.request($0) }
    while world.loadsWaiting > 0 { world.serveLoads() }
    guard case .deleteWorkflow(let second) = world.reply(ids[0]),
      case .describeWorkflow(let earlier) = world.reply(ids[1]),
      case .deleteWorkflow(let first) = world.reply(ids[2])
    else {
      Issue.record("a request was not answered as it had to be")
      return
    }
    #expect(second.runID.description == runs[1])
    #expect(earlier.info?.execution?.runID.description == runs[0])
    #expect(first.runID.description == runs[0])
    #expect(world.failure(ids[3])?.reason == .workflowNotFound)
  }

  /// It has been sent the run's past and does not cache it yet.
  @Test func aWorkerThatIsShownAClosedRunIsToldThatItIsDeleted() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    world.complete(worker, try #require(world.activation(worker)), [.done()])
    var query = QueryWorkflowRequest()
    query.execution = world.execution("o-1")
    query.queryType = "total"
    let asked = world.request(.queryWorkflow(query))
    let past = world.take(worker) { kind -> ReplayHistory? in
      if case .replayHistory(let history) = kind { history } else { nil }
    }
    var delete = DeleteWorkflowRequest()
    delete.execution = world.execution("o-1")
    _ = world.ask(.deleteWorkflow(delete))
    let evict = world.take(worker) { kind -> Evict? in
      if case .evict(let evict) = kind { evict } else { nil }
    }
    #expect(world.failure(asked)?.reason == .workflowNotFound)
    #expect(past != nil && evict?.runID == past?.runID)
    #expect(evict?.reason == .closed)
  }
}
