import ArgumentParser
import SimKit

/// The engine and a model of the semantics take the same random walk.
struct OracleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "oracle",
    abstract: "Compares the engine with a model of the semantics, step by step.",
    discussion: """
      Requests, workers' answers and ends, the time that passes, full disks, drains and starts of \
      the engine are drawn from the seed. It exits with 0 only if both did the same after each \
      step; else it shows the difference. Fewer steps of the same seed are the beginning of the \
      same walk.
      """)

  @Option(help: "The first seed.")
  var seed: UInt64 = 1

  @Option(help: "How many seeds.")
  var seeds: UInt64 = 1

  @Option(help: "Steps of each seed.")
  var steps = 10_000

  @Flag(help: "Show every step and what the engine did.")
  var trace = false

  func run() throws {
    var hash: UInt64 = 0
    var differences = 0
    for seed in seed..<seed + seeds {
      let report = Oracle.walk(seed: seed, steps: steps, tell: trace ? { print($0) } : nil)
      hash = hash &* 0x9E37_79B9_7F4A_7C15 ^ report.hash
      guard let difference = report.difference else {
        Program.tell(
          "seed \(seed): \(report.steps) steps, \(report.runs) runs, \(report.events) events,"
            + " \(report.answers) answers, no difference, hash \(report.hash)")
        continue
      }
      differences += 1
      Program.tell(difference)
      print(
        "seed \(seed): replay with `holdfast-sim oracle --seed \(seed) --steps \(report.steps)"
          + " --trace`")
    }
    print("\(seeds) seeds from \(seed), \(differences) differ, hash of the range \(hash)")
    if differences > 0 { throw ExitCode.failure }
  }
}
