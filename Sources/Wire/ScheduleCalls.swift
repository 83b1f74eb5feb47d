import EngineCore
import Messages

extension ScheduleRequest {
  /// Decodes the request of a method of ScheduleService.
  init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .scheduleCreateSchedule: self = .create(try .init(bytes: bytes))
    case .scheduleDescribeSchedule: self = .describe(try .init(bytes: bytes))
    case .scheduleListSchedules: self = .list(try .init(bytes: bytes))
    case .scheduleUpdateSchedule: self = .update(try .init(bytes: bytes))
    case .scheduleDeleteSchedule: self = .delete(try .init(bytes: bytes))
    case .schedulePauseSchedule: self = .pause(try .init(bytes: bytes))
    case .scheduleUnpauseSchedule: self = .unpause(try .init(bytes: bytes))
    case .scheduleTriggerSchedule: self = .trigger(try .init(bytes: bytes))
    case .scheduleBackfillSchedule: self = .backfill(try .init(bytes: bytes))
    case .scheduleListScheduleMatchingTimes: self = .matchingTimes(try .init(bytes: bytes))
    default: preconditionFailure("\(method.rawValue) is not about schedules")
    }
  }
}

extension FrameEncoder {
  /// The end of a unary stream of ScheduleService.
  mutating func append(_ reply: ScheduleReply, stream: UInt64, to out: inout [UInt8]) {
    switch reply {
    case .create(let m): appendEnd(stream: stream, message: m, to: &out)
    case .describe(let m): appendEnd(stream: stream, message: m, to: &out)
    case .list(let m): appendEnd(stream: stream, message: m, to: &out)
    case .update(let m): appendEnd(stream: stream, message: m, to: &out)
    case .delete(let m): appendEnd(stream: stream, message: m, to: &out)
    case .pause(let m): appendEnd(stream: stream, message: m, to: &out)
    case .unpause(let m): appendEnd(stream: stream, message: m, to: &out)
    case .trigger(let m): appendEnd(stream: stream, message: m, to: &out)
    case .backfill(let m): appendEnd(stream: stream, message: m, to: &out)
    case .matchingTimes(let m): appendEnd(stream: stream, message: m, to: &out)
    }
  }
}
