import ArgumentParser
import Messages

// What a batch can do, a command each.

struct BatchSignal: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signal", abstract: "Send a signal to the open workflows of a filter.",
    discussion: ExitCodes.after(
      "holdfast batch signal --query \"Customer = 'c-7'\" --name pay --input '{\"by\":\"ann\"}'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions
  @Option(help: "The signal's name.") var name: String
  @OptionGroup var input: InputOptions

  func run() throws {
    var request = SignalWorkflowRequest()
    request.signalName = name
    request.input = try input.payloads()
    try batch.run(engine, "signal", .signalWorkflow(request))
  }
}

struct BatchCancel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Ask the open workflows of a filter to end.",
    discussion: ExitCodes.after(
      "holdfast batch cancel --query \"WorkflowType = 'order'\" --reason 'out of stock'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions

  func run() throws {
    try batch.run(engine, "cancel", .cancelWorkflow(CancelWorkflowRequest()))
  }
}

struct BatchTerminate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "terminate", abstract: "End the open workflows of a filter, without their code.",
    discussion: ExitCodes.after(
      "holdfast batch terminate --query \"WorkflowType = 'import'\" --reason 'the wrong file'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions

  func run() throws {
    try batch.run(engine, "terminate", .terminateWorkflow(TerminateWorkflowRequest()))
  }
}

struct BatchDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Remove the runs of a filter with their histories; open ones end first.",
    discussion: ExitCodes.after(
      "holdfast batch delete --query \"CloseTime < '2026-01-01T00:00:00Z'\""))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions

  func run() throws {
    try batch.run(engine, "delete", .deleteWorkflow(DeleteWorkflowRequest()))
  }
}

struct BatchReset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Let the runs of a filter go on anew from an earlier point of their histories.",
    discussion: ExitCodes.after(
      """
      Open and closed runs: each goes on in a new one, see `holdfast help workflow reset`.

      holdfast batch reset --query "ExecutionStatus = 'Failed' AND WorkflowType = 'order'" \\
        --to last --reason 'the fix is deployed'
      """))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var point: PointOptions

  func run() throws {
    var request = ResetWorkflowRequest()
    request.point = try point.point()
    request.reapplyExclude = point.exclude.map(\.value)
    try batch.run(engine, "reset", .resetWorkflow(request))
  }
}

struct BatchPause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Keep the tasks of the open workflows of a filter back.",
    discussion: ExitCodes.after(
      "holdfast batch pause --query \"TaskQueue = 'payments'\" --reason 'the bank is down'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions

  func run() throws {
    try batch.run(engine, "pause", .pauseWorkflow(PauseWorkflowRequest()))
  }
}

struct BatchUnpause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause", abstract: "Let the paused workflows of a filter go on.",
    discussion: ExitCodes.after("holdfast batch unpause --query \"ExecutionStatus = 'Paused'\""))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions

  func run() throws {
    try batch.run(engine, "unpause", .unpauseWorkflow(UnpauseWorkflowRequest()))
  }
}

/// Which pending activities of each workflow.
struct BatchedActivityOptions: ParsableArguments {
  @Option(help: "Pending activities of this type; by default all.") var type: String?

  var selection: ActivitySelection {
    var selection = ActivitySelection()
    selection.which = type.map { .activityType($0) } ?? .all(true)
    return selection
  }
}

struct BatchPauseActivities: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause-activities",
    abstract: "Let no attempt of pending activities start, in the workflows of a filter.",
    discussion: ExitCodes.after(
      "holdfast batch pause-activities --query '' --type charge --reason 'the bank is down'"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var activities: BatchedActivityOptions

  func run() throws {
    var request = PauseActivityRequest()
    request.activities = activities.selection
    try batch.run(engine, "pause activities of", .pauseActivity(request))
  }
}

struct BatchUnpauseActivities: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause-activities",
    abstract: "Let paused activities go on, in the workflows of a filter.",
    discussion: ExitCodes.after("holdfast batch unpause-activities --query '' --type charge"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var activities: BatchedActivityOptions
  @Flag(help: "Count attempts from one again.") var resetAttempts = false

  func run() throws {
    var request = UnpauseActivityRequest()
    request.activities = activities.selection
    request.resetAttempts = resetAttempts
    try batch.run(engine, "unpause activities of", .unpauseActivity(request))
  }
}

struct BatchResetActivities: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset-activities",
    abstract: "Start pending activities anew without waiting, in the workflows of a filter.",
    discussion: ExitCodes.after("holdfast batch reset-activities --query '' --type charge"))

  @OptionGroup var engine: EngineOptions
  @OptionGroup var batch: BatchOptions
  @OptionGroup var activities: BatchedActivityOptions
  @Flag(help: "Leave a paused activity paused.") var keepPaused = false

  func run() throws {
    var request = ResetActivityRequest()
    request.activities = activities.selection
    request.keepPaused = keepPaused
    try batch.run(engine, "reset activities of", .resetActivity(request))
  }
}
