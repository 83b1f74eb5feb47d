import Foundation
import Harness
import Testing

/// A tenth of what `make bench` ends with: workflows that wait for a timer each, all due at once.
/// The benchmark itself says whether the memory and the start keep to their limits.
@Suite(.serialized) struct IdleTests {
  @Test func aHundredThousandTimersFireInLittleMemory() async throws {
    let output = Scratch.path()
    defer { try? FileManager.default.removeItem(atPath: output) }
    let bench = try ChildProcess(
      EngineProcess.bin + "/holdfast-bench", ["idle", EngineProcess.bin, "100000"], output: output)
    let end = Date().addingTimeInterval(600)
    while bench.isRunning && Date() < end { try await Task.sleep(for: .milliseconds(50)) }
    bench.killNow()
    let told = try String(contentsOfFile: output, encoding: .utf8)
    #expect(bench.wait() == 0, "\(told)")
    print(told)
  }
}
