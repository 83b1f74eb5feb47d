import Basics
import EngineCore
import Messages
import Testing
import Wire

@testable import Shell

/// What peers can make the engine keep.
@Suite("Memory for peers") struct MemoryTests {
  /// The first bytes of a frame of 1 MiB.
  private func half(_ bytes: Int) -> [UInt8] {
    [0, 0x10, 0, 0] + [UInt8](repeating: 0, count: bytes - 4)
  }

  private func frame(
    _ stream: UInt64, _ method: Messages.Method, _ message: some Message
  ) -> [UInt8] {
    var open = Open()
    open.method = method.rawValue
    open.message = message.serialized()
    open.end = true
    var frame = Frame()
    frame.stream = stream
    frame.kind = .open(open)
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(frame, to: &bytes)
    return bytes
  }

  /// Waits `count` times for a result, which then comes: 6,000 bytes.
  private func ask(_ peers: inout Peers, _ id: ConnectionID, count: UInt64) {
    var terminate = TerminateWorkflowRequest()
    terminate.execution = .named("a")
    terminate.reason = String(repeating: "x", count: 6_000)
    peers.start(id, 1, "a")
    var request = GetWorkflowResultRequest()
    request.execution = .named("a")
    for stream in 2...count + 1 { peers.call(id, stream, .workflowGetWorkflowResult, request) }
    _ = peers.take(id)
    peers.call(peers.greeted(99), 1, .workflowTerminateWorkflow, terminate)
  }

