import Basics
import Messages
import Testing

@Suite("JSON") struct JSONTests {
  @Test func aMessageIsRenderedByNumber() {
    var info = FailureInfo()
    info.message = "\"no\"\n\u{1}é"
    var timeout = TimeoutFailure()
    timeout.timeoutType = .heartbeat
    var payload = Payload()
    payload.data = [0, 255, 1, 2]
    timeout.lastHeartbeatDetails = [payload, Payload()]
    info.kind = .timeout(timeout)
    #expect(
      info.json()
        == #"{"message":"\"no\"\n\u0001é","timeout":{"timeoutType":"HEARTBEAT","#
        + #""lastHeartbeatDetails":[{"data":"AP8BAg=="},{}]}}"#)
  }

  @Test func linesAreForPeople() {
    var hello = Hello()
    hello.protocolVersions = [1, 2]
    hello.clientName = "c"
    let text = """
      {
        "protocolVersions": [
          1,
          2
        ],
        "clientName": "c"
      }
      """
    #expect(hello.json(pretty: true) == text)
    #expect(Hello().json(pretty: true) == "{}")
  }

  @Test func everyMessageComesBackFromItsJSON() throws {
    for (index, oracle) in oracles.enumerated() {
      var messages = RandomMessages(random: SeededRandom(seed: seed &+ UInt64(index) << 32 &+ 2))
      messages.allowsNaN = false
      for _ in 0..<20 {
        let bytes = try oracle.ours(messages.message(oracle.table)).get()
        let json = try oracle.json(bytes)
        let again = try oracle.bytes(json: json)
        // JSON writes minus zero as such; the sign survives.
        #expect(again == bytes, "\(oracle.name) \(json), seed \(seed)")
      }
    }
  }

  @Test func largeAndSpecialNumbersAreExact() throws {
    var row = RetryPolicy()
    row.initialIntervalMs = Span(ms: .max)
    row.maximumIntervalMs = Span(ms: .min)
    row.backoffCoefficient = 0.1
    #expect(try RetryPolicy(json: row.json()) == row)
    #expect(try RetryPolicy(json: #"{"initialIntervalMs": "12"}"#).initialIntervalMs.ms == 12)
    #expect(try RetryPolicy(json: #"{"backoffCoefficient": 1e2}"#).backoffCoefficient == 100)
    row.backoffCoefficient = -.infinity
    #expect(row.json().contains(#""backoffCoefficient":"-Infinity""#))
    #expect(try RetryPolicy(json: row.json()) == row)
    #expect(try RetryPolicy(json: #"{"backoffCoefficient":"NaN"}"#).backoffCoefficient.isNaN)
  }

  @Test func namesOfTheSchemaAndNullAreRead() throws {
    let text = #" { "timeout_type" : 3 , "lastHeartbeatDetails" : null } "#
    #expect(try TimeoutFailure(json: text).timeoutType == .scheduleToClose)
    #expect(try Payload(json: #"{"encoding":"\u00e9\ud83d\ude00\/"}"#).encoding == "é😀/")
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let text: String
    let code: JSONError.Code
    let line: Int
    let column: Int
    var testDescription: String { text }

    init(_ text: String, _ code: JSONError.Code, _ line: Int, _ column: Int) {
      self.text = text
      self.code = code
      self.line = line
      self.column = column
    }
  }

