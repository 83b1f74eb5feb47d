import Glibc
import Holdfast

/// What an engine does under ten times the load that it can take: how much of its best throughput
/// is left, what a modest client sees of it, and how soon it is as before.
struct Overload {
  let bin: String
  let seconds: Double

  /// Ten connections bring ten times the load of one.
  private static let connections = 10
  /// Workflows under way: among these is the number that the engine is at its best with.
  private static let flights = [32, 64, 128, 256, 512]
  private static let rounds = 3
  private static let rampUs: Int64 = 2_000_000
  /// What must be left of the best throughput.
  private static let goodputMin = 0.9
  private static let recoveryMaxUs: Int64 = 5_000_000

  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  /// True if it is as it has to be.
  func run() async throws -> Bool {
    print("device: fdatasync of 4 KiB, p50 \(micro(Device.syncUs(in: directory)))\(Device.delay)")
    let stage = try Stage(bin: bin, directory: directory)
    defer { stage.end() }
    let clients = try (0..<Overload.connections).map { _ in try Client(socket: stage.socket) }
    let modest = try Client(socket: stage.socket)
    _ = try await drive(clients[0], flight: 64, seconds: 1, prefix: "warm", Overload.workflow)
    let alone = try await drive(modest, flight: 1, seconds: 1, prefix: "alone", Overload.workflow)
    report("one, alone", alone, 1)

    let flight = try await best(clients[0])
    var (normal, over, beside) = (Samples([]), Samples([]), Samples([]))
    var ended = Device.nowUs
    // In turn, since a shared machine is not the same from one second to the next.
    for round in 0..<Overload.rounds {
      normal += try await steady([clients[0]], flight: flight, "n\(round)")
      async let one = steady([modest], flight: 1, "m\(round)")
      over += try await steady(clients, flight: flight, "o\(round)")
      ended = Device.nowUs
      beside += try await one
    }
    let recovery = try await recoveryUs(modest, since: ended, like: alone)
    let time = seconds * Double(Overload.rounds)
    report("\(flight) in flight", normal, time)
    report("\(flight * 10) in flight on \(clients.count) connections", over, time)
    report("one of another connection, beside them", beside, time)
    print("as before \(micro(recovery)) after the load has ended")
    let goodput = Double(over.count) / Double(normal.count)
    print("goodput under ten times the load: \(Int(goodput * 100)) % of the best")
    return goodput >= Overload.goodputMin && recovery <= Overload.recoveryMaxUs
  }

  /// The least number in flight that brings about as much as any.
  private func best(_ client: Client) async throws -> Int {
    var counts: [Int] = []
    for flight in Overload.flights {
      let samples = try await steady([client], flight: flight, "p\(flight)")
      report("\(flight) in flight", samples, seconds)
      counts.append(samples.count)
    }
    let most = counts.max() ?? 0
    let index = counts.firstIndex { 20 * $0 >= 19 * most } ?? 0
    return Overload.flights[index]
  }

  static var workflow: @Sendable (Client, String) async throws -> Void {
    { client, id in
      let handle = try await client.start(OneActivity.self, 1, id: id, taskQueue: "bench")
      guard try await handle.result() == 2 else { throw Suite.BenchError.wrongResult }
    }
  }

  /// What is done within so many seconds once the load is steady: at its beginning everything is
  /// started and nothing is done, at its end the other way round.
  private func steady(_ clients: [Client], flight: Int, _ prefix: String) async throws -> Samples {
    let from = Device.nowUs + Overload.rampUs
    let to = from + Int64(seconds * 1_000_000)
    return try await withThrowingTaskGroup(of: [Int64].self) { group in
      for (number, client) in clients.enumerated() {
        for lane in 0..<flight {
          group.addTask {
            var times: [Int64] = []
            var count = 0
            while Device.nowUs < to {
              let begin = Device.nowUs
              try await Overload.workflow(client, "\(prefix)-\(number)-\(lane)-\(count)")
              count += 1
              if (from..<to).contains(Device.nowUs) { times.append(Device.nowUs - begin) }
            }
            return times
          }
        }
      }
      var all: [Int64] = []
      for try await times in group { all += times }
      return Samples(all)
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
      try await Overload.workflow(client, "r-\(number)")
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
