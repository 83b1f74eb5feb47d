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

  /// False when the memory is over its limit.
  func run() async throws -> Bool {
    print("\(count) workflows of one activity")
    let tasks = try await measure(
      "without a worker", firstWorker: nil, waitWhen: "starts_total")
    let activities = try await measure(
      "without a worker for activities", firstWorker: "workflow-worker",
      waitWhen: "workflow_tasks_total")
    return max(tasks, activities) <= MemoryBound.bytes(outside: count)
  }

  /// The most memory while they wait. `counter`: all of them do when it has come to their number.
  private func measure(
    _ name: String, firstWorker: String?, waitWhen counter: String
  ) async throws -> Int {
    var stage = try Stage(bin: bin, directory: directory, hasWorker: false)
    defer { stage.end() }
    guard let figures = EngineFigures(stage.socket) else { throw Suite.BenchError.noFigures }
    if let firstWorker { try stage.addWorker(firstWorker) }
    print("\(name): \(mebibytes(stage.engineBytes)) at first")
    let begin = Device.nowUs
    try await start(Client(socket: stage.socket))
    until { figures.counter(counter) == count }
    let waiting = stage.engineBytes
    print("  all wait after \(seconds(since: begin)): \(mebibytes(waiting))")
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
    return waiting
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
}
