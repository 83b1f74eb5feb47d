import Basics

/// The one source of chance of a simulation.
struct Dice {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func word() -> UInt64 { random.next() }

  /// A number of the range, all equally likely.
  mutating func int(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(random.next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  mutating func int64(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(random.next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  mutating func percent(_ chance: Int) -> Bool { int(0...99) < chance }

  mutating func pick<T>(_ values: [T]) -> T { values[int(0...values.count - 1)] }
}
