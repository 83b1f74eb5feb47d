import Basics
import CProtoOracle
import Messages
import SwiftProtobuf

#if canImport(Glibc)
  import Glibc
#endif

/// What a codec makes of bytes: the bytes of its own encoding, or a refusal.
enum Verdict: Equatable {
  case accepted([UInt8])
  case refused

  var isAccepted: Bool { self != .refused }
}

/// One message of the schema, in all codecs.
protocol Oracle: Sendable {
  var name: String { get }
  var table: MessageTable { get }
  func ours(_ bytes: [UInt8]) -> Result<[UInt8], DecodeError>
  /// swift-protobuf, told to drop unknown fields as we do.
  func theirs(_ bytes: [UInt8]) -> Verdict
  func json(_ bytes: [UInt8]) throws -> String
  func bytes(json: String) throws -> [UInt8]
}

struct Pair<Ours: Messages.Message, Theirs: SwiftProtobuf.Message>: Oracle {
  let name: String

  init(_ name: String) { self.name = name }

  var table: MessageTable { Ours.table }

  func ours(_ bytes: [UInt8]) -> Result<[UInt8], DecodeError> {
    do throws(DecodeError) {
      return .success(try Ours(bytes: bytes).serialized())
    } catch { return .failure(error) }
  }

  func theirs(_ bytes: [UInt8]) -> Verdict {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    do {
      let message = try Theirs(serializedBytes: bytes, extensions: nil, options: options)
      let encoded: [UInt8] = try message.serializedBytes()
      return .accepted(encoded)
    } catch { return .refused }
  }

  func json(_ bytes: [UInt8]) throws -> String { try Ours(bytes: bytes).json() }
  func bytes(json: String) throws -> [UInt8] { try Ours(json: json).serialized() }
}

extension Oracle {
  var oursVerdict: ([UInt8]) -> Verdict {
    { bytes in (try? ours(bytes).get()).map(Verdict.accepted) ?? .refused }
  }

  /// nil: the C client does not have this message.
  func protobufC(_ bytes: [UInt8]) -> Verdict? {
    var packed: UnsafeMutablePointer<UInt8>?
    var count = 0
    let result = holdfast_oracle(name, bytes, bytes.count, &packed, &count)
    defer { free(packed) }
    switch result {
    case Int32(HOLDFAST_ORACLE_ACCEPTED):
      return .accepted(Array(UnsafeBufferPointer(start: packed, count: count)))
    case Int32(HOLDFAST_ORACLE_REFUSED): return .refused
    default: return nil
    }
  }
}

func oracle(_ name: String) -> any Oracle {
  guard let found = oracles.first(where: { $0.name == "holdfast.v1." + name }) else {
    preconditionFailure("no message \(name)")
  }
  return found
}
