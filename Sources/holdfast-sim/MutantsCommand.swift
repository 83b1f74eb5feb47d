import ArgumentParser
import SimKit

/// Puts each fault into the engine or its world, and sees that the checker which is meant sees it.
struct MutantsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mutants",
    abstract: "Shows that no checker is blind: a fault for each, seen by the one that is meant.",
    discussion: """
      Each mutant is given seeds until the checker that is meant sees it; others may see it \
      before, since one fault has many signs. Seeds are of the simulated world, or walks of the \
      oracle for what only that is meant to see. Canaries come first, in both: without a mutant \
      all must hold, and a mutant that changes nothing must be told to be alive. It exits with 0 \
      only if all that is so.
      """)

  @Option(help: "At most so many seeds for each.")
  var seeds: UInt64 = 250

  @Option(help: "At most so many requests a seed of the world.")
  var operations = 250

  @Option(help: "At most so many steps a walk of the oracle.")
  var steps = 2_000

  @Option(help: "Only this one.")
  var only: String?

  @Option(help: "The file of an earlier engine, for the mutants that need one; from a checkout.")
  var oldFile = "Tests/SimTests/Files/format-1.db"

  func validate() throws {
    guard Program.read(oldFile) == nil else { return }
    throw ValidationError("'\(oldFile)' cannot be read: start in a checkout, or give --old-file")
  }

  func run() throws {
    guard !Mutants.engine.isEmpty else {
      throw ValidationError("this build has no mutants of the engine; `make mutants` makes one")
    }
    print("commit \(Program.commit), \(Mutants.all.count) mutants, at most \(seeds) seeds each")
    var isAsMeant = only == nil ? canariesAreAsMeant() : true
    for mutant in Mutants.all where only.map({ $0 == mutant.name }) ?? !mutant.isCanary {
      let verdict = verdict(on: mutant, by: mutant.judge)
      Program.tell(verdict.line(mutant))
      if verdict.killer == nil { isAsMeant = false }
    }
    print(isAsMeant ? "all as meant" : "NOT ALL AS MEANT")
    if !isAsMeant { throw ExitCode.failure }
  }

  private func canariesAreAsMeant() -> Bool {
    var isAsMeant = true
    for canary in [NamedMutant.none] + Mutants.all.filter(\.isCanary) {
      for judge in NamedMutant.Judge.allCases {
        let verdict = verdict(on: canary, by: judge)
        Program.tell(verdict.line(canary))
        if verdict.killer != nil || !verdict.others.isEmpty { isAsMeant = false }
      }
    }
    return isAsMeant
  }

  struct Verdict {
    /// What a seed is: one of the world, or a walk of the oracle.
    let unit: String
    /// The seed in which the checker that is meant saw it.
    var killer: UInt64?
    var seeds = 0
    /// The checkers that saw something before.
    var others: [String: Int] = [:]

    func line(_ mutant: NamedMutant) -> String {
      let name = mutant.name.padded(to: 22)
      let others = self.others.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value)" }
      let before = others.isEmpty ? "" : "; before it " + others.joined(separator: ", ")
      guard let killer else { return "\(name) alive     after \(seeds) \(unit)s\(before)" }
      return "\(name) killed    \(unit) \(killer) by \(mutant.checker)\(before)"
    }
  }

  private func verdict(on mutant: NamedMutant, by judge: NamedMutant.Judge) -> Verdict {
    let range = 1..<1 + (mutant.isCanary ? min(seeds, 10) : seeds)
    defer { Program.showProgress("") }
    switch judge {
    case .world: return verdictOfWorld(on: mutant, range)
    case .oracle: return verdictOfOracle(on: mutant, range)
    }
  }

  private func verdictOfOracle(on mutant: NamedMutant, _ range: Range<UInt64>) -> Verdict {
    var verdict = Verdict(unit: "walk")
    for seed in range {
      Program.showProgress("\(mutant.name), walk \(seed)")
      let report = Oracle.walk(seed: seed, steps: steps, engineMutant: mutant.name)
      verdict.seeds += 1
      guard report.difference != nil else { continue }
      verdict.killer = seed
      break
    }
    return verdict
  }

  private func verdictOfWorld(on mutant: NamedMutant, _ range: Range<UInt64>) -> Verdict {
    var arguments = ["--operations", "\(operations)"]
    if !mutant.name.isEmpty { arguments += ["--mutant", mutant.name] }
    if mutant.needsOldFile { arguments += ["--file", oldFile] }
    var fleet = Fleet(range, size: 2, arguments: arguments)
    var verdict = Verdict(unit: "seed")
    for seed in range {
      Program.showProgress("\(mutant.name), seed \(seed)")
      let violation = fleet.outcome(of: seed).violation
      verdict.seeds += 1
      if violation?.checkers.contains(mutant.checker) ?? false {
        verdict.killer = seed
        break
      }
      if let violation { verdict.others[violation.checker, default: 0] += 1 }
    }
    return verdict
  }
}

extension NamedMutant {
  /// The engine as it is.
  fileprivate static let none = NamedMutant(name: "", checker: "none")

  fileprivate var isCanary: Bool { checker == "none" }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
