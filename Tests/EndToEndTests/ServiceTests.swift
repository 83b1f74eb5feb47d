import Foundation
import Harness
import Testing

@testable import HoldfastCommand

/// The engine as a service of systemd: the unit that `make install` brings, and what the engine
/// tells its manager.
@Suite(.serialized) struct ServiceTests {
  private static let analyze = "/usr/bin/systemd-analyze"
  private static let hasAnalyze = FileManager.default.isExecutableFile(atPath: analyze)

  /// What is under test, installed with a prefix of its own; `body` gets the unit's path.
  private func installed(_ body: (String) async throws -> Void) async throws {
    try await Scratch.directory { prefix in
      let bin = prefix + "/bin"
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: bin + "/holdfast", withDestinationPath: EngineProcess.bin + "/holdfast")
      let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      let made = try await holdfast(
        ["-C", root.path, "install-unit", "PREFIX=" + prefix], program: "/usr/bin/make")
      #expect(made.code == 0, "\(made.errors)")
      try await body(prefix + "/lib/systemd/system/holdfast.service")
    }
  }

  /// The threshold is in tenths. Of a unit that is not hardened the same command must fail.
  @Test(.enabled(if: hasAnalyze, "systemd-analyze is not installed"))
  func theUnitIsHardened() async throws {
    try await installed { unit in
      let arguments = ["security", "--offline=true", "--no-pager", "--threshold=10", unit]
      let ran = try await holdfast(arguments, program: ServiceTests.analyze)
      #expect(ran.code == 0, "\(ran.lines.last ?? "")")
      let text = try String(contentsOfFile: unit, encoding: .utf8)
      let bare = text.split(separator: "\n").filter { !$0.hasPrefix("SystemCallFilter=") }
      try bare.joined(separator: "\n").write(toFile: unit, atomically: false, encoding: .utf8)
      #expect(try await holdfast(arguments, program: ServiceTests.analyze).code != 0)
    }
  }

  @Test(.enabled(if: hasAnalyze, "systemd-analyze is not installed"))
  func theUnitIsUnderstood() async throws {
    try await installed { unit in
      let ran = try await holdfast(["verify", "--man=no", unit], program: ServiceTests.analyze)
      #expect(ran.code == 0)
      #expect(!ran.errors.contains("holdfast.service"), "\(ran.errors)")
    }
  }

  @Test func theUnitStartsItAgainWhenTheSupervisorWould() async throws {
    try await installed { unit in
      let lines = try String(contentsOfFile: unit, encoding: .utf8).split(separator: "\n")
      let name = "RestartPreventExitStatus="
      let line = try #require(lines.first { $0.hasPrefix(name) })
      let codes = line.dropFirst(name.count).split(separator: " ").compactMap { Int32($0) }
      #expect(Set(codes + [0]) == Supervisor.finalCodes)
    }
  }

  @Test func theManagerIsToldWhenItServesAndWhenItEnds() async throws {
    try await Scratch.directory { directory in
      let manager = try DatagramSocket(directory + "/notify")
      let engine = try EngineProcess(environment: ["NOTIFY_SOCKET": directory + "/notify"])
      #expect(manager.next() == "READY=1")
      engine.process?.terminate()
      #expect(manager.next() == "STOPPING=1")
    }
  }

  @Test func aManagerThatIsGoneDoesNotMatter() async throws {
    let engine = try EngineProcess(environment: ["NOTIFY_SOCKET": Scratch.path()])
    #expect(try await RawPeer.probe(engine.socket))
  }
}

/// A bound socket that takes datagrams.
private final class DatagramSocket {
  private let fd: Int32

  init(_ path: String) throws {
    fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(100)) }
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(code == 0)
    var time = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(fd) }

  /// The next one; nil if none comes.
  func next() -> String? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(fd, &bytes, bytes.count, 0)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}
