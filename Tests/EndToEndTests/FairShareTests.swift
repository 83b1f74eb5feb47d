import Foundation
import Harness
import Messages
import Testing

/// What one user gets of the engine while another sends as fast as it can.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may become another user"))
struct FairShareTests {
  private static let connections = 64
  private static let requests = 20_000
  private static let uid = 61_234

  /// Sends the file on each of so many connections, and takes what is answered.
  private static let flood = """
    import os, select, socket, sys
    path, file, connections, uid = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    data = memoryview(open(file, "rb").read())
    os.setgroups([]), os.setgid(uid), os.setuid(uid)
    poll, sent = select.poll(), {}
    for _ in range(connections):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        s.setblocking(False)
        poll.register(s, select.POLLIN | select.POLLOUT)
        sent[s.fileno()] = [s, 0]
    while True:
        for fd, events in poll.poll():
            s, start = sent[fd]
            if events & select.POLLIN:
                s.recv(1 << 18)
            if events & select.POLLOUT:
                sent[fd][1] += s.send(data[start:start + (1 << 18)])
    """

  /// One connection is served as many requests as sixty-four of another user, about; if each
  /// connection had the same share, it would be one in sixty-four.
  @Test func aUserWithManyConnectionsGetsNoMoreThanOneWithOne() async throws {
    try await Scratch.directory { directory in
      let access = "[[access]]\nuid = \(FairShareTests.uid)\nroles = [\"operator\"]\n"
      try access.write(
        toFile: directory + "/holdfast.toml", atomically: false, encoding: .utf8)
      let engine = try EngineProcess(
        ["--in-memory", "--config", directory + "/holdfast.toml"], hasStore: false)
      let watcher = try await RawPeer(engine.socket)
      let peer = try await RawPeer(engine.socket)
      try watcher.hello()
      try peer.hello()
      chmod(engine.directory, 0o755)
      chmod(engine.socket, 0o666)
      try Data(FairShareTests.hello + FairShareTests.healths(1...200_000)).write(
        to: URL(fileURLWithPath: directory + "/requests"))
      let flood = try ChildProcess(
        "/usr/bin/python3",
        [
          "-c", FairShareTests.flood, engine.socket, directory + "/requests",
          "\(FairShareTests.connections)", "\(FairShareTests.uid)",
        ], output: directory + "/flood.log")
      defer { flood.killNow() }
      try await until("the other user is served") { try served(watcher) > 10_000 }
      let before = try served(watcher)
      try ask(peer, FairShareTests.requests)
      let others = try served(watcher) - before - FairShareTests.requests
      #expect(flood.isRunning)
      #expect(others < 8 * FairShareTests.requests)
      #expect(others > FairShareTests.requests / 4, "the flood was one")
    }
  }

  /// Requests of all users so far.
  private func served(_ peer: RawPeer) throws -> Int {
    let end = try peer.call(Method.operatorDescribe.rawValue, [])
    let counters = try DescribeResponse(bytes: end.message).counters
    return Int(counters.first { $0.name == "requests_total" }?.value ?? 0)
  }

  /// Asks, with thousands under way all the time, until so many are answered.
  private func ask(_ peer: RawPeer, _ count: Int) throws {
    let piece = 500
    var sent = 0
    for answered in 0..<count {
      while sent < min(count, answered + 6 * piece) {
        peer.write(FairShareTests.healths(UInt64(sent + 1)...UInt64(sent + piece)))
        sent += piece
      }
      guard case .end = try peer.next().kind else { throw RawPeer.Gone() }
    }
  }

  private static var hello: [UInt8] {
    var hello = Hello()
    hello.protocolVersions = [1]
    var frame = Frame()
    frame.kind = .hello(hello)
    return RawPeer.framed(frame.serialized())
  }

  private static func healths(_ streams: ClosedRange<UInt64>) -> [UInt8] {
    var open = Open()
    open.method = Method.operatorHealth.rawValue
    open.end = true
    var frame = Frame()
    frame.kind = .open(open)
    var bytes: [UInt8] = []
    for stream in streams {
      frame.stream = stream
      bytes += RawPeer.framed(frame.serialized())
    }
    return bytes
  }
}
