import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// Streams on which histories are replayed: their sides take turns, and nothing of them is left.
@Suite("Streams of replays") struct ReplayTests {
  private static func part(
    _ data: [UInt8], more: Bool, _ change: (inout HistoryPart) -> Void = { _ in }
  ) -> [UInt8] {
    var part = HistoryPart()
    part.data = data
    part.more = more
    change(&part)
    var request = ReplayRequest()
    request.kind = .history(part)
    return request.serialized()
  }

  private static func open(
    _ peers: inout Peers, _ id: ConnectionID, _ stream: UInt64, _ message: [UInt8],
    timeoutMs: Int64 = 0
  ) {
    var open = Open()
    open.method = Method.workerReplay.rawValue
    open.message = message
    open.timeoutMs = Span(ms: timeoutMs)
    peers.send(id, stream: stream, .open(open))
  }

  /// A message of the engine, or how the stream ended.
  private static func took(_ peers: inout Peers, _ id: ConnectionID) -> [String] {
    peers.take(id).map { frame in
      guard case .message(let message) = frame.kind,
        let response = try? ReplayResponse(bytes: message.body)
      else { return frame.short }
      switch response.kind {
      case .historyWanted: return "wanted \(frame.stream)"
      case .replayHistory: return "shown \(frame.stream)"
      case .verdict: return "verdict \(frame.stream)"
      case nil: return "nothing \(frame.stream)"
      }
    }
  }

  @Test func theEngineAnswersWithoutCredit() {
    var peers = Peers { $0.limits.initialCredit = 0 }
    let id = peers.greeted(1)
    Self.open(&peers, id, 1, Self.part([0x0A], more: true))
    for _ in 0..<20 {
      #expect(Self.took(&peers, id) == ["wanted 1"])
      var message = StreamMessage()
      message.body = Self.part([], more: true)
      peers.send(id, stream: 1, .message(message))
    }
  }

  @Test func aClientThatGoesLeavesNothingBehind() {
    // What one of them holds fills the room.
    var peers = Peers { $0.engine.limits.sentReplayBytesMax = 60 }
    let part = Self.part([0x0A, 0x7F] + [UInt8](repeating: 0, count: 40), more: true)
    let first = peers.greeted(1)
    let before = peers.shell.requestBytes
    Self.open(&peers, first, 1, part)
    #expect(Self.took(&peers, first) == ["wanted 1"])
    let second = peers.greeted(2)
    Self.open(&peers, second, 1, part)
    #expect(Self.took(&peers, second) == ["End 1 RESOURCE_EXHAUSTED OVERLOADED"])
    peers.disconnect(first)
    Self.open(&peers, second, 2, part)
    #expect(Self.took(&peers, second) == ["wanted 2"])
    peers.send(second, stream: 2, .cancel(Cancel()))
    #expect(Self.took(&peers, second) == ["End 2 CANCELLED UNSPECIFIED"])
    Self.open(&peers, second, 3, part)
    #expect(Self.took(&peers, second) == ["wanted 3"])
    peers.disconnect(second)
    #expect(peers.shell.requestBytes == before)
  }

  @Test(arguments: [true, false]) func aReplayHasItsTime(_ hasBegun: Bool) {
    var peers = Peers()
    let id = peers.greeted(1)
    Self.open(&peers, id, 1, hasBegun ? Self.part([0x0A], more: true) : [], timeoutMs: 500)
    _ = peers.take(id)
    peers.advance(500)
    #expect(Self.took(&peers, id) == ["End 1 DEADLINE_EXCEEDED TIMED_OUT"])
  }

  @Test func whoMayAttachNoWorkerMayAskNone() {
    var peers = Peers {
      $0.access = AccessRules(
        ownUID: 500,
        rules: [
          .init(uid: 600, gid: nil, roles: .client),
          .init(uid: 601, gid: nil, roles: .worker, namespaces: ["other"]),
        ])
    }
    let client = peers.greeted(1, uid: 600)
    Self.open(&peers, client, 1, Self.part([0x0A], more: true))
    #expect(Self.took(&peers, client) == ["End 1 PERMISSION_DENIED PERMISSION"])
    let worker = peers.greeted(2, uid: 601)
    Self.open(&peers, worker, 1, Self.part([0x0A], more: true))
    #expect(Self.took(&peers, worker) == ["wanted 1"])
    Self.open(&peers, worker, 2, Self.part([0x0A], more: true) { $0.taskQueue = "q" })
    #expect(Self.took(&peers, worker) == ["End 2 PERMISSION_DENIED PERMISSION"])
  }

  @Test func whatCannotBeReadEndsTheStreamOnly() {
    var peers = Peers()
    let id = peers.greeted(1)
    Self.open(&peers, id, 1, Self.part([0x0A], more: true))
    _ = peers.take(id)
    var message = StreamMessage()
    message.body = [0x0A, 9]
    peers.send(id, stream: 1, .message(message))
    peers.ping(id, 1)
    #expect(
      Self.took(&peers, id) == ["End 1 INVALID_ARGUMENT MALFORMED_REQUEST", "Pong 1"])
  }
}
