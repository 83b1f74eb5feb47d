import Basics
import Messages
import Testing

@testable import Shell

@Suite struct PingTests {
  private func pings(_ frames: [Frame]) -> [UInt64] {
    frames.compactMap { if case .ping(let ping) = $0.kind { ping.id } else { nil } }
  }

  private func activations(_ kinds: [EngineMessage.Kind]) -> [String] {
    kinds.compactMap { if case .activation(let m) = $0 { m.workflowID } else { nil } }
  }

  private func pong(_ peers: inout Peers, _ id: ConnectionID) {
    var pong = Pong()
    pong.id = 1
    peers.send(id, .pong(pong))
  }

  @Test func aWorkerThatMissesTwoPingsGetsNoTasksUntilItIsHeardAgain() {
    var peers = Peers()
    let worker = peers.connect(1)
    peers.greet(worker)
    peers.attach(worker)
    let client = peers.connect(2)
    peers.greet(client)
    _ = peers.take(worker)

    peers.advance(20_000)
    #expect(pings(peers.take(worker)) == [1, 2])
    peers.advance(9_999)
    peers.start(client, 2, "b")
    #expect(activations(peers.takeWork(worker)) == ["b"])
    peers.advance(1)
    peers.start(client, 3, "c")
    #expect(activations(peers.takeWork(worker)) == [], "two pings were missed")

    pong(&peers, worker)
    #expect(activations(peers.takeWork(worker)) == ["c"])
  }

  @Test func aWorkerThatAnswersIsPingedAgainAndKeepsItsTasks() {
    var peers = Peers()
    let worker = peers.connect(1)
    peers.greet(worker)
    peers.attach(worker)
    let client = peers.connect(2)
    peers.greet(client)
    _ = peers.take(worker)
    for _ in 0..<10 {
      peers.advance(10_000)
      #expect(pings(peers.take(worker)) == [1])
      pong(&peers, worker)
    }
    peers.start(client, 1, "a")
    #expect(activations(peers.takeWork(worker)) == ["a"])
  }

  @Test func aClientIsNotPinged() {
    var peers = Peers()
    let client = peers.connect(1)
    peers.greet(client)
    _ = peers.take(client)
    peers.advance(60_000)
    #expect(peers.take(client).isEmpty)
  }
}
