import Foundation
import Messages
import Testing

/// Writes and syncs that fail under a real engine.
@Suite(.serialized) struct DiskFaultTests {
  private func payload(size: Int) -> Payload {
    var payload = Payload()
    payload.encoding = "binary/plain"
    payload.data = [UInt8](repeating: 1, count: size)
    return payload
  }

  private func start(_ id: String, size: Int = 10) -> [UInt8] {
    var request = StartWorkflowRequest()
    request.workflowID = id
    request.workflowType = "T"
    request.taskQueue = "q"
    request.requestID = "r-" + id
    request.input = [payload(size: size)]
    return request.serialized()
  }

  private func peer(_ engine: EngineProcess) async throws -> RawPeer {
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    return peer
  }

  /// Starts a workflow, which must be acknowledged; its run id.
  private func started(_ id: String, _ engine: EngineProcess, size: Int = 10) async throws -> String
  {
    let end = try await peer(engine).call(
      Method.workflowStartWorkflow.rawValue, start(id, size: size))
    #expect(end.status == nil)
    return try StartWorkflowResponse(bytes: end.message).runID.description
  }

  /// Takes several writes: 75 pages, of which 15 go at a time.
  private let large = 300_000

  /// Each write of a batch in turn, until there is none to fail.
  @Test func anUnknownOutcomeAtAnyWriteIsNotAnswered() async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    let first = try await started("before", engine)
    var n = 1
    while true {
      let peer = try await peer(engine)
      try faulty.arm("pwrite64", n, "EIO")
      let end = try? peer.call(
        Method.workflowStartWorkflow.rawValue, start("w-\(n)", size: large))
      try faulty.disarm()
      guard end == nil else {
        #expect(end?.status == nil)
        break
      }
      #expect(faulty.struck.last == "pwrite64 \(n) EIO")
      #expect(try await engine.process?.end() == 74)
      try engine.start()
      let run = try await started("w-\(n)", engine, size: large)
      #expect(try await started("w-\(n)", engine, size: large) == run)
      n += 1
    }
    print("a batch of \(n - 1) writes, each of which has failed once")
    #expect(n > 5)
    #expect(faulty.struck.count == n - 1)
    #expect(try await started("before", engine) == first)
    #expect(try await engine.run("workflow count").output == "\(n + 1)\n")
    #expect(try await faulty.integrity() == ["ok"])
  }

  @Test(arguments: [
    ("pwrite64", 1, "EIO"), ("fdatasync", 1, "EIO"), ("fdatasync", 1, "ENOSPC"),
  ])
  func anUnknownOutcomeIsNotAnswered(_ call: String, _ n: Int, _ what: String) async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    let first = try await started("before", engine)
    let peer = try await peer(engine)
    try faulty.arm(call, n, what)
    let began = nowMs()
    #expect(throws: RawPeer.Gone.self) {
      try peer.call(Method.workflowStartWorkflow.rawValue, start("w", size: 20_000))
    }
    #expect(try await engine.process?.end() == 74)
    #expect(try #require(engine.logTimes(of: "msg=\"the store failed\"").last) - began < 1_000)
    #expect(faulty.struck == ["\(call) \(n) \(what)"])
    try faulty.disarm()
    try engine.start()
    let run = try await started("w", engine, size: 20_000)
    #expect(try await started("w", engine, size: 20_000) == run, "one effect of one request id")
    #expect(try await started("before", engine) == first)
    #expect(try await engine.run("workflow count").output == "2\n")
    #expect(try await engine.run("workflow show --id w").lines.count == 1)
    #expect(try await faulty.integrity() == ["ok"])
  }

  @Test(arguments: [("pwrite64", 1), ("pwrite64", 3), ("fdatasync", 1)])
  func aRepeatedSignalOfAnUnknownOutcomeIsThereOnce(_ call: String, _ n: Int) async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    _ = try await started("w", engine)
    var request = SignalWorkflowRequest()
    request.execution = WorkflowExecution()
    request.execution?.workflowID = "w"
    request.signalName = "s"
    request.input = [payload(size: large)]
    request.requestID = "r-s"
    let bytes = request.serialized()
    let peer = try await peer(engine)
    try faulty.arm(call, n, "EIO")
    #expect(throws: RawPeer.Gone.self) {
      try peer.call(Method.workflowSignalWorkflow.rawValue, bytes)
    }
    #expect(try await engine.process?.end() == 74)
    try faulty.disarm()
    try engine.start()
    let again = try await self.peer(engine)
    for _ in 1...2 {
      #expect(try again.call(Method.workflowSignalWorkflow.rawValue, bytes).status == nil)
    }
    let lines = try await engine.run("workflow show --id w").lines
    #expect(
      lines.map { $0.split(separator: " ")[2] } == [
        "WorkflowExecutionStarted", "WorkflowExecutionSignaled",
      ])
    #expect(try await faulty.integrity() == ["ok"])
  }

  /// Nobody but the supervisor starts it again; it fails until the disk is well.
  @Test func underASupervisorTheEngineComesBackByItself() async throws {
    let faulty = try await FaultyEngine(["--supervise"])
    let engine = faulty.engine
    let peer = try await peer(engine)
    try faulty.arm("fdatasync", 1, "EIO")
    #expect(throws: RawPeer.Gone.self) {
      try peer.call(Method.workflowStartWorkflow.rawValue, start("w"))
    }
    try await until("its start fails too") { faulty.struck.count >= 2 }
    try faulty.disarm()
    let run = try await started("w", engine)
    #expect(try await started("w", engine) == run)
    #expect(try await faulty.integrity() == ["ok"])
  }

  @Test(arguments: [
    ("pwrite64", 1, "EINTR"), ("pwrite64", 2, "EINTR"), ("pwrite64", 5, "EINTR"),
    ("pwrite64", 1, "short"), ("pwrite64", 0, "short"),
  ])
  func interruptedAndShortWritesAreInvisible(_ call: String, _ n: Int, _ what: String) async throws
  {
    let faulty = try await FaultyEngine()
    _ = try await started("before", faulty.engine)
    try faulty.arm(call, n, what)
    let run = try await started("w", faulty.engine, size: large)
    #expect(!faulty.struck.isEmpty)
    try faulty.disarm()
    #expect(faulty.engine.process?.isRunning == true)
    #expect(!faulty.engine.log.contains("level=error"))
    try faulty.engine.restart()
    #expect(try await started("w", faulty.engine, size: large) == run)
    #expect(try await faulty.integrity() == ["ok"])
  }

  /// One write without space: the ballast makes room, the same batch is done and answered.
  @Test func oneFullWriteIsAnsweredAllTheSame() async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    _ = try await started("before", engine)
    try faulty.arm("pwrite64", 3, "ENOSPC")
    let run = try await started("w", engine, size: large)
    #expect(faulty.struck == ["pwrite64 3 ENOSPC"])
    try await until("it serves as before") { try await engine.run("health").code == 0 }
    #expect(engine.log.contains("level=error msg=\"disk full: starts are refused until"))
    #expect(engine.log.contains("msg=\"the disk has space again\""))
    try engine.restart()
    #expect(try await started("w", engine, size: large) == run)
    #expect(try await faulty.integrity() == ["ok"])
  }

  /// The log is brought into the file when the engine has nothing to do.
  @Test func aCheckpointThatFailsEndsTheEngineAndLosesNothing() async throws {
    let faulty = try await FaultyEngine()
    let engine = faulty.engine
    for number in 1...3 { _ = try await started("w-\(number)", engine, size: 20_000) }
    // After the commits: what comes next is the checkpoint.
    try faulty.arm("pwrite64", 1, "EIO")
    #expect(try await engine.process?.end() == 74)
    #expect(engine.log.contains("checkpoint: disk I/O error"))
    try faulty.disarm()
    try engine.start()
    #expect(try await RawPeer.probe(engine.socket))
    #expect(try await engine.run("workflow count").output == "3\n")
    #expect(try await faulty.integrity() == ["ok"])
  }

  @Test(arguments: [("pwrite64", "EIO"), ("fdatasync", "EIO")])
  func aStartThatCannotWriteServesNothing(_ call: String, _ what: String) async throws {
    let faulty = try await FaultyEngine(armed: "\(call) 1 \(what)")
    let engine = faulty.engine
    #expect(try await engine.process?.end() == 74)
    #expect(engine.log.filter { $0 == "\n" }.count == 1, "one line: \(engine.log)")
    #expect(engine.log.hasPrefix("holdfast: '\(engine.database)': "))
    #expect(!FileManager.default.fileExists(atPath: engine.socket))
    try faulty.disarm()
    try engine.start()
    _ = try await started("w", engine)
    #expect(try await faulty.integrity() == ["ok"])
  }
}
