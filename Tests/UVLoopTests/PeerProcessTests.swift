import CUV
import Glibc
import Testing

@testable import UVLoop

/// A process that does nothing until it is killed.
private final class IdleChild {
  let pid: Int32
  private var isReaped = false

  init() throws {
    var child = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("600"), nil]
    defer { for argument in arguments { free(argument) } }
    try #require(posix_spawnp(&child, "sleep", nil, nil, &arguments, environ) == 0)
    pid = child
  }

  func end() {
    guard !isReaped else { return }
    isReaped = true
    kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  deinit { end() }
}

@Suite("Peers, by the kernel's word") struct PeerProcessTests {
  private func pair(_ body: (Int32) throws -> Void) rethrows {
    var fds: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
    defer { for fd in fds { close(fd) } }
    try body(fds[0])
  }

  @Test(arguments: [true, false])
  func theKernelNamesUserGroupAndProcess(_ hasPeerPidfd: Bool) throws {
    try pair { fd in
      let peer = try PeerProcess(of: fd, hasPeerPidfd: hasPeerPidfd)
      #expect(peer.uid == geteuid())
      #expect(peer.gid == getegid())
      #expect(peer.pid == getpid())
      #expect(peer.startTicks == PeerProcess.startTicks(of: getpid()))
      #expect(peer.startTicks > 0)
      let pidfd = try #require(peer.pidfd)
      #expect(fcntl(pidfd, F_GETFD) >= 0)
      close(pidfd)
    }
  }

  @Test func whatIsNotASocketIsAnError() {
    #expect(throws: UVError.self) { try PeerProcess(of: -1) }
  }

  @Test func aProcessIsFoundAgainByPidAndStartOrNotAtAll() throws {
    let child = try IdleChild()
    let start = try #require(PeerProcess.startTicks(of: child.pid))
    let boot = PeerProcess.bootID
    guard case .alive(let pidfd) = PeerProcess.find(child.pid, startTicks: start, bootID: boot)
    else {
      Issue.record("it lives")
      return
    }
    close(pidfd)
    let earlier = PeerProcess.find(child.pid, startTicks: start - 1, bootID: boot)
    #expect(earlier == .gone, "an earlier one with its pid")
    let rebooted = PeerProcess.find(child.pid, startTicks: start, bootID: "another/1")
    #expect(rebooted == .gone, "no process outlives the boot")
    let elsewhere = boot.prefix { $0 != "/" } + "/1"
    let foreign = PeerProcess.find(child.pid, startTicks: start, bootID: String(elsewhere))
    #expect(foreign == .unknown, "another pid namespace")
    child.end()
    #expect(PeerProcess.find(child.pid, startTicks: start, bootID: boot) == .gone)
  }

  @Test func aProcessIsKnownByItsDescriptorOnlyWhileItLives() throws {
    let child = try IdleChild()
    let pidfd = holdfast_pidfd_open(child.pid)
    defer { close(pidfd) }
    #expect(
      PeerProcess.start(of: child.pid, pidfd: pidfd) == PeerProcess.startTicks(of: child.pid))
    child.end()
    #expect(PeerProcess.startTicks(of: child.pid) == nil)
    #expect(PeerProcess.start(of: child.pid, pidfd: pidfd) == nil)
    // As if its pid had been given to another process: that one's start is not the peer's.
    #expect(PeerProcess.startTicks(of: getpid()) != nil)
    #expect(PeerProcess.start(of: getpid(), pidfd: pidfd) == nil)
  }

  /// Where the kernel has no SO_PEERPIDFD, the descriptor is the process's all the same.
  @Test func theEndOfAProcessIsSeenByItsDescriptor() throws {
    let child = try IdleChild()
    let pidfd = holdfast_pidfd_open(child.pid)
    let loop = try Loop()
    var ended = 0
    let watch = try ProcessWatch(loop, pidfd: pidfd) { ended += 1 }
    let kill = Loops.afterTurns(2, loop) {
      #expect(ended == 0, "it lives")
      child.end()
    }
    loop.run()
    #expect(kill.isDone)
    #expect(ended == 1)
    watch.close()
    loop.run()
    loop.close()
  }

  @Test func aWatchThatIsClosedTellsNothing() throws {
    let child = try IdleChild()
    let pidfd = holdfast_pidfd_open(child.pid)
    let loop = try Loop()
    let watch = try ProcessWatch(loop, pidfd: pidfd) { Issue.record("it was told") }
    watch.close()
    watch.close()
    child.end()
    loop.run()
    loop.close()
  }

  @Test func theBootAndThePidNamespaceHaveAnID() {
    let parts = PeerProcess.bootID.split(separator: "/")
    #expect(parts.map(\.count).first == 36)
    #expect(parts.count == 2 && Int64(parts[1]) ?? 0 > 0)
  }
}
