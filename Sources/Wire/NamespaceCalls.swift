import EngineCore
import Messages

extension NamespaceRequest {
  /// Decodes the request of a method about namespaces.
  init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .operatorCreateNamespace: self = .create(try .init(bytes: bytes))
    case .operatorDescribeNamespace: self = .describe(try .init(bytes: bytes))
    case .operatorListNamespaces: self = .list(try .init(bytes: bytes))
    case .operatorUpdateNamespace: self = .update(try .init(bytes: bytes))
    case .operatorDeleteNamespace: self = .delete(try .init(bytes: bytes))
    default: preconditionFailure("\(method.rawValue) is not about namespaces")
    }
  }
}

extension FrameEncoder {
  /// The end of a unary stream about namespaces.
  mutating func append(_ reply: NamespaceReply, stream: UInt64, to out: inout [UInt8]) {
    switch reply {
    case .create(let m): appendEnd(stream: stream, message: m, to: &out)
    case .describe(let m): appendEnd(stream: stream, message: m, to: &out)
    case .list(let m): appendEnd(stream: stream, message: m, to: &out)
    case .update(let m): appendEnd(stream: stream, message: m, to: &out)
    case .delete(let m): appendEnd(stream: stream, message: m, to: &out)
    }
  }
}
