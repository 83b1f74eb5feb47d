import Foundation
import Testing

/// Who may talk to the engine; another user is played by `setpriv`.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may become another user"))
struct AccessTests {
  /// `group`: one that the stranger is a member of; nil: where an administrator has opened the
  /// socket to all.
  private func asStranger(_ engine: EngineProcess, _ words: String, group: Int? = nil)
    async throws -> Ran
  {
    chmod(engine.directory, 0o755)
    if group == nil { chmod(engine.socket, 0o666) }
    let groups = group.map { "--groups \($0)" } ?? "--clear-groups"
    let command = "exec setpriv --reuid 61234 --regid 61234 \(groups) \"$@\""
    return try await holdfast(
      ["-c", command, "sh", EngineProcess.bin + "/holdfast"]
        + words.split(separator: " ").map(String.init),
      program: "/bin/sh", environment: ["HOLDFAST_SOCKET": engine.socket])
  }

  @Test func aStrangerIsTurnedAwayAndTheLogSaysWho() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    let ran = try await asStranger(engine, "health")
    #expect(ran.code == 7)
    #expect(
      ran.errors
        == "holdfast: PERMISSION: user 61234 has no role here: give it one in the configuration\n")
    #expect(engine.log.contains("level=warning msg=\"peer refused\" uid=61234\n"))
    #expect(try await RawPeer.probe(engine.socket))
  }

  @Test func theMembersOfAGroupMayBeLetIn() async throws {
    try await Scratch.directory { directory in
      let path = directory + "/holdfast.toml"
      try """
      socket_group = 61235
      [[access]]
      gid = 61235
      roles = ["client"]
      namespaces = ["default"]
      """.write(toFile: path, atomically: false, encoding: .utf8)
      let engine = try EngineProcess(["--config", path])
      #expect(try await RawPeer.probe(engine.socket))
      var status = stat()
      stat(engine.socket, &status)
      #expect(status.st_mode & 0o777 == 0o660 && status.st_gid == 61235)
      let member = try await asStranger(engine, "workflow count", group: 61235)
      #expect(member.code == 0 && member.output == "0\n", "\(member.errors)")
      let other = try await asStranger(engine, "workflow count", group: 61236)
      #expect(other.code == 7 && other.errors.hasSuffix("Permission denied\n"), "\(other)")
    }
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
