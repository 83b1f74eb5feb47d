import Foundation
import Harness
import Testing

/// Commands that wait while their engine goes and comes back.
@Suite(.serialized) struct WaitingTests {
  /// A command that is under way, and its output so far.
  private final class Running {
    let process: ChildProcess
    private let directory: String

    init(_ engine: EngineProcess, _ words: String) throws {
      directory = Scratch.path()
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      process = try ChildProcess(
        EngineProcess.bin + "/holdfast", words.split(separator: " ").map(String.init),
        environment: ["HOLDFAST_SOCKET": engine.socket], output: directory + "/output",
        errors: directory + "/errors")
    }

    deinit {
      process.killNow()
      try? FileManager.default.removeItem(atPath: directory)
    }

    var output: String { text("/output") }
    var errors: String { text("/errors") }

    private func text(_ name: String) -> String {
      (try? String(contentsOfFile: directory + name, encoding: .utf8)) ?? ""
    }
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func aResultIsWaitedForOverAnEndOfTheEngine(_ signal: Int32) async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --id s-1 --type sleeps --task-queue q --input 1")
    let running = try Running(engine, "workflow result --id s-1")
    let figures = try #require(EngineFigures(engine.socket))
    try await until("the command is connected") { figures.counter("connections") == 2 }
    engine.process?.send(signal)
    _ = try await engine.process?.end()
    try engine.start()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    #expect(try await running.process.end() == 0)
    #expect(running.output == "1\n")
    #expect(running.errors == "")
  }

  @Test func anExecutionIsWaitedForOverAKillOfTheEngine() async throws {
    let engine = try EngineProcess()
    let running = try Running(
      engine, "workflow execute --id s-1 --type sleeps --task-queue q --input 1")
    try await until("it has started") {
      try await engine.run("workflow count").output == "1\n"
    }
    try engine.restart()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    #expect(try await running.process.end() == 0)
    #expect(running.output == "1\n")
    #expect(try await engine.run("workflow count").output == "1\n", "started once")
  }

  @Test func aFollowedHistorySaysThatTheEngineIsGone() async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --id s-1 --type sleeps --task-queue q --input 1")
    let running = try Running(engine, "workflow show --follow --id s-1")
    try await until("the first event is shown") { running.output.contains("ExecutionStarted") }
    engine.kill()
    #expect(try await running.process.end() == 5)
    #expect(running.output.filter { $0 == "\n" }.count == 1)
    #expect(running.errors.hasPrefix("holdfast: "))
    #expect(running.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func aCommandStartedBeforeTheEngineWaitsForIt() async throws {
    let engine = try EngineProcess()
    engine.kill()
    let running = try Running(engine, "workflow count")
    try engine.start()
    #expect(try await running.process.end() == 0)
    #expect(running.output == "0\n")
  }
}
