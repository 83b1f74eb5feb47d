import Basics
import EngineCore
import Messages

/// An engine whose batches are durable at once and whose loads are answered by a function.
public struct FuzzEngine {
  private var engine: Engine
  private(set) var now = Instant(ms: 1_700_000_000_000)
  private let load: (Load.Subject) -> Loaded.Content
  private var sends: [Send] = []
  public private(set) var writes: [Write] = []
  private var requests: UInt64 = 0

  public init(nextRun: Int64, filter: IDFilter, load: @escaping (Load.Subject) -> Loaded.Content) {
    self.load = load
    engine = Engine(
      EngineConfiguration(seed: 7),
      opened: OpenedStore(
        epoch: 1, nextRun: RunNumber(nextRun), deadlines: [], filter: filter))
  }

  public mutating func step(_ input: Input) {
    var inputs = [input]
    while let input = inputs.popLast() {
      var effects = Effects()
      engine.step(input, now: now, into: &effects)
      sends += effects.sends.map(\.send)
      writes += effects.writes
      // Before what they bring: a batch is durable before anything that depends on it.
      inputs += effects.loads.reversed().map {
        .loaded(Loaded(id: $0.load.id, content: load($0.load.subject)))
      }
      if !effects.writes.isEmpty { inputs.append(.persisted(effects.serial)) }
    }
  }

  /// Lets time pass, deadline by deadline.
  public mutating func advance(_ span: Int64) {
    let end = now + Span(ms: span)
    while let next = engine.nextDeadline, next <= end {
      now = max(now, next)
      step(.deadlineReached)
    }
    now = end
  }

  /// Makes a request and lets it read until it has ended.
  public mutating func request(_ request: Request) {
    requests += 1
    let id = RequestID(connection: 1, stream: requests)
    step(.request(id, request))
    // A follower may wait for more for ever.
    for _ in 0..<8 { step(.readMore(id)) }
    step(.requestAbandoned(id))
  }

  public mutating func takeSends() -> [Send] {
    defer { sends = [] }
    return sends
  }
}
