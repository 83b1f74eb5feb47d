import Basics
import EngineCore
import Messages
import Testing

/// Whatever bytes a client calls a history, the engine answers, and goes on.
@Suite("Mutated histories") struct SentReplayMutationTests {
  /// A history of random events of all kinds, with small numbers in their first fields.
  private static func events(_ random: inout SeededRandom) -> [UInt8] {
    let kinds: [UInt32] = HistoryEvent.table.fields.filter { $0.oneof != nil }.map(\.number)
    var bytes: [UInt8] = []
    for id in 1...UInt8(1 + random.next() % 20) {
      let isCompletion = random.next() % 3 == 0
      let drawn = kinds[Int(random.next() % UInt64(kinds.count))]
      let kind = id == 1 ? 101 : isCompletion ? 107 : drawn
      var content: [UInt8] = id == 1 ? [0x22, 1, 0x54] : []
      if id > 1 {
        for field in 1...UInt8(1 + random.next() % 4) {
          content += [field << 3, UInt8(random.next() % UInt64(id))]
        }
        if isCompletion { content += [0x78, UInt8(random.next() % 3)] }
      }
      var event: [UInt8] = [0x08, id]
      let tag = kind << 3 | 2
      event += [UInt8(tag & 0x7F) | 0x80, UInt8(tag >> 7), UInt8(content.count)] + content
      bytes += [0x0A, UInt8(event.count)] + event
    }
    return bytes
  }

  @Test func everySentHistoryIsAnswered() {
    let world = World()
    var counts: [String: Int] = [:]
    for seed in 1...3_000 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      var bytes = Self.events(&random)
      if random.next() % 2 == 0 {
        for _ in 0...random.next() % 3 {
          bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      counts[outcome(bytes, in: world), default: 0] += 1
    }
    #expect(counts["judged"] ?? 0 > 100 && counts["refused"] ?? 0 > 100, "\(counts)")
    #expect(counts.values.reduce(0, +) == 3_000)
    #expect(world.commits == 0)
  }

  private func outcome(_ bytes: [UInt8], in world: World) -> String {
    var part = HistoryPart()
    part.data = bytes
    let id = world.openStream()
    world.replay(id, part)
    while case .part(_, let bytes)? = world.sent.first,
      let response = try? ReplayResponse(bytes: bytes)
    {
      world.sent = []
      switch response.kind {
      case .verdict: return "judged"
      case .replayHistory(let shown):
        var completed = ReplayCompleted()
        completed.token = shown.token
        var request = ReplayRequest()
        request.kind = .replayCompleted(completed)
        world.step(.replay(id, request))
      default: return "another answer"
      }
    }
    defer { world.sent = [] }
    guard case .end(_, let status)? = world.sent.first else { return "no answer" }
    return status.code == .invalidArgument ? "refused" : "\(status)"
  }
}
