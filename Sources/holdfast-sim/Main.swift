import ArgumentParser
import Glibc

@main struct Main: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holdfast-sim",
    abstract: "Looks for faults of the engine in worlds that are drawn from seeds.",
    subcommands: [
      WorldCommand.self, OracleCommand.self, MutantsCommand.self, FileCommand.self,
    ],
    defaultSubcommand: WorldCommand.self)

  static func main() {
    // Long runs are followed, and what ends in the middle has said where.
    setvbuf(stdout, nil, _IOLBF, 0)
    main(nil)
  }
}
