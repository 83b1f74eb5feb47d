import Foundation
import Harness
import Holdfast
import Messages
import Testing

/// kill -9 of the engine, or of the worker, in the middle of an activity, a timer, a workflow task.
@Suite(.serialized) struct KillTests {
  private func history(_ engine: EngineProcess, _ id: String) throws -> [HistoryEvent] {
    let figures = try #require(EngineFigures(engine.socket))
    return try #require(figures.history(id))
  }

  /// The names of the events, without the workflow tasks.
  private func names(_ events: [HistoryEvent]) -> [String] {
    events.compactMap {
      switch $0.attributes {
      case .workflowExecutionStarted: return "started"
      case .activityTaskScheduled: return "scheduled"
      case .activityTaskStarted(let started): return "attempt \(started.attempt)"
      case .activityTaskCompleted: return "completed"
      case .timerStarted: return "timer"
      case .timerFired: return "fired"
      case .workflowExecutionCompleted: return "done"
      case .workflowTaskCompleted: return nil
      default: return "another"
      }
    }
  }

  private func count(_ events: [HistoryEvent], of name: String) -> Int {
    names(events).count { $0 == name }
  }

  private func tasksCompleted(_ events: [HistoryEvent]) -> Int {
    events.count {
      if case .workflowTaskCompleted = $0.attributes { return true }
      return false
    }
  }

  /// How long the one timer took, in milliseconds.
  private func timerTook(_ events: [HistoryEvent]) throws -> Int64 {
    let started = try #require(
      events.first {
        if case .timerStarted = $0.attributes { return true }
        return false
      })
    let fired = try #require(
      events.first {
        if case .timerFired = $0.attributes { return true }
        return false
      })
    return fired.eventTimeMs.ms - started.eventTimeMs.ms
  }

  private func untilTimer(_ engine: EngineProcess, _ id: String) async throws {
    let figures = try #require(EngineFigures(engine.socket))
    try await until("the timer runs") {
      (figures.history(id) ?? []).contains {
        if case .timerStarted = $0.attributes { return true }
        return false
      }
    }
  }

  // MARK: - The engine

  @Test func engineInAnActivity() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "slow", 600, id: "s-1", taskQueue: "q", returning: Int.self)
    try await until("the activity runs") { engine.effects.count == 1 }
    try engine.restart()
    #expect(try await handle.result() == 600)
    #expect(engine.effects.count == 1, "the worker keeps its lease")
    #expect(
      names(try history(engine, "s-1")) == [
        "started", "scheduled", "attempt 1", "completed", "timer", "fired", "done",
      ])
  }

  /// Its worker ends the activity while there is no engine.
  @Test func engineGoneWhileAnActivityEnds() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "slow", 100, id: "s-1", taskQueue: "q", returning: Int.self)
    try await until("the activity runs") { engine.effects.count == 1 }
    engine.kill()
    // What is to pass here is the activity's own time: nothing can be asked for it.
    try await Task.sleep(for: .milliseconds(200))
    try engine.start()
    #expect(try await handle.result() == 100)
    #expect(engine.effects.count == 1)
    #expect(count(try history(engine, "s-1"), of: "completed") == 1)
    #expect(count(try history(engine, "s-1"), of: "attempt 1") == 1)
  }

  @Test func engineInATimer() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "sleeps", 800, id: "t-1", taskQueue: "q", returning: Int.self)
    try await untilTimer(engine, "t-1")
    try engine.restart()
    #expect(try await handle.result() == 800)
    let events = try history(engine, "t-1")
    #expect(names(events) == ["started", "timer", "fired", "done"])
    let ms = try timerTook(events)
    print("a timer of 800 ms over a restart took \(ms) ms")
    #expect(ms >= 800)
    #expect(ms < 3_000)
  }

  /// Its time comes while there is no engine.
  @Test func engineGoneWhileATimerIsDue() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "sleeps", 200, id: "t-1", taskQueue: "q", returning: Int.self)
    try await untilTimer(engine, "t-1")
    engine.kill()
    try await Task.sleep(for: .milliseconds(400))
    try engine.start()
    #expect(try await handle.result() == 200)
    let events = try history(engine, "t-1")
    #expect(names(events) == ["started", "timer", "fired", "done"])
    #expect(try timerTook(events) >= 200)
  }

  @Test func engineInAWorkflowTask() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker("waiting")
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "held", Nothing(), id: "h-1", taskQueue: "q", returning: String.self)
    try await until("the code runs") { engine.effects.count == 1 }
    try engine.restart()
    #expect(try await RawPeer.probe(engine.socket))
    try "".write(toFile: engine.directory + "/effects.go", atomically: false, encoding: .utf8)
    #expect(try await handle.result() == "held")
    let events = try history(engine, "h-1")
    #expect(names(events) == ["started", "done"])
    #expect(tasksCompleted(events) == 1)
    #expect(engine.effects.count == 2, "the task was done again")
  }

  // MARK: - The worker

  @Test func workerInATimer() async throws {
    let engine = try EngineProcess()
    let first = try engine.startWorker()
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "sleeps", 300, id: "t-1", taskQueue: "q", returning: Int.self)
    try await untilTimer(engine, "t-1")
    first.killNow()
    let figures = try #require(EngineFigures(engine.socket))
    try await until("the timer fires without a worker") {
      figures.counter("timers_fired_total") == 1
    }
    let second = try engine.startWorker()
    defer { second.killNow() }
    #expect(try await handle.result() == 300)
    let events = try history(engine, "t-1")
    #expect(names(events) == ["started", "timer", "fired", "done"])
    let ms = try timerTook(events)
    #expect(ms >= 300)
    #expect(ms < 2_000)
  }

  @Test func workerInAWorkflowTask() async throws {
    let engine = try EngineProcess()
    let first = try engine.startWorker("waiting")
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "held", Nothing(), id: "h-1", taskQueue: "q", returning: String.self)
    try await until("the code runs") { engine.effects.count == 1 }
    let second = try engine.startWorker()
    defer { second.killNow() }
    let figures = try #require(EngineFigures(engine.socket))
    try await until("both are attached") { figures.counter("sessions") == 2 }
    let killed = nowMs()
    first.killNow()
    #expect(try await handle.result() == "held")
    let ms = try #require(engine.effectTimes.last) - killed
    print("a lost workflow task was done again after \(ms) ms")
    #expect(ms < 1_000, "no timeout was waited for")
    let events = try history(engine, "h-1")
    #expect(names(events) == ["started", "done"])
    #expect(tasksCompleted(events) == 1)
    #expect(Set(engine.effects.map { $0[2] }).count == 2, "in both workers")
  }

  /// Both at once: the engine finds at its start that the lease's holder is dead.
  @Test func engineAndWorkerInAnActivity() async throws {
    let engine = try EngineProcess()
    let first = try engine.startWorker()
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "slow", 600_000, id: "s-1", taskQueue: "q", returning: Int.self)
    try await until("the activity runs") { engine.effects.count == 1 }
    engine.kill()
    first.killNow()
    let second = try engine.startWorker()
    defer { second.killNow() }
    let started = nowMs()
    try engine.start()
    #expect(try await handle.result() == 600_000)
    let ms = try #require(engine.effectTimes.last) - started
    print("after both were killed the next attempt began \(ms) ms after the start")
    #expect(ms < 5_000, "the resume window of ten seconds was not waited for")
    #expect(engine.effects.map { $0[1] } == ["1", "2"])
    #expect(count(try history(engine, "s-1"), of: "completed") == 1)
  }
}
