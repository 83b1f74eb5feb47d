import Basics
import Messages
import Testing

@testable import Wire

@Suite("Frames that come in") struct FrameDecoderTests {
  private let frames: [Frame] = {
    var hello = Hello()
    hello.protocolVersions = [1, 2]
    hello.clientName = "tests"
    var open = Open()
    open.method = Method.workflowStartWorkflow.rawValue
    open.message = [UInt8](repeating: 7, count: 300)
    open.end = true
    var ping = Ping()
    ping.id = 9
    return [frame(0, .hello(hello)), frame(1, .open(open)), frame(0, .ping(ping))]
  }()

  @Test func aFrameMayComeInPiecesCutAtAnyByte() throws {
    let bytes = encoded(frames)
    for cut in 0...bytes.count {
      var decoder = FrameDecoder(frameBytesMax: 1 << 20)
      var taken: [Frame] = []
      feed(&decoder, Array(bytes[..<cut]))
      while let next = try decoder.next() { taken.append(next) }
      feed(&decoder, Array(bytes[cut...]))
      while let next = try decoder.next() { taken.append(next) }
      #expect(taken == frames, "cut at \(cut)")
      #expect(decoder.pendingBytes == 0)
    }
  }

  @Test func aFrameMayComeByteByByte() throws {
    var decoder = FrameDecoder(frameBytesMax: 1 << 20)
    var taken: [Frame] = []
    for byte in encoded(frames) {
      feed(&decoder, [byte])
      while let next = try decoder.next() { taken.append(next) }
    }
    #expect(taken == frames)
  }

  @Test func whatIsNotWholeWaits() throws {
    let bytes = encoded([frames[0]])
    var decoder = FrameDecoder(frameBytesMax: 1 << 20)
    for count in 0..<bytes.count {
      #expect(decoder.pendingBytes == count)
      #expect(try decoder.next() == nil)
      feed(&decoder, [bytes[count]])
    }
    #expect(try decoder.next() == frames[0])
  }

  @Test func aLengthOfZeroIsRefused() {
    var decoder = FrameDecoder(frameBytesMax: 100)
    feed(&decoder, [0, 0, 0, 0])
    #expect(throws: FrameFault.length(0, max: 100)) { try decoder.next() }
  }

  @Test func theLongestFrameIsTaken() throws {
    // Frame.message of 96 bytes: with its body's head and its own exactly 100 bytes.
    let frame = messageFrame(bodyBytes: 94)
    let bytes = encoded([frame])
    #expect(bytes.count == 4 + 100)
    var decoder = FrameDecoder(frameBytesMax: 100)
    feed(&decoder, bytes)
    #expect(try decoder.next() == frame)
  }

  @Test(arguments: [101, 1 << 16, UInt32.max])
  func aLengthOverTheLimitIsRefusedByItsFourBytes(_ length: UInt32) {
    var decoder = FrameDecoder(frameBytesMax: 100)
    feed(&decoder, (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
    #expect(decoder.pendingBytes == 4, "nothing of the frame has come, nothing is kept for it")
    #expect(throws: FrameFault.length(length, max: 100)) { try decoder.next() }
  }

  @Test func bytesThatAreNotAFrameAreRefused() {
    var decoder = FrameDecoder(frameBytesMax: 100)
    // A hello whose length goes beyond the frame.
    feed(&decoder, [0, 0, 0, 3, 0x12, 0x05, 0x0A])
    let fault = #expect(throws: FrameFault.self) { try decoder.next() }
    guard case .malformed(let error) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(error.code == .truncated)
    #expect(error.message == "holdfast.v1.Frame")
    #expect(error.field == 2)
  }

  @Test func aFaultInsideAMessageNamesIt() {
    var decoder = FrameDecoder(frameBytesMax: 100)
    // Hello.client_name: one byte that is not UTF-8.
    feed(&decoder, [0, 0, 0, 5, 0x12, 0x03, 0x12, 0x01, 0xFF])
    let fault = #expect(throws: FrameFault.self) { try decoder.next() }
    guard case .malformed(let error) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(error.code == .invalidUTF8)
    #expect(error.message == "holdfast.v1.Hello")
    #expect(error.field == 2)
  }

  @Test func aKindThatThisVersionDoesNotKnowIsNoKind() throws {
    var decoder = FrameDecoder(frameBytesMax: 100)
    // Field 31 of Frame, an empty message; then stream 5.
    feed(&decoder, [0, 0, 0, 5, 0xFA, 0x01, 0x00, 0x08, 0x05])
    #expect(try decoder.next() == FrameDecoderTests.frame(5, nil))
  }

  @Test func randomFramesInRandomPiecesComeOutAsTheyWentIn() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("FrameDecoderTests: seed \(seed)")
    var random = SeededRandom(seed: seed)
    var decoder = FrameDecoder(frameBytesMax: 200_000)
    var sent: [Frame] = []
    var bytes: [UInt8] = []
    for _ in 0..<200 {
      // Now and then a large one, so that the buffer's head is cut off.
      let size = random.next() % 10 == 0 ? random.next() % 100_000 : random.next() % 50
      let frame = messageFrame(bodyBytes: Int(size), stream: random.next())
      sent.append(frame)
      bytes += encoded([frame])
    }
    var taken: [Frame] = []
    var place = 0
    while place < bytes.count {
      let end = min(bytes.count, place + Int(random.next() % 65_536) + 1)
      feed(&decoder, Array(bytes[place..<end]))
      place = end
      while let next = try decoder.next() { taken.append(next) }
      #expect(decoder.pendingBytes <= 200_004)
    }
    #expect(taken == sent)
    #expect(decoder.pendingBytes == 0)
  }

  // MARK: - Helpers

  private static func frame(_ stream: UInt64, _ kind: Frame.Kind?) -> Frame {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    return frame
  }

  private func messageFrame(bodyBytes: Int, stream: UInt64 = 3) -> Frame {
    var message = StreamMessage()
    message.body = [UInt8](repeating: 0x61, count: bodyBytes)
    return FrameDecoderTests.frame(stream, .message(message))
  }

  private func encoded(_ frames: [Frame]) -> [UInt8] {
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    for frame in frames { encoder.append(frame, to: &bytes) }
    return bytes
  }

  private func feed(_ decoder: inout FrameDecoder, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { decoder.feed($0) }
  }
}