  /// Each read as a FailureInfo.
  static let faults: [Fault] = [
    Fault("", .syntax, 1, 1),
    Fault("{", .syntax, 1, 2),
    Fault("[]", .wrongType, 1, 1),
    Fault("{} x", .syntax, 1, 4),
    Fault("{\n  \"message\": }", .syntax, 2, 14),
    Fault(#"{"message":"a",}"#, .syntax, 1, 16),
    Fault(#"{"message" "a"}"#, .syntax, 1, 12),
    Fault(#"{"message":"a" "source":"b"}"#, .syntax, 1, 16),
    Fault(#"{"message":"a}"#, .syntax, 1, 12),
    Fault(#"{"message":"\x"}"#, .syntax, 1, 14),
    Fault(#"{"message":"\u12"}"#, .syntax, 1, 17),
    Fault(#"{"message":"\ud800"}"#, .syntax, 1, 13),
    Fault(#"{"message":"\ud800\u0041"}"#, .syntax, 1, 13),
    Fault("{\"message\":\"\u{1}\"}", .syntax, 1, 13),
    Fault(#"{"message":nul}"#, .syntax, 1, 12),
    Fault(#"{"message":"\u0000"}"#, .nulInText, 1, 12),
    Fault(#"{"message":1}"#, .wrongType, 1, 12),
    Fault(#"{"activity":{"scheduledEventId":01}}"#, .syntax, 1, 33),
    Fault(#"{"activity":{"scheduledEventId":-}}"#, .syntax, 1, 34),
    Fault(#"{"activity":{"scheduledEventId":1.}}"#, .syntax, 1, 35),
    Fault(#"{"activity":{"scheduledEventId":1.5}}"#, .wrongType, 1, 33),
    Fault(#"{"activity":{"scheduledEventId":9223372036854775808}}"#, .outOfRange, 1, 33),
    Fault(#"{"activity":{"attempt":2147483648}}"#, .outOfRange, 1, 24),
    Fault(#"{"activity":{"attempt":true}}"#, .wrongType, 1, 24),
    Fault(#"{"activity":{"attempt":""}}"#, .wrongType, 1, 24),
    Fault("{\"activity\":{\n\"retryState\":\"NO\"}}", .unknownName, 2, 14),
    Fault(#"{"server":{"nonRetryable":"true"}}"#, .wrongType, 1, 27),
    Fault(#"{"nothing":1}"#, .unknownField, 1, 2),
    Fault(#"{"message":"a","message":"b"}"#, .duplicateKey, 1, 16),
    Fault(#"{"stackTrace":"a","stack_trace":"b"}"#, .duplicateKey, 1, 19),
    Fault(#"{"server":{},"timeout":{}}"#, .secondMember, 1, 14),
    Fault(#"{"encodedAttributes":{"data":"AA"}}"#, .invalidBase64, 1, 30),
    Fault(#"{"encodedAttributes":{"data":"AB=="}}"#, .invalidBase64, 1, 30),
    Fault(#"{"encodedAttributes":{"data":"===="}}"#, .invalidBase64, 1, 30),
    Fault(#"{"canceled":{"details":{}}}"#, .wrongType, 1, 24),
    Fault(#"{"canceled":{"details":[1]}}"#, .wrongType, 1, 25),
    Fault(String(repeating: "[", count: 100_000), .tooDeep, 1, 65),
  ]

  @Test(arguments: faults) func aFaultIsToldWithItsPlace(_ fault: Fault) {
    do throws(JSONError) {
      _ = try FailureInfo(json: fault.text)
      Issue.record("accepted")
    } catch {
      #expect(error.code == fault.code, "\(error)")
      #expect([error.line, error.column] == [fault.line, fault.column], "\(error)")
    }
  }

  @Test func aRunIDIsChecked() throws {
    let execution = try WorkflowExecution(
      json: #"{"runId":"0192f0a1-2b3c-7def-8123-456789abcdef"}"#)
    #expect(execution.runID.low == 0x8123_4567_89ab_cdef)
    #expect(try WorkflowExecution(json: #"{"runId":""}"#).runID == .none)
    #expect {
      _ = try WorkflowExecution(json: #"{"runId":"x"}"#)
    } throws: { ($0 as? JSONError)?.code == .invalidRunID }
  }

  @Test func everyCodeOccurs() {
    let codes = Set(JSONTests.faults.map(\.code)).union([.invalidRunID])
    #expect(codes == Set(JSONError.Code.allCases))
  }
}

/// What `holdfast workflow show -o json` prints can be read back, whatever happens in a history.
@Suite("Exported histories") struct ExportedHistoryTests {
  static let kinds = HistoryEvent.table.fields.filter { $0.oneof == "attributes" }

  @Test(arguments: kinds.indices)
  func everyKindOfEventIsReadBackAsItWas(_ index: Int) throws {
    let kind = Self.kinds[index]
    guard case .message(let table) = kind.kind else {
      Issue.record("\(kind.jsonName) is no message")
      return
    }
    var messages = RandomMessages(random: SeededRandom(seed: seed &+ UInt64(index) << 32))
    messages.allowsNaN = false
    for round in 0..<50 {
      var wire = WireBytes()
      wire.tag(1, 0)
      wire.varint(UInt64(round) + 1)
      wire.tag(kind.number, 2)
      // The first one says nothing: that it happened is not lost either.
      wire.block(round == 0 ? [] : messages.message(table()))
      let event = try HistoryEvent(bytes: wire.bytes)
      #expect(event.attributes != nil)
      let text = event.json()
      #expect(!text.contains("\n"), "an event is a line")
      let again = try HistoryEvent(json: text)
      #expect(again.serialized() == event.serialized(), "\(text), seed \(seed)")
    }
  }
}
