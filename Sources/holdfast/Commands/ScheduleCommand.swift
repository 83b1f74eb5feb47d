import ArgumentParser
import Basics
import Messages

struct ScheduleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule", abstract: "Start workflows at the times of a calendar.",
    discussion: ExitCodes.after(
      """
      holdfast schedule create --schedule-id report --cron '30 9 * * MON-FRI' \
      --time-zone Europe/Berlin --type report --task-queue reports
      """),
    subcommands: [
      ScheduleCreate.self, ScheduleDescribe.self, ScheduleList.self, ScheduleUpdate.self,
      ScheduleDelete.self, SchedulePause.self, ScheduleUnpause.self, ScheduleTrigger.self,
      ScheduleBackfill.self, ScheduleTimesCommand.self,
    ])
}

/// Which schedule a command is about.
struct ScheduleIDOption: ParsableArguments {
  @Option(help: "The schedule id.") var scheduleID: String
}

enum OverlapOption: String, CaseIterable, ExpressibleByArgument {
  case skip
  case bufferOne = "buffer-one"
  case bufferAll = "buffer-all"
  case cancelOther = "cancel-other"
  case terminateOther = "terminate-other"
  case allowAll = "allow-all"

  var policy: ScheduleOverlapPolicy {
    switch self {
    case .skip: .skip
    case .bufferOne: .bufferOne
    case .bufferAll: .bufferAll
    case .cancelOther: .cancelOther
    case .terminateOther: .terminateOther
    case .allowAll: .allowAll
    }
  }
}

struct ScheduleCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a schedule; its times bring workflows from now on.",
    discussion: ExitCodes.after(
      "holdfast schedule create --schedule-id s-1 --cron @hourly --type order --task-queue orders"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @OptionGroup var definition: ScheduleOptions
  @Flag(help: "Start a workflow now, too.") var triggerImmediately = false
  @Option(help: "The same request id makes the same schedule, however often it is sent.")
  var requestID: String?

  func run() throws {
    var request = CreateScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.schedule = try definition.schedule()
    request.triggerImmediately = triggerImmediately
    request.requestID = requestID ?? ""
    let response: CreateScheduleResponse = try engine.connect().call(
      .scheduleCreateSchedule, request)
    engine.show(response, "created schedule '\(id.scheduleID)'")
  }
}

struct ScheduleUpdate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Put another definition in place of a schedule's; what it has done stays.",
    discussion: ExitCodes.after(
      "holdfast schedule update --schedule-id s-1 --cron @daily --type order --task-queue orders"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @OptionGroup var definition: ScheduleOptions
  @Option(help: "Only if nobody has changed it since it was described with this token.")
  var conflictToken: UInt64?

  func run() throws {
    var request = UpdateScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.schedule = try definition.schedule()
    request.conflictToken = conflictToken ?? 0
    let response: UpdateScheduleResponse = try engine.connect().call(
      .scheduleUpdateSchedule, request)
    engine.show(response, "updated schedule '\(id.scheduleID)'")
  }
}

struct ScheduleDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove a schedule; its open workflows stay.",
    discussion: ExitCodes.after("holdfast schedule delete --schedule-id s-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption

  func run() throws {
    var request = DeleteScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    let response: DeleteScheduleResponse = try engine.connect().call(
      .scheduleDeleteSchedule, request)
    engine.show(response, "deleted schedule '\(id.scheduleID)'")
  }
}

struct SchedulePause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Let times pass without workflows.",
    discussion: ExitCodes.after("holdfast schedule pause --schedule-id s-1 --note holidays"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @Option(help: "Why, for people.") var note = ""

  func run() throws {
    var request = PauseScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.note = note
    let response: PauseScheduleResponse = try engine.connect().call(.schedulePauseSchedule, request)
    engine.show(response, "paused schedule '\(id.scheduleID)'")
  }
}

struct ScheduleUnpause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause", abstract: "Let the times from now on bring workflows again.",
    discussion: ExitCodes.after("holdfast schedule unpause --schedule-id s-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @Option(help: "Why, for people.") var note = ""

  func run() throws {
    var request = UnpauseScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.note = note
    let response: UnpauseScheduleResponse = try engine.connect().call(
      .scheduleUnpauseSchedule, request)
    engine.show(response, "unpaused schedule '\(id.scheduleID)'")
  }
}

struct ScheduleTrigger: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trigger", abstract: "Start a workflow now, whatever the times say.",
    discussion: ExitCodes.after("holdfast schedule trigger --schedule-id s-1"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @Option(help: "Instead of the schedule's overlap policy.") var overlap: OverlapOption?
  @Option(help: "The same request id makes one workflow, however often it is sent.")
  var requestID: String?

  func run() throws {
    var request = TriggerScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.overlapPolicy = overlap?.policy ?? .unspecified
    request.requestID = requestID ?? ""
    let response: TriggerScheduleResponse = try engine.connect().call(
      .scheduleTriggerSchedule, request)
    engine.show(
      response,
      response.workflowID.isEmpty
        ? "nothing started: a workflow of the schedule is open, and so its policy wants it"
        : "workflow '\(response.workflowID)'")
  }
}

struct ScheduleBackfill: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill", abstract: "Start the workflows of times that have passed.",
    discussion: ExitCodes.after(
      """
      holdfast schedule backfill --schedule-id s-1 --from 2026-01-01T00:00:00Z \
      --to 2026-01-31T00:00:00Z --overlap buffer-all
      """))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var id: ScheduleIDOption
  @OptionGroup var range: MomentRange
  @Option(help: "Instead of the schedule's overlap policy.") var overlap: OverlapOption?
  @Option(help: "The same request id is one backfill, however often it is sent.")
  var requestID: String?

  func run() throws {
    var request = BackfillScheduleRequest()
    request.namespace = engine.namespace
    request.scheduleID = id.scheduleID
    request.startAtMs = range.from.instant
    request.endAtMs = range.to.instant
    request.overlapPolicy = overlap?.policy ?? .unspecified
    request.requestID = requestID ?? ""
    let response: BackfillScheduleResponse = try engine.connect().call(
      .scheduleBackfillSchedule, request)
    engine.show(response, "the backfill is under way; `schedule describe` shows how far it is")
  }
}

struct MomentRange: ParsableArguments {
  @Option(help: "The first time, like 2026-01-31T12:00:00Z.") var from: Moment
  @Option(help: "The last time.") var to: Moment
}

extension EngineOptions {
  /// An answer: as it is for programs, in words for people.
  func show(_ response: some Message, _ text: String) {
    print(output == .json ? response.json() : text)
  }
}
