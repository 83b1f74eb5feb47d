import ArgumentParser

@main struct Main: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holdfast-sim",
    abstract: "Looks for faults of the engine in worlds that are drawn from seeds.",
    subcommands: [
      WorldCommand.self, OracleCommand.self, MutantsCommand.self, FileCommand.self,
    ],
    defaultSubcommand: WorldCommand.self)
}
