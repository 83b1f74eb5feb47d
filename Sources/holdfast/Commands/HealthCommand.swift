import ArgumentParser
import Messages

struct HealthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "health",
    abstract: "Ask the engine how it is; exit code 0 only while it serves.",
    discussion: ExitCodes.after("holdfast health -o json"))

  @OptionGroup var engine: EngineOptions

  func run() throws {
    let connection = try engine.connect()
    let health: HealthResponse = try connection.call(.operatorHealth, HealthRequest())
    let details: DescribeResponse = try connection.call(.operatorDescribe, DescribeRequest())
    if engine.output == .json {
      print(health.json())
    } else {
      var fields = [
        ("state", health.state.name), ("version", details.serverVersion),
        ("epoch", String(details.epoch)), ("store", details.storePath),
        ("up for", Show.duration(health.uptimeMs)),
        ("clock ahead", Show.duration(health.clockAheadMs)),
      ]
      fields += details.counters.map { ($0.name, String($0.value)) }
      print(Show.fields(fields))
    }
    if health.state != .serving {
      throw Fault(text: "the engine is \(health.state.name)", code: ExitCodes.refused)
    }
  }
}

struct DrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Let the engine finish what is under way, and end.",
    discussion: ExitCodes.after("holdfast drain --reason 'new version'"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "Why.") var reason = ""

  func run() throws {
    var request = DrainRequest()
    request.reason = reason
    let response: DrainResponse = try engine.connect().call(.operatorDrain, request)
    print(engine.output == .json ? response.json() : "draining")
  }
}
