import Foundation
import Harness
import Holdfast
import Messages
import Testing

/// One activity that is ended from elsewhere.
private final class Waits: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Int {
    try await context.activity(
      "wait", Nothing(), options: ActivityOptions(startToClose: .seconds(600)))
  }
}

/// A disk of its own, 24 MiB large, of which the engine keeps 16 back.
final class SmallDisk {
  let path: String

  /// Root in a container may not mount either.
  static let isPossible: Bool = (try? SmallDisk()) != nil

  init() throws {
    path = Scratch.path()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard mount("tmpfs", path, "tmpfs", 0, "size=24m,mode=700") == 0 else {
      rmdir(path)
      throw NeverHappened(description: "mount: \(String(cString: strerror(errno)))")
    }
  }

  /// Lazily: an engine may still end on it.
  deinit {
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }

  func fill() throws {
    let fd = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(fd) }
    let block = [UInt8](repeating: 7, count: 4_096)
    while write(fd, block, block.count) > 0 {}
    #expect(errno == ENOSPC)
  }

  func free() { unlink(path + "/filler") }
}

@Suite(
  .serialized,
  .enabled(if: SmallDisk.isPossible, "a small disk must be mounted, which is not allowed here"))
struct FullDiskTests {
  private func worker(_ engine: EngineProcess, _ tokens: Tokens) -> RunningWorker {
    var worker = Worker(taskQueue: "q", socket: engine.socket)
    worker.register(Waits.self)
    worker.activity("wait") { (context, _: Nothing) -> Int in
      tokens.put(context.token, of: context.workflowID)
      throw CompletesElsewhere()
    }
    return RunningWorker(worker)
  }

  private func request(_ id: String) -> [UInt8] {
    var request = StartWorkflowRequest()
    request.workflowID = id
    request.workflowType = "Nobodys"
    request.taskQueue = "nobodys"
    request.requestID = id
    return request.serialized()
  }

  /// Starts workflows until one is refused; how many were acknowledged before, and the refusal.
  private func startUntilRefused(_ peer: RawPeer, _ name: String) throws -> (Int, Status) {
    for count in 0..<1_000 {
      let end = try peer.call(
        Method.workflowStartWorkflow.rawValue, request("\(name)-\(count)"))
      if let status = end.status { return (count, status) }
    }
    throw NeverHappened(description: "no start was refused")
  }

  private func check(_ refusal: Status) {
    #expect(refusal.code == .resourceExhausted)
    #expect(refusal.reason == .diskFull)
    #expect(refusal.retryAfterMs.ms == 1_000)
    #expect(refusal.message == "the disk is full: starts are refused until there is space")
  }

  @Test func startsAreRefusedAndWorkUnderWayEnds() async throws {
    let disk = try SmallDisk()
    let engine = try EngineProcess(["--db", disk.path + "/holdfast.db"], hasStore: false)
    let tokens = Tokens()
    let worker = worker(engine, tokens)
    defer { worker.stop() }
    let client = try Client(socket: engine.socket)
    var handles: [WorkflowHandle<Int>] = []
    for number in 0..<10 {
      handles.append(
        try await client.start(Waits.self, Nothing(), id: "u-\(number)", taskQueue: "q"))
      _ = await tokens.token(of: "u-\(number)")
    }
    try disk.fill()
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    // The first ones meet the full disk, or find room in a page; what meets it is still answered.
    let (before, refusal) = try startUntilRefused(peer, "a")
    check(refusal)
    let health = try await engine.run("health")
    #expect(health.code == 7)
    #expect(health.errors == "holdfast: the engine is DISK_FULL\n")
    #expect(health.lines[0].split(separator: " ") == ["state", "DISK_FULL"])

    for number in 0..<5 {
      try await client.activity(token: await tokens.token(of: "u-\(number)")).complete(number)
      #expect(try await handles[number].result() == number, "through the ballast")
    }
    check(try startUntilRefused(peer, "b").1)

    // A new engine on the full disk, whose ballast is spent, refuses and completes too.
    try engine.restart()
    let again = try await RawPeer(engine.socket)
    try again.hello()
    let (none, refusedAgain) = try startUntilRefused(again, "c")
    #expect(none == 0)
    check(refusedAgain)
    for number in 5..<10 {
      try await client.activity(token: await tokens.token(of: "u-\(number)")).complete(number)
      #expect(try await handles[number].result() == number)
    }

    let freed = nowMs()
    disk.free()
    try await until("starts are taken again") {
      try again.call(Method.workflowStartWorkflow.rawValue, request("d")).status == nil
    }
    let ms = try #require(engine.logTimes(of: "the disk has space again").last) - freed
    print("starts were taken again \(ms) ms after there was space")
    #expect(ms < 1_000)
    #expect(try await engine.run("health").code == 0)

    try engine.restart()
    #expect(try await RawPeer.probe(engine.socket))
    #expect(try await engine.run("workflow count").output == "\(10 + before + 1)\n")
    let completed = try await engine.run(
      "workflow count", ["--query", "ExecutionStatus = 'Completed'"])
    #expect(completed.output == "10\n")
    engine.process?.send(SIGTERM)
    #expect(try await engine.process?.end() == 0)
    #expect(
      try await SQLite.run(disk.path + "/holdfast.db", "PRAGMA integrity_check") == ["ok"])
  }

  /// Work that goes on without a pause does not keep starts refused.
  @Test func aBusyEngineTakesStartsAgainToo() async throws {
    let disk = try SmallDisk()
    let engine = try EngineProcess(["--db", disk.path + "/holdfast.db"], hasStore: false)
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "Nobodys", Nothing(), id: "s", taskQueue: "nobodys", returning: Int.self)
    try disk.fill()
    let peer = try await RawPeer(engine.socket)
    try peer.hello()
    check(try startUntilRefused(peer, "a").1)
    let stop = Flag()
    let signals = Task {
      while !stop.isSet { try await handle.signal("more") }
    }
    let freed = nowMs()
    disk.free()
    try await until("starts are taken again") {
      try peer.call(Method.workflowStartWorkflow.rawValue, request("d")).status == nil
    }
    #expect(try #require(engine.logTimes(of: "the disk has space again").last) - freed < 1_000)
    stop.set()
    try await signals.value
  }
}
