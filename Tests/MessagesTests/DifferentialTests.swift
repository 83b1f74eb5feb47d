import Basics
import Messages
import Testing

@Suite("Our codec and the other ones", .serialized)
struct DifferentialTests {
  @Test(arguments: Deviation.all)
  func theCodecsDifferAsTheTableSays(_ deviation: Deviation) {
    let oracle = oracle(deviation.message)
    switch (deviation.ours, oracle.ours(deviation.bytes)) {
    case (.accepted(let expected), .success(let bytes)): #expect(bytes == expected)
    case (.refused(let code), .failure(let error)): #expect(error.code == code)
    case (_, let other): Issue.record("ours: \(other)")
    }
    #expect(oracle.theirs(deviation.bytes) == deviation.swiftProtobuf)
    #expect(oracle.protobufC(deviation.bytes) == deviation.protobufC)
  }

  @Test func randomMessagesAreEncodedAlikeByAllCodecs() {
    for (index, oracle) in oracles.enumerated() {
      var messages = RandomMessages(random: SeededRandom(seed: seed &+ UInt64(index) << 32))
      for _ in 0..<100 {
        messages.minusZeros = 0
        let bytes = messages.message(oracle.table)
        let ours = oracle.oursVerdict(bytes)
        #expect(ours.isAccepted, "\(oracle.name) \(bytes), seed \(seed)")
        #expect(ours == oracle.theirs(bytes), "\(oracle.name) \(bytes), seed \(seed)")
        // Minus zero is one of the deviations.
        guard messages.minusZeros == 0 else { continue }
        guard let c = oracle.protobufC(bytes) else { continue }
        guard case .accepted(let packed) = c else {
          Issue.record("protobuf-c refuses \(oracle.name) \(bytes), seed \(seed)")
          continue
        }
        #expect(ours == oracle.oursVerdict(packed), "\(oracle.name) \(bytes), seed \(seed)")
      }
    }
  }

  @Test func mutatedMessagesGetTheSameVerdictButForTheDeviations() {
    for (index, oracle) in oracles.enumerated() {
      var messages = RandomMessages(random: SeededRandom(seed: seed &+ UInt64(index) << 32 &+ 1))
      for _ in 0..<300 {
        let bytes = messages.mutated(messages.message(oracle.table))
        check(oracle, bytes)
        _ = oracle.protobufC(bytes)
      }
    }
  }

  private func check(_ oracle: any Oracle, _ bytes: [UInt8]) {
    let theirs = oracle.theirs(bytes)
    switch (oracle.ours(bytes), theirs) {
    case (.success(let ours), .accepted(let other)):
      // A run id in capitals, or of zeros only, has another form when it is written again.
      let again = ours == other ? ours : (try? oracle.ours(other).get()) ?? []
      #expect(ours == again, "\(oracle.name) \(bytes), seed \(seed)")
    case (.failure, .refused): break
    case (.failure(let error), .accepted):
      #expect(
        Deviation.onlyOursRefuses.contains(error.code),
        "\(oracle.name) \(bytes): \(error), seed \(seed)")
    case (.success, .refused):
      Issue.record("only swift-protobuf refuses \(oracle.name) \(bytes), seed \(seed)")
    }
  }
}
