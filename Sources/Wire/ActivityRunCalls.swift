import EngineCore
import Messages

extension ActivityRunRequest {
  /// Decodes the request of a method about activities without a workflow.
  init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .activityStartActivity: self = .start(try .init(bytes: bytes))
    case .activityDescribeActivity: self = .describe(try .init(bytes: bytes))
    case .activityGetActivityResult: self = .result(try .init(bytes: bytes))
    case .activityListActivities: self = .list(try .init(bytes: bytes))
    case .activityCountActivities: self = .count(try .init(bytes: bytes))
    case .activityRequestCancelActivity: self = .cancel(try .init(bytes: bytes))
    case .activityTerminateActivity: self = .terminate(try .init(bytes: bytes))
    case .activityDeleteActivity: self = .delete(try .init(bytes: bytes))
    default: preconditionFailure("\(method.rawValue) is not about activities without a workflow")
    }
  }
}

extension FrameEncoder {
  /// The end of a unary stream about an activity without a workflow.
  mutating func append(_ reply: ActivityRunReply, stream: UInt64, to out: inout [UInt8]) {
    switch reply {
    case .start(let m): appendEnd(stream: stream, message: m, to: &out)
    case .describe(let m): appendEnd(stream: stream, message: m, to: &out)
    case .result(let m): appendEnd(stream: stream, message: m, to: &out)
    case .count(let m): appendEnd(stream: stream, message: m, to: &out)
    case .cancel(let m): appendEnd(stream: stream, message: m, to: &out)
    case .terminate(let m): appendEnd(stream: stream, message: m, to: &out)
    case .delete(let m): appendEnd(stream: stream, message: m, to: &out)
    }
  }
}
