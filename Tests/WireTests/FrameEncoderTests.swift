import EngineCore
import Messages
import Testing

@testable import Wire

@Suite("Frames that go out") struct FrameEncoderTests {
  /// The encoder writes envelopes by hand; they must be what the schema's own encoder makes.
  @Test(arguments: [1, 127, 128, 300, 70_000])
  func aMessageIsFramedAsTheSchemaSays(_ count: Int) {
    var payload = Payload()
    payload.data = [UInt8](repeating: 1, count: count)
    var message = StreamMessage()
    message.body = payload.serialized()
    let expected = framed(stream: 300, .message(message))

    var encoder = FrameEncoder()
    var typed: [UInt8] = []
    encoder.append(stream: 300, body: payload, to: &typed)
    #expect(typed == expected)
    var raw: [UInt8] = []
    encoder.append(stream: 300, bytes: payload.serialized(), to: &raw)
    #expect(raw == expected)
  }

  /// An empty body is written out, which the schema's encoder does not; it is read alike.
  @Test func anEmptyBodyIsWrittenOut() throws {
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(stream: 300, body: Payload(), to: &bytes)
    // Stream 300, a StreamMessage of two bytes: a body of none.
    #expect(bytes == [0, 0, 0, 7, 0x08, 0xAC, 0x02, 0x32, 2, 0x0A, 0])
    var decoder = FrameDecoder(frameBytesMax: 100)
    bytes.withUnsafeBytes { decoder.feed($0) }
    let frame = try #require(try decoder.next())
    #expect(frame.stream == 300)
    #expect(frame.kind == .message(StreamMessage()))
  }

  @Test func aUnaryAnswerIsFramedAsTheSchemaSays() {
    var answer = CountWorkflowsResponse()
    answer.count = 5
    var end = End()
    end.message = answer.serialized()
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.appendEnd(stream: 7, message: answer, to: &bytes)
    #expect(bytes == framed(stream: 7, .end(end)))
    var reply: [UInt8] = []
    encoder.append(.countWorkflows(answer), stream: 7, to: &reply)
    #expect(reply == bytes)
  }

  @Test func aStatusTravelsInTheEndUnlessItIsOK() {
    var status = Status()
    status.code = .notFound
    status.reason = .workflowNotFound
    var end = End()
    end.status = status
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(end: status, stream: 2, to: &bytes)
    #expect(bytes == framed(stream: 2, .end(end)))

    bytes = []
    encoder.append(.failure(status), stream: 2, to: &bytes)
    #expect(bytes == framed(stream: 2, .end(end)))

    bytes = []
    encoder.append(end: Status(), stream: 2, to: &bytes)
    #expect(bytes == framed(stream: 2, .end(End())), "a missing status is OK")
  }

  @Test func framesFollowEachOtherInOneBuffer() {
    var ping = Ping()
    ping.id = 1
    var pong = Pong()
    pong.id = 2
    var encoder = FrameEncoder()
    var bytes: [UInt8] = [0xEE]
    encoder.append(frame(0, .ping(ping)), to: &bytes)
    encoder.append(frame(0, .pong(pong)), to: &bytes)
    #expect(bytes == [0xEE, 0, 0, 0, 4, 0x52, 2, 0x08, 1, 0, 0, 0, 4, 0x5A, 2, 0x08, 2])
  }

  /// Stored events are never encoded again: what this version does not know must survive.
  @Test func storedBytesTravelUnchanged() throws {
    // A HistoryBatch of a later version: field 99 is unknown here.
    let stored: [UInt8] = [0x9A, 0x06, 0x02, 0xAB, 0xCD]
    #expect(try HistoryBatch(bytes: stored) == HistoryBatch())
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(stream: 1, bytes: stored, to: &bytes)
    #expect(bytes == [0, 0, 0, 11, 0x08, 1, 0x32, 7, 0x0A, 5] + stored)
  }

  // MARK: - Helpers

  private func frame(_ stream: UInt64, _ kind: Frame.Kind) -> Frame {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    return frame
  }

  private func framed(stream: UInt64, _ kind: Frame.Kind) -> [UInt8] {
    let body = frame(stream, kind).serialized()
    return (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body
  }
}
