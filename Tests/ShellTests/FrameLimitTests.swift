import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// FRM-002 and SCH-012 of proto/README.md, for what the engine sends.
@Suite("Frames within the limit") struct FrameLimitTests {
  private func start(_ workflowID: String, inputBytes: Int = 0) -> StartWorkflowRequest {
    var start = StartWorkflowRequest()
    start.workflowID = workflowID
    start.workflowType = "order"
    start.taskQueue = "q"
    if inputBytes > 0 {
      var payload = Payload()
      payload.data = [UInt8](repeating: 7, count: inputBytes)
      start.input = [payload]
    }
    return start
  }

  @Test func tasksOfOneTickThatAreMoreThanAFrameComeInSeveral() {
    var peers = Peers()
    let client = peers.greeted(1)
    for stream in 1...5 as ClosedRange<UInt64> {
      peers.call(client, stream, .workflowStartWorkflow, start("w\(stream)", inputBytes: 1_500_000))
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
    // A field of a later version fills it up: it is dropped, and counts all the same.
    var request = start("w").serialized()
    let filler = ShellLimits().messageBytesMax + over - request.count - 6
    request += [0xC2, 0x3E]  // Field 1,000, bytes.
    request += (0..<4).map { UInt8(filler >> (7 * $0) & 0x7F) | ($0 < 3 ? 0x80 : 0) }
    request += [UInt8](repeating: 7, count: filler)
    peers.open(client, 1, Method.workflowStartWorkflow.rawValue, request)
    #expect(
      peers.takeShort(client)
        == [isTaken ? "End 1 OK" : "End 1 INVALID_ARGUMENT PAYLOAD_TOO_LARGE"])
  }
}
