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

  /// Evicts as many runs of a type; by how much the memory grew over the last nine tenths.
  private func evict<W: Workflow>(_ type: W.Type, _ count: UInt64) throws -> Int {
    var after = 0
    for number in 1...count {
      let run = try makeRun(type, number)
      run.evict()
      #expect(run.pendingCommands == 0, "a command left an evicted run")
      if number == count / 10 { after = residentBytes }
    }
    return residentBytes - after
  }

  @Test func aSagaThatIsEvictedDoesNotCompensateAndLeavesNothing() throws {
    let grown = try evict(Saga.self, 10_000)
    print("10,000 evicted sagas: \(grown / 1_024) KiB")
    // A run that stayed would cost 4 KiB, 36 MiB in all; other tests share this process.
    #expect(grown < 16 << 20)
  }

  /// Such code never ends, so what its own frames hold stays: about 4 KiB a run, and no more.
  @Test func aLoopThatSwallowsTheEvictionIsLetGo() throws {
    let grown = try evict(Stubborn.self, 1_000)
    print("1,000 evicted loops: \(grown / 1_024) KiB")
    #expect(grown < 900 * 24 << 10)
  }
}

extension Job {
  static var initialize: Job {
    var job = Job()
    job.kind = .initializeWorkflow(InitializeWorkflow())
    return job
  }
}
