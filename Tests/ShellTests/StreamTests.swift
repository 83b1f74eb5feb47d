import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// STR and ERR of proto/README.md.
@Suite("Streams") struct StreamTests {
  @Test(arguments: [([0], 0), ([5, 5], 1), ([5, 4], 1), ([1, 9, 8], 2)] as [([UInt64], Int)])
  func idsThatDoNotGrowEndTheConnection(_ streams: [UInt64], _ answered: Int) {
    var peers = Peers()
    let id = peers.greeted(1)
    for stream in streams { peers.open(id, stream, Method.operatorHealth.rawValue) }
    #expect(
      peers.takeShort(id) == streams.prefix(answered).map { "End \($0) OK" } + [
        "GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"
      ])
    #expect(peers.closed == [id])
  }

  @Test func idsMayLeaveGaps() {
    var peers = Peers()
    let id = peers.greeted(1)
    for stream in [1, 7, .max] as [UInt64] {
      peers.open(id, stream, Method.operatorHealth.rawValue)
    }
    #expect(peers.takeShort(id) == ["End 1 OK", "End 7 OK", "End \(UInt64.max) OK"])
  }

  @Test(arguments: [
    "", "holdfast.v1.WorkflowService/Nothing", "/holdfast.v1.OperatorService/Health",
  ])
  func anUnknownMethodEndsItsStreamOnly(_ method: String) {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, method)
    peers.open(id, 2, Method.operatorHealth.rawValue)
    #expect(peers.takeShort(id) == ["End 1 UNIMPLEMENTED UNKNOWN_METHOD", "End 2 OK"])
  }

  @Test(arguments: Method.allCases.filter { $0 != .workerWork })
  func aRequestThatCannotBeReadEndsItsStreamOnly(_ method: Method) {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, method.rawValue, [0x0A, 9])
    peers.open(id, 2, Method.operatorHealth.rawValue)
    #expect(peers.takeShort(id) == ["End 1 INVALID_ARGUMENT MALFORMED_REQUEST", "End 2 OK"])
  }

  @Test(arguments: Method.allCases.filter { !$0.isClientStreaming })
  func aRequestWithoutEndIsRefused(_ method: Method) {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, method.rawValue, end: false)
    #expect(peers.takeShort(id) == ["End 1 INVALID_ARGUMENT PROTOCOL_VIOLATION"])
  }

  @Test func aNegativeTimeoutIsRefusedWithItsField() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.operatorHealth.rawValue, timeoutMs: -1)
    let frames = peers.take(id)
    #expect(frames.map(\.short) == ["End 1 INVALID_ARGUMENT FIELD_INVALID"])
    #expect(frames.first?.status?.field == "timeout_ms")
  }

  @Test func aMessageOnAStreamThatWasNeverOpenedEndsTheConnection() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 3, Method.operatorHealth.rawValue)
    peers.send(id, stream: 4, .message(StreamMessage()))
    #expect(
      peers.takeShort(id) == ["End 3 OK", "GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
    #expect(peers.closed == [id])
  }

  @Test func framesForAStreamThatHasEndedAreIgnored() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 3, Method.operatorHealth.rawValue)
    for stream in [3, 2] as [UInt64] {
      peers.send(id, stream: stream, .message(StreamMessage()))
      peers.send(id, stream: stream, .cancel(Cancel()))
      peers.credit(id, stream, 5)
    }
    peers.ping(id, 1)
    #expect(peers.takeShort(id) == ["End 3 OK", "Pong 1"])
  }

  @Test func answersComeWhenTheyAreThere() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a")
    peers.start(id, 3, "b")
    #expect(peers.takeShort(id) == ["End 1 OK", "End 3 OK"])
    peers.terminate(id, 4, "a")
    #expect(Set(peers.takeShort(id)) == ["End 2 OK", "End 4 OK"])
  }

  @Test func whatWaitsCanBeCancelledAndIsNotAnsweredTwice() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a")
    peers.send(id, stream: 2, .cancel(Cancel()))
    peers.send(id, stream: 2, .cancel(Cancel()))
    peers.terminate(id, 3, "a")
    #expect(peers.takeShort(id) == ["End 1 OK", "End 2 CANCELLED UNSPECIFIED", "End 3 OK"])
  }

  @Test func whatHasBegunTakesEffectThoughItWasCancelled() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.isStoreBusy = true
    peers.start(id, 1, "a")
    peers.send(id, stream: 1, .cancel(Cancel()))
    #expect(peers.takeShort(id) == ["End 1 CANCELLED UNSPECIFIED"])
    peers.persist()
    #expect(peers.takeShort(id) == [], "its stream has ended")
    peers.start(id, 2, "a")
    #expect(peers.takeShort(id) == ["End 2 ALREADY_EXISTS WORKFLOW_ALREADY_STARTED"])
  }

  @Test func streamsOverTheLimitAreRefusedUntilOneEnds() {
    var peers = Peers { $0.limits.streamsMax = 2 }
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a")
    peers.awaitResult(id, 3, "a")
    _ = peers.take(id)
    peers.open(id, 4, Method.operatorHealth.rawValue)
    let frames = peers.take(id)
    #expect(frames.map(\.short) == ["End 4 RESOURCE_EXHAUSTED OVERLOADED"])
    #expect(frames.first?.status?.retryAfterMs == Span(ms: 100))
    peers.send(id, stream: 3, .cancel(Cancel()))
    peers.open(id, 5, Method.operatorHealth.rawValue)
    #expect(peers.takeShort(id) == ["End 3 CANCELLED UNSPECIFIED", "End 5 OK"])
  }

  // MARK: - The Work stream

  private func grant(_ slots: UInt32) -> [UInt8] {
    var grant = Grant()
    grant.workflowSlots = slots
    var message = WorkerMessage()
    message.kind = .grant(grant)
    var request = WorkRequest()
    request.messages = [message]
    return request.serialized()
  }

  private var attach: [UInt8] {
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = ["order"]
    var message = WorkerMessage()
    message.kind = .attach(attach)
    var request = WorkRequest()
    request.messages = [message]
    return request.serialized()
  }

  @Test func theFirstWorkerMessageMustBeAttach() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.workerWork.rawValue, grant(1), end: false)
    peers.ping(id, 1)
    #expect(peers.takeShort(id) == ["End 1 FAILED_PRECONDITION PROTOCOL_VIOLATION", "Pong 1"])
  }

  @Test func attachMayComeInAMessageOfItsOwn() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.workerWork.rawValue, end: false)
    #expect(peers.takeShort(id) == [])
    var message = StreamMessage()
    message.body = attach
    peers.send(id, stream: 1, .message(message))
    let kinds = peers.takeWork(id)
    guard case .attached = kinds.first else {
      Issue.record("\(kinds)")
      return
    }
  }

  @Test func aSecondAttachEndsTheStreamOnly() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.workerWork.rawValue, attach, end: false)
    _ = peers.take(id)
    var message = StreamMessage()
    message.body = attach
    peers.send(id, stream: 1, .message(message))
    peers.ping(id, 1)
    let frames = peers.take(id)
    #expect(frames.map(\.stream) == [1, 0])
    #expect(frames.first?.status?.code == .failedPrecondition)
  }

  @Test func aWorkerMessageThatCannotBeReadEndsTheStreamAndItsSession() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.workerWork.rawValue, attach, end: false)
    _ = peers.take(id)
    var message = StreamMessage()
    message.body = [0x0A, 9]
    peers.send(id, stream: 1, .message(message))
    #expect(peers.takeShort(id) == ["End 1 INVALID_ARGUMENT MALFORMED_REQUEST"])
    #expect(peers.shell.sessions.isEmpty)
  }

  @Test func theWorkersEndEndsTheStreamAndItsSession() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.workerWork.rawValue, attach, end: false)
    _ = peers.take(id)
    var message = StreamMessage()
    message.end = true
    peers.send(id, stream: 1, .message(message))
    #expect(peers.takeShort(id) == ["End 1 CANCELLED UNSPECIFIED"])
    #expect(peers.shell.sessions.isEmpty)
  }
}
