import Basics
import Glibc
import Messages
import Testing

@testable import Holdfast

/// Compensates in `catch`, as sagas do: an eviction must not make it do so.
private final class Saga: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Int {
    do {
      try await context.activity("charge", 1, options: .test)
    } catch {
      try await context.shielded { try await context.activity("refund", 1, options: .test) }
    }
    return 1
  }
}

/// Swallows whatever it is thrown, for ever.
private final class Stubborn: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Int {
    while true {
      do {
        try await context.sleep(for: .seconds(3_600))
      } catch {}
    }
  }
}

extension ActivityOptions {
  fileprivate static let test = ActivityOptions(startToClose: .seconds(10))
}

/// Evicts runs, each while another run of the worker has a task, and looks at what stays in memory.
private struct Evictions {
  let count: UInt64
  private(set) var leaving = LeavingRuns()
  /// By how much the memory grew over the last nine tenths.
  private(set) var grownBytes = 0

  init(_ count: UInt64) { self.count = count }

  static func makeRun<W: Workflow>(_ type: W.Type, _ number: UInt64) throws -> WorkflowRun {
    let run = WorkflowRun(
      runID: RunID(high: number, low: 1), workflowID: "w", workflowType: W.type, taskQueue: "q",
      instance: TypedInstance<W>.definition().make())
    let commands = try run.activate(
      at: Instant(ms: 1), [.initialize], historyLength: 1, suggested: false)
    precondition(commands.count == 1)
    return run
  }

  mutating func run<W: Workflow>(_ type: W.Type) throws {
    var after = 0
    for number in 1...count {
      let run = try Evictions.makeRun(type, number)
      leaving.evict(run)
      precondition(run.pendingCommands == 0, "a command left an evicted run")
      while !leaving.isEmpty { leaving.turn() }
      precondition(run.pendingCommands == 0, "a command left an evicted run")
      if number == count / 10 { after = Evictions.residentBytes }
    }
    grownBytes = Evictions.residentBytes - after
  }

  private static var residentBytes: Int {
    let fd = open("/proc/self/statm", O_RDONLY)
    defer { close(fd) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(fd, &buffer, buffer.count)
    let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
    return (Int(fields[1]) ?? 0) * 4_096
  }
}

@Suite struct EvictionTests {
  // In processes of their own, because they look at the memory of the whole process.

  @Test func aSagaThatIsEvictedDoesNotCompensateAndLeavesNothing() async {
    await #expect(processExitsWith: .success) {
      var evictions = Evictions(10_000)
      try evictions.run(Saga.self)
      // A run that stayed would cost 4 KiB, 36 MiB in all.
      precondition(evictions.grownBytes < 2 << 20, "\(evictions.grownBytes) bytes stay")
      precondition(evictions.leaving.abandoned == 0)
    }
  }

  /// As many evictions as the environment asks for; a loop is run for 1,000 jobs each time.
  @Test func aLoopThatSwallowsTheEvictionIsLetGo() async {
    await #expect(processExitsWith: .success) {
      let asked = getenv("HOLDFAST_EVICTIONS").flatMap { UInt64(String(cString: $0)) }
      let loops = asked ?? 500
      var evictions = Evictions(loops)
      try evictions.run(Stubborn.self)
      precondition(evictions.leaving.abandoned == loops)
      // What the code's own frames hold: a Swift task that has not ended cannot be freed.
      precondition(
        evictions.grownBytes < Int(loops) * 6 << 10, "\(evictions.grownBytes) bytes stay")
      // So there is an end to it: at the limit the worker stops and says why.
      do {
        try evictions.leaving.check()
        precondition(loops < LeavingRuns.abandonedMax)
      } catch is CodeDoesNotEndError {
        precondition(loops >= LeavingRuns.abandonedMax)
      }
    }
  }

  @Test func theJobsOfAnEvictedLoopAreSharedOutBetweenOtherTasks() throws {
    var leaving = LeavingRuns()
    let run = try Evictions.makeRun(Stubborn.self, 1)
    leaving.evict(run)
    var turns = 1
    while !leaving.isEmpty {
      leaving.turn()
      turns += 1
    }
    let jobs = WorkflowRun.jobsAfterEviction
    #expect(turns == (jobs + LeavingRuns.jobsPerTurn - 1) / LeavingRuns.jobsPerTurn)
  }
}

extension Job {
  static var initialize: Job {
    var job = Job()
    job.kind = .initializeWorkflow(InitializeWorkflow())
    return job
  }
}
