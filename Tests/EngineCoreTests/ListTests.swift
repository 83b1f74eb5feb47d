import Basics
import EngineCore
import Messages
import Testing

/// Lists in pages and in an order, counts in groups, and their bounds.
@Suite("Lists and counts") struct ListTests {
  private func world(_ change: (inout EngineLimits) -> Void = { _ in }) -> World {
    World { configuration in
      configuration.limits.listSliceRows = 3
      change(&configuration.limits)
    }
  }

  /// Starts runs, a second apart.
  private func start(_ world: World, _ ids: String...) {
    for id in ids {
      _ = world.start(id)
      world.advance(1_000)
    }
  }

  private func terminate(_ world: World, _ id: String) {
    var request = TerminateWorkflowRequest()
    request.execution = world.execution(id)
    _ = world.request(.terminateWorkflow(request))
  }

  private struct Answer {
    var ids: [String] = []
    var token: [UInt8] = []
    var status: Status?
  }

  /// Asks, and takes the parts until the end.
  private func list(
    _ world: World, _ query: String = "", limit: Int64 = 0, pageSize: Int64 = 0,
    token: [UInt8] = []
  ) throws -> Answer {
    var request = ListWorkflowsRequest()
    request.query = query
    request.limit = limit
    request.pageSize = pageSize
    request.nextPageToken = token
    let id = world.request(.listWorkflows(request))
    return try finish(world, id)
  }

  private func finish(_ world: World, _ id: RequestID) throws -> Answer {
    var answer = Answer()
    while answer.status == nil {
      let sent = world.sent
      world.sent = []
      for send in sent {
        switch send {
        case .part(id, let bytes):
          let part = try ListWorkflowsResponse(bytes: bytes)
          answer.ids += part.workflows.map { $0.execution?.workflowID ?? "" }
          answer.token = part.nextPageToken
        case .end(id, let status): answer.status = status
        default: world.sent.append(send)
        }
      }
      if answer.status == nil { world.step(.readMore(id)) }
    }
    return answer
  }

  // MARK: - Order

  @Test(arguments: [
    ("ORDER BY WorkflowId LIMIT 10", ["a", "b", "c", "d"]),
    ("ORDER BY WorkflowId DESC LIMIT 3", ["d", "c", "b"]),
    ("ORDER BY StartTime LIMIT 10", ["b", "d", "a", "c"]),
    // What is not closed comes last in both directions, newest first.
    ("ORDER BY CloseTime LIMIT 10", ["d", "a", "c", "b"]),
    ("ORDER BY CloseTime DESC LIMIT 10", ["a", "d", "c", "b"]),
    ("ORDER BY ExecutionStatus DESC, WorkflowId LIMIT 10", ["a", "d", "b", "c"]),
    ("WorkflowId != 'd' ORDER BY ExecutionDuration, WorkflowId LIMIT 2", ["a", "b"]),
  ])
  func aListIsInTheOrderThatIsAskedFor(_ query: String, _ ids: [String]) throws {
    let world = world()
    start(world, "b", "d", "a", "c")
    terminate(world, "d")
    world.advance(5)
    terminate(world, "a")
    let answer = try list(world, query)
    #expect(answer.ids == ids)
    #expect(answer.status == Status())
    #expect(answer.token == [])
  }

  @Test func anOrderNeedsABound() throws {
    let world = world { $0.pageRowsMax = 3 }
    start(world, "a", "b")
    let message =
      "query: ORDER BY needs LIMIT, or limit or page_size beside it, of at most 3"
    #expect(try list(world, "ORDER BY RunId").status?.message == message)
    #expect(try list(world, "ORDER BY RunId LIMIT 4").status?.message == message)
    #expect(try list(world, "ORDER BY WorkflowId LIMIT 3").ids == ["a", "b"])
    #expect(try list(world, "ORDER BY WorkflowId", limit: 1).ids == ["a"])
    #expect(try list(world, "ORDER BY WorkflowId LIMIT 4", pageSize: 1).ids == ["a"])
  }

  // MARK: - Pages

  /// What is started, closed and removed between two pages moves nothing.
  @Test(arguments: [
    ("", [["f", "e"], ["d", "c"], ["b", "a"]]),
    ("ORDER BY WorkflowId", [["a", "b"], ["c", "d"], ["e", "f"]]),
    ("ORDER BY TaskQueue, StartTime DESC", [["f", "e"], ["d", "c"], ["b", "a"]]),
    ("WorkflowId != 'c' LIMIT 4", [["f", "e"], ["d", "b"]]),
    ("WorkflowId IN ('a', 'f')", [["f", "a"]]),
  ])
  func pagesAreStableUnderWrites(_ query: String, _ pages: [[String]]) throws {
    let world = world()
    start(world, "a", "b", "c", "d", "e", "f")
    var token: [UInt8] = []
    for (number, ids) in pages.enumerated() {
      let answer = try list(world, query, pageSize: 2, token: token)
      #expect(answer.ids == ids)
      #expect(answer.token.isEmpty == (number == pages.count - 1))
      token = answer.token
      _ = world.start("0-\(number)") { $0.taskQueue = "a" }
      terminate(world, ids[0])
    }
  }

