import Messages
import Testing

@Suite("Bytes that are not a message") struct MalformedTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let what: String
    let message: String
    let bytes: [UInt8]
    let code: DecodeError.Code
    let field: UInt32
    /// The message that the error names, if it is an inner one.
    var inner: String?

    init(
      _ what: String, _ message: String, _ bytes: [UInt8], _ code: DecodeError.Code,
      _ field: UInt32, inner: String? = nil
    ) {
      self.what = what
      self.message = message
      self.bytes = bytes
      self.code = code
      self.field = field
      self.inner = inner
    }

    var testDescription: String { what }
  }

  private static let full = [UInt8](repeating: 0xFF, count: 9)

  static let cases: [Case] = [
    Case("a tag without a value", "Frame", [0x08], .truncated, 1),
    Case("a number without an end", "Frame", [0x08, 0x80, 0x80], .truncated, 1),
    Case("a tag without an end", "Frame", [0x88], .truncated, 0),
    Case("eleven bytes of a number", "Frame", [0x08] + full + [0x80, 0], .overlongNumber, 1),
    Case("65 bits", "Frame", [0x08] + full + [0x02], .overlongNumber, 1),
    Case("field number 0", "Frame", [0x00, 0x00], .invalidTag, 0),
    Case("field number 0 in two bytes", "Frame", [0x82, 0x00, 0x00], .invalidTag, 0),
    Case("field number 2^29", "Frame", [0x80, 0x80, 0x80, 0x80, 0x10, 0], .invalidTag, 0),
    Case("a tag of six bytes", "Frame", [0x88, 0x80, 0x80, 0x80, 0x80, 0, 1], .invalidTag, 0),
    Case("a group", "Frame", [0x0B, 0x0C], .invalidWireType, 1),
    Case("the end of no group", "Frame", [0x0C], .invalidWireType, 1),
    Case("wire type 6", "Frame", [0x0E], .invalidWireType, 1),
    Case("wire type 7 of an unknown field", "Frame", [0xFF, 0x01], .invalidWireType, 31),
    Case("a length beyond the end", "Payload", [0x12, 5, 1, 2], .truncated, 2),
    Case("a length of 2^63", "Payload", [0x12] + full.map { _ in 0x80 } + [1], .truncated, 2),
    Case("a length of 2^64 - 1", "Payload", [0x12] + full + [1], .truncated, 2),
    Case("a double of seven bytes", "RetryPolicy", [0x11, 0, 0, 0, 0, 0, 0, 0], .truncated, 2),
    Case("unknown fixed 32 bits, cut", "Frame", [0x7D, 0, 0, 0], .truncated, 15),
    Case("unknown fixed 64 bits, cut", "Frame", [0x79, 0, 0, 0, 0, 0, 0, 0], .truncated, 15),
    Case("unknown block, cut", "Frame", [0x7A, 2, 0], .truncated, 15),
    Case("NUL", "Payload", [0x0A, 3, 0x61, 0, 0x61], .nulInText, 1),
    Case(
      "NUL after more than eight bytes", "Payload", [0x0A, 9, 1, 1, 1, 1, 1, 1, 1, 1, 0],
      .nulInText, 1),
    Case("a lone continuation byte", "Payload", [0x0A, 1, 0x80], .invalidUTF8, 1),
    Case("an overlong form", "Payload", [0x0A, 2, 0xC0, 0xAF], .invalidUTF8, 1),
    Case("a surrogate", "Payload", [0x0A, 3, 0xED, 0xA0, 0x80], .invalidUTF8, 1),
    Case("beyond Unicode", "Payload", [0x0A, 4, 0xF4, 0x90, 0x80, 0x80], .invalidUTF8, 1),
    Case("a character cut off", "Payload", [0x0A, 2, 0xE6, 0xBC], .invalidUTF8, 1),
    Case("a run id of one letter", "WorkflowExecution", [0x12, 1, 0x61], .invalidRunID, 2),
    Case(
      "a fault in an inner message", "Failure", [0x0A, 4, 0x0A, 2, 0x61, 0], .nulInText, 1,
      inner: "FailureInfo"),
    Case(
      "an inner message's field that ends beyond it", "Failure", [0x0A, 2, 0x0A, 1, 0x61],
      .truncated, 1, inner: "FailureInfo"),
    Case("a packed number, cut", "Hello", [0x0A, 2, 0x01, 0x80], .truncated, 1),
  ]

  @Test(arguments: cases) func isRefused(_ test: Case) throws {
    guard case .failure(let error) = oracle(test.message).ours(test.bytes) else {
      Issue.record("accepted")
      return
    }
    #expect(error.code == test.code)
    #expect(error.field == test.field)
    #expect(error.message == "holdfast.v1." + (test.inner ?? test.message))
  }

  @Test func everyCodeOccurs() {
    let codes = Set(MalformedTests.cases.map(\.code))
    #expect(codes == Set(DecodeError.Code.allCases))
  }

  @Test func everyCutOfAMessageIsReadOrRefusedAsOthersDo() {
    var messages = RandomMessages(random: .init(seed: seed))
    for oracle in oracles where oracle.name.hasSuffix("Started") {
      let bytes = messages.message(oracle.table)
      for length in 0..<bytes.count {
        let cut = Array(bytes.prefix(length))
        #expect(oracle.oursVerdict(cut).isAccepted == oracle.theirs(cut).isAccepted)
      }
    }
  }
}
