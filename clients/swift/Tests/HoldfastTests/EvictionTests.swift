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

/// Compensates for ever.
private final class StubbornSaga: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Int {
    try? await context.sleep(for: .seconds(3_600))
    try await context.shielded {
      while true {
        do {
          try await context.activity("refund", 1, options: .test)
          return
        } catch {}
      }
    }
    return 1
  }
}

/// Where code goes on for ever.
enum StubbornIn: String, Codable, Sendable, CaseIterable {
  case child, group, taskLocal, handler
  /// It asks the context for nothing any more.
  case noCall
}

private final class StubbornSomewhere: Workflow, @unchecked Sendable {
  @TaskLocal static var value = 0

  init() {}

  func run(_ context: WorkflowContext, _ input: StubbornIn) async throws -> Int {
    @Sendable func loop() async {
      while true { try? await context.sleep(for: .seconds(3_600)) }
    }
    switch input {
    case .child:
      async let never: Void = loop()
      await never
    case .group:
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await context.sleep(for: .seconds(3_600)) }
        await loop()
      }
    case .taskLocal: await Self.$value.withValue(1) { await loop() }
    case .handler: await withTaskCancellationHandler(operation: loop) {}
    case .noCall:
      try? await context.sleep(for: .seconds(3_600))
      while true { await Task.yield() }
    }
    return 1
  }
}

/// As many as the environment asks for; loops are run for 1,000 jobs each.
private var loopsAsked: UInt64 {
  getenv("HOLDFAST_EVICTIONS").flatMap { UInt64(String(cString: $0)) } ?? 1_000
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
  /// Runs that are still in memory when nobody needs them any more.
  private(set) var staying = 0

  init(_ count: UInt64) { self.count = count }

  static func makeRun<W: Workflow>(
    _ type: W.Type, _ number: UInt64, input: W.Input
  ) throws -> WorkflowRun {
    let run = WorkflowRun(
      runID: RunID(high: number, low: 1), workflowID: "w", workflowType: W.type, taskQueue: "q",
      instance: TypedInstance<W>.definition().make())
    let commands = try run.activate(
      at: Instant(ms: 1), [try .initialize(input)], markers: nil, historyLength: 1,
      suggested: false)
    precondition(!commands.isEmpty)
    return run
  }

  mutating func run<W: Workflow>(_ type: W.Type) throws where W.Input == Nothing {
    keepNoBacktraces()
    var after = 0
    for number in 1...count {
      weak var left: WorkflowRun?
      do {
        let run = try Evictions.makeRun(type, number, input: Nothing())
        left = run
        leaving.evict(run)
        precondition(run.pendingCommands == 0, "a command left an evicted run")
        while !leaving.isEmpty { leaving.turn() }
        precondition(run.pendingCommands == 0, "a command left an evicted run")
      }
      if left != nil { staying += 1 }
      if number == count / 10 { after = Evictions.residentBytes }
    }
    grownBytes = Evictions.residentBytes - after
  }

  /// A run that stayed would cost 4 KiB: 3.5 MiB of a thousand.
  func checkMemory() {
    precondition(staying == 0, "\(staying) runs stay")
    precondition(grownBytes < 2 << 20, "\(grownBytes) bytes stay")
  }

  /// The test library keeps a backtrace of errors that were thrown, which would be measured too.
  private func keepNoBacktraces() {
    for name in ["_swift_willThrow", "_swift_willThrowTypedImpl"] {
      let hook = dlsym(nil, name)
      hook?.assumingMemoryBound(to: UnsafeRawPointer?.self).pointee = nil
    }
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
      evictions.checkMemory()
      precondition(evictions.leaving.abandoned == 0)
    }
  }

  @Test func aLoopThatSwallowsTheEvictionIsMadeToEnd() async {
    await #expect(processExitsWith: .success) {
      var evictions = Evictions(loopsAsked)
      try evictions.run(Stubborn.self)
      precondition(evictions.leaving.abandoned == 0)
      evictions.checkMemory()
    }
  }

  @Test func aCompensationThatSwallowsTheEvictionIsMadeToEndToo() async {
    await #expect(processExitsWith: .success) {
      var evictions = Evictions(loopsAsked)
      try evictions.run(StubbornSaga.self)
      precondition(evictions.leaving.abandoned == 0)
      evictions.checkMemory()
    }
  }

  /// What the code has put on its task points into the frames that an exit would free.
  @Test(arguments: StubbornIn.allCases)
  func codeThatHasPutSomethingOnItsTaskIsAbandoned(_ place: StubbornIn) async throws {
    let run = try Evictions.makeRun(StubbornSomewhere.self, 1, input: place)
    var leaving = LeavingRuns()
    leaving.evict(run)
    while !leaving.isEmpty { leaving.turn() }
    #expect(leaving.abandoned == 1)
    #expect(run.pendingCommands == 0)
  }

  /// There is an end to it: at the limit the worker stops and says why.
  @Test func aWorkerThatHasAbandonedManyRunsStops() throws {
    var leaving = LeavingRuns(abandonedMax: 2)
    for number in 1...2 as ClosedRange<UInt64> {
      try leaving.check()
      leaving.evict(try Evictions.makeRun(StubbornSomewhere.self, number, input: .noCall))
      while !leaving.isEmpty { leaving.turn() }
    }
    #expect {
      try leaving.check()
    } throws: { error in
      let error = error as? CodeDoesNotEndError
      return error?.runs == 2 && error?.workflowTypes == ["StubbornSomewhere"]
    }
  }

  @Test func theJobsOfAnEvictedLoopAreSharedOutBetweenOtherTasks() throws {
    var leaving = LeavingRuns()
    let run = try Evictions.makeRun(Stubborn.self, 1, input: Nothing())
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
  static func initialize(_ input: some Encodable) throws -> Job {
    var initialize = InitializeWorkflow()
    initialize.input = try Payloads.encode(input)
    var job = Job()
    job.kind = .initializeWorkflow(initialize)
    return job
  }
}
