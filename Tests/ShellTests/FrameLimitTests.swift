import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// FRM-002 and SCH-012 of proto/README.md, for what the engine sends.
@Suite("Frames within the limit") struct FrameLimitTests {
  private func start(_ workflowID: String, bytes: Int) -> StartWorkflowRequest {
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = "order"
    start.taskQueue = "q"
    start.identity = String(repeating: "i", count: bytes)
    return start
  }

  @Test func tasksOfOneTickThatAreMoreThanAFrameComeInSeveral() {
    var peers = Peers()
    let client = peers.greeted(1)
    for stream in 1...5 as ClosedRange<UInt64> {
      peers.call(client, stream, .workflowStartWorkflow, start("w\(stream)", bytes: 1_500_000))
    }
    let worker = peers.greeted(2)
    peers.attach(worker)
    let frames = peers.received[worker] ?? []
    #expect(peers.brokenBytes == 0, "the decoder takes no frame over the limit")
    #expect(frames.count > 1)
    let activations = peers.takeWork(worker).filter {
      if case .activation = $0 { true } else { false }
    }
    #expect(activations.count == 5, "none is lost")
  }

  @Test(arguments: [(0, true), (1, false)])
  func aRequestLeavesRoomInItsFrame(_ over: Int, _ isTaken: Bool) {
    var peers = Peers()
    let client = peers.greeted(1)
    let limit = ShellLimits().messageBytesMax
    let head = start("w", bytes: 200_000).serialized().count - 200_000
    // The length of the text takes one byte more from 2 MiB on.
    peers.call(client, 1, .workflowStartWorkflow, start("w", bytes: limit - head - 1 + over))
    #expect(
      peers.takeShort(client)
        == [isTaken ? "End 1 OK" : "End 1 INVALID_ARGUMENT PAYLOAD_TOO_LARGE"])
  }
}
