import Glibc
import SimKit

/// Processes of this program that run a range of seeds.
///
/// Each seed is run in two of them, unless the second is spared: in each process Swift's sets and
/// dictionaries have another order, so that a trace which depends on it is seen. A process that
/// ends in the middle of a seed has failed it, and a new one goes on after it.
struct Fleet {
  let seeds: Range<UInt64>
  let size: Int
  let runsOnce: Bool
  /// What each process is told beside its seeds.
  let arguments: [String]
  private var pipes: [Pipe?]

  init(_ seeds: Range<UInt64>, size: Int, runsOnce: Bool = false, arguments: [String]) {
    self.seeds = seeds
    self.runsOnce = runsOnce
    self.size = max(2, size)
    self.arguments = arguments
    pipes = Array(repeating: nil, count: self.size)
    // It would give every process the same order.
    unsetenv("SWIFT_DETERMINISTIC_HASHING")
    for member in pipes.indices { pipes[member] = process(member, from: seeds.lowerBound) }
  }

  /// The members that run the seed, of a fleet of that size.
  static func members(of seed: UInt64, size: Int, runsOnce: Bool) -> [Int] {
    let first = Int(seed % UInt64(size))
    return runsOnce ? [first] : [first, (first + 1) % size]
  }

  /// What the next seed came to; to be called for all of them in order.
  mutating func outcome(of seed: UInt64) -> Outcome {
    let outcomes = Fleet.members(of: seed, size: size, runsOnce: runsOnce)
      .map { outcome(of: seed, by: $0) }
    return runsOnce ? outcomes[0] : SameTrace.compare(outcomes[0], outcomes[1])
  }

  private mutating func outcome(of seed: UInt64, by member: Int) -> Outcome {
    if let line = pipes[member]?.line(), let outcome = Outcome(line: line) { return outcome }
    pipes[member] = process(member, from: seed + 1)
    return .processDied
  }

  private func process(_ member: Int, from seed: UInt64) -> Pipe? {
    guard seed < seeds.upperBound else { return nil }
    let range = ["--seed", "\(seed)", "--seeds", "\(seeds.upperBound - seed)"]
    let once = runsOnce ? ["--once"] : []
    return Pipe(
      [Program.path] + range + ["--member", "\(member)", "--jobs", "\(size)"] + once
        + arguments)
  }
}