  @Test func longAnswersOfOneTurnStopAtALimitAndMayBeAskedForAgain() {
    var peers = Peers { $0.limits.outgoingBytesMax = 40_000 }
    let id = peers.greeted(1)
    ask(&peers, id, count: 6)
    #expect(
      peers.takeShort(id) == ["End 2 OK", "End 3 OK", "End 4 OK"]
        + (5...7).map { "End \($0) RESOURCE_EXHAUSTED OVERLOADED" })
    #expect(peers.shell.heldBytes == 0)
    #expect(peers.isConnected(id))
  }

  @Test func anAnswerOverTheLimitIsGivenWhenNothingElseWaits() {
    var peers = Peers { $0.limits.outgoingBytesMax = 8_000 }
    let id = peers.greeted(1)
    ask(&peers, id, count: 1)
    #expect(peers.takeShort(id) == ["End 2 OK"])
  }

  @Test func shortAnswersThatAreNotReadEndTheConnectionWithinTheTurn() {
    var peers = Peers { $0.limits.outgoingBytesMax = 1_000 }
    let id = peers.greeted(1)
    let other = peers.greeted(2)
    peers.send(id, (1...100).flatMap { frame($0, .operatorHealth, HealthRequest()) })
    #expect(peers.cut == [id])
    #expect(peers.takeShort(id) == [])
    #expect(peers.shell.heldBytes == 0)
    #expect(peers.isConnected(other))
  }

  @Test func aStreamedAnswerWaitsForItsReaderAndGoesOn() {
    var peers = Peers { $0.limits.outgoingBytesMax = 2_000 }
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    _ = peers.take(id)
    var asked: Int64 = 0
    peers.kernelTakes = { $0 - 1_000 }
    peers.loader = { load in
      guard case .history(_, let from, _) = load.subject else { return .run(nil, request: nil) }
      asked += 1
      var event = HistoryEvent()
      event.eventID = from
      event.attributes = .workflowExecutionSignaled(.named(String(repeating: "s", count: 1_100)))
      var batch = HistoryBatch()
      batch.events = [event]
      return .history(
        [StoredBatch(first: from, last: from, bytes: batch.serialized())], more: from < 3)
    }
    var request = GetHistoryRequest()
    request.execution = .named("a")
    peers.call(id, 2, .workflowGetHistory, request)
    #expect(asked == 1, "half of what may be is unread")
    peers.unread(id, bytes: 1_000)
    #expect(asked == 1)
    peers.kernelTakes = { $0 }
    peers.unread(id, bytes: 700)
    #expect(asked == 3)
    #expect(peers.takeShort(id) == ["Message 2", "Message 2", "Message 2", "End 2 OK"])
  }

  @Test func whoHoldsMostForLongestGoesWhenAllHoldTooMuch() {
    var peers = Peers { $0.limits.heldBytesInAllMax = 100_000 }
    let ids = (1...4).map { peers.greeted($0) }
    peers.send(ids[0], half(30_000))
    peers.advance(1)
    peers.send(ids[1], half(40_000))
    peers.advance(1)
    peers.send(ids[2], half(30_000))
    #expect(peers.shell.heldBytes == 100_000)
    #expect(peers.takeShort(ids[0]) == [])
    peers.advance(10)
    peers.send(ids[3], half(10_000))
    #expect(peers.takeShort(ids[1]) == ["GoAway RESOURCE_EXHAUSTED OVERLOADED"])
    #expect(peers.shell.heldBytes == 70_000)
    for id in [ids[0], ids[2], ids[3]] { #expect(peers.takeShort(id) == []) }
  }

  /// Its frames are large, but they are whole: it has never stood still for long.
  @Test func whoSendsWholeFramesIsNotTheOneThatGoes() {
    var peers = Peers { $0.limits.heldBytesInAllMax = 100_000 }
    let busy = peers.greeted(1)
    let still = peers.greeted(2)
    let whole = frame(1, .workflowStartWorkflow, Peers.start("a", bytes: 95_000))
    peers.send(busy, Array(whole[..<90_000]))
    peers.send(still, half(5_000))
    peers.advance(1_000)
    peers.send(busy, whole[90_000...] + half(96_000))
    #expect(peers.takeShort(still) == ["GoAway RESOURCE_EXHAUSTED OVERLOADED"])
    #expect(peers.takeShort(busy) == ["End 1 OK"])
    #expect(peers.shell.heldBytes == 96_000)
  }

  @Test func oneUsersConnectionsGoBeforeAnothersThatHoldLess() {
    var peers = Peers {
      $0.limits.heldBytesInAllMax = 100_000
      $0.access = AccessRules(ownUID: 0, rules: [.init(uid: 5, gid: nil, roles: .all)])
    }
    let other = peers.greeted(1)
    peers.send(other, half(40_000))
    peers.advance(5_000)
    let many = (2...4).map { peers.greeted($0, uid: 5) }
    for id in many { peers.send(id, half(21_000)) }
    #expect(peers.takeShort(many[0]) == [])
    #expect(peers.takeShort(many[2]) == ["GoAway RESOURCE_EXHAUSTED OVERLOADED"])
    #expect(peers.takeShort(other) == [])
    #expect(peers.shell.heldBytes == 82_000)
  }

  @Test func requestsUnderWayAreBoundedForOneConnection() {
    var peers = Peers { $0.limits.frameBytesMax = 1 << 20 }
    let id = peers.greeted(1)
    let other = peers.greeted(2)
    peers.isStoreBusy = true
    for stream in 1...6 as ClosedRange<UInt64> {
      peers.call(id, stream, .workflowStartWorkflow, Peers.start("w\(stream)", bytes: 400_000))
    }
    let frames = peers.take(id)
    #expect(frames.map(\.short) == ["End 6 RESOURCE_EXHAUSTED OVERLOADED"])
    #expect(frames.first?.status?.retryAfterMs == Span(ms: 100))
    peers.call(other, 1, .workflowStartWorkflow, Peers.start("o", bytes: 400_000))
    #expect(peers.takeShort(other) == [], "it waits for its commit")
    peers.persist()
    #expect(peers.takeShort(id) == (1...5).map { "End \($0) OK" })
    #expect(peers.takeShort(other) == ["End 1 OK"])
    #expect(peers.shell.requestBytes == 0)
  }

  /// Ten thousand that only wait are more than their messages.
  @Test func requestsThatWaitAreBoundedToo() {
    var peers = Peers { $0.limits.requestBytesInAllMax = 5_000 }
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    _ = peers.take(id)
    var request = GetWorkflowResultRequest()
    request.execution = .named("a")
    for stream in 2...20 as ClosedRange<UInt64> {
      peers.call(id, stream, .workflowGetWorkflowResult, request)
    }
    // 512 bytes and 5 of the message each.
    #expect(peers.takeShort(id) == (11...20).map { "End \($0) RESOURCE_EXHAUSTED OVERLOADED" })
    #expect(peers.shell.requestBytes == 9 * 517)
    peers.call(id, 21, .operatorHealth, HealthRequest())
    #expect(peers.takeShort(id) == ["End 21 OK"], "health is answered throughout")
    peers.send(id, stream: 2, .cancel(Cancel()))
    #expect(peers.shell.requestBytes == 8 * 517)
    peers.disconnect(id)
    #expect(peers.shell.requestBytes == 0)
    #expect(peers.shell.users.isEmpty)
  }

  @Test func whatAWorkersAttachSaysIsCountedWhileItIsThere() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.attach(id)
    let bytes = peers.shell.requestBytes
    #expect(bytes > 512 && bytes < 600)
    peers.send(id, stream: 1, .cancel(Cancel()))
    #expect(peers.shell.requestBytes == 0)
  }

  @Test func requestsUnderWayAreBoundedForOneUser() {
    var peers = Peers {
      $0.limits.requestBytesPerUserMax = 1_000_000
      $0.access = AccessRules(ownUID: 0, rules: [.init(uid: 5, gid: nil, roles: .all)])
    }
    peers.isStoreBusy = true
    let ids = (1...3).map { peers.greeted($0, uid: 5) }
    let other = peers.greeted(4)
    for id in ids + [other] {
      peers.call(id, 1, .workflowStartWorkflow, Peers.start("w\(id.value)", bytes: 400_000))
    }
    #expect(peers.takeShort(ids[2]) == ["End 1 RESOURCE_EXHAUSTED OVERLOADED"])
    peers.persist()
    for id in [ids[0], ids[1], other] { #expect(peers.takeShort(id) == ["End 1 OK"]) }
  }

  @Test func requestsUnderWayAreBoundedForAll() {
    var peers = Peers { $0.limits.requestBytesInAllMax = 1_000_000 }
    let ids = (1...3).map { peers.greeted($0) }
    peers.isStoreBusy = true
    for id in ids {
      peers.call(id, 1, .workflowStartWorkflow, Peers.start("w\(id.value)", bytes: 400_000))
    }
    #expect(peers.takeShort(ids[2]) == ["End 1 RESOURCE_EXHAUSTED OVERLOADED"])
    peers.disconnect(ids[0])
    peers.call(ids[2], 2, .workflowStartWorkflow, Peers.start("w", bytes: 400_000))
    #expect(peers.takeShort(ids[2]) == [], "it waits for its commit")
    peers.persist()
    #expect(peers.takeShort(ids[1]) == ["End 1 OK"])
    #expect(peers.takeShort(ids[2]) == ["End 2 OK"])
    #expect(peers.shell.requestBytes == 0)
  }
}

extension WorkflowExecutionSignaled {
  fileprivate static func named(_ name: String) -> Self {
    var signaled = Self()
    signaled.signalName = name
    return signaled
  }
}
