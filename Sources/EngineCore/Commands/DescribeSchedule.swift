import Basics
import Messages

extension Engine {
  /// DescribeSchedule: what it is, what it has done, what comes next.
  mutating func describeSchedule(_ id: RequestID, _ request: DescribeScheduleRequest) {
    guard
      let timetable = findSchedule(
        id, request.namespace, request.scheduleID, for: .describe(request))
    else { return }
    var response = DescribeScheduleResponse()
    var schedule = timetable.schedule
    schedule.state = timetable.state
    response.schedule = schedule
    var info = timetable.info
    info.running = Array(info.running.prefix(100))
    info.waitingCount = Int64(timetable.progress.waiting.count)
    info.backfills = Int64(timetable.progress.backfills.count)
    info.nextActionTimeMs = timetable.times.first(10, after: now)
    response.info = info
    response.conflictToken = timetable.conflictToken
    reply(id, .describe(response))
  }
}

extension ScheduleTimes {
  /// The next times, at most so many.
  func first(_ count: Int, after time: Instant) -> [Instant] {
    var found: [Instant] = []
    while found.count < count, case .found(let next) = next(after: found.last ?? time) {
      found.append(next)
    }
    return found
  }
}
