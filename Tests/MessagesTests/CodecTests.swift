import Basics
import Messages
import Testing

@Suite("Encoding and decoding") struct CodecTests {
  @Test func aMessageHasTheseBytes() throws {
    var info = FailureInfo()
    info.message = "no"
    info.source = "é"
    var timeout = TimeoutFailure()
    timeout.timeoutType = .heartbeat
    info.kind = .timeout(timeout)
    var failure = Failure()
    failure.info = info
    failure.causes = [FailureInfo()]
    let bytes: [UInt8] = [
      0x0A, 12,  // info
      0x0A, 2, 0x6E, 0x6F,  // message
      0x12, 2, 0xC3, 0xA9,  // source
      0x32, 2, 0x08, 4,  // timeout { timeout_type }
      0x12, 0,  // an empty cause
    ]
    #expect(failure.serialized() == bytes)
    #expect(try Failure(bytes: bytes) == failure)
  }

  @Test func numbersHaveTheseBytes() throws {
    var policy = RetryPolicy()
    policy.initialIntervalMs = .milliseconds(300)
    policy.backoffCoefficient = 2
    policy.maximumIntervalMs = Span(ms: -1)
    policy.maximumAttempts = -2
    let minusOne: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]
    let minusTwo: [UInt8] = [0xFE] + minusOne.dropFirst()
    let bytes: [UInt8] =
      [0x08, 0xAC, 0x02, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x18] + minusOne + [0x20] + minusTwo
    #expect(policy.serialized() == bytes)
    #expect(try RetryPolicy(bytes: bytes) == policy)
  }

  @Test func anEmptyMessageHasNoBytes() throws {
    #expect(Frame().serialized() == [])
    #expect(try Frame(bytes: []) == Frame())
    #expect(try Frame(buffer: UnsafeRawBufferPointer(start: nil, count: 0)) == Frame())
  }

  @Test func aRunIDTravelsAsText() throws {
    let id = RunID(high: 0x0192_f0a1_2b3c_7def, low: 0x8123_4567_89ab_cdef)
    var execution = WorkflowExecution()
    execution.runID = id
    let bytes = [0x12, 36] + Array("0192f0a1-2b3c-7def-8123-456789abcdef".utf8)
    #expect(execution.serialized() == bytes)
    #expect(try WorkflowExecution(bytes: bytes) == execution)
  }

  @Test func theLastScalarWinsAndListsGrow() throws {
    var one = Hello()
    one.clientName = "a"
    one.protocolVersions = [1, 300]
    one.features = ["x"]
    var two = Hello()
    two.clientName = "b"
    two.protocolVersions = [2]
    two.features = ["y", ""]
    let both = try Hello(bytes: one.serialized() + two.serialized())
    #expect(both.clientName == "b")
    #expect(both.protocolVersions == [1, 300, 2])
    #expect(both.features == ["x", "y", ""])
  }

  @Test func aListOfNumbersIsReadPackedAndUnpacked() throws {
    let hello = try Hello(bytes: [0x08, 1, 0x0A, 2, 2, 3, 0x08, 4, 0x0A, 0])
    #expect(hello.protocolVersions == [1, 2, 3, 4])
    #expect(hello.serialized() == [0x0A, 4, 1, 2, 3, 4])
  }

  @Test func messagesMerge() throws {
    let info: [UInt8] = [0x0A, 3, 0x0A, 1, 0x61]
    let source: [UInt8] = [0x0A, 3, 0x12, 1, 0x62]
    let failure = try Failure(bytes: info + source)
    #expect(failure.info?.message == "a")
    #expect(failure.info?.source == "b")
  }

  @Test func theLastMemberOfAOneofWinsAndTheSameOneMerges() throws {
    var hello = Frame()
    hello.kind = .hello(Hello())
    var goAway = Frame()
    var reason = GoAway()
    reason.message = "bye"
    goAway.kind = .goAway(reason)
    var late = Frame()
    reason = GoAway()
    reason.lastStream = 7
    late.kind = .goAway(reason)
    let bytes = hello.serialized() + goAway.serialized() + late.serialized()
    reason.message = "bye"
    #expect(try Frame(bytes: bytes).kind == .goAway(reason))
  }

  @Test func aMemberOfAOneofIsWrittenEvenIfEmpty() throws {
    var frame = Frame()
    frame.kind = .hello(Hello())
    #expect(frame.serialized() == [0x12, 0])
    #expect(try Frame(bytes: [0x12, 0]) == frame)
  }

  @Test func anUnknownNumberOfAnEnumerationIsKept() throws {
    let failure = try TimeoutFailure(bytes: [0x08, 99])
    #expect(failure.timeoutType == .unrecognized(99))
    #expect(failure.timeoutType.name == "99")
    #expect(failure.serialized() == [0x08, 99])
    #expect(TimeoutType.scheduleToStart.name == "SCHEDULE_TO_START")
    #expect(TimeoutType(rawValue: 2) == .scheduleToStart)
  }

  @Test func theWriterGrowsAndIsReused() throws {
    var payload = Payload()
    payload.data = [UInt8](repeating: 7, count: 100_000)
    var writer = WireWriter(capacity: 1)
    payload.encode(into: &writer)
    let bytes = writer.bytes()
    #expect(try Payload(bytes: bytes) == payload)
    writer.reset()
    #expect(writer.count == 0)
    payload.encode(into: &writer)
    #expect(writer.bytes() == bytes)
  }

  @Test func methodsKnowTheirStreams() {
    #expect(Method.workerWork.isClientStreaming && Method.workerWork.isServerStreaming)
    #expect(!Method.workflowStartWorkflow.isServerStreaming)
    #expect(Method(rawValue: "holdfast.v1.WorkflowService/GetHistory")?.isServerStreaming == true)
    #expect(Method(rawValue: "holdfast.v1.WorkflowService/NoSuchMethod") == nil)
  }
}
