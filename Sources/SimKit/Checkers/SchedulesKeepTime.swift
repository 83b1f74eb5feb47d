import Basics
import EngineCore
import Messages

/// I20: each time of a schedule has one action, at its time or within its window, and beside no
/// other that its overlap policy forbids; what it has done is counted, whatever crashes.
final class SchedulesKeepTime: Checker {
  static let name = "I20 schedules keep their times"

  private struct Time: Hashable {
    let scheduleID: String
    let ms: Int64
  }

  /// First runs of chains by what they were started for.
  private var taken: [Time: RunID] = [:]
  /// How far each schedule had come before the step that is looked at: a batch holds many, some
  /// long ago where the disk was full.
  private var doneThrough: [ScheduleNumber: Instant] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      // A step's runs come before what it writes of schedules.
      for write in writes { check(write, scene) }
    case .reopened:
      doneThrough = scene.ledger.schedules.mapValues(\.progress.doneThroughTimeMs)
    case .answered(let request, let answer, _):
      guard case .schedule(.times(let asked)) = request.kind, answer.isOK,
        let told = try? ListScheduleMatchingTimesResponse(bytes: answer.message)
      else { return }
      let expected = Berlin.halfPastTwo(from: asked.startAtMs.ms, through: asked.endAtMs.ms)
      if told.matchingTimeMs.map(\.ms) != expected {
        scene.found("\(request.name): the times are not those of the zone's clocks")
      }
    default: break
    }
  }

  private func check(_ write: Write, _ scene: Scene) {
    switch write {
    case .createRun(let row):
      if let run = scene.ledger.run(row.number) { check(run, scene) }
    case .putScheduleProgress(let number, let bytes):
      doneThrough[number] = (try? ScheduleProgress(bytes: bytes))?.doneThroughTimeMs
      if let schedule = scene.ledger.schedules[number] { check(schedule, scene) }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    guard let started = run.started, !started.scheduleID.isEmpty,
      started.continuedRunID == .none, let begun = run.events.first?.eventTimeMs
    else { return }
    let number = run.row.number
    let time = Time(scheduleID: started.scheduleID, ms: started.scheduledTimeMs.ms)
    if let other = taken.updateValue(run.row.runID, forKey: time), other != run.row.runID {
      scene.found("\(number) is the second action of \(time.scheduleID) for \(time.ms)")
    }
    // It may have been deleted in the same batch.
    let known = scene.ledger.schedules.values.first {
      $0.definition.scheduleID == started.scheduleID
        && $0.progress.info?.createTimeMs ?? .epoch < started.scheduledTimeMs
    }
    guard let schedule = known else { return }
    let isRunning =
      schedule.progress.info?.running.contains { $0.runID == run.row.runID } ?? false
    if run.isOpen && !isRunning {
      scene.found("\(number) is open, and its schedule says it is not")
    }
    lateness(of: run, begun.ms, time.ms, schedule, scene)
  }

  /// Of actions whose time the schedule names. Those of triggers have times of their own, each a
  /// millisecond after the one before at least.
  private func lateness(
    of run: Ledger.Run, _ begun: Int64, _ time: Int64, _ schedule: Ledger.KeptSchedule,
    _ scene: Scene
  ) {
    guard time % 1_000 == 0, schedule.progress.lastTriggerTimeMs.ms < time,
      let spec = schedule.definition.schedule?.spec
    else { return }
    if begun < time { scene.found("\(run.row.number) is started before its time") }
    if time % (spec.intervals.first?.everyMs.ms ?? 1_000) != 0 {
      scene.found("\(run.row.number) is started for \(time), which its schedule does not name")
    }
    let window = schedule.definition.schedule?.policies?.catchupWindowMs.ms ?? 0
    // Looked at and started in one step: nothing else held it up.
    let before = doneThrough[schedule.number]?.ms ?? .max
    let late = begun - time - spec.jitterMs.ms
    if before < time && late > window {
      scene.found("\(run.row.number) is \(late) ms late; \(window) are allowed")
    }
  }

  private func check(_ schedule: Ledger.KeptSchedule, _ scene: Scene) {
    let info = schedule.progress.info ?? ScheduleInfo()
    let id = schedule.definition.scheduleID
    let policy = schedule.definition.schedule?.policies?.overlapPolicy ?? .unspecified
    if policy != .allowAll && info.running.count > 1 {
      scene.found("\(info.running.count) workflows of \(id) are open, against its policy")
    }
    // Counted from its creation, without pauses; the creation's own request id is among them.
    guard schedule.progress.conflictToken == 1, schedule.progress.requests.count < 50 else {
      return
    }
    let every = schedule.definition.schedule?.spec?.intervals.first?.everyMs.ms ?? .max
    let named =
      schedule.progress.doneThroughTimeMs.ms / every - info.createTimeMs.ms / every
      + Int64(schedule.progress.requests.count) - 1
    let counted =
      info.actionCount + info.missedCount + info.skippedCount + info.droppedCount
      + info.failedCount + Int64(schedule.progress.waiting.count)
    if named != counted {
      scene.found("\(id) was to have \(named) actions and has counted \(counted)")
    }
  }
}

/// The clocks of Berlin since 1996, counted with the fingers.
enum Berlin {
  private static let day: Int64 = 86_400_000

  /// When they show 02:30, or skip it: once a day.
  static func halfPastTwo(from: Int64, through: Int64) -> [Int64] {
    var times: [Int64] = []
    var year: Int64 = 2024
    while newYear(year) * day <= through {
      // March 31 and October 31 are followed by 275 and 61 days of the year.
      let spring = lastSunday(by: newYear(year + 1) - 276)
      let autumn = lastSunday(by: newYear(year + 1) - 62)
      for date in newYear(year)..<newYear(year + 1) {
        let minutes: Int64 =
          date == spring ? 60 : date > spring && date <= autumn ? 30 : 90
        times.append(date * day + minutes * 60_000)
      }
      year += 1
    }
    return times.filter { $0 >= from && $0 <= through }
  }

  /// In days since 1970, a Thursday.
  private static func newYear(_ year: Int64) -> Int64 {
    365 * (year - 1970) + (year - 1969) / 4
  }

  private static func lastSunday(by day: Int64) -> Int64 { day - (day + 4) % 7 }
}
