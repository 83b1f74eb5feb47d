import Harness
import Glibc
import Holdfast

/// Measures an engine with its worker and its driver as separate processes.
///
/// The program plays all three parts: called with a directory it starts an engine, a worker (itself
/// with `worker`) and drives them.
@main
struct Bench {
  static func main() async throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, ["worker", "workflow-worker"].contains(arguments[1]) {
      return try runWorker(arguments[2], hasActivities: arguments[1] == "worker")
    }
    if arguments.count == 3, arguments[1] == "shell", let count = Int(arguments[2]) {
      return measureShell(count)
    }
    if arguments.count >= 3, arguments[1] == "overload" {
      let seconds = arguments.count > 3 ? Double(arguments[3]) ?? 5 : 5
      exit(try await Overload(bin: arguments[2], seconds: seconds).run() ? 0 : 1)
    }
    if arguments.count >= 3, arguments[1] == "backlog" {
      let count = arguments.count > 3 ? Int(arguments[3]) ?? 200_000 : 200_000
      exit(try await Backlog(bin: arguments[2], count: count).run() ? 0 : 1)
    }
    if arguments.count >= 3, arguments[1] == "idle" {
      let count = arguments.count > 3 ? Int(arguments[3]) ?? 1_000_000 : 1_000_000
      exit(try await Idle(bin: arguments[2], count: count).run() ? 0 : 1)
    }
    if arguments.count >= 2, arguments[1] == "long" {
      let events = arguments.count > 2 ? Int(arguments[2]) ?? 50_000 : 50_000
      exit(try measureLongRun(events) ? 0 : 1)
    }
    if arguments.count >= 3, arguments[1] == "backup" {
      let seconds = arguments.count > 3 ? Double(arguments[3]) ?? 5 : 5
      let closedRuns = arguments.count > 4 ? Int(arguments[4]) ?? 200_000 : 200_000
      return try await Backups(bin: arguments[2], seconds: seconds, closedRuns: closedRuns).run()
    }
    if arguments.count >= 3, arguments[1] == "removal" {
      let count = arguments.count > 3 ? Int(arguments[3]) ?? 100_000 : 100_000
      exit(try await Removal(bin: arguments[2], count: count).run() ? 0 : 1)
    }
    guard arguments.count >= 2 else {
      print("usage: holdfast-bench DIRECTORY-OF-THE-BINARIES [SECONDS [CLOSED-RUNS]]")
      print("       holdfast-bench overload DIRECTORY-OF-THE-BINARIES [SECONDS]")
      print("       holdfast-bench backlog DIRECTORY-OF-THE-BINARIES [WORKFLOWS]")
      print("       holdfast-bench idle DIRECTORY-OF-THE-BINARIES [WORKFLOWS]")
      print("       holdfast-bench backup DIRECTORY-OF-THE-BINARIES [SECONDS [CLOSED-RUNS]]")
      print("       holdfast-bench removal DIRECTORY-OF-THE-BINARIES [WORKFLOWS]")
      print("       holdfast-bench long [EVENTS]    one run with a long history")
      print("       holdfast-bench shell WORKFLOWS    engine and shell alone, for profilers")
      exit(2)
    }
    let seconds = arguments.count > 2 ? Double(arguments[2]) ?? 3 : 3
    let closedRuns = arguments.count > 3 ? Int(arguments[3]) ?? 1_000_000 : 1_000_000
    try await Suite(bin: arguments[1], seconds: seconds, closedRuns: closedRuns).run()
  }

  private static func measureLongRun(_ events: Int) throws -> Bool {
    print("\none run of \(events) events, engine and store alone")
    var isWithin = true
    for isDormant in [false, true] {
      var run = try LongRun(isDormant: isDormant)
      isWithin = try run.run(events: events) && isWithin
    }
    return isWithin
  }

  private static func measureShell(_ count: Int) {
    var bench = ShellBench(count: count)
    let begin = Device.nowUs
    bench.run()
    let us = Device.nowUs - begin
    print("\(count) workflows, \(us * 1_000 / Int64(count)) ns each")
  }

  private static func runWorker(_ socket: String, hasActivities: Bool) throws {
    var worker = Worker(
      taskQueue: "bench", socket: socket,
      options: Worker.Options(activitiesMax: 512, workflowTasksMax: 512, cachedRunsMax: 10_000))
    worker.register(OneActivity.self)
    worker.register(ThreeActivities.self)
    worker.register(Waiter.self)
    if hasActivities { worker.activity("step") { (_, input: Int) in input + 1 } }
    try worker.run()
  }
}

final class OneActivity: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Int) async throws -> Int {
    try await context.activity("step", input, options: .bench)
  }
}

final class ThreeActivities: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Int) async throws -> Int {
    var value = input
    for _ in 0..<3 { value = try await context.activity("step", value, options: .bench) }
    return value
  }
}

/// Takes signals until it is told to end.
final class Waiter: Workflow, @unchecked Sendable {
  private var count = 0
  private var isDone = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Waiter>) {
    handlers.signal("tick") { workflow in workflow.count += 1 }
    handlers.signal("done") { workflow in workflow.isDone = true }
  }

  func run(_ context: WorkflowContext, _ input: Int) async throws -> Int {
    try await context.wait { self.isDone }
    return count
  }
}

extension ActivityOptions {
  static let bench = ActivityOptions(startToClose: .seconds(30))
}