  @Test func aPageKeepsToTheLimitOfTheList() throws {
    let world = world()
    start(world, "a", "b", "c", "d", "e")
    let first = try list(world, limit: 3, pageSize: 2)
    #expect(first.ids == ["e", "d"])
    let second = try list(world, limit: 3, pageSize: 2, token: first.token)
    #expect(second.ids == ["c"])
    #expect(second.token == [])
  }

  @Test func aTokenIsGoodForItsQuery() throws {
    let world = world()
    start(world, "a", "b")
    let page = try list(world, pageSize: 1)
    for (query, size, token) in [
      ("LIMIT 9", 1 as Int64, page.token), ("", 0, page.token), ("", 1, [1, 2, 3]),
    ] {
      let answer = try list(world, query, pageSize: size, token: token)
      #expect(answer.status?.code == .invalidArgument)
      #expect(answer.status?.field == "next_page_token")
    }
    #expect(try list(world, pageSize: -1).status?.field == "page_size")
    #expect(try list(world, pageSize: 1_001).status?.field == "page_size")
    world.crash()
    #expect(try list(world, pageSize: 1, token: page.token).ids == ["a"])
  }

  // MARK: - What is read

  @Test func onlyTheRunsOfAnIDAreRead() throws {
    let world = world()
    for _ in 0..<5 {
      start(world, "a", "b")
      terminate(world, "a")
      terminate(world, "b")
    }
    var loads: [Load.Subject] = []
    world.observer = { _, effects in loads += effects.loads.map(\.load.subject) }
    #expect(try list(world, "WorkflowId = 'a' AND ExecutionStatus = 'Terminated'").ids.count == 5)
    #expect(
      loads == [
        .rows(namespace: "default", key: .workflowID("a"), before: nil, countMax: 3),
        .rows(namespace: "default", key: .workflowID("a"), before: RunNumber(5), countMax: 3),
      ])
  }

  // MARK: - Bounds

  @Test func groupsAreBounded() {
    let world = world { $0.groupsMax = 3 }
    for type in ["x", "y", "z"] { _ = world.start(type) { $0.workflowType = type } }
    var count = CountWorkflowsRequest()
    count.query = "GROUP BY WorkflowType"
    guard case .countWorkflows(let answer) = world.ask(.countWorkflows(count)) else {
      Issue.record("not counted")
      return
    }
    #expect(answer.groups.map(\.groupValues) == [["x"], ["y"], ["z"]])
    _ = world.start("more") { $0.workflowType = "more" }
    let status = world.failure(world.request(.countWorkflows(count)))
    #expect(status?.code == .resourceExhausted)
    #expect(status?.reason == .limitReached)
  }

  /// Who does not read what has been gathered makes room for who does.
  @Test func gatheredRowsAreBounded() throws {
    let world = world { limits in
      limits.gatheredBytesMax = 3_000
      limits.partBytesMax = 1
    }
    start(world, "a", "b", "c", "d")
    var request = ListWorkflowsRequest()
    request.query = "ORDER BY WorkflowId LIMIT 4"
    let idle = world.request(.listWorkflows(request))
    let answer = try list(world, "ORDER BY WorkflowId DESC LIMIT 4")
    #expect(answer.ids == ["d", "c", "b", "a"])
    let ended = try finish(world, idle)
    #expect(ended.ids == ["a"])
    #expect(ended.status?.code == .resourceExhausted)
    #expect(ended.status?.reason == .overloaded)
    #expect(ended.status?.retryAfterMs == Span(ms: 1_000))
    // Nothing is held any more: as much fits as before.
    for _ in 0..<3 { #expect(try list(world, request.query).ids.count == 4) }
  }

  @Test func moreThanFitsIsRefused() throws {
    let world = world { $0.gatheredBytesMax = 500 }
    start(world, "a", "b", "c", "d")
    let answer = try list(world, "ORDER BY WorkflowId LIMIT 4")
    #expect(answer.ids == [])
    #expect(answer.status?.reason == .overloaded)
    #expect(try list(world, "ORDER BY WorkflowId LIMIT 1").ids == ["a"])
  }

  @Test func aListThatIsGivenUpHoldsNothing() throws {
    let world = world { limits in
      limits.gatheredBytesMax = 3_000
      limits.partBytesMax = 1
    }
    start(world, "a", "b", "c", "d")
    var request = ListWorkflowsRequest()
    request.query = "ORDER BY WorkflowId LIMIT 4"
    for _ in 0..<5 {
      let id = world.request(.listWorkflows(request))
      world.step(.requestAbandoned(id))
    }
    let reading = world.request(.listWorkflows(request))
    #expect(try finish(world, reading).ids.count == 4)
  }
}
