import ArgumentParser
import Basics
import Messages

struct NamespaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "namespace",
    abstract: "Walled-off sets of workflows and task queues, each with a retention of its own.",
    discussion: ExitCodes.after("holdfast namespace create billing --retention 30d"),
    subcommands: [
      NamespaceCreate.self, NamespaceDescribe.self, NamespaceList.self, NamespaceUpdate.self,
      NamespaceDelete.self,
    ])
}

struct NamespaceCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a namespace; one that is there as wanted stays.",
    discussion: ExitCodes.after("holdfast namespace create billing --retention 30d"))

  @OptionGroup var engine: EngineOptions
  @Argument(help: "Its name.") var name: String
  @Option(help: "How long closed workflows are kept, like 72h; left out: as the engine says.")
  var retention: Interval?
  @Option(help: "What it is for.") var description = ""

  func run() throws {
    var request = CreateNamespaceRequest()
    request.namespace = name
    request.retentionMs = retention?.span ?? .zero
    request.description = description
    let response: CreateNamespaceResponse = try engine.connect().call(
      .operatorCreateNamespace, request)
    guard engine.output == .table else { return print(response.json()) }
    print(response.created ? "'\(name)' is created" : "'\(name)' is there already")
  }
}

struct NamespaceDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show a namespace and what it holds.",
    discussion: ExitCodes.after("holdfast namespace describe billing"))

  @OptionGroup var engine: EngineOptions
  @Argument(help: "Its name.") var name: String

  func run() throws {
    var request = DescribeNamespaceRequest()
    request.namespace = name
    let response: DescribeNamespaceResponse = try engine.connect().call(
      .operatorDescribeNamespace, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    print((response.info ?? NamespaceInfo()).shown)
  }
}

struct NamespaceList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the namespaces.",
    discussion: ExitCodes.after("holdfast namespace list"))

  @OptionGroup var engine: EngineOptions

  func run() throws {
    let response: ListNamespacesResponse = try engine.connect().call(
      .operatorListNamespaces, ListNamespacesRequest())
    guard engine.output == .table else { return print(response.json()) }
    let rows = response.namespaces.map { info in
      [
        info.namespace, info.retention, "\(info.openWorkflows)", "\(info.closedWorkflows)",
        info.description,
      ]
    }
    print(Show.table(["NAME", "RETENTION", "OPEN", "CLOSED", "DESCRIPTION"], rows))
  }
}

struct NamespaceUpdate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Change how long closed workflows are kept, those that have closed too.",
    discussion: ExitCodes.after("holdfast namespace update billing --retention 7d"))

  @OptionGroup var engine: EngineOptions
  @Argument(help: "Its name.") var name: String
  @Option(help: "How long closed workflows are kept, like 72h.") var retention: Interval?
  @Flag(help: "Keep them as long as the engine says.") var engineRetention = false
  @Option(help: "What it is for.") var description: String?

  func validate() throws {
    guard retention == nil || !engineRetention else {
      throw ValidationError("give --retention or --engine-retention")
    }
    guard retention != nil || engineRetention || description != nil else {
      throw ValidationError("give --retention, --engine-retention or --description")
    }
  }

  func run() throws {
    var request = UpdateNamespaceRequest()
    request.namespace = name
    if retention != nil || engineRetention { request.updateMask.append("retention_ms") }
    request.retentionMs = retention?.span ?? .zero
    if let description {
      request.updateMask.append("description")
      request.description = description
    }
    let response: UpdateNamespaceResponse = try engine.connect().call(
      .operatorUpdateNamespace, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    print((response.info ?? NamespaceInfo()).shown)
  }
}

struct NamespaceDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a namespace without open workflows, with all that is kept in it.",
    discussion: ExitCodes.after("holdfast namespace delete billing"))

  @OptionGroup var engine: EngineOptions
  @Argument(help: "Its name.") var name: String

  func run() throws {
    var request = DeleteNamespaceRequest()
    request.namespace = name
    let response: DeleteNamespaceResponse = try engine.connect().call(
      .operatorDeleteNamespace, request)
    print(engine.output == .json ? response.json() : "'\(name)' is deleted")
  }
}

extension NamespaceInfo {
  fileprivate var retention: String {
    if effectiveRetentionMs == .zero { return "forever" }
    return Show.duration(effectiveRetentionMs) + (retentionMs == .zero ? " (engine's)" : "")
  }

  fileprivate var shown: String {
    var lines = [("name", namespace), ("retention", retention)]
    if !description.isEmpty { lines.append(("description", description)) }
    let created = Show.time(createdTimeMs)
    lines.append(("created", created.isEmpty ? "with the engine's store" : created))
    lines.append(
      ("workflows", "\(openWorkflows) open, \(closedWorkflows) closed"))
    lines.append(("schedules", "\(schedules)"))
    lines.append(("running batches", "\(runningBatches)"))
    return Show.fields(lines)
  }
}
