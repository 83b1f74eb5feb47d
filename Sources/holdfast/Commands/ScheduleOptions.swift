import ArgumentParser
import Basics
import Messages

/// The definition of a schedule.
struct ScheduleOptions: ParsableArguments {
  @Option(help: "Times as a cron string: '30 9 * * MON-FRI', @daily; may be given several times.")
  var cron: [String] = []
  @Option(help: "Times at an interval: 1h, or 1h/15m with a phase; may be given several times.")
  var every: [Every] = []
  @Option(help: "One time, like 2026-01-31T12:00:00Z; may be given several times.")
  var at: [Moment] = []
  @Option(help: "A day without times, like 2026-12-25; may be given several times.")
  var excludeDay: [Day] = []
  @Option(help: "The time zone of cron strings and days: Europe/Berlin; without it, UTC.")
  var timeZone: String?
  @Option(help: "No earlier times.") var startAt: Moment?
  @Option(help: "No later times.") var endAt: Moment?
  @Option(help: "Start each workflow up to so much later than its time.") var jitter: Interval?

  @Option(help: "The workflow type.") var type: String
  @Option(help: "The task queue of its workers.") var taskQueue: String
  @Option(help: "What the workflow ids begin with; without it, the schedule id.")
  var workflowID: String?
  @OptionGroup var input: InputOptions
  @Option(help: "The longest that a workflow may live, over all its runs.")
  var executionTimeout: Interval?
  @Option(help: "The longest that one run may live.") var runTimeout: Interval?
  @Option(help: "The longest that a worker may take for one turn.") var taskTimeout: Interval?
  @Option(help: "Begin a run that fails or times out again, up to so many times in all; 0: always.")
  var maximumAttempts: Int32?
  @Option(help: "A line for people, shown in lists of workflows.") var summary: String?
  @OptionGroup var noted: DetailOptions
  @OptionGroup var priority: PriorityOptions

  @Option(help: "What to do while an earlier workflow is open; skip if it is left out.")
  var overlap: OverlapOption?
  @Option(help: "How late a workflow may be started after the engine was away; a year.")
  var catchupWindow: Interval?
  @Flag(help: "Pause when a workflow fails or times out.") var pauseOnFailure = false
  @Flag(help: "Make it paused.") var paused = false
  @Option(help: "A line for people on its state.") var note: String?
  @Option(help: "Only so many workflows more.") var remainingActions: Int64?

  func schedule() throws -> Schedule {
    var schedule = Schedule()
    schedule.spec = spec()
    schedule.action = try action()
    var policies = SchedulePolicies()
    policies.overlapPolicy = overlap?.policy ?? .unspecified
    policies.catchupWindowMs = catchupWindow?.span ?? .zero
    policies.pauseOnFailure = pauseOnFailure
    schedule.policies = policies
    guard paused || note != nil || remainingActions != nil else { return schedule }
    var state = ScheduleState()
    state.paused = paused
    state.note = note ?? ""
    state.limitedActions = remainingActions != nil
    state.remainingActions = remainingActions ?? 0
    schedule.state = state
    return schedule
  }

  private func spec() -> ScheduleSpec {
    var spec = ScheduleSpec()
    spec.crons = cron
    spec.intervals = every.map(\.interval)
    spec.instantsAtMs = at.map(\.instant)
    spec.exclusions = excludeDay.map(\.calendar)
    spec.timeZone = timeZone ?? ""
    spec.startAtMs = startAt?.instant ?? .epoch
    spec.endAtMs = endAt?.instant ?? .epoch
    spec.jitterMs = jitter?.span ?? .zero
    return spec
  }

  private func action() throws -> ScheduleAction {
    var action = ScheduleAction()
    action.workflowIDPrefix = workflowID ?? ""
    action.workflowType = type
    action.taskQueue = taskQueue
    action.input = try input.payloads()
    action.executionTimeoutMs = executionTimeout?.span ?? .zero
    action.runTimeoutMs = runTimeout?.span ?? .zero
    action.taskTimeoutMs = taskTimeout?.span ?? .zero
    if let maximumAttempts {
      action.retryPolicy = RetryPolicy()
      action.retryPolicy?.maximumAttempts = maximumAttempts
    }
    if let summary {
      action.userMetadata = UserMetadata()
      action.userMetadata?.summary = summary
    }
    action.memo = try noted.notedMemo()
    action.searchAttributes = try noted.notedAttributes()
    action.priority = priority.message
    action.concurrencyKey = priority.concurrencyKey ?? ""
    return action
  }
}

/// An interval, and a phase behind a slash.
struct Every: ExpressibleByArgument {
  let interval: IntervalSpec

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, let every = Interval(argument: parts[0]) else { return nil }
    var interval = IntervalSpec()
    interval.everyMs = every.span
    if parts.count == 2 {
      guard let phase = Interval(argument: parts[1]) else { return nil }
      interval.phaseMs = phase.span
    }
    self.interval = interval
  }
}

/// All times of a day: 2026-12-25.
struct Day: ExpressibleByArgument {
  let calendar: CalendarSpec

  init?(argument: String) {
    guard Instant(iso8601: argument + "T00:00:00Z") != nil else { return nil }
    let numbers = argument.split(separator: "-").compactMap { Int32($0) }
    func range(_ start: Int32, _ end: Int32 = 0) -> [CalendarRange] {
      var range = CalendarRange()
      range.start = start
      range.end = end
      return [range]
    }
    var calendar = CalendarSpec()
    calendar.years = range(numbers[0])
    calendar.months = range(numbers[1])
    calendar.daysOfMonth = range(numbers[2])
    calendar.hours = range(0, 23)
    calendar.minutes = range(0, 59)
    calendar.seconds = range(0, 59)
    self.calendar = calendar
  }
}
