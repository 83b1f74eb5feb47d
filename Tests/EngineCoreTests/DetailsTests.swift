import Messages
import Testing

@testable import EngineCore

/// Bounds of what runs say of themselves.
@Suite("Details") struct DetailsTests {
  private func memo(_ bytes: Int...) -> Memo {
    var memo = Memo()
    for (place, count) in bytes.enumerated() {
      var entry = PayloadEntry()
      entry.key = "\(place)"
      entry.value = Payload()
      entry.value?.data = [UInt8](repeating: 0x20, count: count)
      memo.fields.append(entry)
    }
    return memo
  }

  private func attributes(_ count: Int, _ content: SearchAttribute.Content) -> SearchAttributes {
    var attributes = SearchAttributes()
    attributes.fields = (0..<count).map { number in
      var attribute = SearchAttribute()
      attribute.name = "A\(100 + number)"
      attribute.content = content
      return attribute
    }
    return attributes
  }

  private func refusal(_ change: (inout StartWorkflowRequest) -> Void) -> Status? {
    let world = World()
    return world.failure(world.start("o-1", change))
  }

  @Test func aStartHasBounds() {
    let mebibyte = 1 << 20
    #expect(refusal { $0.memo = memo(mebibyte, mebibyte - 1_000) } == nil)
    #expect(refusal { $0.memo = memo(mebibyte, mebibyte) }?.reason == .payloadTooLarge)
    // Together with the input it must fit the run's first event.
    let beside = refusal {
      $0.memo = memo(mebibyte)
      $0.input = [Payload(bytes: mebibyte), Payload(bytes: mebibyte)]
    }
    #expect(beside?.field == "memo" && beside?.reason == .payloadTooLarge)
    #expect(refusal { $0.searchAttributes = attributes(100, .boolValue(true)) } == nil)
    for content in [
      SearchAttribute.Content.doubleValue(.nan), .doubleValue(.infinity),
      .keyword(String(repeating: "x", count: 2_049)),
    ] {
      let status = refusal { $0.searchAttributes = attributes(1, content) }
      #expect(status?.field == "search_attributes", "\(content)")
    }
    #expect(refusal { $0.searchAttributes = attributes(101, .boolValue(true)) } != nil)
    let long = SearchAttribute.Content.text(String(repeating: "x", count: 2_048))
    #expect(refusal { $0.searchAttributes = attributes(19, long) } == nil)
    #expect(refusal { $0.searchAttributes = attributes(20, long) } != nil)
  }

  @Test func aNamespaceHasAsManyNamesAsItMay() throws {
    let world = World { $0.limits.attributeNamesMax = 3 }
    let two = world.start("o-1") { $0.searchAttributes = attributes(2, .intValue(1)) }
    #expect(world.failure(two) == nil)
    let four = world.start("o-2") { $0.searchAttributes = attributes(4, .intValue(1)) }
    #expect(world.failure(four)?.field == "search_attributes")
    let three = world.start("o-3") { $0.searchAttributes = attributes(3, .intValue(1)) }
    #expect(world.failure(three) == nil)
    var add = AddSearchAttributeRequest()
    add.name = "Other"
    add.type = .bool
    #expect(world.failure(world.request(.attribute(.add(add))))?.reason == .limitReached)
  }

  /// What the code makes of the memo has to fit the next run's first event.
  @Test(arguments: [(1_900_000, nil), (2_100_000, "memo")] as [(Int, String?)])
  func theCodeHasTheSameBounds(_ bytes: Int, _ fault: String?) throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1")
    var upsert = UpsertMemo()
    upsert.memo = memo(bytes / 2, bytes / 2)
    world.complete(worker, try #require(world.activation(worker)), [.upsertMemo(upsert)])
    let failure = world.describe("o-1")?.pendingWorkflowTask?.lastFailure?.info?.message
    #expect((failure == nil) == (fault == nil), "\(failure ?? "no failure")")
    #expect(failure?.contains("memo: it holds") ?? true)
  }

  @Test func aMemoStaysSmallBesideAnInputThatTheNextAttemptNeeds() throws {
    let world = World()
    let worker = world.attach()
    _ = world.start("o-1") {
      $0.input = [Payload(bytes: 2_000_000)]
      $0.retryPolicy = RetryPolicy()
    }
    var upsert = UpsertMemo()
    upsert.memo = memo(1_500_000)
    world.complete(worker, try #require(world.activation(worker)), [.upsertMemo(upsert)])
    let failure = world.describe("o-1")?.pendingWorkflowTask?.lastFailure?.info?.message
    #expect(failure?.contains("input, header and memo") ?? false, "\(failure ?? "no failure")")
  }

  @Test func aListOfWorkflowsThatSayMuchIsWhole() {
    let world = World()
    world.store.rowsPerSlice = 2
    for number in 1...7 { _ = world.start("o-\(number)") { $0.memo = memo(10) } }
    #expect(world.ask(.countWorkflows(CountWorkflowsRequest()))?.count == 7)
  }

  @Test func anActionOfAScheduleWhoseNamesHaveOtherTypesFails() throws {
    let world = World()
    var action = ScheduleAction()
    action.workflowType = "order"
    action.taskQueue = "q"
    action.searchAttributes = attributes(1, .intValue(1))
    var create = CreateScheduleRequest()
    create.scheduleID = "s"
    create.schedule = Schedule()
    create.schedule?.action = action
    create.schedule?.spec = ScheduleSpec()
    create.schedule?.spec?.crons = ["@hourly"]
    #expect(world.failure(world.request(.schedule(.create(create)))) == nil)
    var add = AddSearchAttributeRequest()
    add.name = "A100"
    add.type = .bool
    #expect(world.failure(world.request(.attribute(.add(add)))) == nil)
    world.advance(3_600_000)
    var describe = DescribeScheduleRequest()
    describe.scheduleID = "s"
    guard case .schedule(.describe(let described)) = world.ask(.schedule(.describe(describe)))
    else {
      Issue.record("no schedule")
      return
    }
    let error = described.info?.recentActions.first?.error
    #expect(error?.contains("'A100' is of type Bool, not Int") ?? false, "\(error ?? "none")")
    create.scheduleID = "t"
    let again = world.failure(world.request(.schedule(.create(create))))
    #expect(again?.field == "schedule.action.search_attributes")
  }
}

extension Payload {
  fileprivate init(bytes count: Int) {
    self.init()
    data = [UInt8](repeating: 0x20, count: count)
  }
}

extension Reply {
  fileprivate var count: Int64? {
    if case .countWorkflows(let response) = self { response.count } else { nil }
  }
}
