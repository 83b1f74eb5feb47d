import Glibc
import Holdfast

/// What an engine does under ten times the load that it can take: how much of its best throughput
/// is left, what a modest client sees of it, and how soon it is as before. A proof: too little of
/// it ends with exit code 1.
struct Overload {
  let bin: String
  let seconds: Double

  /// Workflows that are under way at the engine's best; ten times as many are too many.
  private static let flight = 64
  private static let connections = 10
  /// What must be left of the best throughput.
  private static let goodputMin = 0.9
  private static let recoveryMaxUs: Int64 = 5_000_000

  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  func run() async throws {
    print("device: fdatasync of 4 KiB, p50 \(micro(Device.syncUs(in: directory)))\(Device.delay)")
    let stage = try Stage(bin: bin, directory: directory)
    defer { stage.end() }
    let clients = try (0..<Overload.connections).map { _ in try Client(socket: stage.socket) }
    let modest = try Client(socket: stage.socket)
    let flight = Overload.flight
    _ = try await drive(clients[0], flight: flight, seconds: 1, prefix: "warm", workflow)
    let alone = try await drive(modest, flight: 1, seconds: 1, prefix: "alone", workflow)
    report("one, alone", alone, 1)

    // Before and after, since a shared machine is not the same from one second to the next.
    let before = try await drive(
      clients[0], flight: flight, seconds: seconds, prefix: "p", workflow)
    report("\(flight) in flight", before, seconds)
    async let load = flood(clients, flight * 10 / Overload.connections)
    let beside = try await drive(modest, flight: 1, seconds: seconds, prefix: "m", workflow)
    let over = try await load
    let ended = Device.nowUs
    report("\(flight * 10) in flight on \(Overload.connections) connections", over, seconds)
    report("one of another connection, beside them", beside, seconds)
    let recovery = try await recoveryUs(modest, since: ended, like: alone)
    print("as before \(micro(recovery)) after the load has ended")
    let after = try await drive(clients[0], flight: flight, seconds: seconds, prefix: "q", workflow)
    report("\(flight) in flight again", after, seconds)

    let goodput = Double(over.count) / Double(max(before.count, after.count))
    print("goodput under ten times the load: \(Int(goodput * 100)) % of the best")
    guard goodput >= Overload.goodputMin, recovery <= Overload.recoveryMaxUs else { exit(1) }
  }

  private var workflow: @Sendable (Client, String) async throws -> Void {
    { client, id in
      let handle = try await client.start(OneActivity.self, 1, id: id, taskQueue: "bench")
      guard try await handle.result() == 2 else { throw Suite.BenchError.wrongResult }
    }
  }

  private func flood(_ clients: [Client], _ flight: Int) async throws -> Samples {
    try await withThrowingTaskGroup(of: Samples.self) { group in
      for (number, client) in clients.enumerated() {
        group.addTask { [self] in
          try await drive(
            client, flight: flight, seconds: seconds, prefix: "o\(number)", workflow)
        }
      }
      var all = Samples([])
      for try await samples in group { all += samples }
      return all
    }
  }

  /// How long it takes until twenty workflows in a row are about as quick as without any load.
  private func recoveryUs(_ client: Client, since ended: Int64, like alone: Samples) async throws
    -> Int64
  {
    let normal = 2 * alone.percentile(0.9)
    var row = 0
    var number = 0
    var began = Device.nowUs
    while row < 20, Device.nowUs - ended < 2 * Overload.recoveryMaxUs {
      if row == 0 { began = Device.nowUs }
      let begin = Device.nowUs
      try await workflow(client, "r-\(number)")
      number += 1
      row = Device.nowUs - begin <= normal ? row + 1 : 0
    }
    return row < 20 ? Device.nowUs - ended : began - ended
  }

  private func report(_ name: String, _ samples: Samples, _ seconds: Double) {
    print(
      "\(name): \(Int(Double(samples.count) / seconds)) per s,"
        + " p50 \(micro(samples.percentile(0.5))), p99 \(micro(samples.percentile(0.99)))")
    fflush(nil)
  }
}
