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
      var payload = Payload()
      payload.data = [UInt8](repeating: 1, count: 6_000)
      var start = StartWorkflowRequest()
      start.workflowID = "w\(stream)"
      start.workflowType = "order"
      start.taskQueue = "q"
      start.input = [payload]
      peers.call(client, stream, .workflowStartWorkflow, start)
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
}
