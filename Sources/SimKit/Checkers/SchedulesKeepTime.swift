import Basics
import EngineCore
import Messages

/// I20: each time of a schedule has one action, at its time or within its window, and beside no
/// other that its overlap policy forbids; what it has done is counted, whatever crashes.
final class SchedulesKeepTime: Checker {
  static let name = "I20 schedules keep their times"

  private struct Time: Hashable {
    let schedule: ScheduleNumber
    let ms: Int64
  }

  /// As the last step has left them: a batch holds many, some long ago where the disk was full.
  private var schedules: [ScheduleNumber: Ledger.KeptSchedule] = [:]
  /// What this step has started, before it writes of their schedules.
  private var begun: [(schedule: ScheduleNumber, run: Ledger.Run)] = []
  /// First runs of chains by what they were started for.
  private var taken: [Time: RunID] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes):
      for write in writes { check(write, scene) }
      for (_, run) in begun { tellUnknown(run, scene) }
      begun = []
    case .reopened:
      schedules = scene.ledger.schedules
      taken = taken.filter { schedules[$0.key.schedule] != nil }
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
      if let run = scene.ledger.run(row.number) { begin(run, scene) }
    case .putSchedule(let number, let bytes):
      schedules[number, default: Ledger.KeptSchedule(number: number)].definition =
        (try? ScheduleDefinition(bytes: bytes)) ?? ScheduleDefinition()
    case .putScheduleProgress(let number, let bytes):
      guard let before = schedules[number] else { return }
      var schedule = before
      schedule.progress = (try? ScheduleProgress(bytes: bytes)) ?? ScheduleProgress()
      schedules[number] = schedule
      for (_, run) in begun.filter({ $0.schedule == number }) {
        check(run, before.progress.doneThroughTimeMs.ms, schedule, scene)
      }
      begun.removeAll { $0.schedule == number }
      check(schedule, scene)
    case .deleteSchedule(let number):
      schedules[number] = nil
      taken = taken.filter { $0.key.schedule != number }
    default: break
    }
  }

  private func begin(_ run: Ledger.Run, _ scene: Scene) {
    guard let started = run.started, !started.scheduleID.isEmpty, started.continuedRunID == .none
    else { return }
    let schedule = schedules.values.first { $0.definition.scheduleID == started.scheduleID }
    guard let schedule else {
      return scene.found("\(run.row.number) is started by a schedule that is not there")
    }
    begun.append((schedule.number, run))
  }

  private func tellUnknown(_ run: Ledger.Run, _ scene: Scene) {
    scene.found("\(run.row.number) is open, and its schedule says it is not")
  }

  /// `doneThrough`: how far the schedule had come before the step.
  private func check(
    _ run: Ledger.Run, _ doneThrough: Int64, _ schedule: Ledger.KeptSchedule, _ scene: Scene
  ) {
    let ms = run.started?.scheduledTimeMs.ms ?? 0
    let time = Time(schedule: schedule.number, ms: ms)
    if let other = taken.updateValue(run.row.runID, forKey: time), other != run.row.runID {
      let id = schedule.definition.scheduleID
      scene.found("\(run.row.number) is the second action of \(id) for \(ms)")
    }
    if schedule.progress.info?.running.contains(where: { $0.runID == run.row.runID }) != true {
      tellUnknown(run, scene)
    }
    // Triggers have times of their own, each a millisecond after the one before at least.
    guard ms % 1_000 == 0, schedule.progress.lastTriggerTimeMs.ms < ms else { return }
    checkTime(of: run, ms, doneThrough, schedule, scene)
  }

  /// Of an action whose time the schedule names.
  private func checkTime(
    of run: Ledger.Run, _ ms: Int64, _ doneThrough: Int64, _ schedule: Ledger.KeptSchedule,
    _ scene: Scene
  ) {
    let number = run.row.number
    let spec = schedule.definition.schedule?.spec ?? ScheduleSpec()
    if ms % (spec.intervals.first?.everyMs.ms ?? 1_000) != 0 {
      scene.found("\(number) is started for \(ms), which its schedule does not name")
    }
    // One that has waited had come by a clock that may have been set back since.
    let begun = run.events.first?.eventTimeMs.ms ?? 0
    let hasWaited = doneThrough >= ms
    if ms > (hasWaited ? SimClock.originMs + scene.us / 1_000 : begun) {
      scene.found("\(number) is started before its time")
    }
    let window = schedule.definition.schedule?.policies?.catchupWindowMs.ms ?? 0
    let late = begun - ms - spec.jitterMs.ms
    if !hasWaited && late > window {
      scene.found("\(number) is \(late) ms late; \(window) are allowed")
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
