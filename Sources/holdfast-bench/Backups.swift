import Glibc
import Harness
import Holdfast

/// What backups cost those who work meanwhile: the same load, in turn without one and with one
/// after the other.
struct Backups {
  let bin: String
  let seconds: Double
  let closedRuns: Int

  private static let rounds = 3
  private static let flight = 16

  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  func run() async throws {
    print("device: fdatasync of 4 KiB, p50 \(micro(Device.syncUs(in: directory)))\(Device.delay)")
    let stage = try Stage(bin: bin, directory: directory) {
      try ClosedRuns.fill($0, count: closedRuns)
    }
    defer { stage.end() }
    let client = try Client(socket: stage.socket)
    _ = try await drive(
      client, flight: Backups.flight, seconds: 1, prefix: "warm", Overload.workflow)
    var (without, with) = (Samples([]), Samples([]))
    var took: [Int64] = []
    for round in 0..<Backups.rounds {
      without += try await steady(client, "w\(round)")
      async let backups = repeated(stage.socket)
      with += try await steady(client, "b\(round)")
      took += try await backups
    }
    report("without a backup", without)
    report("with one after the other", with)
    let each = Samples(took)
    let figures = EngineFigures(stage.socket)
    print(
      "\(took.count) backups of \(Device.fileBytes(directory + "/copy.db") >> 20) MiB,"
        + " p50 \(each.percentile(0.5) / 1_000) ms; the longest step took"
        + " \(micro(Int64(figures?.counter("store_backup_step_us_max") ?? 0)))")
    unlink(directory + "/copy.db")
  }

  private func steady(_ client: Client, _ prefix: String) async throws -> Samples {
    try await drive(
      client, flight: Backups.flight, seconds: seconds, prefix: prefix, Overload.workflow)
  }

  /// Backups until the time is over; how long each took. One is always taken.
  private func repeated(_ socket: String) async throws -> [Int64] {
    let end = Device.nowUs + Int64(seconds * 1_000_000)
    var took: [Int64] = []
    repeat {
      let begin = Device.nowUs
      let backup = try ChildProcess(
        bin + "/holdfast",
        ["backup", "create", directory + "/copy.db", "--overwrite", "--socket", socket],
        output: "/dev/null")
      while backup.isRunning { try await Task.sleep(for: .milliseconds(2)) }
      guard backup.wait() == 0 else { throw Suite.BenchError.noBackup }
      took.append(Device.nowUs - begin)
    } while Device.nowUs < end
    return took
  }

  private func report(_ name: String, _ samples: Samples) {
    let time = seconds * Double(Backups.rounds)
    print(
      "\(name): \(Int(Double(samples.count) / time)) per s,"
        + " p50 \(micro(samples.percentile(0.5))), p99 \(micro(samples.percentile(0.99)))")
  }
}
