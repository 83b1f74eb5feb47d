import Glibc
import Harness
import Holdfast

/// What the removal of closed workflows costs those who work meanwhile: one workflow after the
/// other, from start to result, before it and until it is done.
struct Removal {
  let bin: String
  let count: Int

  private static let rounds = 3
  private static let idleSeconds = 4.0
  /// As much slower as the slowest may become.
  private static let ratioMax = 2.0

  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  struct Round {
    let idle: Samples
    let during: Samples
    let seconds: Double

    var ratio: Double {
      Double(during.percentile(0.99)) / Double(idle.percentile(0.99))
    }
  }

  /// Whether the median of the rounds is within the bound.
  func run() async throws -> Bool {
    print("device: fdatasync of 4 KiB, p50 \(micro(Device.syncUs(in: directory)))\(Device.delay)")
    var rounds: [Round] = []
    for _ in 0..<Removal.rounds {
      let round = try await self.round()
      print(
        "idle p50 \(micro(round.idle.percentile(0.5))), p99 \(micro(round.idle.percentile(0.99)));"
          + " while \(count) workflows go, in \(fixed(round.seconds)) s:"
          + " p50 \(micro(round.during.percentile(0.5))),"
          + " p99 \(micro(round.during.percentile(0.99))), \(fixed(round.ratio)) x")
      fflush(nil)
      rounds.append(round)
    }
    let median = rounds.map(\.ratio).sorted()[Removal.rounds / 2]
    print("p99 while they go: \(fixed(median)) x that of idle, \(Removal.ratioMax) are allowed")
    return median <= Removal.ratioMax
  }

  private func round() async throws -> Round {
    let stage = try Stage(bin: bin, directory: directory, retention: "forever") {
      try ClosedRuns.fill($0, count: count)
    }
    defer { stage.end() }
    let client = try Client(socket: stage.socket)
    try await work(client, seconds: 1, "warm").discard()
    let idle = try await work(client, seconds: Removal.idleSeconds, "idle")
    try await client.setRetention(.seconds(30 * 86_400), ofNamespace: "default")
    let began = Device.nowUs
    var during = Samples([])
    var slice = 0
    while removed(stage.socket) < count {
      slice += 1
      during += try await work(client, seconds: 0.5, "during-\(slice)")
    }
    return Round(
      idle: idle, during: during, seconds: Double(Device.nowUs - began) / 1_000_000)
  }

  private func work(_ client: Client, seconds: Double, _ prefix: String) async throws -> Samples {
    try await drive(client, flight: 1, seconds: seconds, prefix: prefix, Overload.workflow)
  }

  private func removed(_ socket: String) -> Int {
    EngineFigures(socket)?.counter("removed_total") ?? count
  }
}
