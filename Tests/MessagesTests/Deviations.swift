import Messages
import Testing

/// Where the codecs differ, each with an example. Everything else they agree on.
struct Deviation: Sendable, CustomTestStringConvertible {
  enum Ours: Sendable {
    case accepted([UInt8])
    case refused(DecodeError.Code)
  }

  /// What differs, and why it may.
  let reason: String
  let message: String
  let bytes: [UInt8]
  let ours: Ours
  let swiftProtobuf: Verdict
  let protobufC: Verdict

  var testDescription: String { reason }

  /// With these codes ours refuses what swift-protobuf takes; it never takes what that refuses.
  static let onlyOursRefuses: Set<DecodeError.Code> = [
    .nulInText, .invalidRunID, .invalidWireType, .overlongNumber,
  ]

  private static let tenBytes: [UInt8] = [UInt8](repeating: 0xFF, count: 9)
  private static let lowercase = Array("0192f0a1-2b3c-7def-8123-456789abcdef".utf8)
  private static let uppercase = Array("0192F0A1-2B3C-7DEF-8123-456789ABCDEF".utf8)
  private static let zeros = Array("00000000-0000-0000-0000-000000000000".utf8)

  static let all: [Deviation] = [
    Deviation(
      reason: "NUL in a text is refused: protobuf-c cuts the text there",
      message: "WorkflowExecution", bytes: [0x0A, 2, 0, 0x61], ours: .refused(.nulInText),
      swiftProtobuf: .accepted([0x0A, 2, 0, 0x61]), protobufC: .accepted([])),
    Deviation(
      reason: "protobuf-c does not look at UTF-8",
      message: "WorkflowExecution", bytes: [0x0A, 1, 0xFF], ours: .refused(.invalidUTF8),
      swiftProtobuf: .refused, protobufC: .accepted([0x0A, 1, 0xFF])),
    Deviation(
      reason: "a run id is a UUID, others see a text",
      message: "WorkflowExecution", bytes: [0x12, 1, 0x78], ours: .refused(.invalidRunID),
      swiftProtobuf: .accepted([0x12, 1, 0x78]), protobufC: .accepted([0x12, 1, 0x78])),
    Deviation(
      reason: "a run id in capitals is written in small letters",
      message: "WorkflowExecution", bytes: [0x12, 36] + uppercase,
      ours: .accepted([0x12, 36] + lowercase), swiftProtobuf: .accepted([0x12, 36] + uppercase),
      protobufC: .accepted([0x12, 36] + uppercase)),
    Deviation(
      reason: "a run id of zeros is none, and not written",
      message: "WorkflowExecution", bytes: [0x12, 36] + zeros, ours: .accepted([]),
      swiftProtobuf: .accepted([0x12, 36] + zeros), protobufC: .accepted([0x12, 36] + zeros)),
    Deviation(
      reason: "groups are refused: proto3 has none",
      message: "WorkflowExecution", bytes: [0x7B, 0x7C], ours: .refused(.invalidWireType),
      swiftProtobuf: .accepted([]), protobufC: .refused),
    Deviation(
      reason: "a number beyond 64 bits is refused, others drop what is beyond",
      message: "Frame", bytes: [0x08] + tenBytes + [0x05], ours: .refused(.overlongNumber),
      swiftProtobuf: .accepted([0x08] + tenBytes + [0x01]),
      protobufC: .accepted([0x08] + tenBytes + [0x01])),
    Deviation(
      reason: "unknown fields are dropped, protobuf-c keeps them",
      message: "Frame", bytes: [0x98, 0x06, 1], ours: .accepted([]), swiftProtobuf: .accepted([]),
      protobufC: .accepted([0x98, 0x06, 1])),
    Deviation(
      reason: "minus zero is not zero, to protobuf-c it is",
      message: "RetryPolicy", bytes: [0x11, 0, 0, 0, 0, 0, 0, 0, 0x80],
      ours: .accepted([0x11, 0, 0, 0, 0, 0, 0, 0, 0x80]),
      swiftProtobuf: .accepted([0x11, 0, 0, 0, 0, 0, 0, 0, 0x80]), protobufC: .accepted([])),
    Deviation(
      reason: "a known field of another wire type is an unknown one, protobuf-c refuses it",
      message: "Frame", bytes: [0x0A, 0], ours: .accepted([]), swiftProtobuf: .accepted([]),
      protobufC: .refused),
  ]
}
