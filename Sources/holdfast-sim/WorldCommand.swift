import ArgumentParser
import Glibc
import SimKit

/// Runs the engine in a simulated world, seed by seed.
struct WorldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "world",
    abstract: "Runs the engine against simulated crashes, disks, networks, workers and clients.",
    discussion: """
      Each seed draws its own world and is run twice; both runs must leave the same trace, in two \
      processes when there is a range of seeds. With --once the seeds of a range are run once, in \
      half the time. It exits with 0 only if every checker held for every seed.
      """)

  @Option(help: "The first seed.")
  var seed: UInt64 = 1

  @Option(help: "How many seeds.")
  var seeds: UInt64 = 1

  @Option(help: "Processes that run them; at least two.")
  var jobs = 2

  @Flag(help: "Run each seed of a range once only: traces are not compared.")
  var once = false

  @Flag(help: "Show everything that happens.")
  var trace = false

  @Flag(help: "One client, one worker, no faults.")
  var quiet = false

  @Option(help: "Break the engine on purpose: \(Mutants.all.map(\.name)).")
  var mutant: String?

  @Option(help: "Leave these out: \(Trouble.allCases.map(\.rawValue)).")
  var without: [String] = []

  @Option(help: "At most so many requests.")
  var operations: Int?

  @Option(help: "Begin with this file, made by --keep, in place of an empty disk.")
  var file: String?

  @Option(help: "Only write the engine's file at the end of the seed's faults, to this path.")
  var keep: String?

  @Flag(help: "Look for a smaller world in which a seed that fails still does.")
  var shrink = false

  /// Of a fleet's process: which it is. It tells each outcome in a line.
  @Option(help: .hidden)
  var member: Int?

  func validate() throws {
    if let file, Program.read(file) == nil { throw ValidationError("'\(file)' cannot be read") }
    for name in without where Trouble(rawValue: name) == nil {
      throw ValidationError("there is no trouble '\(name)'")
    }
    if let mutant, !Mutants.all.contains(where: { $0.name == mutant }) {
      throw ValidationError("there is no mutant '\(mutant)'")
    }
  }

  func run() throws {
    if let member { return runAsMember(member) }
    if let keep { return try Program.store(SimRunner.file(options(seed)), to: keep) }
    print("commit \(Program.commit)")
    if seeds == 1 { return try runOne() }
    let range = seed..<seed + seeds
    var fleet = Fleet(range, size: jobs, runsOnce: once, arguments: worldArguments)
    var failed = 0
    var operations = 0
    var kills = 0
    var powerLosses = 0
    var hash: UInt64 = 0
    for seed in range {
      let outcome = fleet.outcome(of: seed)
      hash = hash &* 0x9E37_79B9_7F4A_7C15 ^ outcome.hash
      operations += outcome.operations
      kills += outcome.kills
      powerLosses += outcome.powerLosses
      if let violation = outcome.violation {
        failed += 1
        Program.showProgress("")
        tell(violation, options(seed), outcome)
      }
      Program.showProgress("seed \(seed) of \(range.upperBound - 1), \(failed) failed")
    }
    Program.showProgress("")
    print(
      "\(seeds) seeds from \(seed), \(failed) failed, \(operations) operations, \(kills) kills,"
        + " \(powerLosses) of them with the power, hash of the range \(hash)")
    if failed > 0 { throw ExitCode.failure }
  }

  private func runOne() throws {
    let options = options(seed)
    print("seed \(seed): \(options.description)")
    let outcome = SimRunner.run(options, tell: trace ? { print($0) } : nil)
    if let violation = outcome.violation {
      tell(violation, options, outcome)
      throw ExitCode.failure
    }
    print(
      "seed \(seed): ok, \(outcome.operations) operations, \(outcome.answers) answers,"
        + " \(outcome.runs) runs, \(outcome.lives) lives, \(outcome.kills) kills,"
        + " \(outcome.powerLosses) of them with the power, \(outcome.events) events,"
        + " \(outcome.virtualMs) ms, trace \(outcome.hash)")
  }

  private func runAsMember(_ member: Int) {
    for seed in seed..<seed + seeds
    where Fleet.members(of: seed, size: jobs, runsOnce: once).contains(member) {
      Program.tell(SimRunner.once(options(seed)).line)
    }
  }

  /// The options that make a seed's world, for the processes of a fleet.
  private var worldArguments: [String] {
    var words = quiet ? ["--quiet"] : []
    if let mutant { words += ["--mutant", mutant] }
    for name in without { words += ["--without", name] }
    if let operations { words += ["--operations", "\(operations)"] }
    if let file { words += ["--file", file] }
    return words
  }

  private func options(_ seed: UInt64) -> Options {
    var options = quiet ? Options.quiet(seed: seed) : Options.drawn(seed: seed)
    options.mutant = mutant
    for trouble in without.compactMap(Trouble.init) { _ = options.remove(trouble) }
    options.file = file.flatMap(Program.read)
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

  private func tell(_ violation: Violation, _ options: Options, _ outcome: Outcome) {
    let seed = options.seed
    print("seed \(seed): \(options.description)")
    print("seed \(seed): \(violation.checker), at \(violation.us) us: \(violation.what)")
    print("seed \(seed): replay with `holdfast-sim --seed \(seed) --trace`, trace \(outcome.hash)")
    fflush(nil)
    if shrink { tellShrunk(options) }
  }
}
