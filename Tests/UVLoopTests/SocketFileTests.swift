import CUV
import Glibc
import Testing

@testable import UVLoop

@Suite("The socket's file") struct SocketFileTests {
  private let directory = TemporaryDirectory()
  private var path: String { directory.path + "/run/s.sock" }

  private func makeFolder() { #expect(mkdir(directory.path + "/run", 0o700) == 0) }

  @Test func modesAreExact() throws {
    let socket = try SocketFile(path: path, group: nil)
    #expect(FileStatus(directory.path + "/run")?.mode == 0o700)
    #expect(FileStatus(path)?.kind == S_IFSOCK)
    #expect(FileStatus(path)?.mode == 0o600)
    #expect(FileStatus(path + ".lock")?.mode == 0o600)
    close(socket.fd)
    socket.remove()
  }

  @Test func aGroupMayEnterAndConnect() throws {
    let socket = try SocketFile(path: path, group: getegid())
    #expect(FileStatus(directory.path + "/run")?.mode == 0o750)
    #expect(FileStatus(path)?.mode == 0o660)
    close(socket.fd)
    socket.remove()
  }

  @Test func aFolderThatIsThereIsLeftAsItIs() throws {
    makeFolder()
    #expect(chmod(directory.path + "/run", 0o711) == 0)
    let socket = try SocketFile(path: path, group: nil)
    #expect(FileStatus(directory.path + "/run")?.mode == 0o711)
    close(socket.fd)
    socket.remove()
  }

  @Test(arguments: ["a file", "a symbolic link", "a FIFO", "a directory"])
  func whatIsNotASocketIsRefusedUntouched(_ what: String) throws {
    makeFolder()
    switch what {
    case "a file": close(holdfast_open(path, O_CREAT | O_WRONLY, 0o640))
    case "a symbolic link": #expect(symlink("elsewhere", path) == 0)
    case "a FIFO": #expect(mkfifo(path, 0o640) == 0)
    default: #expect(mkdir(path, 0o750) == 0)
    }
    let before = try #require(FileStatus(path))
    let error = #expect(throws: SocketError.self) { try SocketFile(path: path, group: nil) }
    guard case .inTheWay(path, what) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(FileStatus(path) == before)
  }

  /// A link to a socket that somebody serves is a link all the same.
  @Test func aLinkToASocketIsRefusedUntouched() throws {
    let target = directory.path + "/other/t.sock"
    let other = try SocketFile(path: target, group: nil)
    makeFolder()
    #expect(symlink(target, path) == 0)
    let before = FileStatus(path)
    let error = #expect(throws: SocketError.self) { try SocketFile(path: path, group: nil) }
    guard case .inTheWay(path, "a symbolic link") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(FileStatus(path) == before)
    #expect(FileStatus(target) != nil)
    close(other.fd)
    other.remove()
  }

  @Test func aSecondOneOnThePathIsRefused() throws {
    let first = try SocketFile(path: path, group: nil)
    let before = FileStatus(path)
    let error = #expect(throws: SocketError.self) { try SocketFile(path: path, group: nil) }
    guard case .inUse(path) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(FileStatus(path) == before)
    close(first.fd)
    first.remove()
    let second = try SocketFile(path: path, group: nil)
    close(second.fd)
    second.remove()
  }

  /// Bound by somebody who knows nothing of the lock.
  @Test(arguments: [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])
  func aSocketThatSomebodyServesIsRefusedUntouched(_ kind: __socket_type) throws {
    makeFolder()
    let other = Glibc.socket(AF_UNIX, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #expect(holdfast_bind(other, path) == 0)
    if kind != SOCK_DGRAM { #expect(listen(other, 1) == 0) }
    let before = FileStatus(path)
    let error = #expect(throws: SocketError.self) { try SocketFile(path: path, group: nil) }
    guard case .inUse(path) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(FileStatus(path) == before)
    close(other)
  }

  /// A connect to it would wait, and the start with it.
  @Test func aServedSocketWhoseQueueIsFullIsRefusedAtOnce() throws {
    makeFolder()
    let other = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #expect(holdfast_bind(other, path) == 0)
    #expect(listen(other, 0) == 0)
    var waiting: [Int32] = []
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    repeat {
      waiting.append(Glibc.socket(AF_UNIX, Int32(kind), 0))
    } while waiting.count < 100 && holdfast_connect(waiting[waiting.count - 1], path) == 0
    #expect(waiting.count < 100)
    let error = #expect(throws: SocketError.self) { try SocketFile(path: path, group: nil) }
    guard case .inUse(path) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    for fd in waiting { close(fd) }
    close(other)
  }

  @Test func aStaleSocketIsReplaced() throws {
    makeFolder()
    let dead = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #expect(holdfast_bind(dead, path) == 0)
    close(dead)
    let before = try #require(FileStatus(path))
    let socket = try SocketFile(path: path, group: nil)
    let after = try #require(FileStatus(path))
    #expect(after.kind == S_IFSOCK)
    #expect(after.mode == 0o600)
    #expect(after != before)
    #expect(listen(socket.fd, 1) == 0)
    _ = try PlainClient(path)
    close(socket.fd)
    socket.remove()
  }

  @Test func theSocketGoesWithItsOwnerAndTheLockStays() throws {
    let socket = try SocketFile(path: path, group: nil)
    close(socket.fd)
    #expect(FileStatus(path) != nil)
    socket.remove()
    #expect(FileStatus(path) == nil)
    #expect(FileStatus(path + ".lock")?.kind == S_IFREG)
  }

  @Test func whatIsNoLongerOursIsNotRemoved() throws {
    let socket = try SocketFile(path: path, group: nil)
    // Kept under another name, so that its inode is not given to the successor.
    #expect(rename(path, path + ".old") == 0)
    let other = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #expect(holdfast_bind(other, path) == 0)
    let before = FileStatus(path)
    close(socket.fd)
    socket.remove()
    #expect(FileStatus(path) == before)
    close(other)
  }

  @Test func theListenersCloseLeavesTheFileToItsOwner() throws {
    let served = try Served(directory)
    served.endListening()
    served.loop.run()
    #expect(FileStatus(served.path)?.kind == S_IFSOCK, "libuv has not unlinked it")
    served.finish()
    #expect(FileStatus(served.path) == nil)
  }

  /// A service manager's: it has bound the socket, and it takes it away.
  @Test func anInheritedSocketIsServedAndLeftThere() throws {
    makeFolder()
    let inherited = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #expect(holdfast_bind(inherited, path) == 0)
    let before = FileStatus(path)
    let socket = SocketFile(inherited: inherited)
    let loop = try Loop()
    var accepted = 0
    var listener: Listener?
    listener = try Listener(loop, socket: socket) { connection in
      accepted += 1
      connection.close()
      listener?.close()
    }
    let client = try PlainClient(path)
    loop.run()
    #expect(accepted == 1)
    #expect(client.readAll() == [])
    loop.close()
    socket.remove()
    #expect(FileStatus(path) == before)
    #expect(FileStatus(path + ".lock") == nil)
  }

  @Test func aPathThatIsTooLongIsAnErrorOfTheSystem() {
    let long = directory.path + "/" + String(repeating: "a", count: 120)
    let error = #expect(throws: SocketError.self) { try SocketFile(path: long, group: nil) }
    guard case .system(let cause) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(cause.code == -ENAMETOOLONG)
  }
}
