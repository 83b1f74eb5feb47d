import ArgumentParser
import SimKit

/// Runs the engine in a simulated world, seed by seed.
struct WorldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "world",
    abstract: "Runs the engine against simulated crashes, disks, networks, workers and clients.",
    discussion: """
      Each seed draws its own world and is run twice; both runs must leave the same trace. It \
      exits with 0 only if every checker held for every seed.
      """)

  @Option(help: "The first seed.")
  var seed: UInt64 = 1

  @Option(help: "How many seeds.")
  var seeds: UInt64 = 1

  @Flag(help: "Show everything that happens.")
  var trace = false

  @Flag(help: "One client, one worker, no faults.")
  var quiet = false

  @Option(help: "Break the engine on purpose: \(Options.Mutant.allCases.map(\.rawValue)).")
  var mutant: String?

  @Option(help: "Leave these out: \(Trouble.allCases.map(\.rawValue)).")
  var without: [String] = []

  @Option(help: "At most so many requests.")
  var operations: Int?

  @Flag(help: "Look for a smaller world in which a seed that fails still does.")
  var shrink = false

  func validate() throws {
    for name in without where Trouble(rawValue: name) == nil {
      throw ValidationError("there is no trouble '\(name)'")
    }
    if let mutant, Options.Mutant(rawValue: mutant) == nil {
      throw ValidationError("there is no mutant '\(mutant)'")
    }
  }

  func run() throws {
    var failed = 0
    var hash: UInt64 = 0
    for seed in seed..<seed + seeds {
      let options = options(seed)
      if seeds == 1 { print("seed \(seed): \(options.description)") }
      let tell: ((String) -> Void)? = trace ? { print($0) } : nil
      let report = SimRunner.run(options, tell: tell)
      hash = hash &* 0x9E37_79B9_7F4A_7C15 ^ report.outcome.hash
      if !holds(report) { failed += 1 }
    }
    print("\(seeds) seeds from \(seed), \(failed) failed, hash of the range \(hash)")
    if failed > 0 { throw ExitCode.failure }
  }

  private func options(_ seed: UInt64) -> Options {
    var options = quiet ? Options.quiet(seed: seed) : Options.drawn(seed: seed)
    options.mutant = mutant.flatMap(Options.Mutant.init)
    for trouble in without.compactMap(Trouble.init) { _ = options.remove(trouble) }
    if let operations { options.limit(operations: operations) }
    return options
  }

  private func tellShrunk(_ options: Options) {
    guard let shrunk = Shrinker.shrink(options) else { return }
    let without = (self.without + shrunk.without.map(\.rawValue)).map { " --without \($0)" }
    print(
      "seed \(options.seed): \(shrunk.violation.checker) with `holdfast-sim --seed"
        + " \(options.seed) --operations \(shrunk.options.operations)\(without.joined()) --trace`")
  }

  /// False if a checker found something.
  private func holds(_ report: SimRunner.Report) -> Bool {
    let outcome = report.outcome
    let seed = report.options.seed
    guard let violation = outcome.violation else {
      if seeds == 1 {
        print(
          "seed \(seed): ok, \(outcome.answers) answers, \(outcome.runs) runs, \(outcome.lives)"
            + " lives, \(outcome.events) events, \(outcome.virtualMs) ms, trace \(outcome.hash)")
      }
      return true
    }
    print("seed \(seed): \(report.options.description)")
    print("seed \(seed): \(violation.checker), at \(violation.us) us: \(violation.what)")
    print("seed \(seed): replay with `holdfast-sim --seed \(seed) --trace`, trace \(outcome.hash)")
    if shrink { tellShrunk(report.options) }
    return false
  }
}
