import Glibc
import Holdfast

// test-worker SOCKET EFFECTS VARIANT: a worker that tests can kill. What its activities do they
// write to the file EFFECTS, a line each: `key attempt pid milliseconds`.
//
// VARIANT is the build id; `changed` has other code, `waiting` lets the type `held` wait.

/// Three activities, each of which leaves its mark.
final class Marks: Workflow, @unchecked Sendable {
  static let type = "marks"
  init() {}

  func run(_ context: WorkflowContext, _ count: Int) async throws -> Int {
    for _ in 0..<count {
      try await context.activity(
        "mark", 0, options: ActivityOptions(startToClose: .seconds(30)))
    }
    return count
  }
}

/// One activity that takes as long as it is told, then a timer.
final class Slow: Workflow, @unchecked Sendable {
  static let type = "slow"
  init() {}

  func run(_ context: WorkflowContext, _ ms: Int) async throws -> Int {
    try await context.activity("mark", ms, options: ActivityOptions(startToClose: .seconds(600)))
    try await context.sleep(for: .milliseconds(50))
    return ms
  }
}

/// Its code differs between the variants of this program: a timer, or an activity, comes first.
final class Changing: Workflow, @unchecked Sendable {
  static let type = "changing"
  private var isDone = false
  init() {}

  static func handlers(_ handlers: inout Handlers<Changing>) {
    handlers.signal("done") { workflow in workflow.isDone = true }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> String {
    if CommandLine.arguments.last == "changed" {
      try await context.sleep(for: .milliseconds(1))
    } else {
      try await context.activity("mark", 0, options: ActivityOptions(startToClose: .seconds(30)))
    }
    try await context.wait { self.isDone }
    return "done"
  }
}

/// A timer and nothing else.
final class Sleeps: Workflow, @unchecked Sendable {
  static let type = "sleeps"
  init() {}

  func run(_ context: WorkflowContext, _ ms: Int) async throws -> Int {
    try await context.sleep(for: .milliseconds(ms))
    return ms
  }
}

/// Code that leaves a mark and then, in the variant `waiting`, does not come back while there is no
/// file EFFECTS.go: its workflow task is out for as long. What no real workflow may do.
final class Held: Workflow, @unchecked Sendable {
  static let type = "held"
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> String {
    try mark(effects, "task", 0)
    while CommandLine.arguments.last == "waiting" && access(effects + ".go", F_OK) != 0 {
      usleep(2_000)
    }
    return "held"
  }
}

func mark(_ path: String, _ key: String, _ attempt: Int) throws {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  let ms = Int(time.tv_sec) * 1_000 + Int(time.tv_nsec) / 1_000_000
  let line = "\(key) \(attempt) \(getpid()) \(ms)\n"
  let fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
  guard fd >= 0, write(fd, line, line.utf8.count) == line.utf8.count else {
    throw ApplicationError("the mark cannot be written", type: "Disk")
  }
  close(fd)
}

guard CommandLine.arguments.count == 4 else {
  print("usage: test-worker SOCKET EFFECTS VARIANT")
  exit(2)
}
let effects = CommandLine.arguments[2]
var worker = Worker(
  taskQueue: "q", socket: CommandLine.arguments[1], buildID: CommandLine.arguments[3])
worker.register(Marks.self)
worker.register(Slow.self)
worker.register(Changing.self)
worker.register(Sleeps.self)
worker.register(Held.self)
worker.activity("mark") { (context, ms: Int) in
  try mark(effects, context.idempotencyKey, context.attemptNumber)
  // Only the first attempt is slow: it is the one that a test kills.
  if context.attemptNumber == 1 { try await Task.sleep(for: .milliseconds(ms)) }
  return Nothing()
}
try worker.run()
