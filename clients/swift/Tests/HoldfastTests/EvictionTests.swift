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

@Suite(.serialized) struct EvictionTests {
  private func makeRun<W: Workflow>(_ type: W.Type, _ number: UInt64) throws -> WorkflowRun {
    let run = WorkflowRun(
      runID: RunID(high: number, low: 1), workflowID: "w", workflowType: W.type, taskQueue: "q",
      instance: TypedInstance<W>.definition().make())
    let commands = try run.activate(
      at: Instant(ms: 1), [.initialize], historyLength: 1, suggested: false)
    #expect(commands.count == 1)
    return run
  }

  private var residentBytes: Int {
    let fd = open("/proc/self/statm", O_RDONLY)
    defer { close(fd) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(fd, &buffer, buffer.count)
    let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
    return (Int(fields[1]) ?? 0) * 4_096
  }

  /// Evicts as many runs of a type, each while another run of the worker has a task; by how much
  /// the memory grew over the last nine tenths.
  private func evict<W: Workflow>(_ type: W.Type, _ count: UInt64, _ leaving: inout LeavingRuns)
    throws -> Int
  {
    var after = 0
    for number in 1...count {
      let run = try makeRun(type, number)
      leaving.evict(run)
      #expect(run.pendingCommands == 0, "a command left an evicted run")
      while !leaving.isEmpty { leaving.turn() }
      #expect(run.pendingCommands == 0, "a command left an evicted run")
      if number == count / 10 { after = residentBytes }
    }
    return residentBytes - after
  }

  @Test func aSagaThatIsEvictedDoesNotCompensateAndLeavesNothing() throws {
    var leaving = LeavingRuns()
    let grown = try evict(Saga.self, 10_000, &leaving)
    print("10,000 evicted sagas: \(grown / 1_024) KiB")
    // A run that stayed would cost 4 KiB, 36 MiB in all; other tests share this process.
    #expect(grown < 16 << 20)
    #expect(leaving.abandoned == 0)
  }

  /// As many evictions as the environment asks for; a loop is run for 1,000 jobs each time.
  private var loops: UInt64 {
    getenv("HOLDFAST_EVICTIONS").flatMap { UInt64(String(cString: $0)) } ?? 500
  }

  @Test func aLoopThatSwallowsTheEvictionIsLetGo() throws {
    var leaving = LeavingRuns()
    let start = ContinuousClock.now
    let grown = try evict(Stubborn.self, loops, &leaving)
    print("\(loops) evicted loops: \(grown / 1_024) KiB, \(ContinuousClock.now - start)")
    #expect(leaving.abandoned == loops)
    // What the code's own frames hold: a Swift task that has not ended cannot be freed.
    #expect(grown < Int(loops) * 8 << 10)
    // So there is an end to it: at the limit the worker stops and says why.
    if leaving.abandoned < LeavingRuns.abandonedMax {
      try leaving.check()
    } else {
      #expect(throws: CodeDoesNotEndError.self) { try leaving.check() }
    }
  }

  @Test func theJobsOfAnEvictedLoopAreSharedOutBetweenOtherTasks() throws {
    var leaving = LeavingRuns()
    let run = try makeRun(Stubborn.self, 1)
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
