import ArgumentParser
import Messages

struct TaskQueueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task-queue", abstract: "Look at task queues, and limit them.",
    discussion: ExitCodes.after("holdfast task-queue describe --task-queue orders"),
    subcommands: [TaskQueueDescribe.self, TaskQueueLimit.self])
}

struct TaskQueueDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show who is attached to a queue and what waits in it.",
    discussion: ExitCodes.after("holdfast task-queue describe --task-queue orders"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The task queue.") var taskQueue: String

  func run() throws {
    var request = DescribeTaskQueueRequest()
    request.namespace = engine.namespace
    request.taskQueue = taskQueue
    let response: DescribeTaskQueueResponse = try engine.connect().call(
      .operatorDescribeTaskQueue, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    let waiting = [
      ("workflow tasks", response.workflowTasks), ("activity tasks", response.activityTasks),
    ]
    print(Show.fields(waiting.map { ($0, TaskQueueDescribe.line($1 ?? QueueBacklog())) }))
    if let limits = response.limits { print(Show.fields(TaskQueueLimit.lines(limits))) }
    for warning in response.warnings { print("warning: \(warning)") }
    TaskQueueDescribe.showPriorities(waiting)
    guard !response.workers.isEmpty else { return }
    let rows = response.workers.map { worker in
      [
        worker.identity, worker.buildID, "\(worker.sdkName) \(worker.sdkVersion)",
        "\(worker.workflowTasksOut) out, \(worker.workflowSlotsFree) free",
        "\(worker.activityTasksOut) out, \(worker.activitySlotsFree) free",
        (worker.workflowTypes + worker.activityTypes).joined(separator: " "),
      ]
    }
    print("")
    print(Show.table(["WORKER", "BUILD", "SDK", "WORKFLOW TASKS", "ACTIVITIES", "TYPES"], rows))
  }

  private static func line(_ backlog: QueueBacklog) -> String {
    let age = backlog.count == 0 ? "" : ", oldest for \(Show.duration(backlog.oldestAgeMs))"
    let rates = (backlog.addedPerSecond, backlog.givenPerSecond)
    let flow =
      rates == (0, 0) ? "" : "; \(rate(rates.0)) came and \(rate(rates.1)) went per second"
    return "\(backlog.count) waiting\(age)\(flow)"
  }

  /// Where one counts other than the default.
  private static func showPriorities(_ waiting: [(name: String, backlog: QueueBacklog?)]) {
    let all = waiting.flatMap { name, backlog in
      (backlog?.priorities ?? []).map { (name: name, lane: $0) }
    }
    guard all.contains(where: { $0.lane.priorityKey != 3 }) else { return }
    let rows = all.map { name, lane in
      [
        "\(lane.priorityKey)", name, "\(lane.count)",
        lane.count == 0 ? "" : Show.duration(lane.oldestAgeMs), rate(lane.addedPerSecond),
        rate(lane.givenPerSecond),
      ]
    }
    print("")
    print(Show.table(["PRIORITY", "OF", "WAITING", "OLDEST", "CAME/S", "WENT/S"], rows))
  }

  /// With two digits behind the point.
  private static func rate(_ value: Double) -> String { Show.number((value * 100).rounded() / 100) }
}

struct TaskQueueLimit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Show or change how fast a queue gives out activities.",
    discussion: ExitCodes.after("holdfast task-queue limits --task-queue orders --per-second 10"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The task queue.") var taskQueue: String
  @Option(help: "Activities of the queue per second: 0.001 to 1000000; 0: no limit.")
  var perSecond: Double?
  @Option(help: "The same of each fairness key.") var perSecondOfKey: Double?
  @Option(help: "A key with a rate of its own: KEY=RATE. May be given several times.")
  var key: [String] = []
  @Flag(help: "Take all limits of the queue away first.") var clear = false

  func validate() throws { _ = try keyRates() }

  func run() throws {
    let connection = try engine.connect()
    var request = SetTaskQueueLimitsRequest()
    request.namespace = engine.namespace
    request.taskQueue = taskQueue
    var describe = DescribeTaskQueueRequest()
    describe.namespace = engine.namespace
    describe.taskQueue = taskQueue
    let queue: DescribeTaskQueueResponse = try connection.call(
      .operatorDescribeTaskQueue, describe)
    var limits = clear ? TaskQueueLimits() : queue.limits ?? TaskQueueLimits()
    if let perSecond { limits.activitiesPerSecond = perSecond }
    if let perSecondOfKey { limits.activitiesPerSecondOfKey = perSecondOfKey }
    let rates = try keyRates()
    limits.keyRates.removeAll { old in rates.contains { $0.fairnessKey == old.fairnessKey } }
    limits.keyRates = (limits.keyRates + rates).sorted { $0.fairnessKey < $1.fairnessKey }
    request.limits = limits
    if clear || perSecond != nil || perSecondOfKey != nil || !rates.isEmpty {
      let _: SetTaskQueueLimitsResponse = try connection.call(.operatorSetTaskQueueLimits, request)
    }
    guard engine.output == .table else { return print(limits.json(pretty: true)) }
    let lines = TaskQueueLimit.lines(limits)
    print(lines.isEmpty ? "task queue '\(taskQueue)' has no limits" : Show.fields(lines))
  }

  private func keyRates() throws -> [FairnessKeyRate] {
    try key.map { text in
      guard let sign = text.lastIndex(of: "="), sign != text.startIndex,
        let perSecond = Double(text[text.index(after: sign)...])
      else { throw ValidationError("--key '\(text)' is not KEY=RATE") }
      var rate = FairnessKeyRate()
      rate.fairnessKey = String(text[..<sign])
      rate.activitiesPerSecond = perSecond
      return rate
    }
  }

  static func lines(_ limits: TaskQueueLimits) -> [(String, String)] {
    func text(_ rate: Double) -> String {
      rate == 0 ? "no limit" : "\(Show.number(rate)) per second"
    }
    var lines: [(String, String)] = []
    if limits.activitiesPerSecond != 0 {
      lines.append(("activities", text(limits.activitiesPerSecond)))
    }
    if limits.activitiesPerSecondOfKey != 0 {
      lines.append(("activities of a key", text(limits.activitiesPerSecondOfKey)))
    }
    for rate in limits.keyRates {
      lines.append(("activities of '\(rate.fairnessKey)'", text(rate.activitiesPerSecond)))
    }
    return lines
  }
}
