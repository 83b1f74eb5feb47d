import ArgumentParser
import Basics
import Messages

struct TimeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "time", abstract: "Look at and move the time of an engine for tests.",
    discussion: ExitCodes.after("holdfast time advance --by 3d"),
    subcommands: [TimeShow.self, TimeSleep.self, TimeAdvance.self])
}

struct TimeShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the time, how it was skipped, and what holds it.",
    discussion: ExitCodes.after("holdfast time show"))

  @OptionGroup var engine: EngineOptions

  func run() throws {
    let response: GetTimeResponse = try engine.connect().call(.operatorGetTime, GetTimeRequest())
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    print(
      Show.fields([
        ("time", Show.time(response.currentTimeMs)),
        ("skipped", Show.duration(response.skippedMs)),
        ("busy workflows", String(response.busyWorkflows)),
        ("locked by", "\(response.lockingConnections) connections"),
        ("unlocked by", "\(response.lettingConnections) connections"),
      ]))
  }
}

struct TimeSleep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sleep",
    abstract: "Let time skip until so much has passed; what is under way holds it.",
    discussion: ExitCodes.after("holdfast time sleep --for 30d"))

  @OptionGroup var engine: EngineOptions
  @Option(name: .customLong("for"), help: "How long, like 90m or 3d.") var span: Interval

  func run() throws {
    var request = SleepRequest()
    request.durationMs = span.span
    request.unlock = true
    let response: SleepResponse = try engine.connect().call(.operatorSleep, request, waits: true)
    print(engine.output == .json ? response.json() : Show.time(response.currentTimeMs))
  }
}

struct TimeAdvance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advance",
    abstract: "Move time on at once, whatever holds it, as if the machine had been suspended.",
    discussion: ExitCodes.after("holdfast time advance --by 3d"))

  @OptionGroup var engine: EngineOptions
  @Option(name: .customLong("by"), help: "How far, like 90m or 3d.") var span: Interval

  func run() throws {
    var request = AdvanceTimeRequest()
    request.durationMs = span.span
    let response: AdvanceTimeResponse = try engine.connect().call(.operatorAdvanceTime, request)
    print(engine.output == .json ? response.json() : Show.time(response.currentTimeMs))
  }
}
