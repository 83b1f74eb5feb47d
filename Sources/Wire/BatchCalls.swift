import EngineCore
import Messages

extension BatchRequest {
  /// Decodes the request of a method of BatchService.
  init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .batchStartBatch: self = .start(try .init(bytes: bytes))
    case .batchDescribeBatch: self = .describe(try .init(bytes: bytes))
    case .batchListBatches: self = .list(try .init(bytes: bytes))
    case .batchStopBatch: self = .stop(try .init(bytes: bytes))
    default: preconditionFailure("\(method.rawValue) is not about batches")
    }
  }
}

extension FrameEncoder {
  /// The end of a unary stream of BatchService.
  mutating func append(_ reply: BatchReply, stream: UInt64, to out: inout [UInt8]) {
    switch reply {
    case .start(let m): appendEnd(stream: stream, message: m, to: &out)
    case .describe(let m): appendEnd(stream: stream, message: m, to: &out)
    case .list(let m): appendEnd(stream: stream, message: m, to: &out)
    case .stop(let m): appendEnd(stream: stream, message: m, to: &out)
    }
  }
}
