import ArgumentParser
import Basics
import Messages

struct ScheduleDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Show what a schedule is, what it has done and what comes next.",
    discussion: ExitCodes.after("holdfast schedule describe --schedule-id s-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption

  func run() throws {
    var request = DescribeScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    let response: DescribeScheduleResponse = try engine.connect().call(
      .scheduleDescribeSchedule, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    let schedule = response.schedule ?? Schedule()
    let info = response.info ?? ScheduleInfo()
    print(Show.fields([("schedule id", id.scheduleID)] + definition(schedule) + counts(info)))
    for execution in info.running {
      print("\nopen: \(execution.workflowID), first run \(execution.runID)")
    }
    if !info.recentActions.isEmpty {
      let rows = info.recentActions.map { action in
        [
          Show.time(action.scheduledTimeMs), Show.time(action.takenTimeMs),
          action.error.isEmpty ? action.status.name : "NOT STARTED",
          action.error.isEmpty ? action.execution?.workflowID ?? "" : action.error,
        ]
      }
      print("\n" + Show.table(["TIME", "TAKEN", "STATUS", "WORKFLOW"], rows))
    }
    if !info.nextActionTimeMs.isEmpty {
      print("\nnext: " + info.nextActionTimeMs.map(Show.time).joined(separator: "\n      "))
    }
  }

  private func definition(_ schedule: Schedule) -> [(String, String)] {
    let spec = schedule.spec ?? ScheduleSpec()
    let action = schedule.action ?? ScheduleAction()
    let policies = schedule.policies ?? SchedulePolicies()
    let state = schedule.state ?? ScheduleState()
    let intervals = spec.intervals.map { interval in
      "\(Show.duration(interval.everyMs))"
        + (interval.phaseMs == .zero ? "" : ", \(Show.duration(interval.phaseMs)) later")
    }
    return [
      ("cron", spec.crons.joined(separator: "; ")), ("every", intervals.joined(separator: "; ")),
      ("calendars", count(spec.calendars)), ("exclusions", count(spec.exclusions)),
      ("instants", spec.instantsAtMs.map(Show.time).joined(separator: " ")),
      ("time zone", spec.timeZone), ("from", Show.time(spec.startAtMs)),
      ("to", Show.time(spec.endAtMs)),
      ("jitter", spec.jitterMs == .zero ? "" : Show.duration(spec.jitterMs)),
      ("starts", "\(action.workflowType) on \(action.taskQueue)"),
      ("overlap", policies.overlapPolicy == .unspecified ? "SKIP" : policies.overlapPolicy.name),
      ("paused", state.paused ? "yes" : ""), ("note", state.note),
      ("actions left", state.limitedActions ? "\(state.remainingActions)" : ""),
    ]
  }

  private func count(_ calendars: [CalendarSpec]) -> String {
    calendars.isEmpty ? "" : "\(calendars.count), shown with -o json"
  }

  private func counts(_ info: ScheduleInfo) -> [(String, String)] {
    func shown(_ count: Int64) -> String { count == 0 ? "" : "\(count)" }
    return [
      ("created", Show.time(info.createTimeMs)), ("updated", Show.time(info.updateTimeMs)),
      ("workflows started", "\(info.actionCount)"), ("missed", shown(info.missedCount)),
      ("skipped", shown(info.skippedCount)), ("dropped", shown(info.droppedCount)),
      ("not started", shown(info.failedCount)), ("waiting", shown(info.waitingCount)),
      ("backfills", shown(info.backfills)),
    ]
  }
}

struct ScheduleList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List schedules, by id.",
    discussion: ExitCodes.after("holdfast schedule list"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "How many at most; 0: all.") var limit = 100

  func run() throws {
    let connection = try engine.connect()
    var rows: [[String]] = []
    var request = ListSchedulesRequest()
    request.namespace = engine.namespace
    repeat {
      request.limit = limit == 0 ? 1_000 : Int64(min(1_000, limit - rows.count))
      let response: ListSchedulesResponse = try connection.call(.scheduleListSchedules, request)
      for entry in response.schedules {
        if engine.output == .json { print(entry.json()) }
        rows.append([
          entry.scheduleID, entry.workflowType, entry.paused ? "yes" : "",
          "\(entry.runningCount)", "\(entry.actionCount)", Show.time(entry.nextActionTimeMs),
          entry.note,
        ])
      }
      guard response.more, let last = response.schedules.last else { break }
      request.afterScheduleID = last.scheduleID
    } while limit == 0 || rows.count < limit
    guard engine.output == .table else { return }
    if rows.isEmpty { return print("no schedules") }
    print(Show.table(["SCHEDULE ID", "TYPE", "PAUSED", "OPEN", "STARTED", "NEXT", "NOTE"], rows))
  }
}

struct ScheduleTimesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "times", abstract: "Show the times that a schedule names in a range.",
    discussion: ExitCodes.after(
      """
      holdfast schedule times --schedule-id s-1 --from 2026-01-01T00:00:00Z \
      --to 2026-01-31T00:00:00Z
      """))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @OptionGroup var range: MomentRange

  func run() throws {
    var request = ListScheduleMatchingTimesRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.startAtMs = range.from.instant
    request.endAtMs = range.to.instant
    let response: ListScheduleMatchingTimesResponse = try engine.connect().call(
      .scheduleListScheduleMatchingTimes, request)
    guard engine.output == .table else { return print(response.json()) }
    for time in response.matchingTimeMs { print(Show.time(time)) }
    if response.more { print("and further ones") }
  }
}
