import Glibc
import Harness
import Holdfast

/// What it costs that work waits: the engine's memory while nobody runs what was started, and the
/// time until all of it is done once somebody does.
struct Backlog {
  let bin: String
  let count: Int

  private static let flight = 64
  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  func run() async throws {
    print("\(count) workflows of one activity")
    try await measure("without a worker", firstWorker: nil, waitWhen: "starts_total")
    try await measure(
      "without a worker for activities", firstWorker: "workflow-worker",
      waitWhen: "workflow_tasks_total")
  }

  /// `counter`: all of them wait when it has come to their number.
  private func measure(_ name: String, firstWorker: String?, waitWhen counter: String) async throws
  {
    var stage = try Stage(bin: bin, directory: directory, hasWorker: false)
    defer { stage.end() }
    guard let figures = EngineFigures(stage.socket) else { throw Suite.BenchError.noFigures }
    if let firstWorker { try stage.addWorker(firstWorker) }
    print("\(name): \(mebibytes(stage.engineBytes)) at first")
    let begin = Device.nowUs
    try await start(Client(socket: stage.socket))
    until { figures.counter(counter) == count }
    print("  all wait after \(seconds(since: begin)): \(mebibytes(stage.engineBytes))")
    fflush(nil)
    try stage.addWorker()
    let attached = Device.nowUs
    var most = 0
    until {
      most = max(most, stage.engineBytes)
      return figures.counter("closed_total") == count
    }
    print("  all are done after \(seconds(since: attached)): \(mebibytes(most)) at most")
    fflush(nil)
  }

  private func start(_ client: Client) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<Backlog.flight {
        group.addTask {
          for number in stride(from: lane, to: count, by: Backlog.flight) {
            _ = try await client.start(
              OneActivity.self, 1, id: "b-\(number)", taskQueue: "bench")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func until(_ isDone: () -> Bool) {
    while !isDone() { usleep(100_000) }
  }

  private func seconds(since begin: Int64) -> String {
    fixed(Double(Device.nowUs - begin) / 1_000_000) + " s"
  }

  private func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
}
