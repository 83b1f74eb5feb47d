import ArgumentParser
import Messages

struct SearchAttributeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search-attribute",
    abstract: "The names by which lists find workflows, and their types.",
    discussion: ExitCodes.after("holdfast search-attribute create --name Customer --type Keyword"),
    subcommands: [
      SearchAttributeCreate.self, SearchAttributeList.self, SearchAttributeRemove.self,
    ])
}

struct SearchAttributeCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Give a name its type, before a workflow does by using it.",
    discussion: ExitCodes.after("holdfast search-attribute create --name Customer --type Keyword"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The name.") var name: String
  @Option(help: "Its type.") var type: AttributeType

  func run() throws {
    var request = AddSearchAttributeRequest()
    request.namespace = engine.namespace
    request.name = name
    request.type = type.type
    let response: AddSearchAttributeResponse = try engine.connect().call(
      .operatorAddSearchAttribute, request)
    print(engine.output == .json ? response.json() : "'\(name)' is of type \(type.rawValue)")
  }
}

struct SearchAttributeList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the names and their types.",
    discussion: ExitCodes.after("holdfast search-attribute list"))

  @OptionGroup var engine: EngineOptions

  func run() throws {
    var request = ListSearchAttributesRequest()
    request.namespace = engine.namespace
    let response: ListSearchAttributesResponse = try engine.connect().call(
      .operatorListSearchAttributes, request)
    guard engine.output == .table else { return print(response.json()) }
    guard !response.attributes.isEmpty else { return print("no search attributes") }
    let rows = response.attributes.map { attribute in
      let type = AttributeType.allCases.first { $0.type == attribute.type }
      return [attribute.name, type?.rawValue ?? attribute.type.name]
    }
    print(Show.table(["NAME", "TYPE"], rows))
  }
}

struct SearchAttributeRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Take a name away from lists; workflows keep what they have under it.",
    discussion: ExitCodes.after("holdfast search-attribute remove --name Customer"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The name.") var name: String

  func run() throws {
    var request = RemoveSearchAttributeRequest()
    request.namespace = engine.namespace
    request.name = name
    let response: RemoveSearchAttributeResponse = try engine.connect().call(
      .operatorRemoveSearchAttribute, request)
    print(engine.output == .json ? response.json() : "'\(name)' is removed")
  }
}
