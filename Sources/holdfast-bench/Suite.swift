import Harness
import Glibc
import Holdfast

/// The scenarios, each against a fresh engine.
struct Suite {
  let bin: String
  let seconds: Double
  let closedRuns: Int

  func run() async throws {
    print("device: fdatasync of 4 KiB, p50 \(micro(Device.syncUs(in: directory)))\(Device.delay)")
    print(
      columns("scenario", "per s", "p50", "p99", "commits", "written", "cpu: engine worker driver"))
    for flight in [1, 16, 64] {
      try await measure("1 activity, \(flight) in flight", flight) { client, id in
        let handle = try await client.start(OneActivity.self, 1, id: id, taskQueue: "bench")
        guard try await handle.result() == 2 else { throw BenchError.wrongResult }
      }
    }
    for flight in [1, 16, 64] {
      try await measure("3 activities, \(flight) in flight", flight) { client, id in
        let handle = try await client.start(ThreeActivities.self, 1, id: id, taskQueue: "bench")
        guard try await handle.result() == 4 else { throw BenchError.wrongResult }
      }
    }
    for closed in [0, closedRuns] {
      let name = closed == 0 ? "an empty store" : "\(closed) closed runs"
      try await measure("starts, 64 in flight, \(name)", 64, closedRuns: closed) { client, id in
        // The client makes a request id for each.
        _ = try await client.start(
          type: "nobody", 1, id: id, taskQueue: "unserved", returning: Int.self)
      }
    }
    try await measure(
      "signals to 64 workflows, 64 in flight", 64,
      before: { client in
        for place in 0..<64 {
          _ = try await client.start(Waiter.self, 0, id: "w-\(place)", taskQueue: "bench")
        }
      }
    ) { client, id in
      let place = Int(id.split(separator: "-").last ?? "0") ?? 0
      try await client.handle("w-\(place % 64)", returning: Int.self).signal("tick")
    }
    try await measureLeastCommits()
    print("\nsystem calls of the engine a workflow of one activity")
    for flight in [1, 64] { try await count(flight) }
  }

  /// How many workflows of three activities, one after the other, cost the least that they can:
  /// one commit before each activity leaves, and one before the result is told.
  private func measureLeastCommits() async throws {
    let stage = try Stage(bin: bin, directory: directory)
    defer { stage.end() }
    let client = try Client(socket: stage.socket)
    guard let figures = EngineFigures(stage.socket) else { throw BenchError.noFigures }
    var least = 0
    let count = 500
    for number in 0...count {
      let before = figures.counter("store_commits_total")
      let handle = try await client.start(
        ThreeActivities.self, 1, id: "c-\(number)", taskQueue: "bench")
      guard try await handle.result() == 4 else { throw BenchError.wrongResult }
      let commits = figures.counter("store_commits_total") - before
      // The first one waits for its worker to attach.
      if number > 0 && commits == 4 { least += 1 }
    }
    print(
      "\nthree activities in sequence: \(least) of \(count) workflows took 4 commits, the least")
  }

  /// Counts, with the engine under a tracer that makes it slow.
  private func count(_ flight: Int) async throws {
    let stage = try Stage(bin: bin, directory: directory)
    defer { stage.end() }
    let client = try Client(socket: stage.socket)
    let body = { @Sendable (client: Client, id: String) async throws in
      let handle = try await client.start(OneActivity.self, 1, id: id, taskQueue: "bench")
      guard try await handle.result() == 2 else { throw BenchError.wrongResult }
    }
    try await drive(client, flight: flight, seconds: 0.3, prefix: "warm", body).discard()
    var done = 0
    let calls = try await stage.syscalls {
      done = try await drive(client, flight: flight, seconds: seconds, prefix: "b", body).count
    }
    guard let calls else {
      return print("  not counted: strace is missing (apt-get install strace) or may not attach")
    }
    let line = calls.counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(8)
      .map { "\($0.key) \(fixed(Double($0.value) / Double(done)))" }.joined(separator: ", ")
    print("  \(flight) in flight: \(line)")
  }

  enum BenchError: Error {
    case wrongResult
    case noFigures
    case noBackup
  }

  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  private func measure(
    _ name: String, _ flight: Int, closedRuns: Int = 0,
    before: @Sendable (Client) async throws -> Void = { _ in },
    _ body: @escaping @Sendable (Client, String) async throws -> Void
  ) async throws {
    let stage = try Stage(bin: bin, directory: directory) { path in
      if closedRuns > 0 { try ClosedRuns.fill(path, count: closedRuns) }
    }
    defer { stage.end() }
    if closedRuns > 0 {
      print("  ready after \(stage.readyMs) ms, \(stage.engineBytes >> 20) MiB in use")
    }
    let client = try Client(socket: stage.socket)
    try await before(client)
    try await drive(client, flight: min(flight, 4), seconds: 0.3, prefix: "warm", body).discard()
    let start = stage.counters()
    let samples = try await drive(
      client, flight: flight, seconds: seconds, prefix: "b", body)
    let used = stage.counters() - start
    let count = Double(samples.count)
    let cpu = [used.engineMs, used.workerMs, used.driverMs]
      .map { String($0 * 100 / Int(seconds * 1_000)) + "%" }.joined(separator: " ")
    print(
      columns(
        name, String(Int(count / seconds)), micro(samples.percentile(0.5)),
        micro(samples.percentile(0.99)), fixed(Double(used.commits) / count),
        "\(Int(Double(used.bytesWritten) / count)) B", cpu))
    fflush(nil)  // Each line when it is there, also into a pipe.
  }

  private func columns(_ texts: String...) -> String {
    let widths = [38, 9, 10, 10, 9, 10, 26]
    return zip(texts, widths).map { text, width in
      text.count >= width ? text + " " : text + String(repeating: " ", count: width - text.count)
    }.joined()
  }
}
