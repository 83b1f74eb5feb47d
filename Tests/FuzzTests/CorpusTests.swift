import FuzzTargets
import Testing

/// The corpus through every target: inputs that once failed, and those that the fuzzer begins with.
@Suite struct CorpusTests {
  @Test(arguments: FuzzTarget.allCases) func holds(_ target: FuzzTarget) throws {
    let inputs = try Corpus.inputs(target)
    #expect(!inputs.isEmpty)
    for input in inputs { target.run(input) }
  }

  /// A little of what the fuzzer does, the same each time.
  @Test(arguments: FuzzTarget.allCases) func holdsWhenBytesAreChanged(_ target: FuzzTarget) throws {
    var dice = Dice(state: 1)
    for input in try Corpus.inputs(target) where !input.isEmpty {
      for _ in 0..<100 {
        var bytes = input
        for _ in 0...dice.below(4) { bytes[dice.below(bytes.count)] = UInt8(dice.below(256)) }
        if dice.below(4) == 0 { bytes.removeLast(dice.below(bytes.count)) }
        target.run(bytes)
      }
    }
  }
}

private struct Dice {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}
