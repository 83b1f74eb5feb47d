import ArgumentParser
import Basics
import Messages

struct WorkflowTypeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workflow-type", abstract: "Limit how many workflows of a type run at once.",
    discussion: ExitCodes.after("holdfast workflow-type limits --type Order --running 10"),
    subcommands: [WorkflowTypeDescribe.self, WorkflowTypeList.self, WorkflowTypeLimit.self])
}

struct WorkflowTypeDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show what runs of a type with limits, and what waits.",
    discussion: ExitCodes.after("holdfast workflow-type describe --type Order"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The workflow type.") var type: String

  func run() throws {
    var request = DescribeWorkflowTypeRequest()
    request.namespace = engine.namespace
    request.workflowType = type
    let response: DescribeWorkflowTypeResponse = try engine.connect().call(
      .operatorDescribeWorkflowType, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    let info = response.info ?? WorkflowTypeInfo()
    guard let limits = info.limits else { return print(WorkflowTypeLimit.none(type)) }
    let waiting = [
      ("running", "\(info.running)"),
      ("waiting", WorkflowTypeDescribe.waiting(info.waiting, info.oldestAgeMs)),
    ]
    print(Show.fields(WorkflowTypeLimit.lines(limits) + waiting))
    guard !response.keys.isEmpty else { return }
    let rows = response.keys.map { key in
      [
        key.concurrencyKey, "\(key.running)", "\(key.waiting)",
        key.waiting == 0 ? "" : Show.duration(key.oldestAgeMs),
      ]
    }
    print("")
    print(Show.table(["CONCURRENCY KEY", "RUNNING", "WAITING", "OLDEST"], rows))
    let more = response.keysCount - Int64(response.keys.count)
    if more > 0 { print("and \(more) more keys") }
  }

  static func waiting(_ count: Int64, _ oldest: Span) -> String {
    count == 0 ? "0" : "\(count), oldest for \(Show.duration(oldest))"
  }
}

struct WorkflowTypeList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show the workflow types that have limits.",
    discussion: ExitCodes.after("holdfast workflow-type list"))

  @OptionGroup var engine: EngineOptions

  func run() throws {
    var request = ListWorkflowTypesRequest()
    request.namespace = engine.namespace
    let response: ListWorkflowTypesResponse = try engine.connect().call(
      .operatorListWorkflowTypes, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    guard !response.types.isEmpty else { return print("no workflow type has limits") }
    let rows = response.types.map { info in
      [
        info.workflowType, WorkflowTypeList.text(info.limits?.running),
        WorkflowTypeList.text(info.limits?.runningOfKey), "\(info.running)", "\(info.waiting)",
        info.waiting == 0 ? "" : Show.duration(info.oldestAgeMs),
      ]
    }
    print(Show.table(["TYPE", "LIMIT", "LIMIT OF A KEY", "RUNNING", "WAITING", "OLDEST"], rows))
  }

  private static func text(_ limit: Int32?) -> String {
    limit.map { $0 == 0 ? "" : "\($0)" } ?? ""
  }
}

struct WorkflowTypeLimit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Show or change how many workflows of a type run at once.",
    discussion: ExitCodes.after(
      "holdfast workflow-type limits --type Order --running 10 --running-of-key 1"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The workflow type.") var type: String
  @Option(help: "How many workflows of the type run at once: 1 to 1000000; 0: no limit.")
  var running: Int32?
  @Option(help: "The same of each concurrency key.") var runningOfKey: Int32?
  @Flag(help: "Take all limits of the type away first.") var clear = false

  func run() throws {
    let connection = try engine.connect()
    var describe = DescribeWorkflowTypeRequest()
    describe.namespace = engine.namespace
    describe.workflowType = type
    let response: DescribeWorkflowTypeResponse = try connection.call(
      .operatorDescribeWorkflowType, describe)
    var limits = clear ? WorkflowTypeLimits() : response.info?.limits ?? WorkflowTypeLimits()
    if let running { limits.running = running }
    if let runningOfKey { limits.runningOfKey = runningOfKey }
    if clear || running != nil || runningOfKey != nil {
      var request = SetWorkflowTypeLimitsRequest()
      request.namespace = engine.namespace
      request.workflowType = type
      request.limits = limits
      let _: SetWorkflowTypeLimitsResponse = try connection.call(
        .operatorSetWorkflowTypeLimits, request)
    }
    guard engine.output == .table else { return print(limits.json(pretty: true)) }
    let lines = WorkflowTypeLimit.lines(limits)
    print(lines.isEmpty ? WorkflowTypeLimit.none(type) : Show.fields(lines))
  }

  static func none(_ type: String) -> String { "workflow type '\(type)' has no limits" }

  static func lines(_ limits: WorkflowTypeLimits) -> [(String, String)] {
    var lines: [(String, String)] = []
    if limits.running != 0 { lines.append(("at once", "\(limits.running)")) }
    if limits.runningOfKey != 0 { lines.append(("at once of a key", "\(limits.runningOfKey)")) }
    return lines
  }
}
