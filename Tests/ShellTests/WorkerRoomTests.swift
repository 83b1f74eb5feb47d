import EngineCore
import Messages
import Testing
import Wire

@testable import Shell

/// Much waits for a worker that has many slots.
@Suite("Room of a worker") struct WorkerRoomTests {
  /// Twenty runs of 6,000 bytes each wait for a worker, whose peer may leave 40,000 unread.
  private func waiting() -> Peers {
    var peers = Peers { $0.limits.outgoingBytesMax = 40_000 }
    let client = peers.greeted(1)
    for stream in 1...20 as ClosedRange<UInt64> {
      peers.start(client, stream, "w\(stream)", bytes: 6_000)
    }
    return peers
  }

  private func activations(_ peers: inout Peers, _ id: ConnectionID) -> Int {
    peers.takeWork(id).count { if case .activation = $0 { true } else { false } }
  }

  @Test func aWorkerThatReadsIsSentAllAtOnce() {
    var peers = waiting()
    let id = peers.greeted(2)
    peers.attach(id, slots: 10_000)
    #expect(peers.cut == [])
    #expect(activations(&peers, id) == 20)
  }

  @Test func oneThatDoesNotReadIsSentABoundedPartAndTheRestAsItReads() {
    var peers = waiting()
    let id = peers.greeted(2)
    peers.kernelTakes = { _ in 0 }
    peers.attach(id, slots: 10_000)
    let first = activations(&peers, id)
    #expect(first >= 1 && first <= 6, "\(first)")
    #expect(peers.isConnected(id))
    peers.kernelTakes = { $0 }
    peers.unread(id, bytes: 0)
    #expect(first + activations(&peers, id) == 20)
    #expect(peers.cut == [])
  }

  /// What is written to a worker at the end of a turn may cut it, and so answer somebody else.
  @Test func whoIsAnsweredBecauseAWorkerIsCutIsAnsweredAfterwardsToo() {
    var peers = Peers { $0.limits.outgoingBytesMax = 8_000 }
    let starter = peers.greeted(1)
    let asker = peers.greeted(2)
    let worker = peers.greeted(3)
    peers.attach(worker)
    peers.start(starter, 1, "a")
    var query = QueryWorkflowRequest()
    query.execution = .named("a")
    query.queryType = "state"
    peers.call(asker, 1, .workflowQueryWorkflow, query)
    #expect(peers.takeShort(asker) == [])
    peers.start(starter, 2, "b", bytes: 20_000)
    #expect(peers.cut == [worker])
    #expect(peers.takeShort(asker) == ["End 1 UNAVAILABLE NO_WORKER"])
    peers.call(asker, 2, .operatorHealth, HealthRequest())
    #expect(peers.takeShort(asker) == ["End 2 OK"])
  }
}
