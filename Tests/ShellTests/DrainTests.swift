import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// HSK-008 and ERR-008 of proto/README.md.
@Suite("Draining") struct DrainTests {
  @Test func everyPeerIsToldOnceWithItsLastStream() {
    var peers = Peers()
    let first = peers.greeted(1)
    let second = peers.greeted(2)
    peers.start(first, 7, "a")
    _ = peers.take(first)
    peers.drain()
    peers.drain()
    #expect(peers.takeShort(first) == ["GoAway OK last 7"])
    #expect(peers.takeShort(second) == ["GoAway OK last 0"])
    #expect(peers.closed == [])
  }

  @Test func newStreamsAreRefusedAndOpenOnesFinish() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.isStoreBusy = true
    peers.start(id, 1, "a")
    peers.drain()
    #expect(!peers.isDrained, "a batch is with the store")
    peers.start(id, 2, "b")
    let frames = peers.take(id)
    #expect(frames.map(\.short) == ["GoAway OK last 1", "End 2 UNAVAILABLE DRAINING"])
    #expect(frames.last?.status?.retryAfterMs == Span(ms: 1_000))
    peers.persist()
    #expect(peers.takeShort(id) == ["End 1 OK"])
    #expect(peers.isDrained)
  }

  @Test func newConnectionsAreRefused() {
    var peers = Peers()
    peers.drain()
    #expect(peers.isAccepted(ConnectionID(1)) == false)
  }

  @Test func theOperatorsDrainIsAnsweredFirst() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.open(id, 1, Method.operatorDrain.rawValue)
    #expect(peers.takeShort(id) == ["End 1 OK", "GoAway OK last 1"])
  }

  @Test func aTaskThatIsOutKeepsTheEngineUntilItIsBack() {
    var peers = Peers()
    let worker = peers.greeted(1)
    peers.attach(worker)
    let client = peers.greeted(2)
    peers.start(client, 1, "a")
    let tokens = peers.takeWork(worker).compactMap { kind -> [UInt8]? in
      if case .activation(let activation) = kind { activation.token } else { nil }
    }
    #expect(tokens.count == 1)
    peers.drain()
    #expect(!peers.isDrained)
    peers.disconnect(worker)
    #expect(peers.isDrained)
  }
}
