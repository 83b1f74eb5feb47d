import Foundation
import Harness
import Testing

/// Engines that want the same socket at the same time, and what may lie in its way.
@Suite(.serialized) struct SocketRaceTests {
  private static let starters = 8
  private static let rounds =
    Int(ProcessInfo.processInfo.environment["HOLDFAST_RACES"] ?? "") ?? 25

  private final class Starter {
    let process: ChildProcess
    private let errorsPath: String

    init(_ arguments: [String], errors: String) throws {
      unlink(errors)
      errorsPath = errors
      process = try ChildProcess(
        EngineProcess.bin + "/holdfast", ["serve"] + arguments, output: "/dev/null", errors: errors)
    }

    /// What it has said beside the lines of its log.
    var complaints: [Substring] {
      let text = (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").filter { !$0.contains(" level=info ") }
    }
  }

  /// Every second round they have a file of their own each, so that only the socket is in dispute.
  /// The one that serves is killed, so that the next round begins with a stale socket.
  @Test func exactlyOneOfEightServes() async throws {
    try await Scratch.directory { directory in
      let socket = directory + "/s.sock"
      for round in 0..<SocketRaceTests.rounds {
        let store = round % 2 == 0 ? ["--db", directory + "/h.db"] : ["--in-memory"]
        let starters = try (0..<SocketRaceTests.starters).map {
          try Starter(["--socket", socket] + store, errors: directory + "/errors-\($0)")
        }
        defer { for starter in starters { starter.process.killNow() } }
        try await until("all but one have ended") {
          starters.count { $0.process.isRunning } <= 1
        }
        #expect(try await RawPeer.probe(socket), "round \(round)")
        let complaint =
          round % 2 == 0
          ? "holdfast: another engine uses '\(directory)/h.db': stop it, or choose another --db"
          : "holdfast: another engine serves '\(socket)': stop it, or choose another --socket"
        let losers = starters.filter { !$0.process.isRunning }
        #expect(losers.count == SocketRaceTests.starters - 1)
        for loser in losers {
          #expect(loser.process.wait() == 69)
          #expect(loser.complaints == [complaint[...]], "round \(round)")
        }
      }
      print("\(SocketRaceTests.rounds) rounds of \(SocketRaceTests.starters) engines at once")
    }
  }

  enum Obstacle: String, CaseIterable {
    case file, directory, fifo, danglingLink, linkToASocket

    var what: String {
      switch self {
      case .file: "a file"
      case .directory: "a directory"
      case .fifo: "a FIFO"
      case .danglingLink, .linkToASocket: "a symbolic link"
      }
    }

    func make(at path: String, socket: String) throws {
      switch self {
      case .file: try "mine".write(toFile: path, atomically: false, encoding: .utf8)
      case .directory: try #require(mkdir(path, 0o755) == 0)
      case .fifo: try #require(mkfifo(path, 0o644) == 0)
      case .danglingLink: try #require(symlink("/nonexistent", path) == 0)
      case .linkToASocket: try #require(symlink(socket, path) == 0)
      }
    }
  }

  private func status(_ path: String) throws -> [UInt64] {
    var status = stat()
    try #require(lstat(path, &status) == 0, "\(path) is gone")
    return [UInt64(status.st_ino), UInt64(status.st_mode), UInt64(status.st_size)]
      + [UInt64(status.st_mtim.tv_sec), UInt64(status.st_mtim.tv_nsec), UInt64(status.st_uid)]
  }

  @Test(arguments: Obstacle.allCases)
  func whatIsInTheWayIsRefusedUntouched(_ obstacle: Obstacle) async throws {
    let other = try EngineProcess(["--in-memory"], hasStore: false)
    #expect(try await RawPeer.probe(other.socket))
    try await Scratch.directory { directory in
      let path = directory + "/s.sock"
      try obstacle.make(at: path, socket: other.socket)
      let before = try status(path)
      let socketBefore = try status(other.socket)
      let starter = try Starter(["--in-memory", "--socket", path], errors: directory + "/errors")
      #expect(try await starter.process.end() == 73)
      #expect(
        starter.complaints == [
          "holdfast: '\(path)' is \(obstacle.what): remove it yourself, or choose another --socket"
        ])
      #expect(try status(path) == before)
      #expect(try status(other.socket) == socketBefore)
    }
    #expect(try await RawPeer.probe(other.socket))
  }

  @Test(.enabled(if: geteuid() == 0, "only root may give a socket away"))
  func aStaleSocketOfAnotherUserIsRefusedUntouched() async throws {
    let engine = try EngineProcess(["--in-memory"], hasStore: false)
    #expect(try await RawPeer.probe(engine.socket))
    engine.kill()
    try #require(chown(engine.socket, 61234, 61234) == 0)
    let before = try status(engine.socket)
    let starter = try Starter(
      ["--in-memory", "--socket", engine.socket], errors: engine.directory + "/errors")
    #expect(try await starter.process.end() == 73)
    #expect(
      starter.complaints == [
        "holdfast: '\(engine.socket)' is a socket of user 61234: remove it yourself, or choose"
          + " another --socket"
      ])
    #expect(try status(engine.socket) == before)
  }

  /// Looked at without a pause while engines start, from a shell that lets everyone do everything.
  @Test(arguments: ["0", "077"])
  func theModesAreExactAtEveryInstant(_ umask: String) async throws {
    for _ in 0..<10 {
      try await Scratch.directory { directory in
        let socket = directory + "/run/s.sock"
        let watcher = ModeWatcher([directory + "/run", socket, socket + ".lock"])
        let command = "umask \(umask); exec \"$@\""
        let engine = try ChildProcess(
          "/bin/sh",
          ["-c", command, "sh", EngineProcess.bin + "/holdfast", "serve"]
            + ["--db", directory + "/h.db", "--socket", socket],
          output: directory + "/log")
        defer { engine.killNow() }
        #expect(try await RawPeer.probe(socket))
        #expect(watcher.end() == [[0o700], [0o600], [0o600]])
        for file in ["/h.db", "/h.db-wal", "/h.db.lock", "/h.db.ballast"] {
          #expect(try status(directory + file)[1] & 0o777 == 0o600, "\(file)")
        }
      }
    }
  }
}

/// Looks at paths again and again on a thread of its own: which modes they have had.
private final class ModeWatcher: @unchecked Sendable {
  private let stop = Flag()
  private let done = DispatchSemaphore(value: 0)
  // Touched by the thread until `done`, then by `end`.
  private var modes: [Set<mode_t>]

  init(_ paths: [String]) {
    modes = paths.map { _ in [] }
    Thread { [self] in
      var isLast = false
      while !isLast {
        isLast = stop.isSet  // What is there at the end is seen.
        for (index, path) in paths.enumerated() {
          var status = stat()
          if lstat(path, &status) == 0 { modes[index].insert(status.st_mode & 0o7777) }
        }
      }
      done.signal()
    }.start()
  }

  func end() -> [Set<mode_t>] {
    stop.set()
    done.wait()
    return modes
  }
}
