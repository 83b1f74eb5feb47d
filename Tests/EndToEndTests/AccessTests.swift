import Foundation
import Testing

/// Who may talk to the engine; another user is played by `setpriv`.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may become another user"))
struct AccessTests {
  private func asStranger(_ engine: EngineProcess, _ words: String) async throws -> Ran {
    // Where a group or an administrator has opened the directory and the socket.
    chmod(engine.directory, 0o755)
    chmod(engine.socket, 0o666)
    let command = "exec setpriv --reuid 61234 --regid 61234 --clear-groups \"$@\""
    return try await holdfast(
      ["-c", command, "sh", EngineProcess.bin + "/holdfast"]
        + words.split(separator: " ").map(String.init),
      program: "/bin/sh", environment: ["HOLDFAST_SOCKET": engine.socket])
  }

  @Test func aStrangerIsTurnedAwayAndTheLogSaysWho() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    let ran = try await asStranger(engine, "health")
    #expect(ran.code == 5)
    #expect(ran.output == "")
    #expect(engine.log.contains("level=warning msg=\"peer refused\" uid=61234\n"))
    #expect(try await RawPeer.probe(engine.socket))
  }

  @Test func aUserHasTheRolesOfTheConfigurationAndNoOthers() async throws {
    try await Scratch.directory { directory in
      let path = directory + "/holdfast.toml"
      try "[[access]]\nuid = 61234\nroles = [\"client\"]\n".write(
        toFile: path, atomically: false, encoding: .utf8)
      let engine = try EngineProcess(["--config", path])
      #expect(try await RawPeer.probe(engine.socket))
      let count = try await asStranger(engine, "workflow count")
      #expect(count.code == 0)
      #expect(count.output == "0\n")
      let drain = try await asStranger(engine, "drain")
      #expect(drain.code == 7)
      #expect(
        drain.errors == "holdfast: PERMISSION: user 61234 may not call"
          + " holdfast.v1.OperatorService/Drain: give it the role in the configuration\n")
      #expect(try await RawPeer.probe(engine.socket))
    }
  }
}
