import Basics
import Messages

extension Engine {
  /// ListScheduleMatchingTimes: the times of the spec in a range.
  mutating func listScheduleMatchingTimes(
    _ id: RequestID, _ request: ListScheduleMatchingTimesRequest
  ) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .matchingTimes(request))
    else { return }
    if let status = rangeFault(request.startAtMs, request.endAtMs) { return refuse(id, status) }
    var response = ListScheduleMatchingTimesResponse()
    let times = timetable.times.first(
      limits.listedTimesMax + 1, after: request.startAtMs - Span(ms: 1))
    let matching = times.prefix { $0 <= request.endAtMs }
    response.matchingTimeMs = Array(matching.prefix(limits.listedTimesMax))
    response.more = matching.count > limits.listedTimesMax
    reply(id, .matchingTimes(response))
  }
}
