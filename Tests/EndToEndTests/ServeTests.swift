import Foundation
import Harness
import Holdfast
import Messages
import Testing

/// `holdfast serve`: what it refuses to serve, and with which exit code; where things are.
@Suite(.serialized) struct ServeTests {
  private func serve(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Ran { try await holdfast(["serve"] + arguments, environment: environment) }

  /// One line for people, after the lines of the log.
  private func complaint(_ ran: Ran) -> String {
    let lines = ran.errors.split(separator: "\n").filter { !$0.contains(" level=info ") }
    return lines.joined(separator: "\n")
  }

  @Test func aSecondEngineOnTheSameFileIsRefused() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    let second = try await serve(["--db", engine.database, "--socket", engine.socket + "2"])
    #expect(second.code == 69)
    #expect(second.output == "")
    #expect(
      second.errors == "holdfast: another engine uses '\(engine.database)': stop it, or choose"
        + " another --db\n")
    #expect(try await RawPeer.probe(engine.socket), "the first one goes on")
  }

  @Test func aSecondEngineOnTheSameSocketIsRefused() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    let second = try await serve(["--in-memory", "--socket", engine.socket])
    #expect(second.code == 69)
    #expect(
      complaint(second) == "holdfast: another engine serves '\(engine.socket)': stop it, or"
        + " choose another --socket")
    #expect(try await RawPeer.probe(engine.socket), "the first one goes on")
  }

  @Test func aStaleSocketIsReplacedAndOtherThingsAreNotTouched() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    engine.kill()
    try engine.start()
    #expect(try await RawPeer.probe(engine.socket), "over the stale socket")
    let file = engine.directory + "/a.sock"
    try "mine".write(toFile: file, atomically: false, encoding: .utf8)
    let ran = try await serve(["--in-memory", "--socket", file])
    #expect(ran.code == 73)
    #expect(
      complaint(ran)
        == "holdfast: '\(file)' is a file: remove it yourself, or choose another --socket")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
  }

  @Test func placesThatCannotBeAreNamedWithTheOptionToChange() async throws {
    let nowhere = Scratch.path()
    let store = try await serve(["--db", nowhere + "/x.db", "--socket", nowhere + ".sock"])
    #expect(store.code == 73)
    #expect(
      store.errors == "holdfast: '\(nowhere)/x.db': its directory does not exist: make it, or"
        + " choose another --db\n")
    let socket = try await serve(["--in-memory", "--socket", nowhere + "/a/s.sock"])
    #expect(socket.code == 73)
    #expect(
      complaint(socket) == "holdfast: mkdir of '\(nowhere)/a': no such file or directory: choose"
        + " another --socket")
    let long = nowhere + String(repeating: "x", count: 120)
    let tooLong = try await serve(["--in-memory", "--socket", long])
    #expect(tooLong.code == 73)
    #expect(
      complaint(tooLong) == "holdfast: bind of '\(long)': name too long: choose another --socket")
    let homeless = try await serve(["--socket", nowhere + ".sock"], environment: ["HOME": ""])
    #expect(homeless.code == 73)
    #expect(
      homeless.errors
        == "holdfast: neither XDG_STATE_HOME nor HOME is set: name the file with --db\n")
  }

  @Test func aFileThatIsNoDatabaseIsRefusedUntouched() async throws {
    try await Scratch.directory { directory in
      let file = directory + "/notes.txt"
      let text = String(repeating: "not a database\n", count: 1_000)
      try text.write(toFile: file, atomically: false, encoding: .utf8)
      let ran = try await serve(["--db", file, "--socket", directory + "/s.sock"])
      #expect(ran.code == 65)
      #expect(ran.errors.hasPrefix("holdfast: '\(file)' "), "\(ran.errors)")
      #expect(ran.errors.filter { $0 == "\n" }.count == 1)
      #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }
  }

  @Test func anotherProgramsDatabaseIsRefusedUntouched() async throws {
    try await Scratch.directory { directory in
      let file = directory + "/other.db"
      try await SQLite.run(
        file, "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")
      let before = try Data(contentsOf: URL(fileURLWithPath: file))
      let ran = try await serve(["--db", file, "--socket", directory + "/s.sock"])
      #expect(ran.code == 65)
      #expect(
        ran.errors == "holdfast: '\(file)' is a database, but not one of Holdfast: choose another"
          + " --db\n")
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
    }
  }

  /// Also what a killed engine left in the log, which a close would bring into the file.
  @Test func aNewerEnginesFileKeepsEveryByte() async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --id w --type T --task-queue q")
    engine.kill()
    try await SQLite.run(engine.database, "PRAGMA user_version = 99")
    // Something in the log once more: killed, so that it stays there.
    let old = try Data(contentsOf: URL(fileURLWithPath: engine.database))
    try await SQLite.run(
      engine.database, "PRAGMA wal_autocheckpoint = 0", "UPDATE meta SET value = 77",
      isKilled: true)
    let log = try Data(contentsOf: URL(fileURLWithPath: engine.database + "-wal"))
    #expect(!log.isEmpty)
    #expect(try Data(contentsOf: URL(fileURLWithPath: engine.database)) == old)
    let ran = try await serve(["--db", engine.database, "--socket", engine.socket])
    #expect(ran.code == 78)
    #expect(
      ran.errors == "holdfast: '\(engine.database)' was written by a newer engine (format 99; this"
        + " one knows 3): use that engine; nothing was changed\n")
    #expect(try Data(contentsOf: URL(fileURLWithPath: engine.database)) == old)
    #expect(try Data(contentsOf: URL(fileURLWithPath: engine.database + "-wal")) == log)
  }

  @Test func aDamagedFileIsRefused() async throws {
    let engine = try EngineProcess()
    for number in 1...50 {
      try await engine.run("workflow start --id w-\(number) --type T --task-queue q")
    }
    engine.process?.terminate()
    let file = try #require(FileHandle(forUpdatingAtPath: engine.database))
    // The root pages of the tables, all but the header's page.
    for page in 1..<12 {
      try file.seek(toOffset: UInt64(page * 4_096))
      try file.write(contentsOf: Data(repeating: 0xA5, count: 64))
    }
    try file.close()
    let ran = try await serve(["--db", engine.database, "--socket", engine.socket])
    #expect(ran.code == 65)
    #expect(ran.errors.hasPrefix("holdfast: '\(engine.database)' is damaged: "), "\(ran.errors)")
    #expect(ran.errors.hasSuffix("; restore it from a backup\n"))
  }

  @Test(arguments: [
    ("log_level = \"loud\"", "line 1: log_level: one of debug, info, warning, error is expected"),
    (
      "\n[limits]\nstreams_maximum = 4",
      "line 3: limits.streams_maximum: there is no such setting; see `holdfast help serve`"
    ),
    (
      "[limits]\nstreams_max = -1",
      "line 2: limits.streams_max: a whole number from 1 to 2147483647 is expected"
    ),
    (
      "[limits]\nframe_bytes_max = 2147483647",
      "line 2: limits.frame_bytes_max: 2 MiB to 1 GiB is expected"
    ),
    (
      "[[access]]\nuid = 4294967295",
      "line 2: access[0].uid: a whole number from 0 to 4294967294 is expected"
    ),
    (
      "[limits]\nframe_bytes_max = 100",
      "line 2: limits.frame_bytes_max: 2 MiB to 1 GiB is expected"
    ),
    (
      "retention = \"soon\"",
      "line 1: retention: a time like \"72h\", at least a second, or \"forever\" is expected"
    ),
    (
      "socket_group = \"nobody-has-this\"",
      "line 1: socket_group: there is no group 'nobody-has-this'"
    ),
    (
      "[[access]]\nuid = 5\nroles = [\"boss\"]",
      "line 3: access[0].roles[0]: one of client, worker, operator is expected"
    ),
  ])
  func aWrongSettingIsNamedWithItsLine(_ text: String, _ what: String) async throws {
    try await Scratch.directory { directory in
      let path = directory + "/holdfast.toml"
      try text.write(toFile: path, atomically: false, encoding: .utf8)
      let ran = try await serve(["--in-memory", "--config", path])
      #expect(ran.code == 78)
      #expect(ran.errors == "holdfast: configuration '\(path)', \(what)\n")
    }
  }

  @Test func closedWorkflowsGoWhenTheirRetentionHasPassed() async throws {
    try await Scratch.directory { directory in
      let path = directory + "/holdfast.toml"
      try "retention = \"1s\"\n".write(toFile: path, atomically: false, encoding: .utf8)
      let engine = try EngineProcess(["--config", path])
      let client = try Client(socket: engine.socket)
      _ = try await client.start(
        type: "nobody", 1, id: "o-1", taskQueue: "unserved", returning: Int.self)
      try await client.handle("o-1", returning: Int.self).terminate(reason: "enough")
      let figures = try #require(EngineFigures(engine.socket))
      try await until("the run is removed") { figures.counter("removed_total") == 1 }
      #expect(figures.history("o-1") == nil)
    }
  }

  @Test func aConfigurationThatCannotBeReadIsRefused() async throws {
    try await Scratch.directory { directory in
      let path = directory + "/holdfast.toml"
      let missing = try await serve(["--in-memory", "--config", path])
      #expect(missing.code == 78)
      #expect(missing.errors.hasPrefix("holdfast: configuration '\(path)': "))
      try "[limits\n".write(toFile: path, atomically: false, encoding: .utf8)
      let broken = try await serve(["--in-memory", "--config", path])
      #expect(broken.code == 78)
      #expect(broken.errors.contains("line 1"), "\(broken.errors)")
    }
  }
}
