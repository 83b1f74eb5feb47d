import Foundation
import Harness
import Holdfast
import Messages
import Testing

/// How an engine is started, kept alive, and ended.
@Suite(.serialized) struct SuperviseTests {
  /// The engine's process, by the kernel's list: the only child of the supervisor.
  private func child(of process: ChildProcess?) -> pid_t? {
    let pid = process?.pid ?? 0
    let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
    return text.flatMap { pid_t($0.trimmingCharacters(in: .whitespaces)) }
  }

  private func isAlive(_ pid: pid_t) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    return !text.isEmpty && !text.contains(") Z ")
  }

  @Test func aKilledEngineIsBackOnTheSameSocketWithinASecond() async throws {
    let engine = try EngineProcess(["--supervise"])
    #expect(try await RawPeer.probe(engine.socket))
    try await engine.run("workflow start --id w --type T --task-queue q")
    let first = try #require(child(of: engine.process))
    let killed = nowMs()
    kill(first, SIGKILL)
    // The dying one may still take a connection.
    try await until("it is back") { (try? await RawPeer.probe(engine.socket)) == true }
    let ms = try #require(engine.logTimes(of: "msg=serving").last) - killed
    print("back after \(ms) ms")
    #expect(ms < 1_000)
    #expect(child(of: engine.process) != first)
    #expect(try await engine.run("workflow count").output == "1\n")
    engine.process?.send(SIGTERM)
    #expect(try await engine.process?.end() == 0)
  }

  @Test func sigtermToTheParentEndsBoth() async throws {
    let engine = try EngineProcess(["--supervise"])
    #expect(try await RawPeer.probe(engine.socket))
    let inner = try #require(child(of: engine.process))
    engine.process?.send(SIGTERM)
    #expect(try await engine.process?.end() == 0)
    #expect(!isAlive(inner))
    #expect(!FileManager.default.fileExists(atPath: engine.socket))
  }

  @Test func whenTheParentIsKilledTheEngineEndsToo() async throws {
    let engine = try EngineProcess(["--supervise"])
    #expect(try await RawPeer.probe(engine.socket))
    let inner = try #require(child(of: engine.process))
    engine.process?.killNow()
    try await until("the engine has ended") { !isAlive(inner) }
    #expect(engine.log.contains("msg=draining why=\"signal 15\""))
  }

  @Test func anEndThatAnotherStartWouldRepeatIsFinal() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    let second = try await holdfast([
      "serve", "--supervise", "--db", engine.database, "--socket", engine.socket,
    ])
    #expect(second.code == 69)
    #expect(second.errors.filter { $0 == "\n" }.count == 1)
    let wrong = try await holdfast([
      "serve", "--supervise", "--in-memory", "--config", engine.directory + "/nothing",
    ])
    #expect(wrong.code == 78)
  }

  @Test func sigtermLetsAnActivityFinish() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    let handle = try await client.start(
      type: "slow", 500, id: "s-1", taskQueue: "q", returning: Int.self)
    try await until("the activity runs") { engine.effects.count == 1 }
    engine.process?.send(SIGTERM)
    #expect(try await engine.process?.end() == 0)
    try engine.start()
    #expect(try await handle.result() == 500)
    let events = try #require(EngineFigures(engine.socket)?.history("s-1"))
    let epochs = events.filter(\.isActivityCompleted).count
    #expect(epochs == 1)
    #expect(engine.effects.count == 1, "no second attempt")
    // It was recorded before the engine ended, not sent again after its start.
    let opened = engine.logTimes(of: "msg=\"store opened\"")
    let completed = try #require(events.first { $0.isActivityCompleted }).eventTimeMs
    #expect(opened.count == 2 && opened[1] > completed.ms)
  }

  @Test func aSecondSignalDoesNotWait() async throws {
    let engine = try EngineProcess()
    let worker = try engine.startWorker()
    defer { worker.killNow() }
    let client = try Client(socket: engine.socket)
    _ = try await client.start(
      type: "slow", 60_000, id: "s-1", taskQueue: "q", returning: Int.self)
    try await until("the activity runs") { engine.effects.count == 1 }
    let began = Date()
    engine.process?.send(SIGTERM)
    try await until("it drains") { engine.log.contains("msg=draining") }
    engine.process?.send(SIGTERM)
    #expect(try await engine.process?.end() == 0)
    #expect(Date().timeIntervalSince(began) < 4, "the grace is five seconds")
  }

  @Test func stateInMemoryEndsWithTheProcess() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    try await engine.run("workflow start --id w --type T --task-queue q")
    #expect(try await engine.run("workflow count").output == "1\n")
    try engine.restart()
    #expect(try await RawPeer.probe(engine.socket))
    #expect(try await engine.run("workflow count").output == "0\n")
    let files = try FileManager.default.contentsOfDirectory(atPath: engine.directory)
    #expect(files.sorted() == ["engine.log", "s.sock", "s.sock.lock"])
  }

  @Test func withoutOptionsThingsAreWhereTheEnvironmentSays() async throws {
    try await Scratch.directory { directory in
      let environment = [
        "HOLDFAST_SOCKET": "", "XDG_RUNTIME_DIR": directory + "/run",
        "XDG_STATE_HOME": directory + "/state",
      ]
      try FileManager.default.createDirectory(
        atPath: directory + "/run", withIntermediateDirectories: false)
      let engine = try ChildProcess(
        EngineProcess.bin + "/holdfast", ["serve"], environment: environment,
        output: directory + "/log")
      defer { engine.terminate() }
      let socket = directory + "/run/holdfast/holdfast.sock"
      #expect(try await RawPeer.probe(socket))
      let health = try await holdfast(["health"], environment: environment)
      #expect(health.code == 0)
      let modes = [
        ("run/holdfast", 0o40700), ("run/holdfast/holdfast.sock", 0o140600),
        ("run/holdfast/holdfast.sock.lock", 0o100600), ("state", 0o40700),
        ("state/holdfast", 0o40700), ("state/holdfast/holdfast.db", 0o100600),
        ("state/holdfast/holdfast.db-wal", 0o100600),
        ("state/holdfast/holdfast.db.lock", 0o100600),
        ("state/holdfast/holdfast.db.ballast", 0o100600),
      ]
      for (name, mode) in modes {
        var status = stat()
        #expect(lstat(directory + "/" + name, &status) == 0, "\(name) is there")
        #expect(Int(status.st_mode) == mode, "\(name) has mode \(String(status.st_mode, radix: 8))")
      }
    }
  }

  @Test(arguments: [("1", "3</dev/null"), ("1", "3<&-"), ("2", "3<&-")])
  func whatIsPassedOnAndIsNoSocketIsRefused(_ count: String, _ redirection: String) async throws {
    let script = "exec \(redirection); LISTEN_FDS=\(count) LISTEN_PID=$$ exec \"$@\""
    let ran = try await holdfast(
      ["-c", script, "sh", EngineProcess.bin + "/holdfast", "serve", "--in-memory"],
      program: "/bin/sh")
    #expect(ran.code == 73)
    #expect(
      ran.errors == "holdfast: the service manager passed on what is not one Unix socket with a"
        + " path (LISTEN_FDS=\(count)): it must listen on one, like"
        + " ListenStream=/run/holdfast.sock\n")
  }

  /// As systemd does it: the socket is bound before the engine exists.
  @Test(arguments: [[], ["--supervise"]])
  func aSocketThatTheServiceManagerHasBoundIsServed(_ arguments: [String]) async throws {
    try await Scratch.directory { directory in
      let program = """
        import os, socket, sys
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen()
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ["LISTEN_FDS"] = "1"
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.execv(sys.argv[2], sys.argv[2:])
        """
      let socket = directory + "/manager.sock"
      let engine = try ChildProcess(
        "/usr/bin/env",
        ["python3", "-c", program, socket, EngineProcess.bin + "/holdfast"]
          + ["serve", "--in-memory", "--socket", directory + "/unused.sock"] + arguments,
        output: directory + "/log")
      defer { engine.killNow() }
      #expect(try await RawPeer.probe(socket))
      let log = try String(contentsOfFile: directory + "/log", encoding: .utf8)
      #expect(log.contains("msg=serving socket=\(socket)\n"), "\(log)")
      #expect(!FileManager.default.fileExists(atPath: directory + "/unused.sock"))
      engine.send(SIGTERM)
      #expect(try await engine.end() == 0)
      #expect(FileManager.default.fileExists(atPath: socket), "it is the manager's to remove")
    }
  }
}
